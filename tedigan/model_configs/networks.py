"""What config.json may say, of each kind of model.

Keys that only people read (training, quality) may hold any JSON; those that code reads are typed.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from tedigan.model_configs.fields import (
    MAX_LAYERS,
    MAX_PX,
    MAX_SIZE,
    Bool,
    Checked,
    Clamp,
    Count,
    Layer,
    Name,
    Names,
    Number,
    Px,
    Side,
    Size,
    Text,
    Wide,
)


class _Training(Checked):
    licence: Text | None = None
    images_seen: Annotated[int, Field(strict=True, ge=0)] = 0


class ModelConfig(Checked):
    """Of any folder."""

    architecture: Text
    training: _Training | None = None
    licence: Text | None = None


class _Mapping(Checked):
    num_layers: Count
    lr_multiplier: Annotated[float, Field(strict=True, gt=0, le=100)]
    repeat_w: Bool = True


class _Synthesis(Checked):
    channel_base: Annotated[int, Field(strict=True, ge=4, le=MAX_SIZE * MAX_PX)]
    channel_max: Size
    conv_clamp: Clamp | None = None
    final_tanh: Bool = False
    demodulate: Bool = True


class _Discriminator(Checked):
    mbstd_group_size: Annotated[int, Field(strict=True, ge=1, le=MAX_SIZE)] | None = 4
    conv_clamp: Clamp | None = None


class _Generator(ModelConfig):
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


class _Fit(Checked):
    num_fit_steps: Annotated[int, Field(strict=True, ge=0, le=10_000)]
    fit_rate: Annotated[float, Field(strict=True, gt=0, le=100)]
    weight_prior: Annotated[float, Field(strict=True, ge=0)]
    weight_coherence: Annotated[float, Field(strict=True, ge=0)]


class _Drawer(Checked):
    input_px: Side
    base_channels: Annotated[int, Field(strict=True, ge=1, le=64)]
    fit: _Fit


class _DrawerAlone(ModelConfig):
    input_px: Side
    base_channels: Annotated[int, Field(strict=True, ge=1, le=64)]
    input_channels: Literal[1, 19]
    fit: _Fit


class _VisualEncoder(ModelConfig):
    head_dim: Wide
    num_axes: Size
    num_passes: Count
    input_channels: Literal[1, 3, 19] = 3
    layers: Annotated[list[Layer], Field(max_length=MAX_LAYERS)] | None = None
    drawer: _Drawer | None = None
    generator: _Generator


class _Idinvert(ModelConfig):
    input_size_px: Literal[8, 16, 32, 64, 128, 256, 512, 1024]
    w_dim: Size
    channel_base: Size
    channel_max: Size


class _Pyramid(ModelConfig):
    input_channels: Literal[1, 3, 19]
    num_ws: Literal[8, 10, 12, 14, 16, 18]


class Adopted(ModelConfig):
    """An official encoder, whose own numbers are checked by its own schema."""

    network: Annotated[dict[str, Any], Field(min_length=1)]
    generator: _Generator
    layers: Annotated[list[Layer], Field(max_length=MAX_LAYERS)] | None = None


class _TextEncoder(ModelConfig):
    backbone: Name
    embedding_dim: Wide
    hidden_dim: Wide
    num_ws: Count
    w_dim: Size
    text_layers: Annotated[list[Layer], Field(max_length=MAX_LAYERS)]


class _LatentTagger(ModelConfig):
    num_ws: Count
    w_dim: Size
    num_axes: Size
    hidden_dim: Wide
    num_members: Count
    attribute_names: Names


class _Reader(Checked):
    backbone: Name
    num_backbone_layers: Count
    embedding_dim: Wide
    hidden_dim: Wide
    threshold: Annotated[float, Field(strict=True, ge=0, le=1)]
    attribute_names: Names


class _Mover(Checked):
    num_ws: Count
    num_axes: Size
    hidden_dim: Wide
    attribute_names: Names


class _TextMapper(ModelConfig):
    reader: _Reader
    mover: _Mover | None = None


class _Parser(ModelConfig):
    input_px: Side
    base_channels: Size


class _TaggedAttribute(Checked):
    threshold: Number
    f1: Number = 0.0
    floor: Number = 0.0
    is_proposed: Bool = False


class _Axes(Checked):
    num_axes: Size


class _Tagger(ModelConfig):
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


class _JudgedAttribute(Checked):
    threshold: Number


class _Referee(ModelConfig):
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


class _RivalEncoders(ModelConfig):
    vocabulary: Annotated[list[Name], Field(min_length=3, max_length=16 * MAX_SIZE)]


class _Rival(_RivalEncoders):
    method: Literal["attngan", "controlgan", "dmgan", "dfgan", "manigan"]
    numbers: dict[Name, Annotated[int, Field(strict=True, ge=1, le=512)]]


SCHEMAS: dict[str, type[ModelConfig]] = {
    "stylegan2": _Generator,
    "stylegan1": _Generator,
    "visual_encoder": _VisualEncoder,
    "drawer": _DrawerAlone,
    "adopted_encoder": Adopted,
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
