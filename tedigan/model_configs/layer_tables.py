"""What layers.json may say: which of a generator's layers draw which attribute."""

from typing import Annotated

from pydantic import Field, model_validator

from tedigan.model_configs.fields import (
    MAX_ATTRIBUTES,
    MAX_LAYERS,
    Bool,
    Checked,
    Layer,
    Name,
    Number,
)

Row = Annotated[list[Number], Field(min_length=1, max_length=MAX_LAYERS)]


class _Attribute(Checked):
    """gain: a number a layer, with its interval; leak: what else it changes. layers: those that control moves."""

    gain: Row
    gain_low: Row | None = None
    gain_high: Row | None = None
    leak: Row | None = None
    layers: Annotated[list[Layer], Field(max_length=MAX_LAYERS)]
    is_drawn: Bool


class LayersOfAttributes(Checked):
    """Rows of one length, an attribute each."""

    attributes: Annotated[dict[Name, _Attribute], Field(min_length=1, max_length=MAX_ATTRIBUTES)]

    @model_validator(mode="after")
    def _fits(self) -> "LayersOfAttributes":
        length = len(next(iter(self.attributes.values())).gain)
        for name, one in self.attributes.items():
            for row in (one.gain, one.gain_low, one.gain_high, one.leak):
                if row is not None and len(row) != length:
                    raise ValueError(
                        f"{name[:60]!r} has a row of {len(row)} layers, the first attribute's gain has {length}"
                    )
            if len({*one.layers}) != len(one.layers) or any(
                layer >= length for layer in one.layers
            ):
                raise ValueError(
                    f"the layers of {name[:60]!r} are not among its {length}, each once"
                )
        return self
