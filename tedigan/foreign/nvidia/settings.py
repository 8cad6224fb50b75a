"""From the arguments of NVIDIA's generator to the settings of ours.

The two releases write the same network differently: stylegan2-ada-pytorch puts the synthesis
arguments into `synthesis_kwargs`, stylegan3 next to the others. Arguments left out take NVIDIA's
defaults, which agree in everything that we read. Arguments that change only precision or speed
(num_fp16_res, fused_modconv_default, ...) are dropped.
"""

from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.nvidia.pickled_networks import NvidiaNetwork
from tedigan.foreign.pickles.values import refusal, shown

_TOP = {"z_dim", "c_dim", "w_dim", "img_resolution", "img_channels"}
_PRECISION = {"num_fp16_res", "conv_clamp", "fp16_channels_last", "fused_modconv_default"}
_FIXED: dict[str, object] = {
    "architecture": "skip",
    "activation": "lrelu",
    "use_noise": True,
    "kernel_size": 3,
}
_ONLY = "This program runs unconditional StyleGAN2 generators only; choose a file of that kind."
_SPOILT = "The file does not fit its own description; download it again."


def network_config(network: NvidiaNetwork) -> dict[str, object]:
    """Return a generator's settings in the form of our config.json, checked against its tensors.

    Raises WeightsError for a network that ours cannot be (a discriminator, StyleGAN3's own kind, a
    conditional one, the "resnet" and "orig" architectures), KeysError where the tensors contradict
    the arguments.
    """
    if network.class_name != "Generator":
        raise _unsupported("a network of another kind", shown(network.class_name), "'Generator'")
    layers = [
        name for name in network.tensors if name.startswith(("synthesis.L0_", "synthesis.input."))
    ]
    if layers:
        got, want = f"{layers[0]!r}: a StyleGAN3 generator", "StyleGAN2's blocks (synthesis.b4...)"
        raise _unsupported("a generator of another architecture", got, want)
    top, mapping, synthesis = _sections(network.init_kwargs)
    if top["c_dim"] != 0:
        got = f"c_dim {shown(top['c_dim'])}: a conditional generator"
        raise _unsupported("a generator that wants labels", got, "c_dim 0")
    sizes = {name: _size(name, top.get(name)) for name in sorted(_TOP - {"c_dim"})}
    resolution = sizes["img_resolution"]
    if resolution < 8 or resolution & (resolution - 1):
        raise _unsupported("img_resolution", str(resolution), "a power of two from 8")
    _check_fixed(mapping, synthesis, w_dim=sizes["w_dim"])
    mapping_layers = _size("num_layers", mapping.get("num_layers", 8))
    channel_base = _size("channel_base", synthesis.get("channel_base", 32768))
    channel_max = _size("channel_max", synthesis.get("channel_max", 512))
    clamp = synthesis.get("conv_clamp")
    _check_tensors(
        network,
        {2**i: min(channel_base // 2**i, channel_max) for i in range(2, resolution.bit_length())},
        num_layers=mapping_layers,
        w_dim=sizes["w_dim"],
        keeps_w_avg=mapping.get("w_avg_beta", 0.995) is not None,
    )
    return {
        "architecture": "stylegan2",
        "z_dim": sizes["z_dim"],
        "w_dim": sizes["w_dim"],
        "c_dim": 0,
        "img_resolution": resolution,
        "img_channels": sizes["img_channels"],
        "num_ws": 2 * (resolution.bit_length() - 1) - 2,
        "mapping": {
            "num_layers": mapping_layers,
            "lr_multiplier": _number("lr_multiplier", mapping.get("lr_multiplier", 0.01)),
        },
        "synthesis": {
            "channel_base": channel_base,
            "channel_max": channel_max,
            "conv_clamp": None if clamp is None else float(_number("conv_clamp", clamp)),
        },
        "resample_filter": _filter(synthesis.get("resample_filter", [1, 3, 3, 1])),
    }


def _unsupported(what: str, got: str, want: str) -> WeightsError:
    return refusal("this NVIDIA network", what, got, want, _ONLY)


def _sections(
    kwargs: dict[str, object],
) -> tuple[dict[str, object], dict[str, object], dict[str, object]]:
    """Split the arguments into the generator's own, the mapping's and the synthesis network's."""
    rest = dict(kwargs)
    top = {name: rest.pop(name, None) for name in sorted(_TOP)}
    mapping, synthesis = rest.pop("mapping_kwargs", {}), rest.pop("synthesis_kwargs", {})
    if not isinstance(mapping, dict) or not isinstance(synthesis, dict):
        got = f"{shown(mapping)} and {shown(synthesis)}"
        raise _unsupported("mapping_kwargs and synthesis_kwargs", got, "two dicts")
    return top, mapping, rest | synthesis


def _check_fixed(mapping: dict[str, object], synthesis: dict[str, object], *, w_dim: int) -> None:
    """Refuse arguments that ours has no equal for, and arguments that we do not know."""
    known = {
        "mapping": {
            "num_layers",
            "lr_multiplier",
            "embed_features",
            "w_avg_beta",
            "layer_features",
        },
        "synthesis": {"channel_base", "channel_max", "resample_filter"} | _PRECISION,
    }
    for section, kwargs in (("mapping", mapping), ("synthesis", synthesis)):
        for name, value in kwargs.items():
            if name in _FIXED and value != _FIXED[name]:
                raise _unsupported(f"{section} {name}", shown(value), shown(_FIXED[name]))
            if name not in known[section] and name not in _FIXED:
                want = f"one of {', '.join(sorted(known[section]))}"
                raise _unsupported(f"unknown {section} argument", shown(name), want)
    if mapping.get("layer_features") not in (None, w_dim):
        raise _unsupported("mapping layer_features", shown(mapping["layer_features"]), f"{w_dim}")


def _check_tensors(
    network: NvidiaNetwork,
    channels: dict[int, int],
    *,
    num_layers: int,
    w_dim: int,
    keeps_w_avg: bool,
) -> None:
    """Compare the arguments with the shapes that they imply."""
    want = {f"synthesis.b{res}.conv1.weight": (wide, wide, 3, 3) for res, wide in channels.items()}
    got = {name: tuple(network.tensors[name].shape) for name in want if name in network.tensors}
    if got != want:
        name = next(name for name in want if got.get(name) != want[name])
        raise _contradiction(name, str(got.get(name, "no tensor")), str(want[name]))
    blocks = {name.split(".")[1] for name in network.tensors if name.startswith("synthesis.")}
    if blocks != {f"b{res}" for res in channels}:
        raise _contradiction(
            "synthesis", ", ".join(sorted(blocks)), f"blocks b4 to b{max(channels)}"
        )
    layers = {
        name
        for name in network.tensors
        if name.startswith("mapping.fc") and name.endswith("weight")
    }
    if len(layers) != num_layers or layers != {f"mapping.fc{i}.weight" for i in range(num_layers)}:
        raise _contradiction("mapping", f"{len(layers)} layers", f"{num_layers}")
    w_avg = network.tensors.get("mapping.w_avg")
    if w_avg is None and not keeps_w_avg:
        return
    if w_avg is None or tuple(w_avg.shape) != (w_dim,):
        shape = "no tensor" if w_avg is None else str(tuple(w_avg.shape))
        raise _contradiction("mapping.w_avg", shape, str((w_dim,)))


def _contradiction(name: str, got: str, want: str) -> KeysError:
    return KeysError(str(refusal("this NVIDIA network", name, got, want, _SPOILT)))


def _size(name: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= 2**20:
        raise _unsupported(name, shown(value), "a positive whole number")
    return value


def _number(name: str, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise _unsupported(name, shown(value), "a positive number")
    return value


def _filter(value: object) -> list[int | float]:
    if not isinstance(value, list) or not 1 <= len(value) <= 64:
        raise _unsupported("resample_filter", shown(value), "a short list such as [1, 3, 3, 1]")
    taps = [_number("resample_filter", step) for step in value]
    if len(taps) != 4 or taps != taps[::-1]:
        what = "a generator with another low-pass filter"
        want = "four taps alike from both ends, such as [1, 3, 3, 1]"
        raise _unsupported(what, f"resample_filter {taps[:8]}", want)
    return taps
