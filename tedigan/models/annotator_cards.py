"""The model cards of parser and tagger. Deterministic: no time, no host."""

from collections.abc import Mapping
from typing import Any


def parser_card(config: Mapping[str, Any]) -> str:
    """The README.md of a parser's folder."""
    examined = config.get("examined", {"iou": {}})
    rows = "\n".join(
        f"| {name} | {_show(value)} | {_show(examined['iou'].get(name))} |"
        for name, value in config["iou"].items()
    )
    return (
        f"# Face parser, {config['input_px']} px\n\n"
        "A U-Net that makes label maps of CelebAMask-HQ's 19 classes. `parser.safetensors`. Its maps are\n"
        "predictions; a data set that holds them says so.\n\n"
        f"{_about(config)}"
        f"- Mean intersection over union on the val split: {_show(config['mean_iou'])}.\n"
        f"{_examination(config)}{_worn(config)}\n"
        "| class | IoU (val) | IoU (examined) |\n|---|---|---|\n"
        f"{rows}\n\n"
        "A class without a number is shown by no photograph there. On pictures of another kind than it was\n"
        "trained on (drawn faces, photographs) its quality is unknown.\n"
    )


def tagger_card(config: Mapping[str, Any]) -> str:
    """The README.md of a tagger's folder."""
    rows = "\n".join(
        f"| {name} | {_show(one['f1'])} | {_show(one['floor'])} | {_show(one['precision'])} "
        f"| {_show(one['recall'])} | {_show(one['test_f1'])} | {one['positives']} "
        f"| {'yes' if one['is_proposed'] else 'no'} |"
        for name, one in config["attributes"].items()
    )
    return (
        f"# Face tagger, {config['input_px']} px\n\n"
        "A convolutional network that proposes attributes. `tagger.safetensors`. Its answers are\n"
        "predictions; a data set that holds them says so. The referee is another network.\n\n"
        f"{_about(config)}"
        f"- Proposed: {config['num_proposed']} of {len(config['attributes'])}, with a mean F1 of "
        f"{_show(config['mean_f1_of_proposed'])} on the val split. Of the others it says nothing.\n"
        f"{_people(config)}\n"
        "| attribute | F1 (val) | F1 of always yes | precision | recall | F1 (test) | positives (val) "
        "| proposed |\n|---|---|---|---|---|---|---|---|\n"
        f"{rows}\n\n"
        "Thresholds are those of the best F1 on the val split, kept in `config.json`; so F1 (val) is a little\n"
        "too good, and F1 (test) is not.\n"
    )


def _worn(config: Mapping[str, Any]) -> str:
    """One line a class, where the parser was taught what is worn without masks of it."""
    return "".join(
        f"- {name} is seen in a share of {_show(seen['wearers'])} of those in the val split who wear it by the "
        f"table of attributes, and of {_show(seen['others'])} of the others; where it ends was not examined.\n"
        for name, seen in config.get("worn", {}).items()
    )


def _examination(config: Mapping[str, Any]) -> str:
    """One line, where the parser was compared with another data set."""
    if (examined := config.get("examined")) is None:
        return ""
    return (
        f"- Examined on {examined['num_photographs']} photographs of another data set, whose label maps come "
        f"from: {examined['origin']}. Mean intersection over union: {_show(examined['mean_iou'])}.\n"
    )


def _people(config: Mapping[str, Any]) -> str:
    """One line, where the photographs taught who is who."""
    if (found := config.get("identity")) is None:
        return ""
    return (
        f"- Who it is: `identity.safetensors`, {found['num_axes']} directions of its features in which "
        f"{found['num_people']:,} people on {found['num_photographs']:,} of the photographs differ most (Fisher's "
        f"discriminant). By their cosine, pairs of val photographs of one person and of two: AUROC "
        f"{_show(found['val_auroc'])}. For edits that keep the person; it judges nothing.\n"
    )


def _about(config: Mapping[str, Any]) -> str:
    training = config["training"]
    return (
        f"- Photographs: {training['num_photographs']}.\n"
        f"- What they and their annotations come from: {training['origin'] or 'not stated'}.\n"
        f"- Licence: {training['licence']}\n"
    )


def _show(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
