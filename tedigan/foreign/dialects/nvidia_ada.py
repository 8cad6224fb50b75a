"""NVIDIA's `.pkl` (stylegan2-ada-pytorch, stylegan3's stylegan2): its tensors are ours already."""

from collections.abc import Collection
from contextlib import nullcontext
from pathlib import Path

import torch

from tedigan.errors import WeightsError
from tedigan.foreign.dialects.foreign import ForeignModel, may_be_left_out
from tedigan.foreign.dialects.renaming import check_low_pass
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
    for key, network in found.items():
        for name, tensor in network.tensors.items():
            if name.endswith("resample_filter"):
                with may_be_left_out() if key == "D" else nullcontext():
                    check_low_pass(tensor.to(torch.float32), f"{path.name}: {key}: {name}")
    if (discriminator := found.get("D")) is not None:
        with may_be_left_out():
            config["discriminator"] = _of_discriminator(discriminator, path.name)
    networks, notes = {name: network.tensors for name, network in found.items()}, []
    for name in ("G_ema", "G"):
        if name in networks and "mapping.w_avg" not in networks[name]:  # w_avg_beta was None
            w_avg = sampled_w_avg(GeneratorConfig.from_json(config), networks[name])
            networks[name] = networks[name] | {"mapping.w_avg": w_avg}
            notes = [NOTE]
    return [ForeignModel(DIALECT, config, networks, notes)]


def _of_discriminator(network: NvidiaNetwork, source: str) -> dict[str, object]:
    """Its own numbers; NVIDIA's defaults where it was made without them.

    Raises WeightsError for what its tensors would not show, and would silently change its logits.
    """
    for section in ("block_kwargs", "epilogue_kwargs"):
        kwargs = network.init_kwargs.get(section)
        activation = kwargs.get("activation", "lrelu") if isinstance(kwargs, dict) else "lrelu"
        if activation != "lrelu":
            raise WeightsError(
                f"{source}: D's {section} has activation {str(activation)[:40]!r}, expected 'lrelu'; no other "
                "is run."
            )
    epilogue = network.init_kwargs.get("epilogue_kwargs")
    given = epilogue if isinstance(epilogue, dict) else {}
    clamp = network.init_kwargs.get("conv_clamp")
    return {
        "mbstd_group_size": given.get("mbstd_group_size", 4),
        "conv_clamp": clamp
        if isinstance(clamp, bool) or not isinstance(clamp, int)
        else float(clamp),
    }
