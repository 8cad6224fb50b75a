"""What the checks of bulk jobs find, on photographs and a generator: faces by a parser, copies of training data.

    python -m benchmarks.checks faces --workspace infra/profiles/celebahq-64
    python -m benchmarks.checks copies --workspace infra/profiles/celebahq-64

faces: the share of each kind of picture in which a face is found: photographs of the val split, random faces at
several truncations, and pictures that show none. copies: the share that counts as near a training photograph:
training photographs that the generator was made to draw again, by the encoder alone and optimised (what a copy
would look like), random faces, and photographs of the test split, which are no copies.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tedigan.annotators.face_parts import has_face, shares_of
from tedigan.annotators.parser import load_parser
from tedigan.dataset.folder import Dataset
from tedigan.evaluation.training_photographs import TrainingPhotographs, write_training_photographs
from tedigan.method.inversion import InversionSettings
from tedigan.method.text_to_face import random_ws
from tedigan.models.makers import open_inverter
from tedigan.models.opening import load_generator
from tedigan.params import chosen
from tedigan.tensors import stream, to_images, to_pixels
from tedigan.workspace import Workspace

SEED, BATCH = 0, 32
TRUNCATIONS = (0.7, 1.0, 2.0, 4.0)


def main() -> None:
    """Print the table of one of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("faces", "copies"))
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--parser", default="assets/parser-celebahq")
    parser.add_argument("--count", type=int, default=300, help="pictures of each kind")
    parser.add_argument("--inverted", type=int, default=96, help="training photographs drawn again")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    workspace = Workspace.open(arguments.workspace)
    found = (faces if arguments.what == "faces" else copies)(workspace, arguments)
    for name, row in found.items():
        print(f"{name:<40}" + "  ".join(f"{key} {value}" for key, value in row.items()))
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")


def faces(workspace: Workspace, arguments: argparse.Namespace) -> dict[str, Any]:
    """Kind of picture -> the share with a face."""
    parser, data = load_parser(arguments.parser, workspace.device), Dataset.open(workspace.dataset)
    photographs = to_images(data.pixels(data.split("val")[: arguments.count]))
    side, rng = photographs.shape[-1], stream("checks")
    colours = torch.rand(arguments.count, 3, 1, 1, generator=rng) * 2 - 1
    noise = torch.randn(photographs.shape, generator=rng).clamp(-1, 1)
    kinds = {"photographs (val)": photographs}
    kinds |= {f"faces, psi {psi}": drawn(workspace, arguments.count, psi) for psi in TRUNCATIONS}
    kinds |= {"noise": noise, "one colour": colours.expand(-1, -1, side, side)}
    return {
        name: {
            "count": len(images),
            "share": round(_mean(has_face(shares_of(one)) for one in parser.parse(images)), 4),
        }
        for name, images in kinds.items()
    }


def copies(workspace: Workspace, arguments: argparse.Namespace) -> dict[str, Any]:
    """Kind of picture -> the share that is nearer a training photograph than strangers are."""
    data = Dataset.open(workspace.dataset)
    with tempfile.TemporaryDirectory() as folder:
        write_training_photographs(data, Path(folder))
        photographs = TrainingPhotographs.load(Path(folder))
    train = data.split("train")
    chosen_ids = train[:: max(1, len(train) // arguments.inverted)][: arguments.inverted]
    originals = data.pixels(chosen_ids)
    encoded, optimised = drawn_again(workspace, originals)
    test = data.pixels(data.split("test")[: arguments.count])
    kinds = {
        "training photographs, mirrored": originals.flip(3),
        "drawn again, optimised": optimised,
        "drawn again, by the encoder": encoded,
        "random faces, psi 0.7": to_pixels(drawn(workspace, arguments.count, 0.7)),
        "random faces, psi 1": to_pixels(drawn(workspace, arguments.count, 1.0)),
        "photographs (test)": test,
    }
    rows: dict[str, Any] = {"limit": {"cosine": photographs.limit}}
    for name, pixels in kinds.items():
        near = photographs.nearest(pixels)
        share = _mean(cosine > photographs.limit for _, cosine in near)
        rows[name] = {"count": len(pixels), "share": round(share, 4)}
        if len(pixels) == len(chosen_ids):
            own = _mean(who == str(id) for (who, _), id in zip(near, chosen_ids, strict=True))
            error = (to_images(pixels) - to_images(originals)).square().mean().item()
            rows[name] |= {"nearest its own": round(own, 4), "mse": round(error, 4)}
    return rows


def drawn(workspace: Workspace, count: int, truncation_psi: float) -> Tensor:
    """Random faces, as images."""
    generator = load_generator(workspace.model("generator"), workspace.device)
    parts = []
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        ws = random_ws(generator, numbers, seed=SEED, truncation_psi=truncation_psi)
        with torch.no_grad():
            parts.append(generator.synthesis(ws, noise_mode="const").clamp(-1, 1).cpu())
    return torch.cat(parts)


def drawn_again(workspace: Workspace, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Photographs as the generator draws the codes of the encoder, and the optimised ones."""
    settings = chosen(workspace.params.manipulate, InversionSettings)
    inverter = open_inverter(workspace.models, workspace.device, settings)
    encoded, optimised = list[Tensor](), list[Tensor]()
    for part in to_images(pixels).split(BATCH):
        images = part.to(workspace.device)
        codes = inverter.invert(images)
        with torch.no_grad():
            first = inverter.encoder(images)
            for ws, found in ((first, encoded), (codes, optimised)):
                found.append(to_pixels(inverter.generator.synthesis(ws, noise_mode="const")).cpu())
    return torch.cat(encoded), torch.cat(optimised)


def _mean(values: Any) -> float:
    found = [float(value) for value in values]
    return sum(found) / len(found)


if __name__ == "__main__":
    main()
