"""photographs + text -> results/manipulated: edited photographs.

Invert (E_v), optimise the code against the photograph (A3), mix in the text's layers, then optimise once
more with the text's layers held: what the text names changes, the rest is the photograph's again.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.encoders.adopted import AdoptedEncoder
from tedigan.encoders.visual import VisualEncoder
from tedigan.errors import DataError
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.method.control import mix_layers, shift_layers, text_shift
from tedigan.method.inversion import (
    WeightedTerm,
    anchor_term,
    encoder_term,
    optimise_ws,
    perceptual_term,
    pixel_term,
)
from tedigan.models.opening import (
    CaptionEncoder,
    load_discriminator,
    load_encoder,
    load_generator,
    load_text_encoder,
)
from tedigan.params import Manipulate
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.files import finished_folder, write_json
from tedigan.store.model_folders import model_digests
from tedigan.store.photographs import read_photographs
from tedigan.store.tables import Edit, read_edits, write_table
from tedigan.tensors import to_images, to_pixels
from tedigan.workspace import Outcome, Workspace

COLUMNS = ["before", "inversion", "after", "photograph", "text"]


def check(workspace: Workspace) -> None:
    """Refuse a bad edits file or an absent folder of photographs now."""
    params = workspace.params.manipulate
    read_edits(workspace.at(params.edits))
    if params.photographs != "test" and not workspace.at(params.photographs).exists():
        raise DataError(
            f"manipulate.photographs is {params.photographs}, which does not exist. Set it to a "
            "folder or a .tar of aligned faces, or to `test`."
        )


def run(workspace: Workspace) -> Outcome:
    """Write before/, inversion/, after/ pictures, edits.csv, grid.png and recipe.json."""
    params = workspace.params.manipulate
    edits = read_edits(workspace.at(params.edits))
    names, pixels = _photographs(workspace, params)
    jobs = _jobs(edits, names)
    editor = Editor.load(workspace)

    images = to_images(pixels)
    inverted = torch.cat(
        [
            editor.invert(images[part])
            for part in progress(
                _batches(len(names), params.batch_size), desc="invert photographs", unit="batch"
            )
        ]
    )
    edited = torch.cat(
        [
            editor.edit(
                images[[jobs[j][0] for j in part]],
                inverted[[jobs[j][0] for j in part]],
                [jobs[j][1].text for j in part],
            )
            for part in progress(
                _batches(len(jobs), params.batch_size), desc="manipulate", unit="batch"
            )
        ]
    )
    with finished_folder(workspace.result("manipulated")) as folder:
        _write(folder, names, jobs, pixels, editor.render(inverted), editor.render(edited))
        models = [workspace.model(name) for name in ("generator", "encoder", "text_encoder")]
        recipe = {"params": params.model_dump(mode="json"), "models": model_digests(models)}
        write_json(folder / "recipe.json", recipe | {"text_layers": editor.text_layers})
    residual = (editor.images(inverted).clamp(-1, 1) - images).square().mean().item()
    return Outcome(
        metrics={"num_edits": float(len(jobs)), "inversion_pixel_mse": residual},
        pictures=[workspace.result("manipulated") / "grid.png"],
    )


@dataclass(frozen=True)
class Editor:
    """The networks and numbers of text-guided manipulation."""

    generator: Generator
    captions: CaptionEncoder
    encoder: VisualEncoder | AdoptedEncoder
    features: Discriminator | None
    params: Manipulate

    @classmethod
    def load(cls, workspace: Workspace) -> "Editor":
        """From the workspace's model folders and its `manipulate` section."""
        device = workspace.device
        return cls(
            load_generator(workspace.model("generator"), device),
            load_text_encoder(workspace.model("text_encoder"), device),
            load_encoder(workspace.model("encoder"), device),
            load_discriminator(workspace.model("generator"), device)
            if workspace.params.manipulate.weight_perceptual
            else None,
            workspace.params.manipulate,
        )

    @property
    def text_layers(self) -> list[int]:
        """Layers that take the text."""
        chosen = self.params.text_layers
        return self.captions.text_layers if chosen == "measured" else chosen

    def invert(self, photographs: Tensor) -> Tensor:
        """The encoder's codes, optimised against the photographs."""
        photographs = photographs.to(self.encoder.w_avg.device)
        with torch.no_grad():
            start = self.encoder(photographs)
        return self._optimise(photographs, start, [], num_steps=self.params.num_steps)

    def edit(self, photographs: Tensor, ws: Tensor, texts: list[str]) -> Tensor:
        """Mix the texts' layers in, then optimise with those layers held."""
        photographs = photographs.to(self.encoder.w_avg.device)
        captions, strength = self.captions, self.params.strength
        std = captions.encoder.ws_std
        shift = text_shift(captions.ws(texts), captions.neutral, std, strength=strength)
        if self.params.mode == "shift":
            mixed = shift_layers(ws, shift, self.text_layers)
        else:
            mixed = mix_layers(ws, captions.encoder.ws_mean + shift, self.text_layers)
        hold = anchor_term(mixed, self.text_layers, self.encoder.w_std)
        held = [WeightedTerm("text", self.params.weight_text, hold)]
        return self._optimise(photographs, mixed, held, num_steps=self.params.num_edit_steps)

    def images(self, ws: Tensor) -> Tensor:
        """Images in about -1..1, on the CPU."""
        with torch.no_grad():
            return self.generator.synthesis(ws, noise_mode="const").cpu()

    def render(self, ws: Tensor) -> Tensor:
        """uint8 pixels."""
        return to_pixels(self.images(ws))

    def _optimise(
        self, photographs: Tensor, ws: Tensor, extra: list[WeightedTerm], *, num_steps: int
    ) -> Tensor:
        params = self.params
        terms = [
            WeightedTerm("pixel", params.weight_pixel, pixel_term(photographs)),
            WeightedTerm(
                "encoder", params.weight_encoder, encoder_term(self.encoder, self.encoder.w_std)
            ),
            *extra,
        ]
        if self.features is not None:
            perceptual = perceptual_term(photographs, self.features.features)
            terms.append(WeightedTerm("perceptual", params.weight_perceptual, perceptual))
        found, _ = optimise_ws(
            self.generator,
            ws,
            terms,
            num_steps=num_steps,
            learning_rate=params.learning_rate,
        )
        return found


def _photographs(workspace: Workspace, params: Manipulate) -> tuple[list[str], Tensor]:
    """Names and pixels of the photographs to edit, at the generator's resolution."""
    data = Dataset.open(workspace.dataset)
    if params.photographs == "test":
        ids = data.split("test")[: params.max_photographs]
        return [str(id) for id in ids], data.pixels(ids)
    return read_photographs(
        workspace.at(params.photographs), data.resolution, limit=params.max_photographs
    )


def _jobs(edits: list[Edit], names: list[str]) -> list[tuple[int, Edit]]:
    """(photograph's row, edit) for every edit of every photograph that it names."""
    jobs = []
    for edit in edits:
        rows = [i for i, name in enumerate(names) if edit.photograph in ("*", name)]
        if not rows:
            raise DataError(
                f"manipulate.edits names the photograph {edit.photograph!r}, which is not among "
                f"{names}. Use one of them, or * for each."
            )
        jobs += [(row, edit) for row in rows]
    return sorted(jobs, key=lambda job: job[0])


def _batches(total: int, size: int) -> list[list[int]]:
    return [list(range(start, min(start + size, total))) for start in range(0, total, size)]


def _write(
    folder: Path,
    names: list[str],
    jobs: list[tuple[int, Edit]],
    before: Tensor,
    inversion: Tensor,
    after: Tensor,
) -> None:
    for row, name in enumerate(names):
        pictures.save(folder / f"before/{name}.png", before[row])
        pictures.save(folder / f"inversion/{name}.png", inversion[row])
    rows, strips = [], []
    for index, (row, edit) in enumerate(jobs):
        after_name = f"after/{index:05d}.png"
        pictures.save(folder / after_name, after[index])
        name = names[row]
        rows.append([f"before/{name}.png", f"inversion/{name}.png", after_name, name, edit.text])
        strips += [before[row], inversion[row], after[index]]
    write_table(folder / "edits.csv", COLUMNS, rows)
    pictures.save(folder / "grid.png", pictures.grid(torch.stack(strips), 3))
