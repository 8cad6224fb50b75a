"""Who stands in the inversion table, and what is edited there and back."""

from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.encoders.encoder import Encoder
from tedigan.encoders.mean_face import MeanFace
from tedigan.evaluation.inversions import (
    Contestant,
    EditAndBack,
    InversionJudges,
    InversionScores,
    score_inversions,
)
from tedigan.evaluation.perceptual_distance import PerceptualDistance
from tedigan.evaluation.same_person import SamePerson
from tedigan.method.inversion import Inverter
from tedigan.method.linear_directions import LinearDirections
from tedigan.models.opening import load_encoder
from tedigan.progress import progress
from tedigan.tensors import to_images

EDIT_LENGTH = 2.0  # deviations of the guide's logit


def measure_inversions(
    photographs: UInt8[Tensor, "n 3 r r"],
    inverter: Inverter,
    published: Path | None,
    distance: PerceptualDistance,
    same_person: SamePerson,
    edit: EditAndBack,
    *,
    batch_size: int,
) -> list[InversionScores]:
    """The rows: the mean face, the published recipe where its encoder is given, ours, ours with optimisation.

    published: the folder of that encoder, which serves the same generator.
    """
    generator = inverter.generator
    judges = InversionJudges(
        lambda ws: generator.synthesis(ws, noise_mode="const").cpu(),
        inverter.encoder.w_std,
        lambda images, others: distance(images, others).cpu(),
        same_person.describe,
    )
    encoders: dict[str, Encoder] = {"mean face": MeanFace(generator)}
    if published is not None:
        encoders["published recipe"] = load_encoder(published, generator)
    encoders["encoder"] = inverter.encoder
    rivals = [Contestant(name, _code_of(one)) for name, one in encoders.items()]
    rivals.append(Contestant("encoder + optimisation", inverter.invert))
    images = to_images(photographs)
    return [
        score
        for one in progress(rivals, desc="evaluate_edits: inversions", unit="way")
        for score in score_inversions([one], images, judges, edit=edit, batch_size=batch_size)
    ]


def there_and_back(directions: LinearDirections, attribute: str) -> EditAndBack:
    """An attribute's straight direction: an edit that can be taken back exactly."""
    column = directions.tagger.names.index(attribute)

    def move(ws: Tensor, amount: float) -> Tensor:
        amounts = torch.zeros(len(ws), len(directions.tagger.names))
        amounts[:, column] = amount
        return directions.move(ws, amounts)

    return EditAndBack(lambda ws: move(ws, EDIT_LENGTH), lambda ws: move(ws, -EDIT_LENGTH))


def _code_of(encoder: Encoder) -> Callable[[Tensor], Tensor]:
    @torch.no_grad()
    def invert(images: Tensor) -> Tensor:
        found: Tensor = encoder(images.to(encoder.w_avg.device))
        return found

    return invert
