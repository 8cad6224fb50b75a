"""Who judges, opened: the protocol's data set, referee and networks, and what they see of the photographs."""

from dataclasses import dataclass
from pathlib import Path

import torch

from tedigan.comparison.comparison_protocol import ComparisonProtocol
from tedigan.comparison.drawing import INDEX
from tedigan.comparison.familiar import FamiliarPhotographs
from tedigan.comparison.judging import Court
from tedigan.comparison.looking import CaptionJudge, Judges, Photographs, Pictures, Seen, look
from tedigan.dataset.folder import Dataset
from tedigan.evaluation.contestants import choose_test_photographs, one_caption
from tedigan.evaluation.faces import MIN_PREVALENCE
from tedigan.evaluation.feature_nets import FeatureNet
from tedigan.evaluation.instruments import open_instruments
from tedigan.evaluation.metric import Instruments
from tedigan.evaluation.text_fidelity import Mentions
from tedigan.evaluation.training_photographs import MIN_STRANGERS, TrainingPhotographs
from tedigan.models.given_nets import open_clip, open_inception
from tedigan.store.files import sha256_file, sha256_value
from tedigan.tensors import stream

REFEREE = "referee.safetensors"
SEEN_FORMAT = 2  # of what is kept


@dataclass(frozen=True)
class Places:
    """Where this machine has what a protocol names. cache: for what was seen of the photographs.

    inception, clip: files of networks that a protocol does not name; None = not given.
    """

    dataset: Path
    referee: Path
    grammar: Path
    lpips_trunk: Path | None
    cache: Path
    device: torch.device
    batch_size: int
    inception: Path | None = None
    clip: Path | None = None

    def digests(self) -> dict[str, str]:
        """As a protocol names them."""
        return {
            "dataset": sha256_file(self.dataset / INDEX),
            "grammar": sha256_file(self.grammar),
            "referee": sha256_file(self.referee / REFEREE),
        }

    def instruments(self, seed: int) -> Instruments:
        """The networks that look."""
        return open_instruments(
            self.referee,
            self.grammar,
            lpips_trunk=self.lpips_trunk,
            device=self.device,
            seed=seed,
            batch_size=self.batch_size,
        )


def plan_comparison(
    places: Places, *, name: str, num_prompts: int, size_px: int | None, seed: int
) -> ComparisonProtocol:
    """A protocol of test photographs and one caption of each; size_px: None = the data set's."""
    data, tools = Dataset.open(places.dataset), places.instruments(seed)
    ids = choose_test_photographs(data, num_prompts, seed=seed)
    return ComparisonProtocol(
        name=name,
        split="test",
        ids=tuple(ids),
        captions=tuple(one_caption(data, id, seed) for id in ids),
        features=tools.features.name,
        distance=tools.distance.name,
        size_px=size_px or data.resolution,
        num_reference=min(len(ids), len(data.split("train"))),
        variety_prompts=min(20, len(ids)),
        variety_faces=8,
        num_distractors=99,
        num_kept=5000,
        seed=seed,
        **places.digests(),
    )


@dataclass(frozen=True)
class Session:
    """A court and its judges, for any number of methods."""

    court: Court
    judges: Judges

    def look(self, shown: Pictures) -> Seen:
        """What is seen of one method's pictures."""
        protocol = self.court.protocol
        return look(shown, protocol, self.judges, len(protocol.ids))


def open_session(places: Places, protocol: ComparisonProtocol) -> Session:
    """The judges of a protocol; DataError where something here is not what it names."""
    protocol.check(places.digests())
    tools, data = places.instruments(protocol.seed), Dataset.open(places.dataset)
    protocol.check({"features": tools.features.name, "distance": tools.distance.name})
    knows_strangers = len(data.split("val")) >= MIN_STRANGERS
    training = TrainingPhotographs.of(data)[0] if knows_strangers else None
    clip = None if places.clip is None else open_clip(places.clip, places.device)
    judges = Judges(
        tools.referee,
        tools.features,
        tools.distance,
        training,
        _familiar(places, protocol, data, tools.features) if knows_strangers else None,
        places.batch_size,
        None if places.inception is None else open_inception(places.inception, places.device),
        CaptionJudge.read(clip, protocol.captions, places.batch_size) if clip else None,
    )
    given = "".join(f"-{one.name}" for one in (judges.inception, clip) if one is not None)
    train = data.split("train")
    prevalence = data.attributes(train).float().mean(dim=0)
    counted = tools.referee.is_reliable & (prevalence >= MIN_PREVALENCE)
    mentions = Mentions.read(protocol.captions, tools.reader.read, tools.referee.names, counted)
    order = torch.randperm(len(train), generator=stream(protocol.seed, "comparison", "train"))
    others = tuple(train[row] for row in order[: protocol.num_reference].tolist())

    def seen(name: str, ids: tuple[int, ...]) -> Seen:
        """Made once and kept: it depends on the protocol and the given files alone."""
        path = places.cache / f"{protocol.digest}-{name}{given}-{SEEN_FORMAT}.safetensors"
        if not path.is_file():
            own = Photographs(f"photographs of {name}", data, ids, protocol.size_px)
            look(own, protocol, judges, len(ids)).save(path)
        return Seen.load(path)

    columns = [data.attribute_names.index(one) for one in tools.referee.names]
    court = Court(
        protocol,
        mentions,
        data.attributes(protocol.ids)[:, columns],
        counted,
        seen("test", protocol.ids),
        seen("train", others),
        training.limit if training else None,
        judges.familiar.limit if judges.familiar else None,
        judges.inception,
        clip.name if clip else None,
    )
    return Session(court, judges)


def _familiar(
    places: Places, protocol: ComparisonProtocol, data: Dataset, features: FeatureNet
) -> FamiliarPhotographs:
    """Made once and kept for all protocols of the data set, as the network looks at every training photograph."""
    seen = sha256_value([protocol.dataset, features.name, protocol.size_px])
    path = places.cache / f"{seen}-familiar-{SEEN_FORMAT}.safetensors"
    if not path.is_file():
        sizes = {"size_px": protocol.size_px, "batch_size": places.batch_size}
        FamiliarPhotographs.of(data, features, **sizes).save(path)
    return FamiliarPhotographs.load(path)
