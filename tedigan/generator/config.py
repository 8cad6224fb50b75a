"""The numbers that make a StyleGAN2: the content of a generator folder's config.json."""

from dataclasses import asdict, dataclass
from typing import Any

from tedigan.errors import WeightsError
from tedigan.tensors import num_ws_of


@dataclass(frozen=True)
class GeneratorConfig:
    """StyleGAN2 in NVIDIA's terms (stylegan2-ada-pytorch): skip generator, resnet discriminator.

    channel_base, channel_max: a block at resolution r has `min(channel_base // r, channel_max)` channels.
    mapping_lr_multiplier: run-time gain of the mapping network's weights.
    conv_clamp: bound on every layer's output, None = off (NVIDIA sets 256 where it trains in fp16).
    """

    img_resolution: int
    z_dim: int = 512
    w_dim: int = 512
    num_mapping_layers: int = 8
    mapping_lr_multiplier: float = 0.01
    channel_base: int = 32768
    channel_max: int = 512
    conv_clamp: float | None = None
    mbstd_group_size: int = 4

    @property
    def num_ws(self) -> int:
        """W+ codes: 10 at 64 px, 14 at 256, 18 at 1024."""
        return num_ws_of(self.img_resolution)

    @property
    def block_resolutions(self) -> list[int]:
        """4, 8, ..., img_resolution."""
        return [2**k for k in range(2, self.img_resolution.bit_length())]

    def channels(self, resolution: int) -> int:
        """Channels of the block at `resolution`."""
        return min(self.channel_base // resolution, self.channel_max)

    def to_json(self) -> dict[str, Any]:
        """The structural fields, nested as in NVIDIA's constructor arguments."""
        return {
            "architecture": "stylegan2",
            "img_resolution": self.img_resolution,
            "img_channels": 3,
            "z_dim": self.z_dim,
            "c_dim": 0,
            "w_dim": self.w_dim,
            "num_ws": self.num_ws,
            "mapping": {
                "num_layers": self.num_mapping_layers,
                "lr_multiplier": self.mapping_lr_multiplier,
            },
            "synthesis": {
                "channel_base": self.channel_base,
                "channel_max": self.channel_max,
                "conv_clamp": self.conv_clamp,
            },
            "discriminator": {"mbstd_group_size": self.mbstd_group_size},
        }

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
                mbstd_group_size=int(config.get("discriminator", {}).get("mbstd_group_size", 4)),
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
