"""The shared encoders and then each rival, trained one after the other into model folders; resumed after a kill.

    FOLDER/encoders    words and regions, trained together
    FOLDER/METHOD      a folder for each rival that was asked for

A folder that was made by the same settings of the same data is left as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from tedigan.captions.reader import Reader
from tedigan.dataset.folder import Dataset
from tedigan.progress import note
from tedigan.rivals.captioned import Captioned
from tedigan.rivals.methods import METHODS
from tedigan.rivals.rival_folder import open_encoders, save_encoders, save_rival
from tedigan.rivals.rival_trainer import EncoderLessons, RivalLessons, train_encoders, train_rival
from tedigan.rivals.shared_encoders import SharedEncoders
from tedigan.rivals.vocabulary import Vocabulary
from tedigan.store.files import read_json, sha256_file
from tedigan.store.model_folders import CONFIG
from tedigan.training.loop import Loop

FOLDER_OF_ENCODERS = "encoders"


@dataclass(frozen=True)
class RivalSettings:
    """Steps and batches of the encoders and of each rival. numbers: of nets, by method; else the usual."""

    encoder_steps: int
    encoder_batch: int
    steps: int
    batch_size: int
    seed: int
    checkpoint_every: int
    numbers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingRun:
    """work: for checkpoints. The train split of `data` is learnt from.

    code: a digest of what trains; a checkpoint of another is not resumed. profile_steps: see `Loop`.
    loops: of the trainings that ran, each for its folder.
    """

    data: Dataset
    reader: Reader
    settings: RivalSettings
    folder: Path
    work: Path
    device: torch.device
    code: str = ""
    profile_steps: int = 0
    loops: list[Loop] = field(default_factory=list)

    @property
    def resumed_from_step(self) -> int | None:
        """Of the training that went on from a checkpoint; the others of a run that was killed began anew."""
        steps = [loop.resumed_from_step for loop in self.loops]
        return next((step for step in steps if step is not None), None)

    def run(self, methods: Sequence[str]) -> list[Path]:
        """The folders of the rivals; without any, nothing is trained."""
        if not methods:
            return []
        captioned = Captioned.of(self.data, self.data.split("train"), self.reader)
        encoders = self._encoders(captioned)
        encoders.to(self.device)
        lessons = captioned.lessons(encoders.vocabulary).to(self.device)
        for method in methods:
            settings = self._settings(method)
            place = self.folder / method
            if _is_made(place, settings):
                note(f"{place} is there already")
                continue
            loop = self._loop(method, settings, self.settings.batch_size)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.settings.seed)
                numbers = self.settings.numbers.get(method, {})
                rival = METHODS[method].from_json(numbers, encoders.regions)
            batch, seed = self.settings.batch_size, self.settings.seed
            training = RivalLessons(rival, encoders, lessons, batch_size=batch, seed=seed)
            train_rival(loop, training, num_steps=self.settings.steps)
            about = settings | {"images_seen": batch * self.settings.steps}
            save_rival(place, rival, encoders, about, self.data.licence, log=loop.write_log)
            loop.checkpoint.remove()
        return [self.folder / method for method in methods]

    def _encoders(self, captioned: Captioned) -> SharedEncoders:
        place, settings = self.folder / FOLDER_OF_ENCODERS, self._settings()
        if _is_made(place, settings):
            return open_encoders(place)
        vocabulary = Vocabulary.of(captioned.captions)
        encoders = SharedEncoders.new(vocabulary, seed=self.settings.seed).to(self.device)
        lessons = captioned.lessons(vocabulary).to(self.device)
        batch, seed = self.settings.encoder_batch, self.settings.seed
        loop = self._loop(FOLDER_OF_ENCODERS, settings, batch)
        training = EncoderLessons(encoders, lessons, batch_size=batch, seed=seed)
        train_encoders(loop, training, num_steps=self.settings.encoder_steps)
        about = settings | {"images_seen": batch * self.settings.encoder_steps}
        save_encoders(place, encoders, about, self.data.licence)
        loop.checkpoint.remove()
        return open_encoders(place)

    def _settings(self, method: str | None = None) -> dict[str, Any]:
        """What decides a folder's weights."""
        every = asdict(self.settings) | {"dataset": sha256_file(self.data.folder / "index.parquet")}
        numbers = every.pop("numbers")
        every.pop("checkpoint_every")
        if method is None:
            return {
                key: every[key] for key in ("encoder_steps", "encoder_batch", "seed", "dataset")
            }
        return every | {"numbers_given": dict(numbers.get(method, {}))}

    def _loop(self, name: str, settings: Mapping[str, Any], batch_size: int) -> Loop:
        loop = Loop(
            f"rival_{name}",
            work=self.work,
            depends_on={**settings, "code": self.code},
            inputs=[],
            every=self.settings.checkpoint_every,
            batch_size=batch_size,
            profile_steps=self.profile_steps,
        )
        self.loops.append(loop)
        return loop


def _is_made(folder: Path, settings: Mapping[str, Any]) -> bool:
    if not (folder / CONFIG).is_file():
        return False
    training = read_json(folder / CONFIG).get("training", {})
    return {key: training.get(key) for key in settings} == dict(settings)
