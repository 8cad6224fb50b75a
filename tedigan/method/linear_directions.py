"""A baseline for edits: one straight direction for each attribute, the same for every face and on every layer.

By least squares over random codes each attribute's margin has a slope in whitened W. Its direction raises it and
holds the others, by the weights of steering: what steering's loss gives where margins are straight,

    argmin_d  a sum_others (1 - |r|) (slope_other d)^2 + b |d|^2   with  slope d = 1

To project the others out altogether, as InterFaceGAN does with a few (arXiv:2005.09635), leaves so little where
they are dozens that codes must go where nothing is drawn any more. Steering is to be better than this.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.encoders.latent_tagger import LatentTagger
from tedigan.generator.stylegan import Generator
from tedigan.method.control import goals
from tedigan.method.steering import SteeringSettings
from tedigan.tensors import stream

NUM_SAMPLES = 20_000
CHUNK = 4096


@dataclass(frozen=True)
class LinearDirections:
    """steps: of u, one an attribute, that by least squares raise its margin by 1.

    tagger: reads where a face stands, and so how far it has to go. margin: see `SteeringSettings`.
    """

    tagger: LatentTagger
    steps: Float[Tensor, "k num_axes"]
    margin: float

    def steer(
        self,
        ws: Float[Tensor, "n num_ws w_dim"],
        wishes: Float[Tensor, "n k"],
        *,
        strength: float | Float[Tensor, " n"] = 1.0,
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """As `Steering.steer`, in one step."""
        wishes = wishes.to(ws)
        amount = torch.as_tensor(strength, dtype=ws.dtype, device=ws.device).expand(len(ws))
        with torch.no_grad():
            present = self.tagger(ws)
        return self.move(ws, goals(present, wishes, amount, margin=self.margin) - present)

    def move(
        self, ws: Float[Tensor, "n num_ws w_dim"], amounts: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """Every layer goes by as much of each attribute's direction; the opposite amounts take it back."""
        return self.tagger.whitening.moved(ws, (amounts.to(ws) @ self.steps)[:, None])


@torch.no_grad()
def fit_linear_directions(
    generator: Generator,
    tagger: LatentTagger,
    settings: SteeringSettings,
    *,
    num_samples: int = NUM_SAMPLES,
) -> LinearDirections:
    """Of what the latent tagger reads in random codes, which are always the same ones of a generator."""
    us, margins = [], []
    for start in range(0, num_samples, CHUNK):
        rng, count = stream("linear directions", start), min(CHUNK, num_samples - start)
        z = torch.randn(count, generator.config.z_dim, generator=rng)
        ws = generator.ws_of(z.to(generator.mapping.w_avg.device), truncation_psi=1.0)
        us.append(tagger.whitening.whiten(ws).mean(dim=1))
        margins.append(tagger(ws))
    x, y = torch.cat(us).double(), torch.cat(margins).double()  # so that equal bytes come of it
    slopes = torch.linalg.lstsq(x - x.mean(dim=0), y - y.mean(dim=0)).solution.T
    steps = _steps(slopes, tagger.correlation.double(), settings)
    return LinearDirections(tagger, steps.float(), settings.margin)


def _steps(
    slopes: Float[Tensor, "k num_axes"],
    correlation: Float[Tensor, "k k"],
    settings: SteeringSettings,
) -> Float[Tensor, "k num_axes"]:
    """The directions; nothing for an attribute without a slope."""
    free = settings.weight_distance * torch.eye(slopes.shape[1]).to(slopes)
    steps = []
    for slope, related in zip(slopes, correlation.abs(), strict=True):
        held = settings.weight_unnamed * (1 - related).clamp_min(0)[:, None] * slopes
        step = torch.linalg.pinv(free + slopes.T @ held, hermitian=True) @ slope
        steps.append(step / (step @ slope).clamp_min(1e-6))
    return torch.stack(steps)
