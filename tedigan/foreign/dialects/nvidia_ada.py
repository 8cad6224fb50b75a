"""NVIDIA's `.pkl` (stylegan2-ada-pytorch, stylegan3's stylegan2): its tensors are ours already."""

from pathlib import Path

from tedigan.errors import WeightsError
from tedigan.foreign.dialects.foreign import ForeignModel
from tedigan.foreign.nvidia import NvidiaNetwork, network_config, read_nvidia_pickle

DIALECT = "NVIDIA stylegan2 .pkl"


def read_pickle(path: Path) -> list[ForeignModel]:
    """One generator, with G and D where the file has them.

    Raises WeightsError for anything but an unconditional StyleGAN2 snapshot with its G_ema.
    """
    found = read_nvidia_pickle(path)
    if "G_ema" not in found:
        raise WeightsError(
            f"{path.name} holds {', '.join(found)}; expected G_ema, the average that images are drawn "
            "with. Take a network-snapshot-*.pkl as NVIDIA's training writes it."
        )
    config = network_config(found["G_ema"])
    config["discriminator"] = {"mbstd_group_size": _group_size(found.get("D"))}
    networks = {name: network.tensors for name, network in found.items()}
    return [ForeignModel(DIALECT, config, networks)]


def _group_size(discriminator: NvidiaNetwork | None) -> int:
    """Of the minibatch standard deviation; NVIDIA's default where nothing is said."""
    kwargs = discriminator.init_kwargs.get("epilogue_kwargs") if discriminator else None
    size = kwargs.get("mbstd_group_size") if isinstance(kwargs, dict) else None
    return size if isinstance(size, int) else 4
