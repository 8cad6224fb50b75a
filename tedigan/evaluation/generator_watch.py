"""A generator looked at while it trains: a sheet of faces, and how far they are from photographs.

    <sheets>/000200000.webp     the same faces of G_ema, by the number of images that it saw

The distances go where the training's other numbers go while it runs: its stats file and the tracker. No result
holds anything of it.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.errors import ParamsError
from tedigan.evaluation.distances import frechet_distance
from tedigan.evaluation.feature_nets import EfficientNetLite0, FeatureNet
from tedigan.generator.stylegan import Generator
from tedigan.models.adopt_generator import save_sheet
from tedigan.store.packaged_weights import EFFICIENTNET, load_packaged
from tedigan.tensors import sample_z, to_images, to_pixels
from tedigan.training.adversarial import AdversarialTrainer
from tedigan.training.loop import Lookout

BATCH, LARGE_BATCH, LARGE_PX = 50, 4, 512  # images at once; from that size on a few
SEED = 1  # of z; the sheet's is 0


@dataclass(frozen=True)
class WatchSettings:
    """See params.yaml."""

    watch_every: int
    watch_faces: int
    sheet_faces: int
    batch_size: int


@dataclass(frozen=True)
class GeneratorWatch:
    """average: G_ema. features: None = no distance. num_faces: on each side of it, the first of the train split.

    sheets: a folder, for sheets of `sheet_faces` faces.
    """

    average: Generator
    features: FeatureNet | None
    data: Dataset
    num_faces: int
    sheets: Path
    sheet_faces: int

    def look(self, images_seen: int) -> dict[str, float]:
        """Save the sheet; the Frechet distance without truncation, by a name that says its network and number."""
        self.sheets.mkdir(parents=True, exist_ok=True)
        save_sheet(self.sheets / f"{images_seen:09d}.webp", self.average, self.sheet_faces)
        if self.features is None:
            return {}
        found = frechet_distance(self._faces(self.features), self._photographs)
        return {f"frechet_distance_{self.features.name}_n{len(self._ids)}": found}

    @cached_property
    def _ids(self) -> list[int]:
        return self.data.split("train")[: self.num_faces]

    @cached_property
    def _photographs(self) -> Float[Tensor, "n d"]:
        assert self.features is not None, "there is no distance without"
        read = (self.data.pixels([self._ids[row] for row in rows]) for rows in self._parts())
        return torch.cat([self.features(to_images(pixels)) for pixels in read])

    @torch.no_grad()
    def _faces(self, features: FeatureNet) -> Float[Tensor, "n d"]:
        device, found = self.average.mapping.w_avg.device, []
        for rows in self._parts():
            z = sample_z(SEED, list(rows), self.average.config.z_dim).to(device)
            found.append(features(to_images(to_pixels(self.average(z)).cpu())))
        return torch.cat(found)

    def _parts(self) -> list[range]:
        size = BATCH if self.average.config.img_resolution < LARGE_PX else LARGE_BATCH
        starts = range(0, len(self._ids), size)
        return [range(start, min(start + size, len(self._ids))) for start in starts]


def lookout_of(
    trainer: AdversarialTrainer, data: Dataset, settings: WatchSettings, sheets: Path
) -> Lookout | None:
    """None where nobody asks for it. It looks after each `watch_every` images, in whole steps, and at the end.

    sheets: a folder, of this training alone.
    """
    if not settings.watch_every:
        return None
    if settings.watch_faces and len(data.split("train")) < 2:
        raise ParamsError(
            f"train_generator.watch_faces is {settings.watch_faces}, but the train split has "
            f"{len(data.split('train'))} photographs; expected 2, for a distance. Set it to 0: the sheet alone."
        )
    device = trainer.G_ema.mapping.w_avg.device
    asked = bool(settings.watch_faces)
    features = EfficientNetLite0.build(load_packaged(EFFICIENTNET), device) if asked else None
    watch = GeneratorWatch(
        trainer.G_ema, features, data, settings.watch_faces, sheets, settings.sheet_faces
    )

    def look(num_steps: int) -> dict[str, float]:
        return watch.look(trainer.images_seen_before + num_steps * settings.batch_size)

    return Lookout(max(1, settings.watch_every // settings.batch_size), look)
