"""Reads sentences: which attributes a caption names, and whether a text can be a caption at all."""

import re

from tedigan.errors import CaptionError

MAX_WORDS = 100
MAX_CHARACTERS = 1000

_NOT = (
    r"(?P<no>\b(?:no|not|without|never|lacks|(?:is|does|has|do)n['\u2019]t)\s+"
    r"(?:(?:a|an|any|very|have|having|wear|wearing)\s+)*)?"
)
_COLOURS = "black|blonde?|brown|gr[ae]y"
_HAIR_WORDS = f"straight|wavy|{_COLOURS}"


def _shared(adjective: str, others: str, noun: str) -> str:
    """The adjective, with room for others between it and its noun: "wavy brown hair"."""
    return rf"(?:{adjective})(?:(?:,|\s+and)?\s+(?:{others}))*\s+{noun}"


_PATTERNS = {
    "5_o_Clock_Shadow": r"(?:5|five) o['\u2019]?\s?clock shadow|stubble",
    "Arched_Eyebrows": _shared("arched", "bushy", "eyebrows?"),
    "Attractive": "attractive",
    "Bags_Under_Eyes": r"(?:bags|eyebags) under (?:(?:the|his|her|their) )?eyes|eye ?bags",
    "Bald": "bald",
    "Bangs": "bangs|fringe",
    "Big_Lips": r"(?:big|full) lips",
    "Big_Nose": _shared("big", "pointy", "nose"),
    "Black_Hair": _shared("black", _HAIR_WORDS, "hair"),
    "Blond_Hair": _shared("blonde?", _HAIR_WORDS, "hair"),
    "Blurry": "blurry|blurred",
    "Brown_Hair": _shared("brown", _HAIR_WORDS, "hair"),
    "Bushy_Eyebrows": _shared("bushy", "arched", "eyebrows?"),
    "Chubby": "chubby|plump",
    "Double_Chin": "double chin",
    "Eyeglasses": "(?:eye)?glasses|spectacles",
    "Goatee": "goatee",
    "Gray_Hair": _shared("gr[ae]y", _HAIR_WORDS, "hair"),
    "Heavy_Makeup": "(?:heavy )?make-?up",
    "High_Cheekbones": "high cheekbones?",
    "Mouth_Slightly_Open": r"slightly open mouth|mouth (?:is )?(?:slightly )?open|open mouth",
    "Mustache": "mo?ustache",
    "Narrow_Eyes": "narrow eyes",
    "Oval_Face": "oval face",
    "Pale_Skin": "pale skin",
    "Pointy_Nose": _shared("pointy", "big", "nose"),
    "Receding_Hairline": "receding hair ?line",
    "Rosy_Cheeks": "rosy cheeks?",
    "Sideburns": "sideburns?",
    "Smiling": "smiling|smiles?|grinning|grins?",
    "Straight_Hair": _shared("straight", _HAIR_WORDS, "hair"),
    "Wavy_Hair": _shared("wavy", _HAIR_WORDS, "hair"),
    "Wearing_Earrings": "ear-?rings?",
    "Wearing_Hat": "hat",
    "Wearing_Lipstick": "lipstick",
    "Wearing_Necklace": "necklace",
    "Wearing_Necktie": "(?:neck)?tie",
    "Young": "young",
}
# Words that state the absence of an attribute.
_OPPOSITES = {
    "Male": "she|her|hers|wom[ae]n|female|girl|lady",
    "No_Beard": "beard|bearded",
    "Young": "old|elderly|aged",
    "Attractive": "unattractive",
}
_ALSO = {"Male": "he|his|him|m[ae]n|male|boy|guy|gentleman", "No_Beard": r"clean[- ]shaven"}


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"{_NOT}\b(?:{pattern})\b", re.IGNORECASE)


_READERS = [
    (name, value, _compile(pattern))
    for value, patterns in [(True, _PATTERNS | _ALSO), (False, _OPPOSITES)]
    for name, pattern in patterns.items()
]


def attributes_named(caption: str) -> dict[str, bool]:
    """The attributes that a caption names: True where it states one, False where it denies one.

    "She has no bangs" names Male (False) and Bangs (False); "a person" leaves Male unnamed. What a
    caption says both ways ("a man and a woman") is left unnamed. Reads `draw_captions` back exactly.
    """
    found: dict[str, set[bool]] = {}
    for name, value, reader in _READERS:
        for match in reader.finditer(caption):
            found.setdefault(name, set()).add(value != bool(match["no"]))
    return {name: values.pop() for name, values in found.items() if len(values) == 1}


def check_caption(text: str, *, line: int = 1) -> str:
    """The caption without outer space; a CaptionError with its line's number if it is unusable."""
    caption = text.strip()
    if not any(character.isalpha() for character in caption):
        raise CaptionError(
            f"line {line} holds no words (got {caption[:40]!r}); expected one caption a line, "
            'such as "She has wavy hair and wears a hat." Write one or remove the line.'
        )
    if any(not character.isprintable() for character in caption):
        raise CaptionError(
            f"line {line} holds control characters; expected plain text. Save the file as UTF-8."
        )
    num_words = len(caption.split())
    if len(caption) > MAX_CHARACTERS or num_words > MAX_WORDS:
        raise CaptionError(
            f"line {line} has {num_words} words and {len(caption)} characters; at most {MAX_WORDS} "
            f"words and {MAX_CHARACTERS} characters are read. Shorten it to one sentence."
        )
    return caption


def parse_captions(text: str) -> list[str]:
    """The captions of a captions file's text, one a line; CaptionError names the first bad line."""
    lines = text.splitlines()
    if not lines:
        raise CaptionError(
            "the captions file is empty; expected one caption a line. Write at least one."
        )
    return [check_caption(line, line=number) for number, line in enumerate(lines, start=1)]
