"""What a foreign file cannot tell: assumed as its authors' defaults, unless who imports it says otherwise."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any

from tedigan.errors import WeightsError
from tedigan.foreign.dialects.foreign import ForeignModel
from tedigan.foreign.dialects.renaming import level_of
from tedigan.foreign.dialects.w_averages import NUM_SAMPLES, sampled_w_avg
from tedigan.generator.config import GeneratorConfig

_PLACES = {  # in config.json; what is not here is no number of ours, but how the file's tensors are read
    "mapping_multiplier": ("mapping", "lr_multiplier"),
    "final_tanh": ("synthesis", "final_tanh"),
    "demodulate": ("synthesis", "demodulate"),
    "discriminator_clamp": ("discriminator", "conv_clamp"),
    "discriminator_group": ("discriminator", "mbstd_group_size"),
}
_OFF_AT_0 = ("discriminator_clamp", "discriminator_group")


@dataclass(frozen=True)
class Told:
    """None: as the dialect's authors have it by default.

    mapping_multiplier: run-time gain of the mapping network's weights. final_tanh: a tanh ends the generator.
    demodulate: StyleGAN2's convolutions have unit variance. discriminator_clamp: bound on D's layers, 0 = off.
    discriminator_group: images whose deviation D's last block sees, 0 = the whole batch. fused_from: px from which
    StyleGAN1's up-convolutions are fused, 0 = none. encoder_type: of pSp's or e4e's file. start_from_latent_avg:
    whether that encoder adds the file's average.
    """

    mapping_multiplier: float | None = None
    final_tanh: bool | None = None
    demodulate: bool | None = None
    discriminator_clamp: float | None = None
    discriminator_group: int | None = None
    fused_from: int | None = None
    encoder_type: str | None = None
    start_from_latent_avg: bool | None = None

    @property
    def given(self) -> dict[str, Any]:
        """Those that were said."""
        every = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in every.items() if value is not None}

    def of(self, unsaid: Collection[str]) -> "Told":
        """Of these alone."""
        return Told(**{name: value for name, value in self.given.items() if name in unsaid})


def complete(model: ForeignModel, told: Told, source: str) -> ForeignModel:
    """The model with what was told in the place of what is assumed; its notes name both.

    Raises WeightsError for what the file says itself, or what its dialect has not.
    """
    if unfit := [name for name in told.given if name not in model.unsaid]:
        can = ", ".join(map(_option, model.unsaid)) or "nothing"
        raise WeightsError(
            f"{source}: {_option(unfit[0])} was given, but a file of {model.dialect} says it itself or has no "
            f"such thing; expected {can}. Leave it out."
        )
    config = model.config
    for name, value in told.given.items():
        if name not in _PLACES:
            continue
        section, key = _PLACES[name]
        off = name in _OFF_AT_0 and not value
        config = config | {section: config.get(section, {}) | {key: None if off else value}}
    left = {name: value for name, value in model.unsaid.items() if name not in told.given}
    notes = [*model.notes]
    if left:
        notes.append(f"Assumed, since the file does not say: {_list(left)}.")
    if told.given:
        notes.append(f"Told by who imported it, since the file does not say: {_list(told.given)}.")
    model = replace(model, config=config, notes=notes)
    if told.fused_from is not None:
        model = turned(model, model.unsaid["fused_from"], told.fused_from)
    return _with_w_avg(model) if "mapping_multiplier" in told.given else model


def _with_w_avg(model: ForeignModel) -> ForeignModel:
    """w_avg by the multiplier that was told, where it is sampled."""
    if not any(f"{NUM_SAMPLES} z" in note for note in model.notes):
        return model
    config = GeneratorConfig.from_json(model.config)
    networks = {
        name: tensors
        if name == "D"
        else tensors | {"mapping.w_avg": sampled_w_avg(config, tensors)}
        for name, tensors in model.networks.items()
    }
    return replace(model, networks=networks)


def turned(model: ForeignModel, assumed: int, told: int) -> ForeignModel:
    """A StyleGAN1 whose up-convolutions are fused from another size on: those that differ turned by half a turn.

    assumed, told: px, 0 = none; fused ones are stored turned.
    """
    names = {
        f"synthesis.conv{2 * level_of(px)}.weight"
        for px in (8 * 2**level for level in range(8))
        if (0 < assumed <= px) != (0 < told <= px)
    }
    networks = {
        network: {
            name: tensor.flip(2, 3) if name in names else tensor for name, tensor in tensors.items()
        }
        for network, tensors in model.networks.items()
    }
    return replace(model, networks=networks)


def _list(values: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_word(one)}" for name, one in values.items())


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:g}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
