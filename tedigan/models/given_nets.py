"""Networks that published figures are made with, from files that somebody names: Inception-v3 and CLIP.

They do not come along: nobody may hand them on with this package, or they are too large. The names of what is
computed with them carry the sha256 of the file, and a Frechet distance is called FID only of the official file.

fid           arXiv:1706.08500: the TensorFlow network of 2015 as PyTorch holds it (the file of pytorch-fid and of
              torch-fidelity, of one sha256), pool3, pictures resized as TensorFlow 1 does
clip_score    arXiv:2104.08718: 100 x cosine between a picture and its caption, at least 0, by transformers' CLIP
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.pickles.torch_files import read_torch_file
from tedigan.store.files import sha256_file
from tedigan.tensors import to_pixels

OFFICIAL_INCEPTION = "6726825d"  # the start of the sha256 of the file that FID is made with
INCEPTION_PX = 299
INCEPTION_WIDTH = 2048
NUM_CLASSES = 1008
SHOWN_DIGITS = 12
# Blocks of the TensorFlow network whose last branch pools otherwise than torchvision's.
_WITHOUT_PADDING = (
    "Mixed_5b",
    "Mixed_5c",
    "Mixed_5d",
    "Mixed_6b",
    "Mixed_6c",
    "Mixed_6d",
    "Mixed_6e",
    "Mixed_7b",
)
_BY_MAXIMUM = ("Mixed_7c",)


@dataclass(frozen=True)
class Inception:
    """images `[n, 3, h, w]` in -1..1 -> pool3 `[n, 2048]` on the CPU. sha256: of the file."""

    network: Any
    sha256: str
    device: torch.device

    @property
    def is_official(self) -> bool:
        """Whether a Frechet distance of these features may be called FID."""
        return self.sha256.startswith(OFFICIAL_INCEPTION)

    @property
    def name(self) -> str:
        """In the names of metrics."""
        return f"inception_v3_{self.sha256[:SHOWN_DIGITS]}"

    @torch.no_grad()
    def __call__(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 2048"]:
        """Features of the pictures as PNG files would hold them."""
        levels = to_pixels(images.to(self.device)).float()
        seen = (_resize_as_tensorflow(levels, INCEPTION_PX) - 128) / 128
        features: Tensor = self.network(seen)
        return features.cpu()


def open_inception(path: Path, device: torch.device) -> Inception:
    """Of a file of torch.save, read as data. KeysError where it is another network's."""
    network = empty_inception()
    tensors = read_torch_file(path).state_dict()
    wanted = network.state_dict()
    counts = {name: one for name, one in wanted.items() if name.endswith("num_batches_tracked")}
    found = {name: one for name, one in tensors.items() if not name.startswith("fc.")}
    shared = found.keys() & wanted.keys() - counts.keys()
    found |= counts
    if found.keys() != wanted.keys() or any(found[k].shape != wanted[k].shape for k in wanted):
        raise KeysError(
            f"{path} has {len(tensors)} tensors, of which {len(shared)} of {len(wanted) - len(counts)} are "
            "Inception-v3's; expected the network of 2015 that FID is made with, as torch-fidelity hands it on "
            "(weights-inception-2015-12-05-6726825d.pth). Name that file."
        )
    network.load_state_dict(found)
    return Inception(network.eval().requires_grad_(False).to(device), sha256_file(path), device)


def empty_inception() -> Any:
    """torchvision's Inception-v3 up to pool3, with the pooling of TensorFlow's network."""
    from torchvision.models.inception import Inception3

    network = Inception3(
        num_classes=NUM_CLASSES, aux_logits=False, transform_input=False, init_weights=False
    )
    network.fc = nn.Identity()
    for name in _WITHOUT_PADDING:
        getattr(network, name).register_forward_hook(_pooled_by(_mean_of_neighbours))
    for name in _BY_MAXIMUM:
        getattr(network, name).register_forward_hook(_pooled_by(_largest_of_neighbours))
    return network.eval()


def _pooled_by(pool: Any) -> Any:
    """A hook that makes a block's last branch anew."""

    def again(block: Any, inputs: tuple[Tensor], outputs: Tensor) -> Tensor:
        last: Tensor = block.branch_pool(pool(inputs[0]))
        return torch.cat([outputs[:, : -last.shape[1]], last], dim=1)

    return again


def _mean_of_neighbours(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _largest_of_neighbours(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, stride=1, padding=1)


def _resize_as_tensorflow(
    images: Float[Tensor, "n c h w"], side: int
) -> Float[Tensor, "n c side side"]:
    """tf.image.resize_bilinear of TensorFlow 1: without half pixels, output i stands at i x old / new."""
    for axis in (2, 3):
        old = images.shape[axis]
        place = torch.arange(side, device=images.device) * (old / side)
        low = place.floor().long()
        high = (low + 1).clamp(max=old - 1)
        share = (place - low).to(images).view([-1, 1] if axis == 2 else [-1])
        first, second = images.index_select(axis, low), images.index_select(axis, high)
        images = first + (second - first) * share
    return images


@dataclass(frozen=True)
class Clip:
    """Pictures and sentences -> unit vectors of one space. sha256: of its weights."""

    model: Any
    tokenizer: Any
    mean: tuple[float, ...]
    std: tuple[float, ...]
    sha256: str
    device: torch.device

    @property
    def name(self) -> str:
        """In the names of metrics."""
        return f"clip_{self.sha256[:SHOWN_DIGITS]}"

    @torch.no_grad()
    def of_images(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        """images: in -1..1, squares."""
        side = self.model.config.vision_config.image_size
        unit = to_pixels(images.to(self.device)).float() / 255
        seen = F.interpolate(unit, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
        mean, std = (seen.new_tensor(one)[:, None, None] for one in (self.mean, self.std))
        found = self.model.get_image_features(pixel_values=(seen - mean) / std)
        return F.normalize(_vector(found), dim=1).cpu()

    @torch.no_grad()
    def of_texts(self, texts: list[str]) -> Float[Tensor, "n d"]:
        """Longer ones are cut to what the model takes."""
        most = self.model.config.text_config.max_position_embeddings
        tokens = self.tokenizer(
            texts, padding=True, truncation=True, max_length=most, return_tensors="pt"
        )
        found = self.model.get_text_features(**tokens.to(self.device))
        return F.normalize(_vector(found), dim=1).cpu()


def open_clip(folder: Path, device: torch.device) -> Clip:
    """Of a folder that holds transformers' CLIP, its tokenizer and model.safetensors; nothing is downloaded."""
    from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    weights = folder / "model.safetensors"
    try:
        local: dict[str, Any] = {"local_files_only": True}
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, **local)
        model = CLIPModel.from_pretrained(folder, use_safetensors=True, **local)
        processor = CLIPImageProcessor.from_pretrained(folder, **local)
        digest = sha256_file(weights)
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"{folder} is no CLIP that transformers can open: {str(error)[:300]}. Expected config.json, "
            "preprocessor_config.json, a tokenizer and model.safetensors, such as openai/clip-vit-base-patch32's. "
            "Name such a folder."
        ) from error
    mean, std = processor.image_mean, processor.image_std
    model.eval().requires_grad_(False).to(device)
    return Clip(model, tokenizer, tuple(mean), tuple(std), digest, device)


def _vector(found: Any) -> Tensor:
    """Some versions answer with an output that holds it."""
    vector: Tensor = found if isinstance(found, Tensor) else found.pooler_output
    return vector
