"""Trains the two networks that annotate photographs without masks or attributes: the parser and the tagger.

They are no stages: nothing in the pipeline of a data set needs a model that was trained on that data set. They
are trained on one data set and named, by their folders, when another is made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional

from tedigan.annotators.parser_network import (
    FaceParser,
    ParserConfig,
    class_weights,
    confusion,
    intersection_over_union,
    parsing_loss,
)
from tedigan.annotators.random_views import random_views
from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig, calibrate, f1_of
from tedigan.code_lock import digest_of
from tedigan.dataset.folder import Dataset
from tedigan.dataset.small_pixels import CHUNK, small_pixels
from tedigan.draws import integers
from tedigan.errors import DataError, ParamsError
from tedigan.models.annotator_cards import parser_card, tagger_card
from tedigan.store.files import finished_folder
from tedigan.store.model_folders import freeze, load_into, save_model
from tedigan.tensors import to_images
from tedigan.training import ranks
from tedigan.training.learn_people import learn_people
from tedigan.training.loop import Loop
from tedigan.training.schedules import set_rate, warm_up_then_cosine
from tedigan.training.worn import WORN, Wardrobe, draw_both, who_wears, worn_loss, worn_quality
from tedigan.vocabulary.labels import LABEL_NAMES, resize_labels

MAX_INPUT_PX, STEP_PX = 128, 16
WORN_WEIGHT = 2.0  # of a class that is worn, in the loss of its pixels
_CARDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "parser": parser_card,
    "tagger": tagger_card,
}


@dataclass(frozen=True)
class Settings:
    """How to train. input_px: the side in which the network looks at faces; None = theirs, 128 at most."""

    base_channels: int
    num_steps: int
    batch_size: int
    learning_rate: float
    input_px: int | None = None
    checkpoint_every: int = 200
    seed: int = 0

    def changed(self, **values: int | float) -> "Settings":
        """With other values; one that cannot be is a ParamsError."""
        for name, value in values.items():
            if name != "seed" and value <= 0:
                raise ParamsError(f"{name} is {value}; expected more than 0. Correct it.")
        settings = replace(self, **values)  # type: ignore[arg-type]
        if (settings.input_px or STEP_PX) % STEP_PX:
            raise ParamsError(
                f"input_px is {settings.input_px}; the networks halve it four times, so a multiple of "
                f"{STEP_PX} is expected. Take 64 or 128."
            )
        return settings


PARSER_SETTINGS = Settings(base_channels=16, num_steps=4000, batch_size=16, learning_rate=0.004)
TAGGER_SETTINGS = Settings(base_channels=24, num_steps=4000, batch_size=64, learning_rate=0.003)


def train_parser(
    dataset: Path,
    folder: Path,
    settings: Settings,
    *,
    work: Path,
    device: torch.device,
    examined_on: Path | None = None,
    wardrobe: Path | None = None,
    start: Path | None = None,
) -> dict[str, Any]:
    """Train a parser on a data set with label maps; returns what its config.json says, its quality included.

    work: where checkpoints lie until it is finished; a run that was cut off goes on from there.
    examined_on: another data set with label maps, all of which the parser is compared with in the end.
    wardrobe: a data set of drawn faces, if the maps lack what is worn: see tedigan.training.worn.
    start: a parser's folder, to go on from; None = random weights.
    """
    data, ids = _open(dataset, "label")
    examiner = None if examined_on is None else _examiner(examined_on)
    side = _side(data, settings)
    pixels, labels = small_pixels(data, ids, side), _small_labels(data, ids, side)
    weights = class_weights(labels).to(device)
    if wardrobe is not None:
        weights[[LABEL_NAMES.index(name) for name in WORN]] = WORN_WEIGHT
    torch.manual_seed(settings.seed)  # the initial weights; nothing else draws from it
    network = FaceParser(ParserConfig(side, settings.base_channels)).to(device)
    if start is not None:
        load_into(network, start / "parser.safetensors")
    clothes = None if wardrobe is None else Wardrobe.open(Dataset.open(wardrobe), side)
    wears = None if clothes is None else who_wears(data, ids)

    def logits_of(
        pixels: UInt8[Tensor, "n 3 s s"], labels: UInt8[Tensor, "n s s"], rng: torch.Generator
    ) -> tuple[Float[Tensor, "n 19 s s"], UInt8[Tensor, "n s s"]]:
        """Of random views of them, and the labels of these."""
        images, truth = random_views(to_images(pixels.to(device)), labels.to(device), rng)
        assert truth is not None, "labels go in, so labels come out"
        return network(images), truth

    def loss_of(chosen: Int64[Tensor, " b"], rng: torch.Generator) -> Float[Tensor, ""]:
        if clothes is None or wears is None:
            return parsing_loss(*logits_of(pixels[chosen], labels[chosen], rng), weights)
        bare, wearers = draw_both(wears, len(chosen), rng)
        dressed = clothes.dress(pixels[bare], labels[bare], rng)
        theirs = logits_of(pixels[wearers], labels[wearers], rng)
        return worn_loss(logits_of(*dressed, rng), theirs, wears[wearers].to(device), weights)

    inputs = [path for path in (dataset, wardrobe, start) if path is not None]
    loop = _fit("parser", network, loss_of, inputs, len(ids), settings, work)
    quality: dict[str, Any] = _parser_quality(network, data, data.split("val"), device)
    if clothes is not None:
        quality["worn"] = worn_quality(network, data, data.split("val"), device)
    if examiner is not None:
        found = _parser_quality(network, examiner, examiner.ids, device)
        origin = examiner.description["origin"]["label"]
        quality["examined"] = found | {"num_photographs": len(examiner.ids), "origin": origin}
    return _finish("parser", network, quality, data, settings, loop, folder, {})


def train_tagger(
    dataset: Path,
    folder: Path,
    settings: Settings,
    *,
    work: Path,
    device: torch.device,
    half: str | None = None,
    **of_loop: Any,
) -> dict[str, Any]:
    """The same for a tagger, on a data set with attributes; where people come again, it learns who is who.

    half: of train, see `Dataset.half`; None = all. of_loop: `name` and more of the `Loop`, where a stage trains.
    """
    data, ids = _open(dataset, "image")
    ids = ids if half is None else data.half(half)
    names = tuple(data.attribute_names)
    if not names:
        raise DataError(
            f"{dataset} has no attributes, so there is nothing to train a tagger on. Use a data set whose "
            "source has a table of them, such as CelebA-HQ or drawn faces."
        )
    side = _side(data, settings)
    pixels, attributes = small_pixels(data, ids, side), data.attributes(ids).float()
    positives = attributes.mean(0)
    weights = ((1 - positives) / positives.clamp(min=1e-3)).sqrt().clamp(0.5, 4).to(device)
    torch.manual_seed(settings.seed)
    network = FaceTagger(TaggerConfig(side, settings.base_channels, names)).to(device)

    def loss_of(chosen: Int64[Tensor, " b"], rng: torch.Generator) -> Float[Tensor, ""]:
        images, _ = random_views(to_images(pixels[chosen].to(device)), None, rng)
        truth = attributes[chosen].to(device)
        return functional.binary_cross_entropy_with_logits(
            network(images), truth, pos_weight=weights
        )

    loop = _fit("tagger", network, loss_of, [dataset], len(ids), settings, work, **of_loop)
    quality, axes = _tagger_quality(network, data, device), {}
    if (people := learn_people(network, data, ids)) is not None:
        axes["identity"], quality["identity"] = people
    return _finish("tagger", network, quality, data, settings, loop, folder, axes)


def _open(dataset: Path, kind: str) -> tuple[Dataset, list[int]]:
    """The data set and its train split; DataError where it cannot teach or cannot examine."""
    data = Dataset.open(dataset)
    if kind not in data.kinds:
        raise DataError(
            f"{dataset} has no label maps, so there is nothing to train a parser on. Use a data set "
            "whose source has masks, such as drawn faces."
        )
    if not data.split("train") or not data.split("val"):
        raise DataError(
            f"{dataset} has {len(data.split('train'))} photographs for training and "
            f"{len(data.split('val'))} for validation; expected some of both. Make a larger one."
        )
    return data, data.split("train")


def _examiner(folder: Path) -> Dataset:
    """Opened before anything is trained, so that nothing is trained in vain."""
    data = Dataset.open(folder)
    if not data.has_labels:
        raise DataError(
            f"{folder} has no label maps to compare a parser's with. Name a data set that has."
        )
    return data


def _side(data: Dataset, settings: Settings) -> int:
    """In which the network looks at faces."""
    return settings.input_px or max(STEP_PX, min(data.resolution, MAX_INPUT_PX))


def _small_labels(data: Dataset, ids: list[int], side: int) -> UInt8[Tensor, "n side side"]:
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    return torch.cat([resize_labels(data.labels(chunk), side) for chunk in chunks])


def _fit(
    kind: str,
    network: nn.Module,
    loss_of: Callable[[Tensor, torch.Generator], Tensor],
    inputs: list[Path],
    num_photographs: int,
    settings: Settings,
    work: Path,
    **of_loop: Any,
) -> Loop:
    """Train; afterwards the network is frozen."""
    spec = {"model": kind, "code": digest_of(__name__), "settings": asdict(settings)}
    named: dict[str, Any] = {"name": f"train_{kind}", "every": settings.checkpoint_every} | of_loop
    loop = Loop(work=work, depends_on=spec, inputs=inputs, batch_size=settings.batch_size, **named)
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=0.02)
    ranks.share_statistics(network)

    def step(index: int) -> dict[str, float]:
        rng = ranks.shared_stream(settings.seed, f"train_{kind}", index)
        loss = loss_of(integers(rng, 0, num_photographs, ranks.share(settings.batch_size)), rng)
        rate, num_steps = settings.learning_rate, settings.num_steps
        set_rate(optimiser, warm_up_then_cosine(index, learning_rate=rate, num_steps=num_steps))
        ranks.descend(optimiser, loss)
        return {"loss": loss.item()}

    loop.run({kind: network, "optimiser": optimiser}, step, num_steps=settings.num_steps)
    freeze(network, next(network.parameters()).device)
    return loop


def _parser_quality(
    network: FaceParser, data: Dataset, ids: Sequence[int], device: torch.device
) -> dict[str, Any]:
    """Intersection over union, at the data set's own size."""
    counts = torch.zeros(19, 19, dtype=torch.int64)
    for id in ids:
        logits = network(to_images(data.pixels([id])).to(device))
        counts += confusion(logits.argmax(1).to(torch.uint8).cpu(), data.labels([id]))
    iou = intersection_over_union(counts)
    known = [value for value in iou.values() if value is not None]
    return {"iou": iou, "mean_iou": sum(known) / len(known)}


def _tagger_quality(network: FaceTagger, data: Dataset, device: torch.device) -> dict[str, Any]:
    """Thresholds and F1 on the val split; F1 on the test split, which chose nothing, where there is one."""
    logits, truth = {}, {}
    for split in ("val", "test"):
        ids = data.split(split)
        pixels = small_pixels(data, ids, network.config.input_px)
        seen = [network(to_images(part).to(device)).cpu() for part in pixels.split(CHUNK)]
        logits[split], truth[split] = torch.cat(seen), data.attributes(ids)
    found = {}
    for column, name in enumerate(network.config.attribute_names):
        one = calibrate(logits["val"][:, column], truth["val"][:, column])
        said = logits["test"][:, column] > one.threshold
        found[name] = {**asdict(one), "test_f1": f1_of(said, truth["test"][:, column])}
    proposed = [one["f1"] for one in found.values() if one["is_proposed"]]
    mean = sum(proposed) / len(proposed) if proposed else None
    return {"attributes": found, "num_proposed": len(proposed), "mean_f1_of_proposed": mean}


def _finish(
    name: str,
    network: FaceParser | FaceTagger,
    quality: dict[str, Any],
    data: Dataset,
    settings: Settings,
    loop: Loop,
    folder: Path,
    others: Mapping[str, nn.Module],
) -> dict[str, Any]:
    """Write the model folder, whole or not at all; the others beside the network."""
    counts = {split: len(data.split(split)) for split in ("train", "val", "test")}
    taught = {"settings": asdict(settings), "licence": data.licence, "num_photographs": counts}
    about = taught | {"origin": data.description.get("origin", {})}
    config = network.config.to_json() | quality | {"training": about}
    with finished_folder(folder) as fresh:
        loop.write_log(fresh / "log.csv")
        save_model(fresh, {name: network.cpu(), **others}, config, _CARDS[name](config))
    loop.checkpoint.remove()
    return config
