"""Several sources into one face."""

import pytest
import torch
from torch import Tensor

from tedigan.encoders.latent_tagger import LatentTagger, LatentTaggerConfig
from tedigan.errors import ParamsError
from tedigan.generator.whitening import whitening_of
from tedigan.method.sentence_reader import Reading
from tedigan.method.sources import (
    Composer,
    Source,
    check_layers,
    check_weights,
    layers_by_default,
    spans,
)
from tedigan.method.steering import Steering, SteeringSettings
from tedigan.method.text_to_face import Start, StartSettings, SteeredText, random_ws
from tedigan.tensors import stream
from tests.generator.nets import tiny_generator

NAMES = ("Smiling", "Wearing_Hat")
SETTINGS = SteeringSettings(1.0, 20, 0.1, 0.1, 0.01, 0.0, 0, 0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def composer() -> Composer:
    """Smiling is an axis of W in layer 1, a hat another one in layers 2 and 3."""
    generator = tiny_generator()
    generator.mapping.w_avg.copy_(
        generator.mapping(torch.randn(512, 16, generator=stream("w"))).mean(dim=0)
    )
    whitening = whitening_of(generator, stream("whitening"), num_samples=512)
    torch.manual_seed(0)
    tagger = LatentTagger(LatentTaggerConfig(6, 12, whitening.num_axes, 8, 1, NAMES))
    tagger.whitening.load_state_dict(whitening.state_dict())
    torch.nn.init.normal_(tagger.members[0].linear.weight, std=0.5)
    layers = torch.tensor([[0, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0]], dtype=torch.bool)
    steering = Steering(generator, tagger.requires_grad_(False), layers, lambda x, _: x, SETTINGS)
    start = Start(generator, steering.tagger, StartSettings(0.7, 256, 8, 0.1, "measured"))

    def read(text: str) -> Reading:
        words = {name: "no " + name not in text for name in NAMES if name in text}
        return Reading(words)

    return Composer(generator, start, steering, read, 0.7)


def code(key: str) -> Tensor:
    return tiny_generator().ws_of(torch.randn(1, 16, generator=stream(key)))


def test_each_layer_comes_from_its_source_and_the_rest_from_chance(composer: Composer) -> None:
    sketch = Source("sketch", code("sketch"), [0, 1, 2])
    style = Source("style", code("style"), [4])
    made = composer.compose([sketch, style], None, range(3), seed=5)
    assert torch.equal(made.ws[:, :3], sketch.ws[:, :3].expand(3, -1, -1))
    assert torch.equal(made.ws[:, 4], style.ws[:, 4].expand(3, -1))
    noise = random_ws(composer.generator, range(3), seed=5, truncation_psi=0.7)
    torch.testing.assert_close(made.ws[:, 5], noise[:, 5])  # where no attribute acts
    assert not torch.equal(made.ws[0, 3], made.ws[1, 3])
    assert made.report == [
        "layer 0-2: the sketch (1)",
        "layer 3: chance (seed 5)",
        "layer 4: the style (1)",
        "layer 5: chance (seed 5)",
    ]


def test_weights_are_shares_of_a_layer_and_more_than_one_is_shared_out(composer: Composer) -> None:
    one, other = code("one"), code("other")
    half = [Source("sketch", one, [0], 0.5), Source("label", other, [1, 2], 0.75)]
    both = [Source("sketch", one, [0]), Source("label", other, [0], 0.5)]
    base = composer.compose([Source("sketch", one, [0], 0.0)], None, [0], seed=1)
    made = composer.compose([Source("sketch", one, [0], 0.5)], None, [0], seed=1)
    assert not torch.equal(made.ws[:, 0], base.ws[:, 0])
    shared = composer.compose(both, None, [0], seed=1)
    torch.testing.assert_close(shared.ws[:, 0], (one[:, 0] + 0.5 * other[:, 0]) / 1.5)
    lines = composer.compose(half, None, [0], seed=1).report
    assert lines[0] == "layer 0: the sketch (0.5) and chance (seed 1)"


def test_a_face_depends_on_its_sources_seed_and_place_alone(composer: Composer) -> None:
    sources = [Source("sketch", code("sketch"), [0, 1])]
    many = composer.compose(sources, "Smiling", range(4), seed=2).ws
    torch.testing.assert_close(composer.compose(sources, "Smiling", [3], seed=2).ws, many[3:])
    assert not torch.equal(many, composer.compose(sources, "Smiling", range(4), seed=3).ws)


def test_a_sentence_alone_is_what_text_to_face_makes_of_it(composer: Composer) -> None:
    assert composer.start is not None
    assert composer.steering is not None
    assert composer.read is not None
    text = SteeredText(composer.read, composer.steering, composer.start)
    expected = text.ws(["Smiling"] * 3, range(3), seed=4)
    torch.testing.assert_close(composer.compose([], "Smiling", range(3), seed=4).ws, expected)


def test_the_sentence_moves_what_it_names_and_leaves_other_layers_to_the_drawing(
    composer: Composer,
) -> None:
    sketch = Source("sketch", code("sketch"), [0, 1, 2, 3])
    plain = composer.compose([sketch], None, range(4), seed=0).ws
    made = composer.compose([sketch], "no Smiling", range(4), seed=0).ws
    assert torch.equal(made[:, [0, 2, 3]], plain[:, [0, 2, 3]])
    tagger = composer.steering.tagger
    assert tagger(made)[:, 0].mean() < tagger(plain)[:, 0].mean()


def hatted(composer: Composer, weight: float) -> Source:
    """A code of whom the tagger says that there is a hat."""
    tagger = composer.steering.tagger
    ws = max((code(str(key)) for key in range(16)), key=lambda ws: float(tagger(ws)[0, 1]))
    assert tagger(ws)[0, 1] > -1
    return Source("label", ws, [2, 3], weight, {"Wearing_Hat": True})


def test_where_a_drawing_and_a_sentence_contradict_the_larger_weight_wins(
    composer: Composer,
) -> None:
    text = "no Wearing_Hat"
    kept = composer.compose([hatted(composer, 1.0)], text, [0], seed=0, text_weight=0.5)
    hat = hatted(composer, 1.0).ws[:, 2:4]
    assert torch.equal(kept.ws[:, 2:4], hat)
    assert kept.report[-1] == (
        "the label map shows Wearing_Hat, the sentence denies it: the label map wins, weights 1 and 0.5"
    )
    moved = composer.compose([hatted(composer, 1.0)], text, [0], seed=0)
    assert not torch.equal(moved.ws[:, 2:4], hat)
    assert "the sentence wins" in moved.report[-1]


def test_what_agrees_or_is_not_named_is_no_contradiction(composer: Composer) -> None:
    for text in ("Wearing_Hat", "Smiling"):
        report = composer.compose([hatted(composer, 1.0)], text, [0], seed=0).report
        assert not [line for line in report if "wins" in line and "label" in line]


def test_a_drawings_own_code_shows_attributes_of_its_own_layers_alone(composer: Composer) -> None:
    tagger = composer.steering.tagger
    ws = tagger.whitening.colour(tagger.whitening.whiten(code("x")) * 3)
    is_smiling = bool(tagger(ws)[0, 0] > 0)
    assert abs(float(tagger(ws)[0, 0])) > 0.25
    text = "no Smiling" if is_smiling else "Smiling"
    seen = composer.compose([Source("sketch", ws, [0, 1])], text, [0], seed=0).report
    assert any("the sketch" in line and "wins" in line for line in seen)
    unseen = composer.compose([Source("sketch", ws, [0, 3])], text, [0], seed=0).report
    assert not any("wins" in line for line in unseen)


@pytest.mark.parametrize(
    ("measured", "names", "expected"),
    [
        ({"sketch": [0, 1, 2]}, ["sketch"], {"sketch": [0, 1, 2]}),
        ({"sketch": [0, 1]}, ["sketch", "style"], {"sketch": [0, 1], "style": [*range(2, 18)]}),
        ({}, ["photograph"], {"photograph": [*range(18)]}),
        ({}, ["photograph", "style"], {"photograph": [*range(8)], "style": [*range(8, 18)]}),
        ({}, ["style"], {"style": [*range(8, 18)]}),
        (
            {"sketch": [0, 1], "label": [1, 2]},
            ["sketch", "label", "photograph"],
            {"sketch": [0, 1], "label": [1, 2], "photograph": [*range(3, 18)]},
        ),
        ({"style": [17]}, ["photograph", "style"], {"photograph": [*range(17)], "style": [17]}),
    ],
)
def test_layers_that_nobody_chose_go_to_who_can_tell_of_them(measured, names, expected) -> None:
    assert layers_by_default(measured, names, 18) == expected


def test_layers_and_weights_that_cannot_be_are_refused() -> None:
    with pytest.raises(ParamsError, match=r"layers \[9\] of the sketch"):
        check_layers({"sketch": [0, 9]}, 6)
    with pytest.raises(ParamsError, match="layers of 'text'"):
        check_layers({"text": [0]}, 6)
    with pytest.raises(ParamsError, match="weight of the text is 2"):
        check_weights({"text": 2.0})
    with pytest.raises(ParamsError, match="a weight of 'noise'"):
        check_weights({"noise": 1.0})


def test_spans_are_read_by_people() -> None:
    assert spans([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"
