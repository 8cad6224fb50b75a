"""What an encoder of drawings learns from: drawings of generated faces, whose codes are exact, and a data set's.

A drawing of a generated face is what a sketcher or a parser makes of its picture. They are made once and kept in
the work folder, as that takes longer than many steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.annotators.parser_network import Parser
from tedigan.code_lock import digest_of
from tedigan.dataset.folder import Dataset
from tedigan.dataset.kinds.sketches import sketch_of
from tedigan.draws import integers
from tedigan.encoders.modalities import IN_WORDS, Drawing, to_inputs
from tedigan.encoders.visual import Paint
from tedigan.errors import DataError
from tedigan.generator.stylegan import Generator
from tedigan.progress import progress
from tedigan.store.files import sha256_tree, sha256_value
from tedigan.store.model_folders import load_tensors, save_tensors
from tedigan.tensors import stream, to_images, to_pixels
from tedigan.training import ranks
from tedigan.training.adversarial import mix_styles
from tedigan.training.data_order import TrainingImages
from tedigan.training.drawing_distortions import distort_labels, distort_sketches
from tedigan.training.encoder_trainer import Lesson
from tedigan.training.outlines import outlines_of

HELD_BACK = 16  # one in so many pairs is not learnt from, and shows what was learnt
BATCH_SIZE = 32  # generated faces at once

# Pixels -> their drawings, on the CPU.
Draw = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class PairSettings:
    """Which faces are generated; see params.yaml."""

    num_pairs: int
    style_mixing_prob: float
    seed: int


@dataclass(frozen=True)
class DrawingPairs:
    """Drawings as a data set holds them, and the codes of their faces."""

    drawings: UInt8[Tensor, "m *c r r"]
    ws: Float[Tensor, "m num_ws w_dim"]

    def parts(self) -> tuple["DrawingPairs", "DrawingPairs"]:
        """Those to learn from, and those held back."""
        held = max(1, len(self.ws) // HELD_BACK)
        return (
            DrawingPairs(self.drawings[held:], self.ws[held:]),
            DrawingPairs(self.drawings[:held], self.ws[:held]),
        )


def sketches_of(pixels: UInt8[Tensor, "n 3 r r"]) -> UInt8[Tensor, "n 1 r r"]:
    """Our own sketcher's sketch of each picture, at its size."""
    return torch.stack([sketch_of(one, one.shape[-1]) for one in pixels])


def labels_by(parser: Parser) -> Draw:
    """What a parser sees in each picture."""
    return lambda pixels: parser.parse(to_images(pixels))


def sketches_and_outlines(parser: Parser) -> Draw:
    """Our own sketcher's sketch of every other picture; of the others the outlines of what a parser sees."""

    def draw(pixels: Tensor) -> Tensor:
        drawn = torch.empty_like(pixels[:, :1])
        drawn[0::2] = sketches_of(pixels[0::2])
        if len(pixels) > 1:
            drawn[1::2] = outlines_of(labels_by(parser)(pixels[1::2]).cpu())
        return drawn

    return draw


@torch.no_grad()
def draw_pairs(generator: Generator, draw: Draw, settings: PairSettings) -> DrawingPairs:
    """Drawings of random faces of mixed styles, always the same ones of a generator and a seed."""
    drawings, codes = [], []
    device = generator.mapping.w_avg.device
    starts = range(0, settings.num_pairs, BATCH_SIZE)
    for start in progress(starts, total=len(starts), desc="drawings of faces", unit="batch"):
        n = min(BATCH_SIZE, settings.num_pairs - start)
        rng = stream(settings.seed, "drawing pairs", start)
        z = torch.randn(2 * n, generator.config.z_dim, generator=rng)
        ws = generator.ws_of(z.to(device))
        ws = mix_styles(ws[:n], ws[n:], rng, prob=settings.style_mixing_prob)
        pixels = to_pixels(generator.synthesis(ws, noise_mode="random", generator=rng))
        drawings.append(draw(pixels.cpu()))
        codes.append(ws.cpu())
    return DrawingPairs(torch.cat(drawings), torch.cat(codes))


@dataclass(frozen=True)
class PairMaker:
    """Who draws generated faces. networks: the folders that the drawings depend on, the generator's among them."""

    draw: Draw
    settings: PairSettings
    networks: list[Path]

    def pairs(self, generator: Generator, folder: Path, name: str) -> DrawingPairs:
        """Made, or kept in `folder` since they were; those of other numbers or networks are removed."""
        return ranks.first_makes(lambda: self._pairs(generator, folder, name))

    def _pairs(self, generator: Generator, folder: Path, name: str) -> DrawingPairs:
        made_of = [asdict(self.settings), digest_of(__name__), *map(sha256_tree, self.networks)]
        path = folder / f"{name}-{sha256_value(made_of)[:16]}.safetensors"
        if path.is_file():
            found = load_tensors(path)
            return DrawingPairs(found["drawings"], found["ws"])
        pairs = draw_pairs(generator, self.draw, self.settings)
        for earlier in folder.glob(f"{name}-*.safetensors"):
            earlier.unlink()
        save_tensors(path, {"drawings": pairs.drawings, "ws": pairs.ws})
        return pairs


@dataclass(frozen=True)
class DrawingLessons:
    """The pairs and the photographs of each step, as `rng` chooses them; drawings are distorted on the way.

    held: pairs that no step sees. data: None = nobody drew its photographs, and pairs stand in for them.
    images: its train split, with drawings beside. codes: theirs, as the photograph's encoder found them.
    """

    modality: Drawing
    generator: Generator
    pairs: DrawingPairs
    held: DrawingPairs
    data: Dataset | None
    images: TrainingImages | None
    codes: Float[Tensor, "n num_ws w_dim"]

    def some_pairs(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """n inputs and their codes."""
        rows = integers(rng, 0, len(self.pairs.ws), n)
        return self._seen(self.pairs.drawings[rows], rng), self.pairs.ws[rows].to(self.device)

    def photographs(self, step: int, n: int, rng: torch.Generator) -> Lesson:
        """A step's photographs, what is seen of their drawings, and codes; or n pairs that stand in for them."""
        if self.images is None:
            inputs, ws = self.some_pairs(n, rng)
            with torch.no_grad():
                images = self.generator.synthesis(ws, noise_mode="random", generator=rng)
            return Lesson(images.clamp(-1, 1), inputs, ws)
        rows, images, drawings = self.images.chosen_at(step, rng)
        return Lesson(images, self._seen(drawings, rng), self.codes[rows].to(self.device))

    @torch.no_grad()
    def drawn(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures of n generated faces, and their drawings as they were made."""
        rows = integers(rng, 0, len(self.pairs.ws), n)
        ws = self.pairs.ws[rows].to(self.device)
        images = self.generator.synthesis(ws, noise_mode="random", generator=rng).clamp(-1, 1)
        return images, to_inputs(self.pairs.drawings[rows], self.modality).to(self.device)

    def unseen(self, n: int) -> UInt8[Tensor, "m *c r r"]:
        """At most n drawings that no step sees: of the val split, or of pairs held back."""
        if self.data is None:
            return self.held.drawings[:n]
        return drawings_of(self.data, self.data.split("val")[:n], self.modality)

    @torch.no_grad()
    def paint(self) -> Paint:
        """How a drawing looks at first: ink on paper, or every class in its mean colour."""
        if self.modality == "sketch":
            return Paint(torch.full((1, 3), 2.0), -1.0)
        images = self.generator.synthesis(self.held.ws.to(self.device), noise_mode="const").cpu()
        planes = to_inputs(self.held.drawings, self.modality)
        sums = torch.einsum("nchw,nihw->ci", planes, images)
        return Paint(sums / planes.sum(dim=[0, 2, 3])[:, None].clamp(min=1), 0.0)

    @property
    def device(self) -> torch.device:
        """The generator's."""
        return self.generator.mapping.w_avg.device

    def _seen(self, drawings: UInt8[Tensor, "n *c r r"], rng: torch.Generator) -> Tensor:
        if self.modality == "label":
            return to_inputs(distort_labels(drawings, rng), "label").to(self.device)
        return distort_sketches(to_inputs(drawings, "sketch"), rng).to(self.device)


def open_lessons(
    generator: Generator,
    data: Dataset,
    codes: Mapping[str, Tensor],
    modality: Drawing,
    maker: PairMaker | None,
    images: TrainingImages | None,
    *,
    work: Path,
) -> DrawingLessons:
    """images: of the train split with their drawings; None where nobody drew them.

    maker: None where nobody can draw generated faces; then the data set's own drawings are the pairs.
    Raises DataError where there are neither.
    """
    if maker is None and images is None:
        raise DataError(
            f"{data.folder} has no {IN_WORDS[modality]}, and nobody here draws those of generated faces; one "
            f"of both is what a {modality} encoder learns from. Name a parser in train_label_encoder.parser."
        )
    ids = [] if images is None else data.split("train")
    row_of = {id: row for row, id in enumerate(codes["ids"].tolist())}
    ws = codes["ws"][[row_of[id] for id in ids]]
    if maker is not None:
        pairs = maker.pairs(generator, work / "pairs", modality)
    else:
        pairs = DrawingPairs(drawings_of(data, ids, modality), ws)
    pairs, held = pairs.parts()
    mine = None if images is None else data
    return DrawingLessons(modality, generator, pairs, held, mine, images, ws)


def drawings_of(data: Dataset, ids: Sequence[int], modality: Drawing) -> UInt8[Tensor, "n *c r r"]:
    """A data set's sketches or label maps."""
    return data.sketches(ids) if modality == "sketch" else data.labels(ids)
