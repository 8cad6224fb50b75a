"""In every test what a function of ours is given is held to the kinds and shapes that it names."""

from collections.abc import Callable

import pytest
import torch
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import TypeCheckError

from tedigan.captions.tokens import singular
from tedigan.evaluation.protocol import Protocol
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.whitening import Whitening

REFUSED: dict[str, Callable[[], object]] = {
    "an argument": lambda: singular(3),
    "a field": lambda: Protocol(8, 8, 4, "0"),
    "a field, beside shapes": lambda: GeneratorConfig("32"),
    "a method's argument, beside shapes": lambda: Whitening(8, 8).whiten([0.0]),
    "a shape": lambda: Whitening(8, 8).moved(torch.zeros(8), torch.zeros(8).to(torch.int64)),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_what_a_function_does_not_name_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises((BeartypeCallHintViolation, TypeCheckError)):
        call()
