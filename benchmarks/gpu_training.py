"""A generator trained further on a borrowed GPU, from one file of photographs.

    python -m benchmarks.gpu_training DATASET PACK --pack          # here: the train split of a data set's folder
    python -m benchmarks.gpu_training PACK INIT OUT --seconds 600  # there

PACK is an .npz of WebP files, some 1.6 kB a photograph of 64 px, 4.5 kB of 128 px (--count 13000: 60 MB). All are
decoded once, into the device's memory. INIT draws pictures of their size, or is `none`. OUT is a generator folder
(G_ema, G, D, log.csv, samples.png), written whole every minute.
"""

import argparse
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from benchmarks.photo_pack import decoded, encoded
from tedigan.models.adopt_generator import save_sheet
from tedigan.models.cards import generator_card
from tedigan.store.files import finished_folder, write_text
from tedigan.store.model_folders import save_model
from tedigan.tensors import stream, to_images
from tedigan.training.adversarial import AdversarialSettings, AdversarialTrainer
from tedigan.training.generator_start import GeneratorSize, check_start, history_of, start_training

EVERY_S = 60.0
SHEET_FACES = 32
SETTINGS = AdversarialSettings(
    learning_rate=0.0025,
    r1_gamma=0.1,
    r1_interval=16,
    path_length_weight=0.0,
    path_length_interval=4,
    feature_weight=0.0,
    style_mixing_prob=0.9,
    ema_halflife_nimg=150_000.0,
    ema_rampup=0.05,
    mirror=True,
    augment="none",
    precision="fp32",
    num_fp16_res=4,
)
NEW = GeneratorSize(256, 256, 8, channel_base=4096, channel_max=128, conv_clamp=None)


def main() -> None:
    """Pack, or train until the time is over, which counts from here."""
    given, began = _arguments(), time.monotonic()
    if given.pack:
        pack(Path(given.places[0]), Path(given.places[1]), given.count)
        return
    device = torch.device(given.device)
    init = init_of(given.places[1])
    check(Path(given.places[0]), init)
    photographs = unpack(Path(given.places[0])).to(device)
    trainer = start_training(init, photographs.shape[-1], NEW, SETTINGS, seed=0, device=device)
    run = Run(trainer, init, photographs, given.licence, given.batch, Path(given.places[2]))
    run.train(began + given.seconds)


def pack(dataset: Path, path: Path, count: int | None = None) -> None:
    """The train split's photographs, or the first `count` of them, as one file."""
    from tedigan.dataset.folder import Dataset  # a borrowed machine has no pyarrow

    data = Dataset.open(dataset)
    ids = data.split("train")[:count]
    parts = (data.pixels(ids[start : start + 256]) for start in range(0, len(ids), 256))
    np.savez(path, **encoded(one for part in parts for one in part))
    print(f"{len(ids)} photographs of {data.resolution} px, {path.stat().st_size / 2**20:.1f} MiB")


def unpack(path: Path) -> UInt8[Tensor, "n 3 r r"]:
    """All photographs of a pack."""
    with np.load(path, allow_pickle=False) as found:
        return decoded(found["pictures"], found["ends"])


def init_of(word: str) -> Path | None:
    """`none` is a generator from scratch."""
    return None if word == "none" else Path(word)


def check(path: Path, init: Path | None) -> None:
    """WeightsError for an `init` that draws another size than the photographs of a pack have."""
    with np.load(path, allow_pickle=False) as found:
        size = decoded(found["pictures"], found["ends"][:1]).shape[-1]
    check_start(init, size, NEW.conv_clamp, SETTINGS.precision, torch.device("cpu"))


@dataclass(frozen=True)
class Run:
    """A training under way, and where its folder goes."""

    trainer: AdversarialTrainer
    init: Path | None
    photographs: UInt8[Tensor, "n 3 r r"]
    licence: str
    batch: int
    out: Path

    def train(self, deadline: float) -> None:
        """Steps until the time is over, one at least; a line of numbers and a folder each minute."""
        start = kept = time.monotonic()
        rows, num_steps, device = ["images_seen,seconds,loss_g,loss_d"], 0, self.photographs.device
        while (now := time.monotonic()) < deadline or not num_steps:
            rng = stream(0, "gpu_training", num_steps)
            chosen = torch.randint(len(self.photographs), (self.batch,), generator=rng).to(device)
            images = to_images(self.photographs[chosen])
            numbers = self.trainer.step(images, rng, index=num_steps)
            num_steps += 1
            if now - kept > EVERY_S:
                kept = now
                self._keep(rows, num_steps, now - start, numbers)
        self._keep(rows, num_steps, time.monotonic() - start, numbers)
        images_seen = num_steps * self.batch
        print(f"{images_seen} images, {images_seen / (time.monotonic() - start):.0f} a second")

    def _keep(
        self, rows: list[str], num_steps: int, seconds: float, numbers: dict[str, float]
    ) -> None:
        device, size = self.photographs.device, self.photographs.shape[-1]
        history = history_of(
            self.trainer,
            self.init,
            data=f"{len(self.photographs)} photographs at {size} px, as WebP",
            licence=self.licence,
            num_steps=num_steps,
            params=asdict(SETTINGS) | {"batch_size": self.batch},
        )
        history["device"] = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
        losses = f"{numbers['loss_g']:.5g},{numbers['loss_d']:.5g}"
        rows.append(f"{history['images_seen']},{seconds:.0f},{losses}")
        networks = {name: getattr(self.trainer, name) for name in ("G_ema", "G", "D")}
        config = self.trainer.config.to_json() | {"training": history}
        with finished_folder(self.out) as fresh:
            write_text(fresh / "log.csv", "\n".join(rows) + "\n")
            save_sheet(fresh / "samples.png", self.trainer.G_ema, SHEET_FACES)
            save_model(fresh, networks, config, generator_card(config, networks))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+", metavar="PLACE", help="as above; INIT may be `none`")
    parser.add_argument("--pack", action="store_true")
    parser.add_argument("--count", type=int, help="of photographs packed; else all")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--licence", default="that of the photographs", help="for the card")
    parser.add_argument("--device", default="cuda")
    return parser.parse_args()


if __name__ == "__main__":
    main()
