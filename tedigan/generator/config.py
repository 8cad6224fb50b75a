"""The numbers that make a StyleGAN: the content of a generator folder's config.json."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

from jaxtyping import Float
from torch import Tensor

from tedigan.errors import ShapeError, WeightsError
from tedigan.tensors import num_ws_of

Architecture = Literal["stylegan2", "stylegan1"]


@dataclass(frozen=True)
class GeneratorConfig:
    """StyleGAN2 in NVIDIA's terms (stylegan2-ada-pytorch), or the StyleGAN1 of TediGAN (idinvert, genforce).

    channel_base, channel_max: a block at resolution r has `min(channel_base // r, channel_max)` channels.
    mapping_lr_multiplier: run-time gain of the mapping network's weights.
    conv_clamp: bound on every layer's output, None = off (NVIDIA sets 256 where it trains in fp16).
    repeat_w: the mapping network gives one w for all layers; else one for each, and `w_avg` too has one
        mean for each (TediGAN's StyleGAN1).
    final_tanh: images end in a tanh, as TediGAN's do.
    demodulate: StyleGAN2's convolutions give unit variance; False: a fixed gain for their number of inputs.
    discriminator_clamp: conv_clamp of D, by default the generator's.
    mbstd_group_size: images that D compares with each other; None = the whole batch.
    """

    img_resolution: int
    z_dim: int = 512
    w_dim: int = 512
    num_mapping_layers: int = 8
    mapping_lr_multiplier: float = 0.01
    channel_base: int = 32768
    channel_max: int = 512
    conv_clamp: float | None = None
    mbstd_group_size: int | None = 4
    architecture: Architecture = "stylegan2"
    repeat_w: bool = True
    final_tanh: bool = False
    demodulate: bool = True
    discriminator_clamp: float | Literal["generator"] | None = "generator"

    @property
    def num_ws(self) -> int:
        """W+ codes: 10 at 64 px, 14 at 256, 18 at 1024."""
        return num_ws_of(self.img_resolution)

    @property
    def w_shape(self) -> tuple[int, ...]:
        """What the mapping network gives for one z: `(w_dim,)`, or `(num_ws, w_dim)` without repeat_w."""
        return (self.w_dim,) if self.repeat_w else (self.num_ws, self.w_dim)

    @property
    def block_resolutions(self) -> list[int]:
        """4, 8, ..., img_resolution."""
        return [2**k for k in range(2, self.img_resolution.bit_length())]

    @property
    def noise_sizes(self) -> list[int]:
        """Sizes in px of the noise maps, one for each layer that adds noise, in order."""
        skipped = (
            1 if self.architecture == "stylegan2" else 0
        )  # its first layer comes after the constant
        return [4 * 2 ** (i // 2) for i in range(skipped, self.num_ws)]

    def check_ws(self, ws: Float[Tensor, "n _ _"]) -> None:
        """Raise ShapeError for codes of another generator."""
        if ws.shape[1:] != (self.num_ws, self.w_dim):
            raise ShapeError(
                f"ws is {list(ws.shape)}, but this {self.img_resolution} px generator takes "
                f"[n, {self.num_ws}, {self.w_dim}]; was the code made with another one?"
            )

    def channels(self, resolution: int) -> int:
        """Channels of the block at `resolution`."""
        return min(self.channel_base // resolution, self.channel_max)

    def to_json(self) -> dict[str, Any]:
        """The structural fields, nested as in NVIDIA's constructor arguments."""
        return {
            "architecture": self.architecture,
            "img_resolution": self.img_resolution,
            "img_channels": 3,
            "z_dim": self.z_dim,
            "c_dim": 0,
            "w_dim": self.w_dim,
            "num_ws": self.num_ws,
            "mapping": {
                "num_layers": self.num_mapping_layers,
                "lr_multiplier": self.mapping_lr_multiplier,
                "repeat_w": self.repeat_w,
            },
            "synthesis": {
                "channel_base": self.channel_base,
                "channel_max": self.channel_max,
                "conv_clamp": self.conv_clamp,
                "final_tanh": self.final_tanh,
                **({} if self.demodulate else {"demodulate": False}),
            },
            "discriminator": self._of_discriminator(),
        }

    def _of_discriminator(self) -> dict[str, Any]:
        """Its clamp only where it is another than the generator's, as older folders have none."""
        own = {} if self.clamp_of_d == self.conv_clamp else {"conv_clamp": self.clamp_of_d}
        return {"mbstd_group_size": self.mbstd_group_size, **own}

    @property
    def clamp_of_d(self) -> float | None:
        """Bound on the output of each of D's layers."""
        own = self.discriminator_clamp
        return self.conv_clamp if own == "generator" else own

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "GeneratorConfig":
        """The inverse of `to_json`; a field that is missing or of another kind is a WeightsError."""
        try:
            parsed = cls(
                img_resolution=int(config["img_resolution"]),
                z_dim=int(config["z_dim"]),
                w_dim=int(config["w_dim"]),
                num_mapping_layers=int(config["mapping"]["num_layers"]),
                mapping_lr_multiplier=float(config["mapping"]["lr_multiplier"]),
                channel_base=int(config["synthesis"]["channel_base"]),
                channel_max=int(config["synthesis"]["channel_max"]),
                conv_clamp=config["synthesis"].get("conv_clamp"),
                mbstd_group_size=_group(config.get("discriminator", {}).get("mbstd_group_size", 4)),
                discriminator_clamp=config.get("discriminator", {}).get("conv_clamp", "generator"),
                architecture=_architecture(str(config["architecture"])),
                repeat_w=bool(config["mapping"].get("repeat_w", True)),
                final_tanh=bool(config["synthesis"].get("final_tanh", False)),
                demodulate=bool(config["synthesis"].get("demodulate", True)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(
                f"the generator's config.json lacks or garbles {error}; expected the fields that "
                f"train_generator writes ({', '.join(asdict(cls(64)))}). Import the weights again."
            ) from error
        if config.get("c_dim", 0) or config.get("img_channels", 3) != 3:
            raise WeightsError(
                f"the generator has c_dim={config.get('c_dim')} and img_channels="
                f"{config.get('img_channels')}; only unconditional RGB generators are supported."
            )
        return parsed


def _group(size: Any) -> int | None:
    return None if size is None else int(size)


def _architecture(text: str) -> Architecture:
    """The architecture that a config.json names, if need be with words behind it."""
    for known in get_args(Architecture):
        if text.lower().startswith(known):
            return cast(Architecture, known)
    raise WeightsError(
        f"the generator's architecture is {text[:40]!r}; this program runs "
        f"{' and '.join(get_args(Architecture))}. Import the weights again."
    )
