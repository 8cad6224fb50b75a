"""Several sources into one face: which layers come from where, and what a sentence then moves.

    w_i = (1 - sum_s a_si) b_i + sum_s a_si w_si,   a_si = weight of source s if it gives layer i, sum at most 1

w_s is the code of a sketch, a label map, a photograph or another face's style, and b a random code: the noise,
or one that fits the sentence (TediGAN's control mechanism, arXiv:2012.03308). Then the search moves what the
sentence names. Where a source shows what it denies, the larger weight wins.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.errors import ParamsError
from tedigan.generator.stylegan import Generator
from tedigan.method.control import free_layers, mix_layers, wishes_of
from tedigan.method.steering import Steering
from tedigan.method.text_to_face import Read, Start, random_ws

SourceName = Literal["sketch", "label", "photograph", "style"]
SOURCES: tuple[SourceName, ...] = get_args(SourceName)
DRAWN = ("sketch", "label")
IN_WORDS = {
    "sketch": "the sketch",
    "label": "the label map",
    "photograph": "the photograph",
    "style": "the style",
}
STRUCTURE_SHARE = 8 / 18  # of the layers, where nothing was measured: pSp's choice at 1024 px
SHOWS = 0.25  # margin beyond which a code is taken to show an attribute, or to lack it


@dataclass(frozen=True)
class Source:
    """A code that gives layers. weight: 0..1. shows: what is known of it beyond its code (a painted hat)."""

    name: SourceName
    ws: Float[Tensor, "1 num_ws w_dim"]
    layers: list[int]
    weight: float = 1.0
    shows: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Composed:
    """Codes, and how they came about, a line a fact."""

    ws: Float[Tensor, "n num_ws w_dim"]
    report: list[str]


@dataclass(frozen=True)
class Composer:
    """What makes codes of sources. steering, read: None where no sentence can be followed; start: its bank.

    Layers that nobody gives are a random code's: of that bank if there is a sentence, and noise if there is none
    or where no attribute acts.
    """

    generator: Generator
    start: Start | None
    steering: Steering | None
    read: Read | None
    truncation_psi: float

    def compose(
        self,
        sources: Sequence[Source],
        text: str | None,
        indices: Sequence[int],
        *,
        seed: int,
        strength: float = 1.0,
        text_weight: float = 1.0,
    ) -> Composed:
        """Code i depends on the sources, the sentence and `(seed, i)` alone. text_weight: 0..1, times strength."""
        wishes, report = self._wishes(sources, text, text_weight)
        noise = random_ws(self.generator, indices, seed=seed, truncation_psi=self.truncation_psi)
        base, shares = self._base(wishes, indices, seed, noise), self._shares(sources)
        mixed = (1 - shares.sum(dim=0)) * base
        for share, source in zip(shares, sources, strict=True):
            mixed = mixed + share * source.ws
        if self.steering is not None:
            if wishes:
                rows = self._rows(wishes, len(indices)).to(noise)
                mixed = self.steering.steer(mixed, rows, strength=strength * text_weight)
            free = free_layers(self.steering.attribute_layers)
            chance = mixed + (1 - shares.sum(dim=0)) * (noise - base)
            mixed = mix_layers(mixed, chance, free)
        lines = [*_origins(sources, self.generator.num_ws, seed), *report]
        return Composed(mixed, lines)

    def compose_many(
        self,
        sources: Sequence[Source],
        text: str | None,
        n: int,
        *,
        seed: int,
        batch_size: int,
        strength: float = 1.0,
        text_weight: float = 1.0,
    ) -> Composed:
        """The first n codes, so many at once; ParamsError where there is neither source nor sentence."""
        if text is None and not sources:
            raise ParamsError(
                "no source was given; expected a text, a sketch, a label map, a photograph or a style. Give one."
            )
        if self.steering is not None and self.steering.settings.num_picture_steps:
            batch_size = 1  # the guide's random views are a batch's
        parts = [
            self.compose(
                sources,
                text,
                range(start, min(n, start + batch_size)),
                seed=seed,
                strength=strength,
                text_weight=text_weight,
            )
            for start in range(0, n, batch_size)
        ]
        return Composed(torch.cat([part.ws for part in parts]), parts[0].report)

    def _wishes(
        self, sources: Sequence[Source], text: str | None, text_weight: float
    ) -> tuple[dict[str, bool], list[str]]:
        """What the sentence wishes and no weightier source contradicts, and the report on it."""
        if text is None:
            return {}, []
        assert self.read is not None, "who gives a sentence has what reads it"
        reading = self.read(text)
        wishes, report = dict(reading.wishes), [f"the sentence: {reading.in_words()}"]
        for source in sources:
            for name, is_there in self._shown(source, wishes).items():
                if name not in wishes or is_there == wishes[name]:
                    continue
                text_wins = text_weight >= source.weight
                report.append(_contradiction(source, name, is_there, text_weight, text_wins))
                if not text_wins:
                    del wishes[name]
        return wishes, report

    @torch.no_grad()
    def _shown(self, source: Source, wishes: Mapping[str, bool]) -> dict[str, bool]:
        """Of the attributes that are wished: those that the source's own layers can show, and do or do not.

        A drawing's code is drawn to the mean face, so that it shows only what it has beyond that one.
        """
        if self.steering is None or source.name == "style":
            return dict(source.shows)
        tagger, acts = self.steering.tagger, self.steering.attribute_layers
        margins = tagger(source.ws)[0]
        told = margins
        if source.name in DRAWN:
            mean = self.generator.mapping.w_avg.expand_as(source.ws)
            told = margins - tagger(mean)[0]
        is_shown = (margins.abs() > SHOWS) & (told.abs() > SHOWS) & (margins * told > 0)
        shown = {}
        for row, name in enumerate(tagger.names):
            can_tell = bool(acts[row, source.layers].any() & is_shown[row])
            if name in wishes and can_tell:
                shown[name] = bool(margins[row] > 0)
        return shown | dict(source.shows)

    def _base(
        self,
        wishes: Mapping[str, bool],
        indices: Sequence[int],
        seed: int,
        noise: Tensor,
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """A random code for each: of the bank, where there is something to fit."""
        if self.start is None or not wishes:
            return noise
        assert self.steering is not None, "a bank is of a latent tagger"
        settings = self.start.settings
        chosen = self.start.bank.choose(
            self._rows(wishes, len(indices)).to(noise),
            indices,
            seed=seed,
            margin=self.steering.settings.margin,
            best=settings.bank_best,
            lack=settings.bank_lack,
        )
        return self.generator.ws_of_w(chosen)

    def _shares(self, sources: Sequence[Source]) -> Float[Tensor, "s num_ws 1"]:
        """Of each layer, how much each source gives; together at most 1."""
        shares = torch.zeros(len(sources), self.generator.num_ws, 1)
        for row, source in enumerate(sources):
            shares[row, source.layers] = source.weight
        return (shares / shares.sum(dim=0).clamp(min=1)).to(self.generator.mapping.w_avg)

    def _rows(self, wishes: Mapping[str, bool], n: int) -> Float[Tensor, "n k"]:
        assert self.steering is not None, "wishes are read where they can be followed"
        return wishes_of([wishes], self.steering.tagger.names).expand(n, -1)


def layers_by_default(
    measured: Mapping[SourceName, Sequence[int]], names: Sequence[SourceName], num_ws: int
) -> dict[SourceName, list[int]]:
    """Which layers each source gives where nobody says.

    measured: of the drawings among them, or what was asked for. A photograph gives what no drawing does; a style
    gives what no drawing does either, but beside a photograph, or a sentence alone, the fine ones only.
    """
    first_fine = round(STRUCTURE_SHARE * num_ws)
    taken = {layer for name in DRAWN for layer in measured.get(name, ())}  # type: ignore[call-overload]
    rest = [layer for layer in range(num_ws) if layer not in taken]
    has_drawing = any(name in DRAWN for name in names)
    style = rest if has_drawing and "photograph" not in names else rest[-(num_ws - first_fine) :]
    found: dict[SourceName, list[int]] = {}
    for name in names:
        if name in measured:
            found[name] = list(measured[name])
        elif name == "style":
            found[name] = style
        elif name == "photograph":
            others = measured.get("style", style) if "style" in names else ()
            found[name] = [layer for layer in rest if layer not in others]
        else:
            found[name] = list(range(first_fine))
    return found


def check_layers(layers: Mapping[str, Sequence[int]], num_ws: int) -> None:
    """ParamsError for a source that is none, or a layer that the codes do not have."""
    for name, wanted in layers.items():
        if name not in SOURCES:
            raise ParamsError(
                f"layers of {name!r} were given, but only {', '.join(SOURCES)} give layers. Leave it out."
            )
        if wrong := [layer for layer in wanted if not 0 <= layer < num_ws]:
            raise ParamsError(
                f"layers {wrong} of the {name} were asked for, but this generator has layers 0 to {num_ws - 1}. "
                "Correct them."
            )


def check_weights(weights: Mapping[str, float]) -> None:
    """ParamsError for a source that is none, or a weight that is not in 0..1."""
    for name, weight in weights.items():
        if name not in (*SOURCES, "text"):
            raise ParamsError(
                f"a weight of {name!r} was given; sources are text, {', '.join(SOURCES)}. Leave it out."
            )
        if not 0 <= weight <= 1:
            raise ParamsError(f"the weight of the {name} is {weight}; expected 0 to 1. Set it.")


def _origins(sources: Sequence[Source], num_ws: int, seed: int) -> Iterator[str]:
    """A line a stretch of layers that come from the same sources."""

    def givers(layer: int) -> str:
        names = [
            f"{IN_WORDS[source.name]} ({source.weight:g})"
            for source in sources
            if layer in source.layers and source.weight > 0
        ]
        total = sum(s.weight for s in sources if layer in s.layers)
        return " and ".join([*names, f"chance (seed {seed})"] if total < 1 else names)

    for origin, layers in groupby(range(num_ws), givers):
        yield f"layer {spans([*layers])}: {origin}"


def _contradiction(
    source: Source, name: str, is_there: bool, text_weight: float, text_wins: bool
) -> str:
    ways = ("shows", "denies") if is_there else ("lacks", "asks for")
    winner = "the sentence" if text_wins else IN_WORDS[source.name]
    return (
        f"{IN_WORDS[source.name]} {ways[0]} {name}, the sentence {ways[1]} it: {winner} wins, "
        f"weights {source.weight:g} and {text_weight:g}"
    )


def spans(layers: Sequence[int]) -> str:
    """0, 1, 2, 5 -> "0-2, 5"."""
    runs = groupby(enumerate(sorted(layers)), lambda pair: pair[1] - pair[0])
    ends = [[layer for _, layer in run] for _, run in runs]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in ends)
