"""genforce/genforce's StyleGAN1 `.pth`: generator, generator_smooth, discriminator; or a checkpoint with `models`.

Files say neither whether an up-convolution is fused nor whether a tanh ends the network; genforce's defaults are
assumed: fused from 128 px up, no tanh.
"""

from collections.abc import Mapping

from torch import Tensor

from tedigan.errors import KeysError
from tedigan.foreign.dialects.foreign import Checkpoint, ForeignModel
from tedigan.foreign.dialects.renaming import Section
from tedigan.foreign.dialects.stylegan1_shared import Spelling, read_generator
from tedigan.generator.config import GeneratorConfig

DIALECT = "genforce stylegan1"
MARKS = {"synthesis.layer0.const", "synthesis.layer0.apply_noise.weight"}
SECTIONS = {"G_ema": "generator_smooth", "G": "generator"}
FUSED_ROWS = range(10, 18, 2)  # of 128 to 1024 px

SPELLING = Spelling(
    words={
        "fc.weight": "weight",
        "fc.bias": "bias",
        "conv.weight": "weight",
        "epilogue.noise_const": "apply_noise.noise",
        "epilogue.noise_strength": "apply_noise.weight",
        "epilogue.bias": "bias",
        "epilogue.affine.weight": "style.weight",
        "epilogue.affine.bias": "style.bias",
        "torgb.weight": "weight",
        "torgb.bias": "bias",
    },
    fused_word="weight",
    fused_axes=(0, 1, 2, 3),
)
UNSAID = {"mapping_multiplier": 0.01, "final_tanh": False, "fused_from": 128}


def recognises(checkpoint: Checkpoint) -> bool:
    """By the names of two tensors."""
    return bool(_paths(checkpoint))


def translate(checkpoint: Checkpoint) -> list[ForeignModel]:
    """One generator: the averaged one as G_ema, the live one as G.

    Raises KeysError for a tensor that is missing, left over or of another shape, WeightsError for a generator that
    is conditional or not fully grown.
    """
    found = {name: _read(checkpoint, path) for name, path in _paths(checkpoint).items()}
    configs = [config for config, _ in found.values()]
    if configs[0] != configs[-1]:
        raise KeysError(
            f"{checkpoint.name}: generator_smooth and generator are networks of different sizes ({configs[0]} and "
            f"{configs[-1]}); expected two copies of one. Download the file again."
        )
    networks, notes = {name: tensors for name, (_, tensors) in found.items()}, []
    if "G_ema" not in networks:
        networks["G_ema"] = networks["G"]
        notes.append("The file has no generator_smooth; G_ema is the live generator.")
    if "discriminator" in _models(checkpoint)[1]:
        notes.append(
            "The file's discriminator is StyleGAN1's, which is not supported, and was left out."
        )
    return [ForeignModel(DIALECT, configs[0].to_json(), networks, notes, dict(UNSAID))]


def _models(checkpoint: Checkpoint) -> tuple[list[str], Mapping[str, object]]:
    """Where the sections stand: at the top, or, in a training's checkpoint, below `models`."""
    inner = checkpoint.content.get("models")
    return (["models"], inner) if isinstance(inner, Mapping) else ([], checkpoint.content)


def _paths(checkpoint: Checkpoint) -> dict[str, list[str]]:
    """Our networks and the sections that hold them."""
    path, models = _models(checkpoint)
    found = {}
    for ours, theirs in SECTIONS.items():
        section = models.get(theirs)
        if isinstance(section, Mapping) and MARKS <= section.keys():
            found[ours] = [*path, theirs]
    return {"G": []} if MARKS <= models.keys() else found  # a bare generator


def _read(checkpoint: Checkpoint, path: list[str]) -> tuple[GeneratorConfig, dict[str, Tensor]]:
    section = Section(checkpoint.state_dict(*path), ": ".join([checkpoint.name, *path]))
    config, tensors = read_generator(section, SPELLING, fused_rows=FUSED_ROWS)
    section.finish()
    return config, tensors
