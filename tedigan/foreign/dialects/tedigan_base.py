"""The StyleGAN1 generator of TediGAN's base release and of idinvert_pytorch: one flat state dict.

`styleganinv_ffhq256_generator.pth`; genforce's newer programs cannot load it, and these cannot load theirs. With a
w for each layer, a tanh ends the network, as in all settings of that release.
"""

import re
from dataclasses import replace

from tedigan.foreign.dialects.foreign import Checkpoint, ForeignModel
from tedigan.foreign.dialects.renaming import Section
from tedigan.foreign.dialects.stylegan1_shared import Spelling, read_generator

DIALECT = "TediGAN base stylegan1"
MARK = "synthesis.layer0.epilogue.style_mod.dense.fc.weight"
_FUSED = re.compile(r"synthesis\.layer(\d{1,2})\.weight")

SPELLING = Spelling(
    words={
        "fc.weight": "fc.weight",
        "fc.bias": "wscale.bias",
        "conv.weight": "conv.weight",
        "epilogue.noise_const": "epilogue.apply_noise.noise",
        "epilogue.noise_strength": "epilogue.apply_noise.weight",
        "epilogue.bias": "epilogue.bias",
        "epilogue.affine.weight": "epilogue.style_mod.dense.fc.weight",
        "epilogue.affine.bias": "epilogue.style_mod.dense.wscale.bias",
        "torgb.weight": "conv.weight",
        "torgb.bias": "bias",
    },
    fused_word="weight",
    fused_axes=(3, 2, 0, 1),  # TensorFlow's [height, width, in, out]
)


def recognises(checkpoint: Checkpoint) -> bool:
    """By the name of one tensor."""
    return MARK in checkpoint.content


def translate(checkpoint: Checkpoint) -> list[ForeignModel]:
    """One generator.

    Raises KeysError for a tensor that is missing, left over or of another shape, WeightsError for a generator that
    is conditional or not fully grown.
    """
    section = Section(checkpoint.state_dict(), checkpoint.name)
    fused = [int(match[1]) for name in checkpoint.content if (match := _FUSED.fullmatch(name))]
    config, tensors = read_generator(section, SPELLING, fused_rows=fused)
    notes = []
    if "truncation.truncation" in section:
        section.take("truncation.truncation", [1, config.num_ws, 1])
        notes.append(
            "The file's truncation is a setting of the program that wrote it, and was left out."
        )
    section.finish()
    config = replace(config, final_tanh=not config.repeat_w)
    if config.final_tanh:
        notes.append(
            "The file has a w for each layer, so a tanh was taken to end the network; it does not say so."
        )
    unsaid = {"mapping_multiplier": 0.01, "final_tanh": config.final_tanh}
    return [ForeignModel(DIALECT, config.to_json(), {"G_ema": tensors}, notes, unsaid)]
