"""Toy faces measured by every metric, and what they were recorded to score.

A change of the protocol changes it: of a metric's name, its sentence, its floor and ceiling, what is compared with
what, or a seed. `python -m tests.evaluation.measured` writes it anew; say in the commit why.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tedigan.annotators.referee import Referee
from tedigan.annotators.referee_network import RefereeConfig, RefereeNetwork
from tedigan.annotators.trunk import Trunk
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.evaluation.contestants import Subjects
from tedigan.evaluation.feature_nets import EfficientNetLite0
from tedigan.evaluation.metric import Instruments
from tedigan.evaluation.perceptual_distance import PerceptualDistance
from tedigan.evaluation.protocol import Protocol, measure
from tedigan.store.packaged_weights import EFFICIENTNET, STLPIPS_ALEX, load_packaged
from tedigan.tensors import to_images
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tests.stages.toy import SIZE, toy_attributes, toy_caption, toy_pixels

RECORD = Path(__file__).parent / "recorded_metrics.json"
CPU = torch.device("cpu")
NUM, PROTOCOL = 12, Protocol(num_prompts=9, num_images=11, batch_size=5, seed=3)
PEOPLE = {
    "threshold": 0.77,
    "test_same_accepted": 0.75,
    "test_auroc": 0.875,
    "test_same_pairs": 30,
    "test_other_pairs": 70,
}


def photographs(first: int, count: int = NUM) -> Tensor:
    return torch.stack([toy_pixels(toy_attributes(i), i // 2) for i in range(first, first + count)])


def subjects() -> Subjects:
    """Two photographs a person; inversions are blurred, faces of captions pale, those of no caption negatives."""
    own = photographs(0)
    blurred = torch.nn.functional.avg_pool2d(own.float(), 3, 1, 1).to(torch.uint8)
    return Subjects(
        captions=[toy_caption(toy_attributes(i)) for i in range(NUM)],
        photographs=own,
        identities=torch.arange(NUM) // 2,
        texts=own // 2 + 120,
        unconditional=255 - photographs(40),
        variants=photographs(80, 6).unflatten(0, (2, 3)),
        inversions=blurred,
        mean_face=own.float().mean(dim=0, keepdim=True).to(torch.uint8),
        train_photographs=photographs(120, NUM + 2),
        prevalence=torch.where(torch.arange(40) == 5, 0.019, 0.02),
        rivals={"paler": own // 4 + 180},
    )


def instruments(*, knows_people: bool = True) -> Instruments:
    """An untrained referee that finds each attribute in half of the photographs; a third are not reliable."""
    torch.manual_seed(0)
    trunk = Trunk.build(load_packaged(EFFICIENTNET), CPU)
    network = RefereeNetwork(RefereeConfig(SIZE, 4, 8, ATTRIBUTE_NAMES))
    network.standardise_as(trunk.stages(to_images(photographs(0))))
    network.eval().requires_grad_(False)
    referee = Referee(trunk, network, torch.zeros(40), torch.arange(40) % 3 > 0, knows_people)
    logits, _ = referee.look(to_images(photographs(0)))
    middle = logits.sort(dim=0).values[NUM // 2 - 1 : NUM // 2 + 1].mean(dim=0)
    return Instruments(
        replace(referee, thresholds=middle),
        Reader(load_grammar()),
        EfficientNetLite0.build(load_packaged(EFFICIENTNET), CPU, input_px=64),
        PerceptualDistance.stlpips_alex(load_packaged(STLPIPS_ALEX)),
        seed=PROTOCOL.seed,
        batch_size=PROTOCOL.batch_size,
    )


def measured() -> dict[str, Any]:
    """The metrics in their order, the attributes that a caption mentions, and the prompts."""
    found = measure(subjects(), instruments(), PROTOCOL, PEOPLE)
    return {
        "metrics": [{"name": one.name, **one.to_json()} for one in found.metrics],
        "per_attribute": [row for row in found.per_attribute if row["mentions"]],
        "per_prompt": found.per_prompt,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)  # as the tests: sums over two are rounded otherwise
    RECORD.write_text(json.dumps(measured(), indent=1) + "\n")
