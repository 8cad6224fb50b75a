"""Which layers a drawing can tell of, measured: before the training for its loss, after it for its users."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.encoders.encoder import Encoder
from tedigan.encoders.modalities import Drawing, to_inputs
from tedigan.method.control import mix_layers, relevant_layers
from tedigan.method.structure import edge_f1, label_iou
from tedigan.method.text_to_face import random_ws
from tedigan.tensors import to_pixels
from tedigan.training.drawing_lessons import BATCH_SIZE, Draw, DrawingLessons

CELLS = {"sketch": 16, "label": 8}  # a side, of which the linear guess is made
SINGULAR = 1e-6  # the least ridge: drawings that are all alike explain nothing
RIDGE = 3.0  # as a share of a feature's own sum of squares, over the number of features
SHARE_KEPT = 0.9  # of what all layers together gain beyond a random face
SHARE_EXPLAINED = 0.5  # of the best explained layer, where nothing can be drawn again
NUM_SHOWN = 32  # drawings
PSI = 0.7  # of the faces whose other layers are taken


@dataclass(frozen=True)
class LayerReport:
    """explained: share of each layer's variance. agreement: of the drawing with that of a face which takes so many
    of its first layers, 0 to all; None where there is nobody to draw faces again. layers: those to take.
    """

    explained: list[float]
    agreement: list[float] | None
    layers: list[int]


def linearly_explained(lessons: DrawingLessons) -> Float[Tensor, " num_ws"]:
    """The share of each layer's variance that a ridge regression upon coarse drawings explains on held back pairs.

    At least 0. A floor of what a network can tell, and known before one is trained.
    """
    train, held = lessons.pairs, lessons.held
    features, held_features = (_coarse(one.drawings, lessons.modality) for one in (train, held))
    mean, centre = features.mean(dim=0), train.ws.mean(dim=0)
    x, y = features - mean, (train.ws - centre).flatten(1)
    gram = x.T @ x
    ridge = (RIDGE * gram.trace() / len(gram)).clamp(min=SINGULAR) * torch.eye(len(gram))
    weights = torch.linalg.solve(gram + ridge, x.T @ y)
    found = ((held_features - mean) @ weights).unflatten(1, train.ws.shape[1:])
    return _explained(found, held.ws - centre).clamp(min=0)


def loss_weights(explained: Float[Tensor, " num_ws"]) -> Float[Tensor, " num_ws"]:
    """Weights of sum 1 in proportion to it; all alike where nothing is explained."""
    if float(explained.sum()) <= 0:
        return torch.full_like(explained, 1 / len(explained))
    return explained / explained.sum()


@torch.no_grad()
def report_layers(
    encoder: Encoder,
    fitting: Encoder,
    lessons: DrawingLessons,
    *,
    draw: Draw | None,
    seed: int,
) -> LayerReport:
    """What a trained encoder tells of drawings that it did not learn from. fitting: the same, as it is used.

    Layers are taken from the first on, as few as reach `SHARE_KEPT` of the agreement that all of them gain.
    """
    held, centre = lessons.held, lessons.pairs.ws.mean(dim=0)
    found = _codes_of(encoder, held.drawings, lessons)
    explained = _explained(found - centre, held.ws - centre)
    if draw is None:
        layers = relevant_layers(explained, share=SHARE_EXPLAINED)
        return LayerReport(explained.tolist(), None, layers)
    agreement = _agreement(fitting, lessons, draw=draw, seed=seed)
    gained = [value - agreement[0] for value in agreement]
    most = max(gained)
    count = next(k for k, gain in enumerate(gained) if gain >= SHARE_KEPT * most)
    return LayerReport(explained.tolist(), agreement, list(range(max(1, count))))


def _agreement(encoder: Encoder, lessons: DrawingLessons, *, draw: Draw, seed: int) -> list[float]:
    """Of faces that take the first 0, 1, ... of all layers from the drawing, the others from random faces."""
    drawings, generator = lessons.unseen(NUM_SHOWN), lessons.generator
    ws = _codes_of(encoder, drawings, lessons)
    style = random_ws(generator, range(len(ws)), seed=seed, truncation_psi=PSI).cpu()
    measure = edge_f1 if lessons.modality == "sketch" else label_iou
    means = []
    for count in range(generator.num_ws + 1):
        mixed = mix_layers(style, ws, range(count)).to(generator.mapping.w_avg.device)
        images = [generator.synthesis(p, noise_mode="const") for p in mixed.split(BATCH_SIZE)]
        drawn = draw(to_pixels(torch.cat(images)).cpu())
        means.append(measure(drawn, drawings).mean().item())
    return means


def _codes_of(
    encoder: Encoder, drawings: UInt8[Tensor, "n *c r r"], lessons: DrawingLessons
) -> Float[Tensor, "n num_ws w_dim"]:
    device = lessons.generator.mapping.w_avg.device
    inputs = (to_inputs(part, lessons.modality) for part in drawings.split(BATCH_SIZE))
    return torch.cat([encoder(part.to(device)).cpu() for part in inputs])


def _explained(
    found: Float[Tensor, "n num_ws w_dim"], truth: Float[Tensor, "n num_ws w_dim"]
) -> Float[Tensor, " num_ws"]:
    """1 - squares that remain / squares, of each layer."""
    remains = (found - truth).square().sum(dim=[0, 2])
    return 1 - remains / truth.square().sum(dim=[0, 2]).clamp(min=1e-12)


def _coarse(drawings: UInt8[Tensor, "n *c r r"], modality: Drawing) -> Float[Tensor, "n f"]:
    """Mean inputs of a few cells a side."""
    cells = CELLS[modality]
    parts = [
        F.adaptive_avg_pool2d(to_inputs(part, modality), cells) for part in drawings.split(256)
    ]
    return torch.cat(parts).flatten(1)
