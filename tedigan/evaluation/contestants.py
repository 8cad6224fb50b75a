"""What the evaluation looks at: photographs of the test split, and the faces that the networks make of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.encoders.encoder import Encoder
from tedigan.generator.stylegan import Generator
from tedigan.method.text_to_face import FaceMaker
from tedigan.progress import progress
from tedigan.tensors import stream, to_images, to_pixels

DIVERSITY_CAPTIONS, DIVERSITY_FACES = 20, 8
Way = Callable[[list[str], int], Tensor]


@dataclass(frozen=True)
class Networks:
    """The networks under test, as plain functions of pixels.

    faces: (captions, seed) -> one face a caption. random_faces: (count, seed) -> faces without a caption, at the
    same psi. invert: photographs -> their reconstructions by the encoder. mean_face: `[1, 3, r, r]`.
    rivals: other ways from captions to faces, by name, which are measured beside `faces` on the same captions.
    """

    faces: Way
    random_faces: Callable[[int, int], Tensor]
    invert: Callable[[Tensor], Tensor]
    mean_face: UInt8[Tensor, "1 3 r r"]
    rivals: Mapping[str, Way] = field(default_factory=dict)

    @classmethod
    def of(
        cls, maker: FaceMaker, encoder: Encoder, rivals: Mapping[str, FaceMaker] | None = None
    ) -> "Networks":
        """Those of a face maker, an encoder into its generator's W+, and other face makers by name."""
        generator = maker.generator
        return cls(
            _way_of(maker),
            lambda count, seed: torch.cat(list(maker.unconditional_faces(count, seed=seed))),
            lambda pixels: _reconstruct(generator, encoder, pixels),
            _mean_face(generator),
            {name: _way_of(one) for name, one in (rivals or {}).items()},
        )


@dataclass(frozen=True)
class Subjects:
    """Everything that is measured, as pixels, each row of `captions`, `photographs`, `texts` and `inversions`
    belonging to one test photograph.

    variants: faces of the first captions, `[captions, faces, 3, r, r]`. train_photographs: for the ceiling of a
    distance. prevalence: the share of train photographs that have each attribute. rivals: as `texts`, by others.
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
    prevalence: Float[Tensor, " a"]
    rivals: Mapping[str, UInt8[Tensor, "n 3 r r"]] = field(default_factory=dict)


def gather(
    data: Dataset,
    networks: Networks,
    *,
    num_prompts: int,
    num_images: int,
    batch_size: int,
    seed: int,
) -> Subjects:
    """Choose the photographs and captions by the seed, and let the networks make their faces."""
    test = choose_test_photographs(data, max(num_prompts, num_images), seed=seed)
    train = _choose(data.split("train"), num_images, seed, "train")
    captions = [one_caption(data, id, seed) for id in test]
    photographs = data.pixels(test)
    with progress(total=4 + len(networks.rivals), desc="evaluate: faces", unit="set") as bar:

        def done(faces: Tensor) -> Tensor:
            bar.update()
            return faces

        return Subjects(
            captions,
            photographs,
            data.identities(test),
            done(networks.faces(captions, seed)),
            done(networks.random_faces(len(captions), seed + 1)),
            done(_variants(networks, captions, seed + 2)),
            done(_in_batches(networks.invert, photographs, batch_size)),
            networks.mean_face,
            data.pixels(train),
            data.attributes(data.split("train")).float().mean(dim=0),
            {name: done(way(captions, seed)) for name, way in networks.rivals.items()},
        )


def _way_of(maker: FaceMaker) -> Way:
    return lambda captions, seed: torch.cat(list(maker.faces(captions, seed=seed)))


def choose_test_photographs(data: Dataset, count: int, *, seed: int) -> list[int]:
    """The ids of so many photographs that no network has seen, or of all that there are."""
    return _choose(data.split("test"), count, seed, "test")


def _choose(ids: list[int], count: int, seed: int, key: str) -> list[int]:
    """`count` of the ids in a drawn order; all of them where there are fewer."""
    order = torch.randperm(len(ids), generator=stream(seed, "evaluate", key))
    return [ids[i] for i in order[:count].tolist()]


def one_caption(data: Dataset, id: int, seed: int) -> str:
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
    generator: Generator, encoder: Encoder, pixels: Tensor
) -> UInt8[Tensor, "n 3 r r"]:
    ws = encoder(to_images(pixels.to(encoder.w_avg.device)))
    return to_pixels(generator.synthesis(ws, noise_mode="const").float()).cpu()


@torch.no_grad()
def _mean_face(generator: Generator) -> UInt8[Tensor, "1 3 r r"]:
    ws = generator.ws_of_w(generator.mapping.w_avg[None])
    return to_pixels(generator.synthesis(ws, noise_mode="const").float()).cpu()
