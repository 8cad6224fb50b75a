"""The numbers of faces, edits and inversions without a params.yaml, and what is made of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from tedigan.errors import ParamsError
from tedigan.generator.stylegan import Generator
from tedigan.method.inversion import InversionSettings
from tedigan.method.sources import Composer, Source
from tedigan.method.steering import Steering, SteeringSettings
from tedigan.method.text_to_face import Read, Start, StartSettings

BATCH_SIZE = 8
LEARNING_RATE = 0.2  # of the inversion, in whitened units of W
MIN_PROGRESS = 0.03
STEERING = SteeringSettings(
    margin=1.0,
    num_search_steps=60,
    search_rate=0.05,
    weight_unnamed=0.1,
    weight_distance=0.03,
    weight_length=0.005,
    num_picture_steps=0,
    weight_picture=1.0,
    weight_identity=0.0,
    weight_spread=0.0,
)
EDITING = SteeringSettings(
    margin=3.0,
    num_search_steps=60,
    search_rate=0.1,
    weight_unnamed=0.3,
    weight_distance=0.03,
    weight_length=0.005,
    num_picture_steps=30,
    weight_picture=8.0,
    weight_identity=0.0,
    weight_spread=0.3,
)
REGION_CELLS = 8
BANK_SIZE, BANK_BEST, BANK_LACK = 40_000, 60, 0.1


def inversion_settings(num_steps: int, *, has_features: bool) -> InversionSettings:
    """has_features: whether there is a discriminator."""
    if num_steps < 0:
        raise ParamsError(f"num_steps is {num_steps}; expected 0 or more. Set it.")
    return InversionSettings(
        num_steps=num_steps,
        learning_rate=LEARNING_RATE,
        min_progress=MIN_PROGRESS,
        weight_pixel=1.0,
        weight_perceptual=0.25 if has_features else 0.0,
        weight_encoder=0.0,
        weight_norm=0.1,
        weight_coherence=0.03,
    )


class Starts:
    """Where faces of sources begin. The last is kept: its bank takes seconds, and one model makes many sets."""

    def __init__(self) -> None:
        self._kept: Start | None = None

    def of(
        self,
        steering: Steering,
        truncation_psi: float,
        style_layers: list[int] | Literal["measured"] = "measured",
    ) -> Start:
        """That of a model's one steering; truncation_psi: of random codes."""
        begin = StartSettings(truncation_psi, BANK_SIZE, BANK_BEST, BANK_LACK, style_layers)
        if self._kept is None or self._kept.settings != begin:
            self._kept = Start(steering.generator, steering.tagger, begin)
        return self._kept


def one_off_composer(
    generator: Generator,
    steering: Steering | None,
    read: Read | None,
    sources: Sequence[Source],
    starts: Starts,
    *,
    truncation_psi: float,
) -> Composer:
    """What makes codes of these sources. Photographs among them are steered as edits are: through the picture."""
    if steering is None:
        return Composer(generator, None, None, None, truncation_psi)
    if any(source.name == "photograph" for source in sources):
        steering = replace(steering, settings=EDITING)
    start = starts.of(steering, truncation_psi)
    return Composer(generator, start, steering, read, truncation_psi)
