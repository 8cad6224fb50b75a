"""The instruments of the evaluation, opened: referee, grammar, feature net, perceptual distance."""

from pathlib import Path

import torch

from tedigan.annotators.referee import load_referee
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
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


def open_distance(lpips_trunk: Path | None, device: torch.device) -> PerceptualDistance:
    """The perceptual distance of packages, or of the given trunk."""
    if lpips_trunk is None:
        distance = PerceptualDistance.stlpips_alex(load_packaged(STLPIPS_ALEX))
    else:
        trunk = load_alexnet_trunk(lpips_trunk)
        distance = PerceptualDistance.lpips_alex(trunk, load_packaged(LPIPS_ALEX))
    return distance.to(device)


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
    return Instruments(
        load_referee(referee, device),
        Reader(load_grammar(grammar)),
        EfficientNetLite0.build(load_packaged(EFFICIENTNET), device),
        open_distance(lpips_trunk, device),
        seed,
        batch_size,
    )
