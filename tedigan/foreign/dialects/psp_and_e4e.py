"""pSp's and e4e's `.pt`: {state_dict, opts, latent_avg}, an encoder and the generator that it was trained with.

The two write the same names and mean different things; opts.encoder_type says which. The decoder is
rosinality's generator.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tedigan.encoders.psp import (
    INPUTS,
    NUM_WS,
    W_DIM,
    PyramidArchitecture,
    PyramidEncoder,
)
from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.dialects import rosinality
from tedigan.foreign.dialects.foreign import Checkpoint, ForeignModel
from tedigan.foreign.dialects.renaming import Section, renamed

_ARCHITECTURES: dict[str, PyramidArchitecture] = {
    "GradualStyleEncoder": "psp_encoder",
    "Encoder4Editing": "e4e_encoder",
}
_DIALECTS: dict[PyramidArchitecture, str] = {"psp_encoder": "pSp", "e4e_encoder": "e4e"}
ENCODER_TYPES = {"psp": "GradualStyleEncoder", "e4e": "Encoder4Editing"}  # as an option names them
_INPUT, _DECODER = "encoder.input_layer.0.weight", "decoder."


def recognises(checkpoint: Checkpoint) -> bool:
    """By the names of two tensors."""
    state = checkpoint.content.get("state_dict")
    return isinstance(state, Mapping) and {_INPUT, _DECODER + rosinality.MARK} <= state.keys()


def translate(
    checkpoint: Checkpoint,
    encoder_type: str | None = None,
    start_from_latent_avg: bool | None = None,
) -> list[ForeignModel]:
    """The encoder, then the generator.

    encoder_type (psp | e4e), start_from_latent_avg: where opts does not say; None = not told.
    Raises WeightsError for another kind of encoder or input, or sizes that contradict each other, KeysError for
    a tensor that is missing, left over or of another shape.
    """
    name, opts = checkpoint.name, checkpoint.content.get("opts")
    opts = opts if isinstance(opts, Mapping) else {}
    architecture = _architecture(opts, name, encoder_type)
    latent_avg = _rows(checkpoint.state_dict().get("latent_avg"), name)
    encoder, decoder = _parts(checkpoint.state_dict("state_dict"))
    generator = _read_decoder(decoder, latent_avg, f"{name}: decoder")
    _check_size(opts, generator.config.img_resolution, name)
    if (
        latent_avg is None
    ):  # by which w_avg is sampled, the encoder's too, so that it cannot be told
        generator.notes.append("Assumed, since the file does not say: mapping multiplier 0.01.")
    section = Section(encoder, f"{name}: encoder")
    network = _unfilled(section, architecture, generator.config.num_ws)
    adds = opts.get("start_from_latent_avg")
    adds = start_from_latent_avg if adds is None else adds
    offsets, notes = _offsets(adds, latent_avg, generator.tensors["mapping.w_avg"])
    section.add("w_avg", offsets.expand(network.num_ws, W_DIM).contiguous())
    found = renamed(network, section, lambda ours: ours.removeprefix("backbone."))
    section.finish()
    dialect = _DIALECTS[architecture]
    return [
        ForeignModel(
            dialect,
            network.to_json(),
            {"encoder": found},
            notes,
            _unsaid(opts, encoder_type, latent_avg),
        ),
        ForeignModel(
            dialect,
            generator.config.to_json(),
            {"G_ema": generator.tensors},
            generator.notes,
            {} if latent_avg is None else dict(rosinality.UNSAID),
        ),
    ]


def _unsaid(
    opts: Mapping[str, object], encoder_type: str | None, latent_avg: Tensor | None
) -> dict[str, Any]:
    """What opts leaves out, with what is assumed of it."""
    every = {"encoder_type": encoder_type, "start_from_latent_avg": latent_avg is not None}
    return {name: value for name, value in every.items() if opts.get(name) is None}


def _architecture(opts: Mapping[str, object], name: str, told: str | None) -> PyramidArchitecture:
    kind = opts.get("encoder_type")
    kind = ENCODER_TYPES.get(told or "") if kind is None else kind
    if isinstance(kind, str) and kind in _ARCHITECTURES:
        return _ARCHITECTURES[kind]
    expected = " or ".join(_ARCHITECTURES)
    if kind is None:
        raise WeightsError(
            f"{name}: opts has no encoder_type, expected {expected}; the two have the same tensors, so "
            "it cannot be guessed. Say it with --encoder-type psp (the former) or e4e."
        )
    raise WeightsError(
        f"{name}: opts.encoder_type is {str(kind)[:60]}, expected {expected}; no other encoder is run. Choose "
        "a file of pSp (pixel2style2pixel) or e4e (encoder4editing)."
    )


def _rows(latent_avg: Tensor | None, name: str) -> Tensor | None:
    """The average as `[1, 512]` or `[num_ws, 512]`."""
    if latent_avg is None:
        return None
    if latent_avg.ndim not in (1, 2) or latent_avg.shape[-1] != W_DIM:
        raise KeysError(
            f"{name}: latent_avg is {list(latent_avg.shape)}, expected [num_ws, {W_DIM}] or [{W_DIM}]. "
            "Download the file again."
        )
    return latent_avg.reshape(-1, W_DIM).to(torch.float32)


def _parts(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The encoder's tensors (with whatever is nobody's), and the decoder's, both without the prefix."""
    decoder = {name for name in state if name.startswith(_DECODER)}
    return (
        {name.removeprefix("encoder."): state[name] for name in state.keys() - decoder},
        {name.removeprefix(_DECODER): state[name] for name in decoder},
    )


def _read_decoder(
    tensors: Mapping[str, Tensor], latent_avg: Tensor | None, source: str
) -> rosinality.GeneratorTensors:
    """Its w_avg is the file's average if that is the same for each layer."""
    shared = latent_avg is not None and bool((latent_avg == latent_avg[0]).all())
    w_avg = latent_avg[0] if latent_avg is not None and shared else None
    found = rosinality.read_generator(tensors, w_avg, source=source)
    if latent_avg is not None and not shared:
        found.notes.append("The file's latent_avg has a mean for each layer; the encoder keeps it.")
    return found


def _check_size(opts: Mapping[str, object], resolution: int, name: str) -> None:
    """pSp writes output_size, e4e stylegan_size; old files have neither."""
    for option in ("output_size", "stylegan_size"):
        if opts.get(option, resolution) != resolution:
            raise WeightsError(
                f"{name}: opts.{option} is {str(opts[option])[:60]}, but the decoder's tensors are a "
                f"{resolution} px generator's; expected the same. Download the file again."
            )


def _unfilled(section: Section, architecture: PyramidArchitecture, num_ws: int) -> PyramidEncoder:
    """A network without values, of the sizes that the shapes tell."""
    input_channels = section.shape(_INPUT.removeprefix("encoder."), 4)[1]
    if input_channels not in INPUTS:
        kinds = ", ".join(f"{channels} ({kind})" for channels, kind in INPUTS.items())
        raise WeightsError(
            f"{section.source}: its pictures have {input_channels} channels, expected {kinds}; "
            "no other kind of picture is made here. Choose another file."
        )
    num_heads = section.count(r"styles\.\d+\.linear\.weight")
    if num_heads != num_ws or num_ws not in NUM_WS:
        raise WeightsError(
            f"{section.source}: it gives {num_heads} codes, but the decoder takes {num_ws}; expected the same "
            f"number, {NUM_WS[0]} to {NUM_WS[-1]}. Download the file again."
        )
    with torch.device("meta"):
        return PyramidEncoder(architecture, input_channels=input_channels, num_ws=num_ws)


def _offsets(adds: object, latent_avg: Tensor | None, w_avg: Tensor) -> tuple[Tensor, list[str]]:
    """What the encoder's heads are added to, and what was assumed.

    adds: start_from_latent_avg, None = whether there is one. w_avg: the generator's.
    """
    if not (latent_avg is not None if adds is None else adds):
        return torch.zeros(W_DIM), ["It was trained without latent_avg; its w_avg is zero."]
    if latent_avg is None:
        return w_avg, ["The file has no latent_avg; the encoder adds the generator's w_avg."]
    return latent_avg, []
