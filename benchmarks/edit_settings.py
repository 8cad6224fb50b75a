"""What a number of `manipulate` does to edits, on photographs of the val split: to choose it without the referee.

    python -m benchmarks.edit_settings --workspace infra/profiles/celebahq-64 --set weight_identity --to 0 2 4

Each attribute of each photograph's inversion is turned over. A tagger that is neither guide nor referee says
whether it was reached, and whether the others stayed (in shares of its agreement with itself on the mirrored
inversion); dlib's descriptor whether it is still one person.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.annotators.tagger import Guide, load_guide
from tedigan.dataset.folder import Dataset
from tedigan.evaluation.same_person import SamePerson, dlib_says_who
from tedigan.method.edit import Editor
from tedigan.method.region import Edited
from tedigan.stages.making_edits import open_editor
from tedigan.tensors import to_images, to_pixels
from tedigan.workspace import Workspace

ATTRIBUTES = "Male Wearing_Lipstick Heavy_Makeup No_Beard Bangs Smiling Young".split()
BATCH = 20


def main() -> None:
    """Print a row for each value and attribute, and each value's means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--tagger", type=Path, default=Path("assets/tagger-celebahq"))
    parser.add_argument("--count", type=int, default=40, help="photographs")
    parser.add_argument("--attributes", nargs="+", default=ATTRIBUTES)
    parser.add_argument("--set", default="weight_identity", metavar="NAME", help="of the steering")
    parser.add_argument("--to", type=float, nargs="+", default=[0, 2, 4], metavar="VALUE")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    workspace = Workspace.open(arguments.workspace)
    tagger, person = load_guide(arguments.tagger, workspace.device), dlib_says_who()
    ws, editor = opened(workspace, arguments.count)
    print(f"{arguments.set:<20}{'attribute':<20}reached  kept   same")
    for value in arguments.to:
        kind = type(getattr(editor.steering.settings, arguments.set))
        settings = replace(editor.steering.settings, **{arguments.set: kind(value)})
        own = replace(editor, steering=replace(editor.steering, settings=settings))
        rows = [judged(own, ws, name, tagger, person) for name in arguments.attributes]
        for name, row in zip([*arguments.attributes, "mean"], [*rows, _mean(rows)], strict=True):
            print(f"{value:<20g}{name:<20}" + "  ".join(f"{one:.3f}" for one in row), flush=True)


def opened(workspace: Workspace, count: int) -> tuple[Float[Tensor, "n num_ws w_dim"], Editor]:
    """The codes of val photographs, evenly spread over the split, and what edits them."""
    inverter, editor = open_editor(workspace)
    data = Dataset.open(workspace.dataset)
    val = data.split("val")
    images = to_images(data.pixels(val[:: -(-len(val) // count)]))
    return torch.cat([inverter.invert(part) for part in images.split(BATCH)]), editor


def judged(
    editor: Editor, ws: Tensor, name: str, tagger: Guide, person: SamePerson
) -> tuple[float, float, float]:
    """Shares of edits that reached this attribute, of the others that stayed, and of persons that did."""
    known, column = editor.steering.tagger.names, tagger.names.index(name)
    before = _as_stored(editor.images(ws))
    seen, mirrored = _found(tagger, before), _found(tagger, before.flip(3))
    wishes = torch.zeros(len(ws), len(known))
    wishes[:, known.index(name)] = torch.where(seen[:, column], -1.0, 1.0)
    pairs = zip(ws.split(BATCH), wishes.split(BATCH), strict=True)
    cells = editor.region_cells
    edited = [editor.steering.edit(codes, wish, region_cells=cells) for codes, wish in pairs]
    after = _as_stored(editor.draw(ws, Edited.joined(edited)))
    found = _found(tagger, after)
    others = torch.arange(len(tagger.names)) != column
    kept, agreed = ((one == seen)[:, others].float().mean() for one in (found, mirrored))
    assert person.describe is not None, person.reason
    assert person.alike is not None, person.reason
    same = person.alike(person.describe(before), person.describe(after)).float().mean()
    reached = (found != seen)[:, column].float().mean()
    return reached.item(), (kept / agreed).item(), same.item()


@torch.no_grad()
def _found(tagger: Guide, images: Float[Tensor, "n 3 r r"]) -> Tensor:
    return torch.cat([tagger.look(part) > 0 for part in images.split(BATCH)]).cpu()


def _as_stored(images: Tensor) -> Tensor:
    return to_images(to_pixels(images))


def _mean(rows: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    reached, kept, same = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    return reached, kept, same


if __name__ == "__main__":
    main()
