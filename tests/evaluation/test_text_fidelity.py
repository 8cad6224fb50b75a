import torch

from tedigan.evaluation.text_fidelity import (
    Mentions,
    drift,
    fidelity_per_attribute,
    interval_over_prompts,
    macro_fidelity,
    normalised,
    per_prompt,
    text_fidelity,
    unmentioned_share,
)
from tedigan.tensors import stream
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES

ALL = torch.ones(40).bool()
MALE, BANGS = ATTRIBUTE_NAMES.index("Male"), ATTRIBUTE_NAMES.index("Bangs")


def mentions_of(*named, is_reliable=ALL):
    captions = [str(i) for i in range(len(named))]
    return Mentions.read(captions, lambda i: named[int(i)], ATTRIBUTE_NAMES, is_reliable)


def interval(found, mentions, key):
    return interval_over_prompts(
        lambda rows: text_fidelity(found[rows], mentions.of(rows)), len(found), stream(key)
    )


def faces(*rows):
    return torch.tensor([[name in row for name in ATTRIBUTE_NAMES] for row in rows])


def test_fidelity_is_the_share_of_mentions_that_are_found():
    mentions = mentions_of({"Bangs": True, "Young": True}, {"Smiling": True, "Male": True})
    assert text_fidelity(faces(["Bangs"], ["Smiling", "Male"]), mentions) == 0.75


def test_a_denied_attribute_is_found_where_it_is_absent():
    mentions = mentions_of({"Male": False})
    assert text_fidelity(faces([]), mentions) == 1.0
    assert text_fidelity(faces(["Male"]), mentions) == 0.0


def test_unreliable_attributes_do_not_count():
    reliable = ALL.clone()
    reliable[BANGS] = False
    mentions = mentions_of({"Bangs": True, "Male": True}, is_reliable=reliable)
    assert text_fidelity(faces(["Male"]), mentions) == 1.0
    assert fidelity_per_attribute(faces(["Male"]), mentions)[BANGS] == (0, None)


def test_macro_counts_a_rare_attribute_as_much_as_a_common_one():
    mentions = mentions_of({"Young": True}, {"Young": True}, {"Young": True, "Bald": True})
    found = faces(["Young"], ["Young"], ["Young"])
    assert text_fidelity(found, mentions) == 0.75
    assert macro_fidelity(found, mentions) == 0.5


def test_without_a_mention_there_is_no_fidelity():
    mentions = mentions_of({})
    assert text_fidelity(faces([]), mentions) is None
    assert interval(faces([]), mentions, "none") is None


def test_the_floor_lies_below_the_ceiling_on_separable_faces():
    names = [ATTRIBUTE_NAMES[i % 40] for i in range(80)]
    mentions = mentions_of(*({name: True} for name in names))
    own, shuffled = faces(*([name] for name in names)), faces(*([name] for name in names[::-1]))
    floor, ceiling = text_fidelity(shuffled, mentions), text_fidelity(own, mentions)
    assert floor < ceiling == 1.0
    assert normalised(floor, floor, ceiling) == 0.0
    assert normalised(ceiling, floor, ceiling) == 1.0


def test_the_interval_holds_the_value():
    names = [{"Young": True}] * 50
    found = faces(*(["Young"] if i % 2 else [] for i in range(50)))
    low, high = interval(found, mentions_of(*names), "interval")
    assert low < 0.5 < high


def test_a_paired_interval_is_narrower_than_what_the_prompts_differ_by():
    """Each way finds an easy prompt; of the hard ones the second finds a few more."""
    mentions = mentions_of(*[{"Young": True}] * 60)
    one = faces(*(["Young"] if i < 30 else [] for i in range(60)))
    other = faces(*(["Young"] if i < 36 else [] for i in range(60)))

    def lead(rows):
        pair = [text_fidelity(found[rows], mentions.of(rows)) for found in (other, one)]
        return pair[0] - pair[1]

    low, high = interval_over_prompts(lead, 60, stream("lead"))
    assert 0 < low < 0.1 < high
    alone = interval(one, mentions, "lead")
    assert high - low < alone[1] - alone[0]


def test_the_counts_of_a_prompt_keep_mentioned_and_unmentioned_apart():
    counted = torch.arange(40) < 30
    mentions = mentions_of({"Bangs": True, "Bald": False, "Young": True}, {}, is_reliable=counted)
    rows = per_prompt(
        faces(["Bangs", "Bald", "Big_Nose", "Young"], ["Big_Nose"]), mentions, counted
    )
    keys = ("mentioned", "found_as_said", "unmentioned", "unmentioned_found")
    assert [tuple(row[key] for key in keys) for row in rows] == [(2, 1, 28, 1), (0, 0, 30, 1)]


def test_showing_everything_wins_fidelity_and_loses_on_the_unmentioned():
    mentions = mentions_of({"Bangs": True})
    everything = faces(list(ATTRIBUTE_NAMES))
    assert text_fidelity(everything, mentions) == 1.0
    assert unmentioned_share(everything, mentions, ALL) == 1.0
    assert unmentioned_share(faces(["Bangs"]), mentions, ALL) == 0.0


def test_drift_looks_at_unmentioned_attributes_only():
    mentions = mentions_of({"Bangs": True})
    assert drift(faces([]), faces(["Bangs"]), mentions, ALL) == 0.0
    assert drift(faces([]), faces(["Bangs", "Male"]), mentions, ALL) == 1 / 39


def test_a_score_without_room_is_not_normalised():
    assert normalised(0.5, 0.7, 0.7) is None
    assert normalised(None, 0.1, 0.2) is None


def test_normalising_is_linear_in_either_direction_and_beyond_the_ends():
    assert normalised(0.25, 0.0, 0.5) == 0.5
    assert normalised(0.75, 0.0, 0.5) == 1.5
    assert normalised(0.0, 0.25, 0.5) == -1.0
    assert normalised(6.0, 8.0, 4.0) == 0.5  # a distance, which is better when lower
    assert normalised(0.5, None, 1.0) is None
    assert normalised(0.5, 0.0, None) is None


def test_each_attribute_has_its_own_share():
    mentions = mentions_of({"Bangs": True}, {"Bangs": False, "Male": True}, {"Bangs": True})
    found = fidelity_per_attribute(faces(["Bangs"], ["Bangs"], []), mentions)
    assert found[BANGS] == (3, 1 / 3)
    assert found[MALE] == (1, 0.0)
    assert found[ATTRIBUTE_NAMES.index("Young")] == (0, None)
    assert macro_fidelity(faces(["Bangs"], ["Bangs"], []), mentions) == (1 / 3 + 0.0) / 2


def test_what_the_referee_cannot_see_is_neither_unmentioned_nor_drift():
    only_bangs = torch.arange(40) == BANGS
    mentions = mentions_of({"Male": True}, is_reliable=only_bangs)
    shown = faces(["Bangs", "Male", "Young"])
    assert unmentioned_share(shown, mentions, only_bangs) == 1.0
    assert drift(faces([]), faces(["Male", "Young"]), mentions, only_bangs) == 0.0
    none = mentions_of({"Bangs": True}, is_reliable=only_bangs)
    assert unmentioned_share(shown, none, only_bangs) is None
    assert drift(shown, shown, none, only_bangs) is None
