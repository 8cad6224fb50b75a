"""A drawing's code by optimisation: from the encoder's guess, until the face, drawn again, is the drawing.

    ws* = argmin d(P(G(ws)), drawing) + w_prior mean |u|^2 + w_coherence mean_i |u_i - mean_j u_j|^2

P is a small network that draws faces (the *drawer*), learnt beside the encoder on generated faces; u the whitened
code, which is near N(0, 1), so that the second term keeps faces likely. Only the coarser half of the layers moves:
structure lies there, and finer ones would paint lines upon a face. What an encoder cannot do in one pass for a
hand's drawing, which no sketcher would make, this does; it is the optimisation of A3 (TediGAN, arXiv:2012.03308)
with a drawing in the photograph's place.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tedigan.encoders.encoder import Encoder
from tedigan.encoders.unet import UNet
from tedigan.generator.stylegan import Generator
from tedigan.generator.whitening import Whitening
from tedigan.method.inversion import Schedule, optimise_ws
from tedigan.method.inversion_terms import Term, WeightedTerm, coherence_term, prior_term
from tedigan.vocabulary.labels import LABEL_NAMES

SHOWN_PX = 256  # of a face whose fit takes long enough for a bar
PIXELS_AT_ONCE = 512**2  # of all faces that are fitted together: what a step keeps for its gradient
BLURS = (0.0125, 0.025, 0.05)  # of the side: how far a stroke is felt
SMALL_SHARE = 0.007  # of a map: what a class of weight 1 takes
CLASS_WEIGHTS = (0.3, 5.0)
LEAST_SKIN = 0.05  # of a map; with less, it is part of a face, and its background says nothing
BACKGROUND, SKIN = LABEL_NAMES.index("background"), LABEL_NAMES.index("skin")


@dataclass(frozen=True)
class FitSettings:
    """num_fit_steps: 0 = the encoder's code stays. fit_rate: Adam's learning rate, in whitened units."""

    num_fit_steps: int
    fit_rate: float
    weight_prior: float
    weight_coherence: float


@dataclass(frozen=True)
class FittingEncoder:
    """inputs -> ws: the guess of `encoder`, fitted to the drawing. drawer: image -> logits of its drawing."""

    encoder: Encoder
    drawer: UNet
    generator: Generator
    whitening: Whitening
    settings: FitSettings

    @property
    def w_avg(self) -> Float[Tensor, " w_dim"]:
        """Mean of W."""
        return self.encoder.w_avg

    @property
    def w_std(self) -> Float[Tensor, " w_dim"]:
        """Deviation of W."""
        return self.encoder.w_std

    @property
    def input_channels(self) -> int:
        """Of what it reads: 1 sketches, 19 label maps."""
        return self.encoder.input_channels

    def __call__(self, inputs: Float[Tensor, "n c r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """The codes; each depends on its own drawing alone."""
        at_once = max(1, PIXELS_AT_ONCE // self.generator.config.img_resolution**2)
        return torch.cat([self._fitted(part) for part in inputs.split(at_once)])

    def _fitted(self, inputs: Float[Tensor, "n c r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        settings = self.settings
        with torch.no_grad():
            guess = self.encoder(inputs)
        terms = [
            WeightedTerm("drawing", 1.0, drawing_term(self.drawer, inputs)),
            WeightedTerm("prior", settings.weight_prior, prior_term(self.whitening)),
            WeightedTerm("coherence", settings.weight_coherence, coherence_term(self.whitening)),
        ]
        schedule = Schedule(settings.num_fit_steps, settings.fit_rate)
        layers = range(self.generator.num_ws // 2)
        bar = "fit" if self.generator.config.img_resolution >= SHOWN_PX else None
        with torch.enable_grad():
            return optimise_ws(
                self.generator, guess, terms, self.whitening, schedule, layers=layers, bar=bar
            ).ws


DEFAULT_FIT = FitSettings(60, 0.08, 0.1, 0.1)  # where nobody says otherwise


def drawer_to_json(drawer: UNet, settings: FitSettings) -> dict[str, Any]:
    """What an encoder's config.json says of its drawer under `drawer`."""
    channels = drawer.head.weight.shape[1]
    return {"input_px": drawer.input_px, "base_channels": channels, "fit": asdict(settings)}


def empty_drawer(config: Mapping[str, Any]) -> UNet:
    """Not yet filled, of the numbers in its encoder's config.json."""
    sizes = config["drawer"]
    return UNet(sizes["input_px"], sizes["base_channels"], config["input_channels"])


def drawing_term(drawer: UNet, inputs: Float[Tensor, "n c r r"]) -> Term:
    """How far the drawing of each face is from that which is wanted. inputs: see `encoders.modalities`."""
    side = (drawer.input_px, drawer.input_px)
    wanted = F.interpolate(inputs, side, mode="area")
    distance = stroke_distance if inputs.shape[1] == 1 else class_distance

    def term(_: Tensor, images: Tensor, rows: Tensor) -> Tensor:
        return distance(drawer.small(images), wanted[rows])

    return term


def stroke_distance(
    logits: Float[Tensor, "n 1 p p"], wanted: Float[Tensor, "n 1 p p"]
) -> Float[Tensor, " n"]:
    """1 - cosine of the ink of both, blurred, a mean over `BLURS`; wanted: 1 = paper.

    A blur lets a stroke attract one that lies aside; the cosine does not mind how dark a pen is.
    """
    ours, theirs = logits.sigmoid(), 1 - wanted
    cosines = []
    for share in BLURS:
        blur = partial(_blurred, sigma=share * logits.shape[-1])
        cosines.append(
            F.cosine_similarity(blur(ours).flatten(1), blur(theirs).flatten(1), eps=1e-6)
        )
    return 1 - torch.stack(cosines).mean(dim=0)


def class_distance(
    logits: Float[Tensor, "n k p p"], wanted: Float[Tensor, "n k p p"]
) -> Float[Tensor, " n"]:
    """Cross-entropy of each pixel, a mean by weights, in which small parts count beside large ones.

    wanted: shares of each class in each pixel; a pixel of none says nothing.
    """
    share = wanted.mean(dim=[2, 3])
    weight = (SMALL_SHARE / share.clamp(min=1e-6)).sqrt().clamp(*CLASS_WEIGHTS)
    weight[:, BACKGROUND] *= share[:, SKIN] >= LEAST_SKIN
    weighted = wanted * weight[:, :, None, None]
    entropy = -(weighted * logits.log_softmax(dim=1)).sum(dim=[1, 2, 3])
    return entropy / weighted.sum(dim=[1, 2, 3]).clamp(min=1e-6)


def _blurred(ink: Float[Tensor, "n 1 p p"], *, sigma: float) -> Float[Tensor, "n 1 p p"]:
    """By a Gaussian."""
    reach = max(1, round(2 * sigma))
    steps = torch.arange(-reach, reach + 1, device=ink.device, dtype=ink.dtype)
    kernel = torch.exp(-steps.square() / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    across = F.conv2d(ink, kernel.view(1, 1, 1, -1), padding=(0, reach))
    return F.conv2d(across, kernel.view(1, 1, -1, 1), padding=(reach, 0))
