"""A sentence -> what it wishes of a face: what a network hears in it, and what a grammar's words add.

The network knows words that are in no grammar ("a bloke in specs"), the grammar the attributes of one's own data.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch

from tedigan.captions.reader import Reader
from tedigan.encoders.text import TextBackbone
from tedigan.encoders.text_mapper import TextReader
from tedigan.method.control import in_words

REMEMBERED = 4096  # sentences


@dataclass(frozen=True)
class Reading:
    """What a sentence says of a face.

    wishes: the attributes that shall be there (True) or not (False). contradicted: those that it says both ways,
    which are no wish. unknown: those that it names and the guide does not know.
    """

    wishes: Mapping[str, bool]
    contradicted: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def names_nothing(self) -> bool:
        """Any face will do."""
        return not self.wishes

    def in_words(self) -> str:
        """For people: "Smiling, not Bald; both ways: Young"."""
        parts = ["names nothing" if self.names_nothing else in_words(self.wishes)]
        if self.contradicted:
            parts.append(f"both ways: {', '.join(self.contradicted)}")
        if self.unknown:
            parts.append(f"not known here: {', '.join(self.unknown)}")
        return "; ".join(parts)


@dataclass(frozen=True)
class SentenceReader:
    """A grammar's reader, and a network with the backbone whose states it reads.

    known: the attributes that can be steered; None = all.
    """

    grammar: Reader
    backbone: TextBackbone
    network: TextReader
    known: Collection[str] | None = None

    def read(self, sentence: str) -> Mapping[str, bool]:
        """The wishes alone."""
        return self.reading(sentence).wishes

    @cached_property
    def reading(self) -> Callable[[str], Reading]:
        """What a sentence says, in the order of the network's attributes; the last ones are remembered."""
        return lru_cache(REMEMBERED)(self._reading)

    def _reading(self, sentence: str) -> Reading:
        said = self.said(sentence)
        known = said.keys() if self.known is None else self.known
        return Reading(
            {name: True in ways for name, ways in said.items() if len(ways) == 1 and name in known},
            tuple(name for name, ways in said.items() if len(ways) > 1 and name in known),
            tuple(name for name in said if name not in known),
        )

    def said(self, sentence: str) -> dict[str, set[bool]]:
        """How each attribute is said to be: as the grammar reads it, which knows what it knows, else as heard."""
        heard, read = self._heard(sentence), self.grammar.values(sentence)
        names = dict.fromkeys((*heard, *read))
        said = {name: read.get(name) or heard.get(name, set()) for name in names}
        return {name: ways for name, ways in said.items() if ways}

    def _heard(self, sentence: str) -> dict[str, set[bool]]:
        states = next(self.backbone.states([sentence]))
        lengths = torch.tensor([len(states)], device=states.device)
        wanted, denied = self.network.says(states, lengths)[0].tolist()
        return {
            name: {way for way, is_said in ((True, wants), (False, denies)) if is_said}
            for name, wants, denies in zip(
                self.network.config.attribute_names, wanted, denied, strict=True
            )
        }
