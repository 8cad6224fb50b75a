"""Model cards: what a model folder's README.md says. Deterministic: no time, no host."""

from collections.abc import Iterable
from typing import Any


def generator_card(config: dict[str, Any], networks: Iterable[str]) -> str:
    """The card of models/generator. networks: the names of those that lie there."""
    training = config["training"]
    names = ", ".join(f"`{name}`" for name in networks)
    licence = training.get("licence", "not recorded; as of the source.")
    return (
        f"# StyleGAN2, {config['img_resolution']} px\n\n"
        f"- Networks: {names} (`G_ema` is the one to use); safetensors with NVIDIA's tensor names.\n"
        f"- Latents: z {config['z_dim']}, w {config['w_dim']}, num_ws {config['num_ws']}.\n"
        f"- Data: {training.get('data', 'not recorded')}.\n"
        f"- Images seen: {training.get('images_seen', 'not recorded')}.\n"
        f"- Licence: {licence}\n"
        "- Made by the stage `train_generator`; numbers in `config.json`, losses, if kept, in `log.csv`.\n"
    )


def imported_card(config: dict[str, Any]) -> str:
    """The card of a model folder that `tedigan models import` writes."""
    training = config["training"]
    size = config.get("img_resolution") or config["input_size_px"]
    notes = "".join(f"- {note}\n" for note in training["notes"])
    return (
        f"# {config['architecture']}, {size} px\n\n"
        f"- Imported from {training['source']}; sha256 of the file: `{training['source_sha256']}`.\n"
        f"- num_ws {config['num_ws']}, w_dim {config['w_dim']}; the other numbers are in `config.json`.\n"
        f"- Licence: {training['licence']}\n{notes}"
    )


def encoder_card(config: dict[str, Any]) -> str:
    """The card of models/encoder, models/sketch_encoder and models/label_encoder."""
    generator, channels = config["generator"], config.get("input_channels", 3)
    side = generator["img_resolution"]
    title = {3: "Inversion encoder", 1: "Sketch encoder", 19: "Label map encoder"}[channels]
    inputs = {
        3: "images in -1..1",
        1: "sketches in 0..1, 1 = paper",
        19: "label maps, one-hot",
    }[channels]
    stage = {3: "train_encoder", 1: "train_sketch_encoder", 19: "train_label_encoder"}[channels]
    return (
        f"# {title}, {side} px\n\n"
        f"- {inputs} [n, {channels}, {side}, {side}] -> ws [n, {generator['num_ws']}, {generator['w_dim']}].\n"
        f"- For the generator with G_ema sha256 `{config['generator_sha256']}` and no other.\n"
        "- Licence: as of the data set and the generator it was trained with.\n"
        f"- Made by the stage `{stage}`; its numbers are in `config.json`, its losses in `log.csv`.\n"
        + _fit_of(config)
        + _layers_of(config)
    )


def _fit_of(config: dict[str, Any]) -> str:
    """How a drawing's code is fitted to it, where it is."""
    if config.get("drawer") is None:
        return ""
    steps = config["drawer"]["fit"]["num_fit_steps"]
    return (
        f"- `drawer.safetensors` draws a face, [n, 3, r, r] -> logits [n, {config['input_channels']}, r, r]; by "
        f"it the coarser half of a code's layers is fitted to its drawing in {steps} steps.\n"
    )


def _layers_of(config: dict[str, Any]) -> str:
    """What a drawing's encoder was found to tell, a row a layer; of others nothing."""
    if "layers" not in config:
        return ""
    given = f"- Layers that it gives: {', '.join(map(str, config['layers']))}"
    if "explained" not in config:
        return f"{given} (the official choice).\n"
    agreement = config["agreement"] or [None] * (len(config["explained"]) + 1)
    rows = "".join(
        f"| {layer} | {4 * 2 ** (layer // 2)} px | {share:.2f} | {'' if there is None else f'{there:.3f}'} |\n"
        for layer, (share, there) in enumerate(zip(config["explained"], agreement[1:], strict=True))
    )
    nothing = "" if agreement[0] is None else f" (of random faces: {agreement[0]:.3f})"
    return (
        f"{given}.\n\n| layer | acts at | share of its variance that it explains | how far the drawing agrees "
        f"with that of a face which takes layers 0 to here{nothing} |\n| --- | --- | --- | --- |\n{rows}"
    )


def text_encoder_card(config: dict[str, Any]) -> str:
    """The card of models/text_encoder."""
    rows = "".join(
        f"| {layer} | {4 * 2 ** (layer // 2)} px | {value:.3f} |\n"
        for layer, value in enumerate(config["relevance"])
    )
    return (
        "# Text encoder\n\n"
        f"- caption -> ws [num_ws {config['num_ws']}, w_dim {config['w_dim']}], backbone "
        f"{config['backbone']} (frozen, mean-pooled).\n"
        f"- Aligned with the codes of sha256 `{config['codes_sha256']}`.\n"
        f"- Licence: {config.get('licence', 'not recorded; as of the data set and the generator.')}\n"
        f"- Text-relevant layers (relevance at least {config['training']['relevance_share']} of the largest): "
        f"{config['text_layers']}.\n\n"
        "| layer | acts at | relevance: share of its variance that captions explain (validation) |\n"
        f"| --- | --- | --- |\n{rows}"
    )


def latent_tagger_card(config: dict[str, Any]) -> str:
    """The card of models/latent_tagger."""
    rows = "".join(f"| {name} | {value:.2f} |\n" for name, value in config["explained"].items())
    return (
        "# Latent tagger\n\n"
        f"- ws [n, {config['num_ws']}, {config['w_dim']}] -> margins [n, {len(config['attribute_names'])}]:\n"
        "  how far each attribute's logit lies beyond the guide's threshold, in deviations over its faces.\n"
        f"- {config['num_members']} members; their mean is the answer.\n"
        f"- For the generator with G_ema sha256 `{config['generator_sha256']}` and no other.\n"
        f"- Licence: {config['licence']}.\n"
        "- Made by the stage `train_latent_tagger`; `latent_tagger.safetensors`, losses in `log.csv`.\n\n"
        "| attribute | share of the guide's variance that it explains on faces held back |\n"
        f"| --- | --- |\n{rows}"
    )


def text_mapper_card(config: dict[str, Any]) -> str:
    """The card of models/text_mapper; of a reader alone where there is no mover."""
    reader, mover = config["reader"], config.get("mover")
    moves = (
        f"- `mover`: a whitened code [num_ws {mover['num_ws']}, {mover['num_axes']} axes] and a wish -> its "
        "shift, in one pass.\n"
        f"- For the latent tagger with sha256 `{config['latent_tagger_sha256']}` and no other.\n"
        if mover
        else ""
    )
    return (
        "# Text mapper\n\n"
        f"- `text_reader`: a sentence -> which of {len(reader['attribute_names'])} attributes it wants and which "
        f"it denies; reads the tokens' states after {reader['num_backbone_layers']} layers of "
        f"{reader['backbone']} (frozen).\n"
        f"{moves}"
        "- Learnt from composed sentences: frames, a thesaurus and the caption grammar; from nobody's texts.\n"
        f"- Licence: {config['licence']}\n"
        "- Made by the stage `train_text_mapper`; its numbers are in `config.json`.\n"
    )
