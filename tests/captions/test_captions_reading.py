"""Captions read: our own words, other people's, denials, and words that only look like attributes."""

import pytest

from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader

READER = Reader(load_grammar())


def read(caption: str) -> str:
    """The names in order, "-" before what is denied."""
    named = READER.read(caption)
    return " ".join(sorted(f"{'' if holds else '-'}{name}" for name, holds in named.items()))


def named(text: str) -> str:
    return " ".join(sorted(text.split()))


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        (
            "the woman has wavy hair high cheekbones and bags under eyes and wears earrings",
            "-Male Wavy_Hair High_Cheekbones Bags_Under_Eyes Wearing_Earrings",
        ),
        (
            "this smiling person has bangs high cheekbones arched eyebrows big lips and blond hair",
            "Smiling Bangs High_Cheekbones Arched_Eyebrows Big_Lips Blond_Hair",
        ),
        (
            "this woman has brown hair pointy nose and narrow eyes and wears lipstick",
            "-Male Brown_Hair Pointy_Nose Narrow_Eyes Wearing_Lipstick",
        ),
        ("He is smiling and wears hat. He has beard.", "Male Smiling Wearing_Hat -No_Beard"),
        (
            "The person has eyeglasses. She has mouth slightly open.",
            "-Male Eyeglasses Mouth_Slightly_Open",
        ),
    ],
)
def test_released_sentences_are_read(caption: str, names: str) -> None:
    assert read(caption) == named(names)


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("A BLONDE GIRL WITH GREY HAIR", "-Male Blond_Hair Gray_Hair"),
        ("a man with a 5 o\u2019clock shadow", "Male 5_o_Clock_Shadow"),
        ("five o'clock shadow", "5_o_Clock_Shadow"),
        ("5_o_Clock_Shadow", "5_o_Clock_Shadow"),
        ("he wears his glasses and a big moustache", "Male Eyeglasses Mustache"),
        ("a gentleman with an arched eyebrow, a sideburn and a high cheekbone",
         "Male Arched_Eyebrows Sideburns High_Cheekbones"),
        ("bags under her eyes", "-Male Bags_Under_Eyes"),
        ("clean-shaven", "No_Beard"),
        ("He's grinning", "Male Smiling"),
        ("make-up", "Heavy_Makeup"),
    ],
)  # fmt: skip
def test_other_spellings_and_synonyms_are_read(caption: str, names: str) -> None:
    assert read(caption) == named(names)


def test_what_is_said_both_ways_is_no_reading_and_can_be_asked_for() -> None:
    caption = "a man and a woman, smiling, without a hat"
    assert read(caption) == named("Smiling -Wearing_Hat")
    expected = {"Male": {True, False}, "Smiling": {True}, "Wearing_Hat": {False}}
    assert READER.values(caption) == expected


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("wavy, long brown hair", "Wavy_Hair Brown_Hair"),
        ("black and straight hair", "Black_Hair Straight_Hair"),
        ("a big, slightly pointy nose", "Big_Nose Pointy_Nose"),
        ("His hair is black and wavy.", "Male Black_Hair Wavy_Hair"),
        ("straight hair which is brown", "Straight_Hair Brown_Hair"),
        ("her mouth is slightly open", "-Male Mouth_Slightly_Open"),
        ("her hair is not blond", "-Male -Blond_Hair"),
        ("a woman with big lips is young", "-Male Big_Lips Young"),
    ],
)
def test_adjectives_find_their_noun(caption: str, names: str) -> None:
    assert read(caption) == named(names)


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("not bald", "-Bald"),
        ("no eyeglasses", "-Eyeglasses"),
        ("without a beard", "No_Beard"),
        ("He isn't very young and doesn't have any bangs.", "Male -Young -Bangs"),
        ("She is not wearing a hat.", "-Male -Wearing_Hat"),
        ("never smiling, she lacks sideburns", "-Male -Smiling -Sideburns"),
        ("no hat, glasses or beard", "-Wearing_Hat -Eyeglasses No_Beard"),
        ("no hat, glasses and a beard", "-Wearing_Hat Eyeglasses -No_Beard"),
        ("neither bald nor chubby", "-Bald -Chubby"),
        ("no black or brown hair", "-Black_Hair -Brown_Hair"),
        ("no bangs but big lips", "-Bangs Big_Lips"),
        ("not only young but attractive", "Young Attractive"),
        ("there is no sign of a smile", "-Smiling"),
        ("a closed mouth", "-Mouth_Slightly_Open"),
        ("an old lady, unsmiling", "-Male -Young -Smiling"),
        ("not a young man", "Male -Young"),
    ],
)
def test_denials_reach_as_far_as_they_are_meant(caption: str, names: str) -> None:
    assert read(caption) == named(names)


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("he can't smile, she won't", "-Smiling"),
        ("don't give her a beard or glasses", "-Male No_Beard -Eyeglasses"),
        ("hardly any makeup, nothing blurry", "-Heavy_Makeup -Blurry"),
        ("barely any lipstick, scarcely smiling", "-Wearing_Lipstick -Smiling"),
        ("not a single sideburn, not too young", "-Sideburns -Young"),
        ("without thick-rimmed glasses", "-Eyeglasses"),
        ("no straw hat", "-Wearing_Hat"),
        ("no less attractive, no doubt young", "Attractive Young"),
        ("He is not wearing his hat.", "Male -Wearing_Hat"),
        ("necklace yes, earrings no", "Wearing_Necklace -Wearing_Earrings"),
        ("never without a necktie", "Wearing_Necktie"),
        ("she can't stop smiling", "-Male Smiling"),
    ],
)
def test_a_denial_is_seen_through_small_words_and_denied_in_turn(caption: str, names: str) -> None:
    assert read(caption) == named(names)


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("Her hair is not straight but wavy.", "-Male -Straight_Hair Wavy_Hair"),
        ("plump lips", "Big_Lips"),
        ("She wears hardly any makeup.", "-Male -Heavy_Makeup"),
        ("Remove the beard.", "No_Beard"),
        ("Take off her hat.", "-Male -Wearing_Hat"),
        ("a fat, youthful man", "Male Chubby Young"),
        ("a teenage girl", "-Male Young"),
        ("white hair, thick lips, a large nose", "Gray_Hair Big_Lips Big_Nose"),
        ("an unshaven man with dark circles", "Male 5_o_Clock_Shadow Bags_Under_Eyes"),
        ("my bespectacled mother", "-Male Eyeglasses"),
        ("a blonde lady", "-Male Blond_Hair"),
        ("he hasn't got a beard", "Male No_Beard"),
        ("anything but young, far from bald", "-Young -Bald"),
        ("beard: yes, glasses: no", "-No_Beard -Eyeglasses"),
        ("her husband is bald", "Male Bald"),
        ("a hat in the background", ""),
        ("pearl earrings, a tie-dye shirt", "Wearing_Earrings"),
        ("a red tie, brown hair", "Wearing_Necktie Brown_Hair"),
    ],
)
def test_what_was_misread_or_unknown_is_read(caption: str, names: str) -> None:
    assert read(caption) == named(names)


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("make the nose smaller", "-Big_Nose"),
        ("dye his hair brown", "Male Brown_Hair"),
        ("turn his black hair grey", "Male Gray_Hair"),
        ("don't make the hair wavy", "-Wavy_Hair"),
        ("keep the mouth shut", "-Mouth_Slightly_Open"),
        ("a woman with brown hair, black eyes", "-Male Brown_Hair"),
        ("make her hair black eyes blue", "-Male"),
    ],
)
def test_an_adjective_behind_its_noun_is_what_shall_be_made_of_it(caption: str, names: str) -> None:
    assert read(caption) == named(names)


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("delete the necktie", "-Wearing_Necktie"),
        ("get rid of her big nose", "-Male -Big_Nose"),
        ("lose that awful hat", "-Wearing_Hat"),
        ("take off her earrings", "-Male -Wearing_Earrings"),
        ("take her glasses off", "-Male -Eyeglasses"),
        ("with his hat off", "Male -Wearing_Hat"),
        ("tone down the lipstick, less chubby", "-Wearing_Lipstick -Chubby"),
        ("the beard has to go", "No_Beard"),
        ("a hat instead of bangs", "Wearing_Hat -Bangs"),
        ("remove the hat, the glasses and the beard", "-Wearing_Hat -Eyeglasses No_Beard"),
        ("take off the hat and smile", "-Wearing_Hat Smiling"),
        ("remove the hat and add a necklace", "-Wearing_Hat Wearing_Necklace"),
        ("lose the beard and make him young", "Male No_Beard Young"),
        ("do not remove the glasses", "Eyeglasses"),
        ("bangs off to the side", "Bangs"),
        ("instead, give her bangs", "-Male Bangs"),
    ],
)
def test_what_is_to_be_taken_away_is_denied(caption: str, names: str) -> None:
    assert read(caption) == named(names)


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("swap his glasses for a hat", "Male -Eyeglasses Wearing_Hat"),
        ("replace the black hair with gray hair", "-Black_Hair Gray_Hair"),
        ("change her lipstick to red", "-Male"),
        ("turn the young man into an old man", "Male -Young"),
        ("replace the man with a woman", "-Male"),
        ("swap her hat for a beanie", "-Male Wearing_Hat"),
        ("turn her into a gentleman", "Male"),
        ("change the man's hair to black hair", "Male Black_Hair"),
    ],
)
def test_of_an_exchange_the_new_counts(caption: str, names: str) -> None:
    assert read(caption) == named(names)


def test_an_adjective_does_not_reach_the_noun_of_the_next_part() -> None:
    assert read("nose big, lips thin") == ""


@pytest.mark.parametrize(
    "caption",
    [
        "a bright day", "that chat", "brown eyes", "a black shirt", "the big picture", "pale blue eyes",
        "a person 27 years old", "a 44-year-old person", "an old-fashioned portrait", "a bow tie",
        "a person with light makeup", "black eyebrows", "wavy lines", "human, ashen", "the heater",
        "a tied knot", "hairline", "beardsley", "", "...",
    ],
)  # fmt: skip
def test_words_that_only_look_alike_name_nothing(caption: str) -> None:
    assert read(caption) == ""


def test_a_receding_hairline_is_no_hair() -> None:
    assert read("a black hat, a receding hairline") == named("Receding_Hairline Wearing_Hat")


def test_what_is_said_both_ways_is_left_out() -> None:
    assert read("a man and a woman") == ""
    assert read("a bald man who is not bald") == "Male"
