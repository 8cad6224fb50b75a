"""NVIDIA's `.pkl` (stylegan2-ada-pytorch, stylegan3's stylegan2): its tensors are ours already."""

from collections.abc import Collection
from pathlib import Path

from tedigan.errors import WeightsError
from tedigan.foreign.dialects.foreign import ForeignModel
from tedigan.foreign.dialects.w_averages import NOTE, sampled_w_avg
from tedigan.foreign.nvidia import NvidiaNetwork, network_config, read_nvidia_pickle
from tedigan.generator.config import GeneratorConfig

DIALECT = "NVIDIA stylegan2 .pkl"


def read_pickle(path: Path, only: Collection[str] = ("G_ema", "G", "D")) -> list[ForeignModel]:
    """One generator, with G and D where the file has them. only: what to read of these.

    Raises WeightsError for anything but an unconditional StyleGAN2 snapshot with its G_ema.
    """
    found = read_nvidia_pickle(path, only=only)
    if "G_ema" not in found:
        raise WeightsError(
            f"{path.name} holds {', '.join(found)}; expected G_ema, the average that images are drawn "
            "with. Take a network-snapshot-*.pkl as NVIDIA's training writes it."
        )
    config = network_config(found["G_ema"])
    if (discriminator := found.get("D")) is not None:
        config["discriminator"] = _of_discriminator(discriminator)
    networks, notes = {name: network.tensors for name, network in found.items()}, []
    for name in ("G_ema", "G"):
        if name in networks and "mapping.w_avg" not in networks[name]:  # w_avg_beta was None
            w_avg = sampled_w_avg(GeneratorConfig.from_json(config), networks[name])
            networks[name] = networks[name] | {"mapping.w_avg": w_avg}
            notes = [NOTE]
    return [ForeignModel(DIALECT, config, networks, notes)]


def _of_discriminator(network: NvidiaNetwork) -> dict[str, object]:
    """Its own numbers; NVIDIA's defaults where it was made without them."""
    epilogue = network.init_kwargs.get("epilogue_kwargs")
    given = epilogue if isinstance(epilogue, dict) else {}
    clamp = network.init_kwargs.get("conv_clamp")
    return {
        "mbstd_group_size": given.get("mbstd_group_size", 4),
        "conv_clamp": clamp
        if isinstance(clamp, bool) or not isinstance(clamp, int)
        else float(clamp),
    }
