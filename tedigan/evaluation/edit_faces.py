"""What becomes of test photographs when an attribute of each is turned over, by every way.

A photograph is inverted once; its inversion is what every way edits, and what edits are compared with. Where the
referee finds the attribute there, it is to go, and where not, to come.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.annotators.referee import Referee
from tedigan.errors import ParamsError
from tedigan.evaluation.edits import Edits
from tedigan.method.edit import Editor
from tedigan.method.inversion import Inverter
from tedigan.method.linear_directions import LinearDirections
from tedigan.progress import note, progress
from tedigan.tensors import to_images, to_pixels

Way = Callable[..., Tensor]
OWN, LINEAR, NOTHING = "ours", "linear", "nothing"


@dataclass(frozen=True)
class EditNetworks:
    """The networks under test. invert: images -> ws; draw: ws -> images.

    ways: name -> (ws, wishes, strength=) -> images, the platform's own first. names: the wishes' attributes.
    """

    invert: Callable[[Tensor], Tensor]
    draw: Callable[[Tensor], Tensor]
    ways: Mapping[str, Way]
    names: tuple[str, ...]

    @classmethod
    def of(cls, inverter: Inverter, editor: Editor, directions: LinearDirections) -> "EditNetworks":
        """The platform's own, and the linear baseline beside it."""
        steering = editor.steering

        def own(ws: Tensor, wishes: Tensor, *, strength: Tensor) -> Tensor:
            cells = editor.region_cells
            return editor.draw(ws, steering.edit(ws, wishes, strength=strength, region_cells=cells))

        def linear(ws: Tensor, wishes: Tensor, *, strength: Tensor) -> Tensor:
            return editor.images(directions.steer(ws, wishes, strength=strength))

        return cls(
            inverter.invert, editor.images, {OWN: own, LINEAR: linear}, steering.tagger.names
        )


@dataclass(frozen=True)
class EditProtocol:
    """num_strips: of one photograph and one attribute each, which take turns; strengths: of a strip, rising."""

    num_strips: int
    strengths: Sequence[float]
    batch_size: int


def attributes_to_edit(
    wanted: Sequence[str] | None, known: Sequence[str], referee: Referee
) -> list[str]:
    """Of the wanted ones (None = of all) those that the method knows and the referee is trusted with.

    Where none is left, edits are drawn all the same, of what is known, and go unjudged; what falls out is said. A
    name that the data set does not have is a ParamsError.
    """
    asked = list(referee.names if wanted is None else wanted)
    if unknown := [name for name in asked if name not in referee.names]:
        raise ParamsError(
            f"evaluate_edits.attributes names {unknown}, expected attributes of the data set. Name some of "
            f"{list(referee.names)}, or set null for all of them."
        )
    trusted = {name for name, good in zip(referee.names, referee.is_reliable, strict=True) if good}
    possible = [name for name in asked if name in known]
    judged = [name for name in possible if name in trusted]
    if wanted is not None and len(judged) < len(asked):
        left = ", ".join(name for name in asked if name not in judged)
        note(f"evaluate_edits: not judged, as the guide or the referee does not know: {left}")
    return judged or possible or list(known)


def draw_edits(
    photographs: UInt8[Tensor, "m 3 r r"],
    networks: EditNetworks,
    referee: Referee,
    attributes: Sequence[str],
    protocol: EditProtocol,
) -> Edits:
    """One edit of each photograph and attribute by every way, attribute by attribute, and the strips."""
    studio = _Studio(networks, protocol.batch_size)
    ws = studio.inverted(photographs)
    before = studio.pixels(ws, desc="inversions")
    num, columns = len(before), [referee.names.index(name) for name in attributes]
    face = torch.arange(num).repeat(len(attributes))
    names = [name for name in attributes for _ in range(num)]
    wanted = ~referee.find(to_images(before))[:, columns].T.flatten()
    sides = torch.where(wanted, 1.0, -1.0)
    wishes = studio.wishes(names) * sides[:, None]
    ones = torch.ones(len(face))
    after = {way: studio.edited(way, ws[face], wishes, ones) for way in networks.ways} | {
        NOTHING: before[face]
    }
    strips, strip_attributes = _strips(studio, ws, attributes, protocol)
    return Edits(before, face, names, wanted, after, strips, strip_attributes)


def _strips(
    studio: "_Studio", ws: Tensor, attributes: Sequence[str], protocol: EditProtocol
) -> tuple[UInt8[Tensor, "s k 3 r r"], list[str]]:
    """Of the platform's own way: each strip the next photograph, and one attribute further when all had one."""
    num, strengths = len(ws), protocol.strengths
    turns = range(min(protocol.num_strips, num * len(attributes)))
    names = [attributes[(turn + turn // num) % len(attributes)] for turn in turns]
    rows = torch.tensor([turn % num for turn in turns]).repeat_interleave(len(strengths))
    wishes = studio.wishes(names).repeat_interleave(len(strengths), dim=0)
    amounts = torch.tensor(strengths).repeat(len(turns))
    way = next(iter(studio.networks.ways))
    faces = studio.edited(way, ws[rows], wishes, amounts, desc="strips")
    return faces.unflatten(0, (len(turns), len(strengths))), names


@dataclass(frozen=True)
class _Studio:
    """The networks, a batch at a time: codes go in, pixels on the CPU come out."""

    networks: EditNetworks
    batch_size: int

    def inverted(self, photographs: UInt8[Tensor, "m 3 r r"]) -> Float[Tensor, "m num_ws w_dim"]:
        parts = self._batches(photographs, desc="invert")
        return torch.cat([self.networks.invert(to_images(part)) for (part,) in parts])

    def wishes(self, names: Sequence[str]) -> Float[Tensor, "n k"]:
        """Row by row that one attribute be there."""
        known = self.networks.names
        columns = torch.tensor([known.index(name) for name in names])
        return torch.eye(len(known))[columns]

    def pixels(self, ws: Tensor, *, desc: str) -> UInt8[Tensor, "n 3 r r"]:
        draw = self.networks.draw
        return torch.cat([_pixels(draw(part)) for (part,) in self._batches(ws, desc=desc)])

    def edited(
        self, way: str, ws: Tensor, wishes: Tensor, strength: Tensor, *, desc: str = ""
    ) -> UInt8[Tensor, "n 3 r r"]:
        parts = self._batches(ws, wishes, strength.to(ws), desc=desc or f"edits, {way}")
        edit = self.networks.ways[way]
        return torch.cat(
            [_pixels(edit(part, wish, strength=amount)) for part, wish, amount in parts]
        )

    def _batches(self, *rows: Tensor, desc: str) -> Iterable[tuple[Tensor, ...]]:
        parts = list(zip(*(one.split(self.batch_size) for one in rows), strict=True))
        bar: Iterable[tuple[Tensor, ...]] = progress(
            parts, desc=f"evaluate_edits: {desc}", unit="batch"
        )
        return bar


def _pixels(images: Tensor) -> UInt8[Tensor, "n 3 r r"]:
    return to_pixels(images.detach().float()).cpu()
