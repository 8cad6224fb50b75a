"""Which phrases of a sentence are denied: "no hat", "take his glasses off", "swap the black hair for red"."""

from dataclasses import dataclass
from itertools import pairwise

from tedigan.captions.grammar import Claim
from tedigan.captions.lexicon import NEGATORS, Lexicon
from tedigan.captions.tokens import DEGREES, DETERMINERS, singular


def _words(text: str) -> frozenset[str]:
    return frozenset(map(singular, text.split()))


_WISHES = _words("make give put add want let")
# Between "not" and what it denies: "does not have any", "no sign of", "do not make him", "lose that".
_SMALL_WORDS = (
    DETERMINERS
    | DEGREES
    | _words(
        "any have having got wear wearing look looking appear to be being longer visible particularly"
    )
    | _words("sign trace hint scrap bit single one of too exactly this that these those")
    | _words("my your him me it")
    | _WISHES
)
MARKS = frozenset(".,;:!?()")
_PRONOUNS = _words("he she his her him")
_ALTERNATIVES = (["or"], ["nor"], [",", "or"], [",", "nor"])
_ENUMERATIONS = (*_ALTERNATIVES, ["and"], [",", "and"])

_FAR_FROM = (["anything", "but"], ["far", "from"], ["nothing", "like"])

_REMOVALS = _words("remove removing delete erase lose ditch reduce less fewer minus stop")
_REMOVALS_OF = frozenset({"rid", "instead", "free"})  # "get rid of", "free of"
# "Take off the hat", "take the hat off", "with his hat off": the verbs that take away with a particle.
_CUTTING = _words("take took taking wipe wash cut chop trim shave sweep comb brush")
_PARTICLES = {
    "off": _CUTTING | {"with"},
    "away": _CUTTING,
    "out": _words("take thin"),
    "down": _words("tone"),
}
# "Her earrings have to go", "the beard must go."
_GOING = (["have", "to", "go"], ["has", "to", "go"], ["need", "to", "go"], ["must", "go"])
# "Swap X for Y": the verb and the words that part what was from what shall be.
_EXCHANGES = {"swap": ("for", "with"), "exchange": ("for", "with"), "replace": ("with", "by")}
# "Change X to Y" leaves open whether X goes: "her black hair to red", "her lipstick to red".
_CHANGES = {"change": ("to", "into"), "turn": ("into",)}
_NO_ADJECTIVES = _REMOVALS | _words(
    "and but or with who which has is in on at head hair face doubt"
)
_ALSO_VERBS = frozenset({"smile", "grin"})  # "lose the hat and smile" asks for a smile


@dataclass
class Find:
    """A phrase at tokens[start:end], without the noun where other adjectives share it."""

    start: int
    end: int
    claim: Claim | None
    is_denied: bool = False


class Denials:
    """The words of one sentence that deny or take away, beside the phrases that were found in it."""

    def __init__(self, tokens: list[str], finds: list[Find], lexicon: Lexicon) -> None:
        self._tokens = tokens
        self._finds = finds
        self._people = lexicon.people
        self._passed = _SMALL_WORDS | lexicon.modifiers
        self._named = {place for find in finds for place in range(find.start, find.end)}

    def mark(self) -> None:
        """Set `is_denied` of all that is denied; what "change X to Y" leaves open claims nothing."""
        for place, find in enumerate(self._finds):
            if self._tokens[find.start] in _PRONOUNS:  # "not wearing his hat" is of a man
                continue
            is_removed = self._is_removed(find)
            find.is_denied = find.is_denied or is_removed or self._is_denied(find)
            if find.is_denied:
                self._spread(place, _ENUMERATIONS if is_removed else _ALTERNATIVES)
        self._exchange()

    def _is_denied(self, find: Find) -> bool:
        """Does a "no" or "not" stand before it, with nothing but small words between?

        Behind "no" and "without" one unknown word may stand too: "no straw hat".
        """
        place = self._before_small_words(find.start)
        if place > 0 and self._tokens[place - 1] in NEGATORS:
            return self._counts(place - 1)
        if self._tokens[max(0, place - 2) : place] in _FAR_FROM:
            return True
        place = self._before_adjective(place)
        return (
            place > 0 and self._tokens[place - 1] in ("no", "without") and self._counts(place - 1)
        )

    def _is_removed(self, find: Find) -> bool:
        """Is it to be taken away: "get rid of it", "take it off", "it has to go"?"""
        near = self._before_small_words(find.start)
        far = self._before_adjective(near)
        places = [near, far] if far < near and self._tokens[far] in self._passed else [near]
        if any(self._removes(place, find.end) for place in places):
            return True
        behind = self._tokens[find.end : find.end + 3]
        if behind[:1] in ([":"], ["?"]):  # "hat? no."
            behind = behind[1:]
        is_answered = behind[:1] == ["no"] and (len(behind) < 2 or behind[1] in MARKS)
        return is_answered or any(behind[: len(words)] == words for words in _GOING)

    def _removes(self, place: int, end: int) -> bool:
        """Does a verb that takes away end before this place, its particle there too or after the phrase?"""
        words = self._tokens[:place]
        if words and words[-1] in _REMOVALS:
            return self._counts(place - 1)
        if words and words[-1] in _REMOVALS_OF and self._tokens[place] == "of":
            return True
        if len(words) > 1 and words[-2] in _PARTICLES.get(words[-1], ()):
            return self._counts(place - 2)
        behind = [*self._tokens[end : end + 2], "", ""]
        particle = "" if behind[1] == "to" else behind[0]  # "a fringe off to the side"
        return bool(words) and words[-1] in _PARTICLES.get(particle, ()) and self._counts(place - 1)

    def _counts(self, place: int) -> bool:
        """False where the word at this place is denied itself: "never without", "do not remove"."""
        if self._tokens[place] in NEGATORS - {"without"}:
            return True
        before = self._before_small_words(place)
        return before == 0 or self._tokens[before - 1] not in NEGATORS

    def _before_small_words(self, place: int) -> int:
        while place > 0 and self._tokens[place - 1] in self._passed:
            place -= 1
        return place

    def _before_adjective(self, place: int) -> int:
        """Before one word that names nothing, and the small words before it; else the place itself."""
        word = self._tokens[place - 1] if place > 0 else ","
        if word in MARKS | _NO_ADJECTIVES or place - 1 in self._named:
            return place
        return self._before_small_words(place - 1)

    def _spread(self, place: int, joints: tuple[list[str], ...]) -> None:
        """ "No hat, glasses or beard" denies all three; "no hat, glasses" denies the first."""
        listed: list[Find] = []
        for one, other in pairwise(self._finds[place:]):
            between = self._tokens[one.end : other.start]
            gap = [token for token in between if token not in self._passed - _WISHES]
            if gap[-1:] == ["and"] and self._tokens[other.start] in _ALSO_VERBS:
                break
            listed.append(other)
            if gap in joints:
                for denied in listed:
                    denied.is_denied = True
            if gap != [","] and gap not in joints:
                break

    def _exchange(self) -> None:
        """ "Swap X for Y" denies X, "change X to Y" leaves X open; who is changed is no X."""
        for verb, token in enumerate(self._tokens):
            joint = self._joint_of(verb, (_EXCHANGES | _CHANGES).get(token, ()))
            for find in self._finds:
                if not verb < find.start < joint:
                    continue
                is_person = self._tokens[find.start] in self._people
                if self._is_said_anew(find, joint) or (is_person and find.end == joint):
                    find.claim = None
                elif token in _EXCHANGES:
                    find.is_denied = find.is_denied or not is_person
                elif not is_person:
                    find.claim = None

    def _is_said_anew(self, find: Find, joint: int) -> bool:
        """Does Y speak of the same attribute? Then Y alone counts: "turn the young man into an old man"."""
        later = (one.claim for one in self._finds if one.start > joint)
        return any(claim and find.claim and claim.name == find.claim.name for claim in later)

    def _joint_of(self, verb: int, joints: tuple[str, ...]) -> int:
        """The place of the first of these words behind the verb, in the same part of the sentence; or 0."""
        for place in range(verb + 1, len(self._tokens) if joints else 0):
            if self._tokens[place] in MARKS:
                break
            if self._tokens[place] in joints:
                return place
        return 0
