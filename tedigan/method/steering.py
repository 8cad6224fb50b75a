"""Steering: a code moves until what the text names is there, and holds what it does not name.

    min_d  sum_named (goal - m)_+^2 + a sum_unnamed (1 - |r|) (m - m0)^2 + b |d|^2 + c (|u + d|^2 - |u|^2)_+^2

u is the whitened code and d its shift on the layers of the named attributes. m are margins, m0 before the shift:
first what the latent tagger reads in u + d, with one d for all layers (search steps), then what the guide sees in
the picture, with a d for each (picture steps, slower). There the picture and who it shows are held as well, and
the layers' shifts together: what goes its own way in each is drawn by no one w, such as hair of many hues that
passes for gray. |r| is an attribute's correlation with the named ones: who grows a beard may look more like a man.
One search serves both tasks, which differ in where they start: a text's face takes search steps, and an edit of a
face picture steps, which also find in which region it has to show.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.encoders.latent_tagger import LatentTagger
from tedigan.encoders.text_mapper import Mover
from tedigan.errors import WeightsError
from tedigan.generator.stylegan import Generator
from tedigan.method.control import goals, layers_of
from tedigan.method.region import Edited, composed
from tedigan.tensors import stream

NOISE = (
    0.3  # on u while searching, in its deviations: the search finds nothing that only a point has
)

REGION_RATE = 0.3  # of Adam, for the region's logits

Look = Callable[[Tensor, torch.Generator | None], Tensor]
Recognise = Callable[[Tensor, torch.Generator | None], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class SteeringSettings:
    """The numbers of `Steering`.

    margin: how far beyond the guide's threshold a named attribute goes, in deviations over the generator's faces.
    num_search_steps: of Adam, at search_rate in deviations of W; num_picture_steps: then, through the picture.
    weight_unnamed, weight_distance, weight_length: a, b, c above. weight_picture: of mean (x - x0)^2 there;
    weight_identity: of 1 - the cosine of who the guide takes x and x0 for; weight_spread: of the variance of the
    layers' shifts, both likewise.
    """

    margin: float
    num_search_steps: int
    search_rate: float
    weight_unnamed: float
    weight_distance: float
    weight_length: float
    num_picture_steps: int
    weight_picture: float
    weight_identity: float
    weight_spread: float


@dataclass(frozen=True)
class Task:
    """Whitened codes, what is read in them, what is wished, and on which layers.

    wanted: by how much margins are to change, 0 where nothing is named. unnamed: weights of those that stay.
    """

    us: Float[Tensor, "n num_ws num_axes"]
    present: Float[Tensor, "n k"]
    wishes: Float[Tensor, "n k"]
    strength: Float[Tensor, " n"]
    wanted: Float[Tensor, "n k"]
    unnamed: Float[Tensor, "n k"]
    layers: Float[Tensor, "n num_ws 1"]


def shift_of(mover: Mover, task: Task) -> Float[Tensor, "n 1 num_axes"]:
    """The mover's answer to a search's task."""
    named = (task.wishes != 0).float()
    return mover(task.us, task.present, task.present + task.wanted, named, task.layers)


@dataclass(frozen=True)
class Steering:
    """What moves codes.

    mover: where the search begins, in one pass; None = where the code is. attribute_layers: `[k, num_ws]`, where
    each attribute acts. look: images, and perhaps the generator of random views -> the guide's logits beyond their
    thresholds; needed for picture steps alone. recognise: as look, and a unit vector of who each shows; None
    where the guide knows nobody, which a weight_identity above 0 refuses.
    """

    generator: Generator
    tagger: LatentTagger
    attribute_layers: Bool[Tensor, "k num_ws"]
    look: Look
    settings: SteeringSettings
    mover: Mover | None = None
    recognise: Recognise | None = None

    def __post_init__(self) -> None:
        if self.settings.weight_identity and self.recognise is None:
            raise WeightsError(
                f"weight_identity is {self.settings.weight_identity}, but the guide knows nobody; expected one "
                "that learnt from people who are shown twice. Set weight_identity to 0, train the guide on a data "
                "set with identities, or add them: `tedigan dataset learn-people`."
            )

    def steer(
        self,
        ws: Float[Tensor, "n num_ws w_dim"],
        wishes: Float[Tensor, "n k"],
        *,
        strength: float | Float[Tensor, " n"] = 1.0,
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """Codes moved to what is wished of each (1, -1, or 0 = nothing said), by strength in -3..3.

        Codes do not influence each other; one that has what it shall have stays. See `control.goals`.
        """
        return self.edit(ws, wishes, strength=strength, region_cells=0).ws

    @torch.enable_grad()
    def edit(
        self,
        ws: Float[Tensor, "n num_ws w_dim"],
        wishes: Float[Tensor, "n k"],
        *,
        strength: float | Float[Tensor, " n"] = 1.0,
        region_cells: int,
    ) -> Edited:
        """As `steer`, and where on the picture it shows, in so many cells a side; 0 = everywhere.

        A region is found in the picture steps; without them it is everywhere.
        """
        amount = torch.as_tensor(strength, dtype=ws.dtype, device=ws.device).expand(len(ws))
        task = self.task(self.tagger.whitening.whiten(ws), wishes.to(ws), amount)
        shift, region = self.search(task), ws.new_ones(len(ws), 1, 1, 1)
        if self.settings.num_picture_steps:
            shift, region = self._search_in_pictures(task, shift, region_cells)
        return Edited(self.tagger.whitening.moved(ws, shift * task.layers), region)

    @torch.no_grad()
    def task(
        self,
        us: Float[Tensor, "n num_ws num_axes"],
        wishes: Float[Tensor, "n k"],
        strength: Float[Tensor, " n"],
    ) -> Task:
        """Whitened codes and what is wished of each."""
        present = self.tagger.margins(us)
        named = (wishes != 0).float()
        unnamed = (1 - named) * (1 - self._correlation_with(named))
        goal = goals(present, wishes, strength, margin=self.settings.margin)
        layers = layers_of(wishes, self.attribute_layers)
        return Task(us, present, wishes, strength, goal - present, unnamed, layers)

    def loss(
        self, task: Task, shift: Float[Tensor, "n 1 num_axes"], rng: torch.Generator, step: int
    ) -> Float[Tensor, " n"]:
        """What is minimised before any picture is drawn, of each code, as one member of the tagger sees it."""
        return self._read_loss(task, shift, rng, step) + self._move_loss(task, shift)

    @torch.no_grad()
    def first(self, task: Task) -> Float[Tensor, "n 1 num_axes"]:
        """Where the search begins: the mover's answer, or no shift at all."""
        return (
            torch.zeros_like(task.us[:, :1]) if self.mover is None else shift_of(self.mover, task)
        )

    def search(self, task: Task) -> Float[Tensor, "n 1 num_axes"]:
        """The shift, of the task's layers, as the latent tagger would have it."""
        settings, rng = self.settings, stream("steering")
        shift = self.first(task).requires_grad_(True)
        optimiser = torch.optim.Adam([shift], lr=settings.search_rate)
        for step in range(settings.num_search_steps):
            loss = self.loss(task, shift, rng, step)
            optimiser.zero_grad(set_to_none=True)
            loss.sum().backward()
            optimiser.step()
        return shift.detach()

    def _search_in_pictures(
        self, task: Task, start: Float[Tensor, "n 1 num_axes"], cells: int
    ) -> tuple[Float[Tensor, "n num_ws num_axes"], Float[Tensor, "n 1 cells cells"]]:
        """A shift for each layer, and the region: half of every cell to begin with, then what serves."""
        settings, rng = self.settings, stream("steering in pictures")
        with torch.no_grad():
            before = self._draw(task.us)
            seen = self.look(before, None) / self.tagger.deviation
        wanted = goals(seen, task.wishes, task.strength, margin=settings.margin) - seen
        shift = start.repeat(1, task.us.shape[1], 1).requires_grad_(True)
        logits = start.new_zeros(len(start), 1, cells, cells, requires_grad=True)
        optimiser = torch.optim.Adam([shift], lr=settings.search_rate)
        if cells:
            optimiser.add_param_group({"params": [logits], "lr": REGION_RATE})
        for _ in range(settings.num_picture_steps):
            images = self._shown(task, shift, logits, before)
            change, alike = self._compared(images, before, rng)
            loss = self._margin_loss(task, change, wanted) + self._move_loss(task, shift)
            repainted = (images - before).square().mean(dim=[1, 2, 3])
            loss = loss + settings.weight_picture * repainted
            loss = loss + settings.weight_identity * (1 - alike)
            optimiser.zero_grad(set_to_none=True)
            loss.sum().backward()
            optimiser.step()
        return shift.detach(), _region(logits.detach())

    def _compared(
        self, images: Float[Tensor, "n 3 r r"], before: Tensor, rng: torch.Generator
    ) -> tuple[Float[Tensor, "n k"], Float[Tensor, " n"]]:
        """In one random view of both: how far margins moved, and how alike the persons are (their cosine)."""
        view = rng.get_state()
        with torch.no_grad():
            same_view, who = self._sight(before, rng)
        rng.set_state(view)
        seen, person = self._sight(images, rng)
        return (seen - same_view) / self.tagger.deviation, (person * who).sum(dim=1)

    def _sight(
        self, images: Float[Tensor, "n 3 r r"], rng: torch.Generator
    ) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n d"]]:
        """Margins, and who it is; one and the same where the weight is 0."""
        if self.settings.weight_identity and self.recognise is not None:
            return self.recognise(images, rng)
        return self.look(images, rng), images.new_ones(len(images), 1)

    def _shown(
        self, task: Task, shift: Tensor, logits: Float[Tensor, "n 1 cells cells"], before: Tensor
    ) -> Float[Tensor, "n 3 r r"]:
        return composed(before, self._draw(task.us + shift * task.layers), _region(logits))

    def _draw(self, us: Float[Tensor, "n num_ws num_axes"]) -> Float[Tensor, "n 3 r r"]:
        images: Tensor = self.generator.synthesis(
            self.tagger.whitening.colour(us), noise_mode="const"
        )
        return images

    def _read_loss(
        self, task: Task, shift: Tensor, rng: torch.Generator, step: int
    ) -> Float[Tensor, " n"]:
        """What the members of the latent tagger, one a step, read in the moved code, with noise on it."""
        noise = NOISE * torch.randn(1, 1, task.us.shape[2], generator=rng).to(task.us.device)
        with torch.no_grad():
            before = self.tagger.margins(task.us + noise, member=step)
        after = self.tagger.margins(task.us + noise + shift * task.layers, member=step)
        return self._margin_loss(task, after - before, task.wanted)

    def _margin_loss(self, task: Task, change: Tensor, wanted: Tensor) -> Float[Tensor, " n"]:
        missing = F.relu(wanted.sign() * (wanted - change)).square()
        drift = task.unnamed * change.square()
        return missing.sum(dim=1) + self.settings.weight_unnamed * drift.sum(dim=1)

    def _move_loss(self, task: Task, shift: Tensor) -> Float[Tensor, " n"]:
        move = shift * task.layers
        length = task.us.square().mean(dim=[1, 2])
        moved = (task.us + move).square().mean(dim=[1, 2])
        excess = task.us.shape[2] * F.relu(moved - length.clamp_min(1)).square()
        count = task.layers.sum(dim=[1, 2]).clamp_min(1)
        distance = move.square().sum(dim=[1, 2]) / count
        spread = distance - (move.sum(dim=1) / count[:, None]).square().sum(dim=1)
        return (
            self.settings.weight_distance * distance
            + self.settings.weight_length * excess
            + self.settings.weight_spread * spread
        )

    def _correlation_with(self, named: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """Each attribute's largest correlation with a named one."""
        found: Tensor = (self.tagger.correlation.abs() * named[:, :, None]).amax(dim=1)
        return found


def _region(logits: Float[Tensor, "n 1 cells cells"]) -> Float[Tensor, "n 1 some some"]:
    """Shares of the cells; where there are none, of the picture as a whole."""
    return torch.sigmoid(logits) if logits.numel() else logits.new_ones(len(logits), 1, 1, 1)
