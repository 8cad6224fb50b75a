"""Reads captions, our own and those of others: which attributes they name, and which they deny."""

from collections.abc import Container, Iterator

from tedigan.captions.denials import MARKS, Denials, Find
from tedigan.captions.grammar import Grammar
from tedigan.captions.lexicon import CONJUNCTIONS, NEGATORS, Lexicon, Phrase
from tedigan.captions.tokens import DEGREES, DETERMINERS, tokens_of

_SKIPPED = DETERMINERS | DEGREES
_BEING = frozenset("is are was were look appear seem".split())
# "Make the nose smaller", "dye his hair brown", "keep the mouth shut": the adjective stands behind its noun.
_CHANGING = frozenset("make making turn turning dye colour color paint get".split())
_MAKING = _CHANGING | frozenset("keep want like with".split())
_MORE = frozenset("more less bit little a".split())
_ENDS = frozenset(". , ; ! ? and but or with please".split())
# Where these follow, it is not the person's.
_ELSEWHERE = (
    ["in", "the", "background"],
    ["behind", "him"],
    ["behind", "her"],
    ["on", "the", "table"],
)

_POSSESSIVES = frozenset({"his", "her"})


class Reader:
    """Reads captions with the words of a grammar; reads what `draw_captions` writes back exactly."""

    def __init__(self, grammar: Grammar) -> None:
        self.lexicon = Lexicon.of(grammar.file)

    def read(self, caption: str) -> dict[str, bool]:
        """The attributes that a caption names: True where it states one, False where it denies one.

        "She has no bangs" names Male (False) and Bangs (False); "a person" leaves Male open. What a caption
        says both ways ("a man and a woman") is left out.
        """
        values = self.values(caption)
        return {name: True in found for name, found in values.items() if len(found) == 1}

    def values(self, caption: str) -> dict[str, set[bool]]:
        """As `read`, with what a caption says both ways: "a man and a woman" gives Male both values."""
        tokens = tokens_of(caption, self.lexicon.spellings)
        finds = [one for one in self._phrases(tokens) if not _is_elsewhere(tokens, one.end)]
        finds += self._people(tokens, finds)
        Denials(tokens, finds, self.lexicon).mark()
        values: dict[str, set[bool]] = {}
        for find in finds:
            if find.claim is not None:
                holds = find.claim.holds != find.is_denied
                values.setdefault(find.claim.name, set()).add(holds)
        return values

    def _phrases(self, tokens: list[str]) -> Iterator[Find]:
        """Phrases from left to right; of several at one place the longest."""
        place = 0
        while place < len(tokens):
            phrase = self._phrase_at(tokens, place)
            noun = place if phrase is None else phrase.end - 1
            found = [*([phrase] if phrase else []), *self._predicates_at(tokens, noun)]
            found += (
                self._made_at(tokens, noun, phrase) if found[-1:] == [phrase] or not found else []
            )
            yield from found
            place = found[-1].end if found else place + 1

    def _phrase_at(self, tokens: list[str], place: int) -> Find | None:
        for phrase in self.lexicon.phrases.get(tokens[place], ()):
            end = _end_of(phrase, tokens, place)
            if end is not None:
                return Find(place, end, phrase.claim)
        return None

    def _predicates_at(self, tokens: list[str], place: int) -> list[Find]:
        """ "Hair is black and wavy", "which is black": the adjectives behind a noun and its verb."""
        adjectives = self.lexicon.adjectives.get(tokens[place], [])
        after = place + 1
        if adjectives and after < len(tokens) and tokens[after] in ("which", "that"):
            after += 1
        if not adjectives or after >= len(tokens) or tokens[after] not in _BEING:
            return []
        finds: list[Find] = []
        is_denied = False
        after += 1
        while after < len(tokens):
            tail = tokens[after:]
            fitting = (a for a in adjectives if list(a.tokens[:-1]) == tail[: len(a.tokens) - 1])
            if adjective := next(fitting, None):
                end = after + len(adjective.tokens) - 1
                finds.append(Find(after, end, adjective.claim, is_denied))
                after = end
            elif tail[0] in NEGATORS:
                is_denied, after = True, after + 1
            elif tail[0] == "but":  # "not straight but wavy"
                is_denied, after = False, after + 1
            elif tail[0] in _SKIPPED or tail[0] in adjectives[0].between:
                after += 1
            else:
                break
        return finds

    def _made_at(self, tokens: list[str], place: int, phrase: Find | None) -> list[Find]:
        """ "Make the nose smaller": what shall be made of a noun; of "turn black hair grey", grey alone counts."""
        verb = max((i for i in range(place) if tokens[i] in _MAKING), default=-1)
        if verb < 0 or MARKS & set(tokens[verb:place]):
            return []
        for one in self.lexicon.adjectives.get(tokens[place], ()):
            start = place + 1
            while start < len(tokens) and tokens[start] in _SKIPPED | _MORE:
                start += 1
            end = start + len(one.tokens) - 1
            is_whole = end >= len(tokens) or tokens[end] in _ENDS
            if is_whole and tuple(tokens[start:end]) == one.tokens[:-1]:
                if phrase is not None and tokens[verb] in _CHANGING:
                    phrase.claim = None
                is_denied = verb > 0 and tokens[verb - 1] in NEGATORS
                return [Find(start, end, one.claim, is_denied)]
        return []

    def _people(self, tokens: list[str], finds: list[Find]) -> list[Find]:
        """Words for the subject, also within other phrases: "bags under her eyes"."""
        ignored = {i for one in finds if one.claim is None for i in range(one.start, one.end)}
        people = self.lexicon.people
        return [
            Find(place, place + 1, people[token])
            for place, token in enumerate(tokens)
            if token in people and place not in ignored and not _is_whose(tokens, place, people)
        ]


def _is_elsewhere(tokens: list[str], end: int) -> bool:
    return any(tokens[end : end + len(words)] == words for words in _ELSEWHERE)


def _is_whose(tokens: list[str], place: int, people: Container[str]) -> bool:
    """Does it say whose somebody is? "Her husband" is a man."""
    return tokens[place] in _POSSESSIVES and place + 1 < len(tokens) and tokens[place + 1] in people


def _end_of(phrase: Phrase, tokens: list[str], start: int) -> int | None:
    """Where a phrase that starts here ends; None if it does not stand here.

    Where other words part it from its noun, they are still to be read, so that it ends before them.
    """
    place = start + 1
    last = len(phrase.tokens) - 1
    for number, word in enumerate(phrase.tokens[1:], start=1):
        while place < len(tokens) and tokens[place] in _SKIPPED and tokens[place] != word:
            place += 1
        if number == last and place < len(tokens) and tokens[place] != word:
            return place if _leads_to(word, tokens, place, phrase.between) else None
        if place >= len(tokens) or tokens[place] != word:
            return None
        place += 1
    return place


def _leads_to(noun: str, tokens: list[str], place: int, between: frozenset[str]) -> bool:
    """Do only words that may stand before the noun come before it? In "nose big, lips thin" a comma parts them."""
    while place < len(tokens) and (tokens[place] in between or tokens[place] in _SKIPPED):
        place += 1
    return place < len(tokens) and tokens[place] == noun and tokens[place - 1] not in CONJUNCTIONS
