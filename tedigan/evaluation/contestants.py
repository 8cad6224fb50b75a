"""What the evaluation looks at: photographs of the test split, and the faces that the networks make of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.generator.stylegan import Generator
from tedigan.method.text_to_face import FaceMaker, faces_from_captions, unconditional_faces
from tedigan.models.opening import load_encoder
from tedigan.params import Evaluate
from tedigan.progress import progress
from tedigan.tensors import stream, to_images, to_pixels
from tedigan.workspace import Workspace

DIVERSITY_CAPTIONS, DIVERSITY_FACES = 20, 4


@dataclass(frozen=True)
class Networks:
    """The networks under test, as plain functions of pixels.

    faces: (captions, seed) -> one face a caption. random_faces: (count, seed) -> faces without a caption.
    invert: photographs -> their reconstructions by the encoder. mean_face: `[1, 3, r, r]`.
    """

    faces: Callable[[list[str], int], Tensor]
    random_faces: Callable[[int, int], Tensor]
    invert: Callable[[Tensor], Tensor]
    mean_face: UInt8[Tensor, "1 3 r r"]

    @classmethod
    def load(cls, workspace: Workspace) -> "Networks":
        """From the workspace's model folders."""
        maker, psi = FaceMaker.load(workspace), workspace.params.evaluate.truncation_psi
        encoder = load_encoder(workspace.model("encoder"), workspace.device)
        generator = maker.generator
        return cls(
            lambda captions, seed: faces_from_captions(
                maker, captions, seed=seed, truncation_psi=psi
            ),
            lambda count, seed: unconditional_faces(maker, count, seed=seed, truncation_psi=psi),
            lambda pixels: _reconstruct(generator, encoder, pixels, workspace.device),
            _mean_face(generator),
        )


@dataclass(frozen=True)
class Subjects:
    """Everything that is measured, as pixels, each row of `captions`, `photographs`, `texts` and `inversions`
    belonging to one test photograph.

    variants: faces of the first captions, `[captions, faces, 3, r, r]`. train_photographs: for the floor.
    """

    captions: list[str]
    photographs: UInt8[Tensor, "n 3 r r"]
    identities: Int64[Tensor, " n"]
    texts: UInt8[Tensor, "n 3 r r"]
    unconditional: UInt8[Tensor, "n 3 r r"]
    variants: UInt8[Tensor, "c k 3 r r"]
    inversions: UInt8[Tensor, "n 3 r r"]
    mean_face: UInt8[Tensor, "1 3 r r"]
    train_photographs: UInt8[Tensor, "m 3 r r"]


def gather(data: Dataset, networks: Networks, params: Evaluate) -> Subjects:
    """Choose the photographs and captions by the seed, and let the networks make their faces."""
    test = _choose(data.split("test"), max(params.num_prompts, params.num_images), params, "test")
    train = _choose(data.split("train"), params.num_images, params, "train")
    captions = [_one_caption(data, id, params.seed) for id in test]
    photographs = data.pixels(test)
    with progress(total=4, desc="evaluate: faces", unit="set") as bar:

        def done(faces: Tensor) -> Tensor:
            bar.update()
            return faces

        return Subjects(
            captions,
            photographs,
            data.identities(test),
            done(networks.faces(captions, params.seed)),
            done(networks.random_faces(len(captions), params.seed + 1)),
            done(_variants(networks, captions, params.seed + 2)),
            done(_in_batches(networks.invert, photographs, params.batch_size)),
            networks.mean_face,
            data.pixels(train),
        )


def _choose(ids: list[int], count: int, params: Evaluate, key: str) -> list[int]:
    """`count` of the ids in a drawn order; all of them where there are fewer."""
    order = torch.randperm(len(ids), generator=stream(params.seed, "evaluate", key))
    return [ids[i] for i in order[:count].tolist()]


def _one_caption(data: Dataset, id: int, seed: int) -> str:
    """One of a photograph's captions, at random, as TediGAN's authors do."""
    captions = data.captions(id)
    return captions[int(torch.randint(len(captions), (), generator=stream(seed, "caption", id)))]


def _variants(networks: Networks, captions: list[str], seed: int) -> Tensor:
    few = captions[:DIVERSITY_CAPTIONS]
    faces = networks.faces([one for one in few for _ in range(DIVERSITY_FACES)], seed)
    return faces.unflatten(0, (len(few), DIVERSITY_FACES))


def _in_batches(function: Callable[[Tensor], Tensor], pixels: Tensor, size: int) -> Tensor:
    return torch.cat([function(part) for part in pixels.split(size)])


@torch.no_grad()
def _reconstruct(
    generator: Generator, encoder: Any, pixels: Tensor, device: torch.device
) -> UInt8[Tensor, "n 3 r r"]:
    ws = encoder(to_images(pixels.to(device)))
    return to_pixels(generator.synthesis(ws, noise_mode="const").float()).cpu()


@torch.no_grad()
def _mean_face(generator: Generator) -> UInt8[Tensor, "1 3 r r"]:
    ws = generator.ws_of_w(generator.mapping.w_avg[None])
    return to_pixels(generator.synthesis(ws, noise_mode="const").float()).cpu()
