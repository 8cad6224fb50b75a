"""What a model folder's config.json may say: one schema, with a range for every number that makes a network.

`check_config` is asked wherever a config is read, translated from a foreign file, or written, before anything is
built from it. Keys that only people read (training, quality) may hold any JSON; those that code reads are typed.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tedigan.errors import WeightsError

MAX_SIZE, MAX_PX = 4096, 1024
MAX_ATTRIBUTES, MAX_LAYERS = 1024, 64

Px = Literal[4, 8, 16, 32, 64, 128, 256, 512, 1024]
Size = Annotated[int, Field(strict=True, ge=1, le=MAX_SIZE)]
Wide = Annotated[int, Field(strict=True, ge=1, le=16 * MAX_SIZE)]
Side = Annotated[int, Field(strict=True, ge=8, le=MAX_PX)]
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_LAYERS)]
Layer = Annotated[int, Field(strict=True, ge=0, lt=MAX_LAYERS)]
Number = Annotated[float, Field(strict=True)]
Clamp = Annotated[float, Field(strict=True, gt=0, le=1e6)]
Bool = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(max_length=4096)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[list[Name], Field(min_length=1, max_length=MAX_ATTRIBUTES)]


class _Config(BaseModel):
    """Frozen; what it does not name may stand beside it."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _Training(_Config):
    licence: Text | None = None
    images_seen: Annotated[int, Field(strict=True, ge=0)] = 0


class _ModelConfig(_Config):
    """Of any folder."""

    architecture: Text
    training: _Training | None = None
    licence: Text | None = None


class _Mapping(_Config):
    num_layers: Count
    lr_multiplier: Annotated[float, Field(strict=True, gt=0, le=100)]
    repeat_w: Bool = True


class _Synthesis(_Config):
    channel_base: Annotated[int, Field(strict=True, ge=4, le=MAX_SIZE * MAX_PX)]
    channel_max: Size
    conv_clamp: Clamp | None = None
    final_tanh: Bool = False
    demodulate: Bool = True


class _Discriminator(_Config):
    mbstd_group_size: Annotated[int, Field(strict=True, ge=1, le=MAX_SIZE)] | None = 4
    conv_clamp: Clamp | None = None


class _Generator(_ModelConfig):
    img_resolution: Px
    img_channels: Annotated[int, Field(strict=True, ge=1, le=MAX_SIZE)] = 3
    z_dim: Size
    c_dim: Annotated[int, Field(strict=True, ge=0)] = 0
    w_dim: Size
    num_ws: Count | None = None
    mapping: _Mapping
    synthesis: _Synthesis
    discriminator: _Discriminator = _Discriminator()

    @model_validator(mode="after")
    def _fits(self) -> "_Generator":
        expected = 2 * (self.img_resolution.bit_length() - 1) - 2
        if self.num_ws not in (None, expected):
            raise ValueError(
                f"num_ws is {self.num_ws}, but {self.img_resolution} px have {expected}"
            )
        if self.synthesis.channel_base < self.img_resolution:
            raise ValueError(
                f"synthesis.channel_base is {self.synthesis.channel_base}, which leaves no channel at "
                f"{self.img_resolution} px"
            )
        return self


class _Fit(_Config):
    num_fit_steps: Annotated[int, Field(strict=True, ge=0, le=10_000)]
    fit_rate: Annotated[float, Field(strict=True, gt=0, le=100)]
    weight_prior: Annotated[float, Field(strict=True, ge=0)]
    weight_coherence: Annotated[float, Field(strict=True, ge=0)]


class _Drawer(_Config):
    input_px: Side
    base_channels: Annotated[int, Field(strict=True, ge=1, le=64)]
    fit: _Fit


class _VisualEncoder(_ModelConfig):
    head_dim: Wide
    num_axes: Size
    num_passes: Count
    input_channels: Literal[1, 3, 19] = 3
    layers: Annotated[list[Layer], Field(max_length=MAX_LAYERS)] | None = None
    drawer: _Drawer | None = None
    generator: _Generator


class _Idinvert(_ModelConfig):
    input_size_px: Literal[8, 16, 32, 64, 128, 256, 512, 1024]
    w_dim: Size
    channel_base: Size
    channel_max: Size


class _Pyramid(_ModelConfig):
    input_channels: Literal[1, 3, 19]
    num_ws: Literal[8, 10, 12, 14, 16, 18]


class _Adopted(_ModelConfig):
    network: Annotated[dict[str, Any], Field(min_length=1)]
    generator: _Generator
    layers: Annotated[list[Layer], Field(max_length=MAX_LAYERS)] | None = None


class _TextEncoder(_ModelConfig):
    backbone: Name
    embedding_dim: Wide
    hidden_dim: Wide
    num_ws: Count
    w_dim: Size
    text_layers: Annotated[list[Layer], Field(max_length=MAX_LAYERS)]


class _LatentTagger(_ModelConfig):
    num_ws: Count
    w_dim: Size
    num_axes: Size
    hidden_dim: Wide
    num_members: Count
    attribute_names: Names


class _Reader(_Config):
    backbone: Name
    num_backbone_layers: Count
    embedding_dim: Wide
    hidden_dim: Wide
    threshold: Annotated[float, Field(strict=True, ge=0, le=1)]
    attribute_names: Names


class _Mover(_Config):
    num_ws: Count
    num_axes: Size
    hidden_dim: Wide
    attribute_names: Names


class _TextMapper(_ModelConfig):
    reader: _Reader
    mover: _Mover | None = None


class _Parser(_ModelConfig):
    input_px: Side
    base_channels: Size


class _TaggedAttribute(_Config):
    threshold: Number
    f1: Number = 0.0
    floor: Number = 0.0
    is_proposed: Bool = False


class _Axes(_Config):
    num_axes: Size


class _Tagger(_ModelConfig):
    input_px: Side
    base_channels: Size
    attribute_names: Names
    attributes: dict[str, _TaggedAttribute]
    identity: _Axes | None = None

    @model_validator(mode="after")
    def _says_all(self) -> "_Tagger":
        if missing := [name for name in self.attribute_names if name not in self.attributes]:
            raise ValueError(f"attributes says nothing of {missing[0]!r}")
        return self


class _JudgedAttribute(_Config):
    threshold: Number


class _Referee(_ModelConfig):
    resolution: Side
    hidden_dim: Wide
    embedding_dim: Wide
    attribute_names: Names
    attributes: dict[str, _JudgedAttribute]
    reliable: list[str]
    identity: dict[str, Any] | None

    @model_validator(mode="after")
    def _says_all(self) -> "_Referee":
        if missing := [name for name in self.attribute_names if name not in self.attributes]:
            raise ValueError(f"attributes says nothing of {missing[0]!r}")
        return self


class _RivalEncoders(_ModelConfig):
    vocabulary: Annotated[list[Name], Field(min_length=3, max_length=16 * MAX_SIZE)]


class _Rival(_RivalEncoders):
    method: Literal["attngan", "controlgan", "dmgan", "dfgan", "manigan"]
    numbers: dict[Name, Annotated[int, Field(strict=True, ge=1, le=512)]]


_SCHEMAS: dict[str, type[_ModelConfig]] = {
    "stylegan2": _Generator,
    "stylegan1": _Generator,
    "visual_encoder": _VisualEncoder,
    "adopted_encoder": _Adopted,
    "idinvert_encoder": _Idinvert,
    "psp_encoder": _Pyramid,
    "e4e_encoder": _Pyramid,
    "text_encoder": _TextEncoder,
    "latent_tagger": _LatentTagger,
    "text_mapper": _TextMapper,
    "parser": _Parser,
    "tagger": _Tagger,
    "referee": _Referee,
    "rival": _Rival,
    "encoders_of_rivals": _RivalEncoders,
}
ARCHITECTURES = tuple(_SCHEMAS)


def check_config(config: object, place: str) -> None:
    """Refuse a config.json that no network can be built from. place: where it stands, for the error.

    Raises WeightsError, which names the first key that is wrong, what it is and what was expected.
    """
    if not isinstance(config, Mapping):
        raise WeightsError(f"{place} holds {_shown(config)}, expected a model's numbers. {_ADVICE}")
    schema = _SCHEMAS[kind_of(config.get("architecture"), place)]
    try:
        schema.model_validate(config)
    except ValidationError as error:
        raise WeightsError(f"{place}: {_first(error)}. {_ADVICE}") from None
    if schema is _Adopted:
        network = config["network"]
        if kind_of(network.get("architecture"), f"{place}: network") not in OFFICIAL:
            raise WeightsError(
                f"{place}: network.architecture is {_shown(network['architecture'])}, expected one of "
                f"{', '.join(OFFICIAL)}. {_ADVICE}"
            )
        check_config(network, f"{place}: network")


OFFICIAL = ("idinvert_encoder", "psp_encoder", "e4e_encoder")
_ADVICE = "Make or import the model again."


def kind_of(architecture: object, place: str) -> str:
    """The known architecture that a text names, if need be with words behind it."""
    if isinstance(architecture, str):
        for known in ARCHITECTURES:
            if architecture[:40].lower().startswith(known):
                return known
    raise WeightsError(
        f"{place}: the model's architecture is {_shown(architecture)}, expected one of "
        f"{', '.join(ARCHITECTURES)}. {_ADVICE}"
    )


def _first(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"])[:120]
    if first["type"] == "missing":
        said = f"{key} is missing"
    elif not key:
        said = first["msg"].removeprefix("Value error, ")
    else:
        said = f"{key} is {_shown(first['input'])}; {first['msg'].lower()}"
    return said + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")


def _shown(value: object) -> str:
    """A value in at most a few words."""
    if isinstance(value, Mapping | list | tuple):
        return f"a {'list' if not isinstance(value, Mapping) else 'dict'} of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a giant number"
    text = repr(value)
    return text if len(text) <= 48 else f"{text[:45]}..."
