"""The instruments of the evaluation, opened: referee, grammar, feature net, perceptual distance."""

from pathlib import Path

import torch
from jaxtyping import Bool
from torch import Tensor

from tedigan.annotators.descriptor import NAME as DLIB
from tedigan.annotators.descriptor import SAME_PERSON, load_descriptor
from tedigan.annotators.referee import load_referee
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.errors import WeightsError
from tedigan.evaluation.edits import SamePerson
from tedigan.evaluation.feature_nets import EfficientNetLite0
from tedigan.evaluation.metric import Instruments
from tedigan.evaluation.perceptual_distance import PerceptualDistance
from tedigan.store.packaged_weights import (
    EFFICIENTNET,
    LPIPS_ALEX,
    STLPIPS_ALEX,
    load_alexnet_trunk,
    load_packaged,
)
from tedigan.tensors import to_images


def open_same_person() -> SamePerson:
    """dlib's descriptor, independent of all that is trained here; where its package is absent nobody can say."""
    try:
        descriptor = load_descriptor()
    except WeightsError as error:
        return SamePerson(DLIB, None, f"Not told: {error}")

    def judge(pixels: Tensor, others: Tensor) -> Bool[Tensor, " n"]:
        one, other = (descriptor(to_images(seen)) for seen in (pixels, others))
        return (one - other).norm(dim=1) < SAME_PERSON

    return SamePerson(DLIB, judge)


def open_instruments(
    referee: Path,
    grammar: Path,
    *,
    lpips_trunk: Path | None,
    device: torch.device,
    seed: int,
    batch_size: int,
) -> Instruments:
    """A referee's folder, a data set's grammar, and the feature networks of packages or the given trunk."""
    if lpips_trunk is None:
        distance = PerceptualDistance.stlpips_alex(load_packaged(STLPIPS_ALEX))
    else:
        trunk = load_alexnet_trunk(lpips_trunk)
        distance = PerceptualDistance.lpips_alex(trunk, load_packaged(LPIPS_ALEX))
    return Instruments(
        load_referee(referee, device),
        Reader(load_grammar(grammar)),
        EfficientNetLite0.build(load_packaged(EFFICIENTNET), device),
        distance.to(device),
        seed,
        batch_size,
    )
