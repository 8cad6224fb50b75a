"""Text -> faces: three ways from a sentence to a code, and what draws it.

Content = a code that fits the text, style = a random one (TediGAN, arXiv:2012.03308): layers that no attribute
acts on are the random code's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.encoders.latent_tagger import LatentTagger
from tedigan.encoders.text import CaptionEncoder
from tedigan.generator.noise import NoiseMode
from tedigan.generator.stylegan import Generator
from tedigan.method.bank import Bank
from tedigan.method.control import free_layers, mix_layers, wishes_of
from tedigan.method.noise_variants import draw_variants
from tedigan.method.sentence_reader import Reading
from tedigan.method.steering import Steering
from tedigan.tensors import sample_noise, sample_z, stream, to_pixels

Read = Callable[[str], Reading]


@runtime_checkable
class TextToCode(Protocol):
    """One way from sentences to codes."""

    def ws(
        self, texts: Sequence[str], indices: Sequence[int], *, seed: int
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """A code for each text; image i's depends on its text and `(seed, i)` alone."""
        ...


@dataclass(frozen=True)
class StartSettings:
    """Where a face begins: at one of the bank_size random codes that fit its text; bank_best = 0: at any code.

    bank_best, bank_lack: see `Bank.choose`. truncation_psi: of random codes; 1 leaves them alone, 0 gives the
    mean face. style_layers: taken from another random code; measured = those that no attribute acts on.
    """

    truncation_psi: float
    bank_size: int
    bank_best: int
    bank_lack: float
    style_layers: list[int] | Literal["measured"]


@dataclass(frozen=True)
class Start:
    """Where a generator's faces begin. Ways that share it share its bank."""

    generator: Generator
    tagger: LatentTagger
    settings: StartSettings

    @cached_property
    def bank(self) -> Bank:
        """Made when it is first asked for."""
        settings = self.settings
        return Bank.of(
            self.generator,
            self.tagger,
            size=settings.bank_size,
            truncation_psi=settings.truncation_psi,
        )


@dataclass(frozen=True)
class SteeredText:
    """Read the sentence, start at a random code that nearly fits, steer it. read: sentence -> what it names."""

    read: Read
    steering: Steering
    start: Start
    strength: float = 1.0

    @property
    def style_layers(self) -> list[int]:
        """Layers that chance has whole."""
        layers = self.start.settings.style_layers
        return free_layers(self.steering.attribute_layers) if layers == "measured" else layers

    def ws(
        self, texts: Sequence[str], indices: Sequence[int], *, seed: int
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """See `TextToCode`. A sentence that names nothing gives a random code."""
        generator, settings = self.steering.generator, self.start.settings
        style = random_ws(generator, indices, seed=seed, truncation_psi=settings.truncation_psi)
        wishes = wishes_of([self.read(text).wishes for text in texts], self.steering.tagger.names)
        names_any = (wishes != 0).any(dim=1)
        if not bool(names_any.any()):
            return style
        wishes = wishes.to(style)
        start = style
        if settings.bank_best:
            side = (self.strength > 0) - (self.strength < 0)
            chosen = self.start.bank.choose(
                side * wishes,
                indices,
                seed=seed,
                margin=self.steering.settings.margin,
                best=settings.bank_best,
                lack=settings.bank_lack,
            )
            start = generator.ws_of_w(chosen)
        steered = self.steering.steer(start, wishes, strength=self.strength)
        mixed = mix_layers(steered, style, self.style_layers)
        return torch.where(names_any.to(style.device)[:, None, None], mixed, style)


@dataclass(frozen=True)
class RegressedText:
    """The published way: the text encoder's own code, a regression to photographs' codes (TediGAN A2)."""

    generator: Generator
    captions: CaptionEncoder
    truncation_psi: float

    def ws(
        self, texts: Sequence[str], indices: Sequence[int], *, seed: int
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """See `TextToCode`; a text that follows itself is encoded once."""
        style = random_ws(self.generator, indices, seed=seed, truncation_psi=self.truncation_psi)
        found = {text: self.captions.ws([text])[0] for text in dict.fromkeys(texts)}
        content = torch.stack([found[text] for text in texts])
        taken = [i for i in range(style.shape[1]) if i not in self.captions.text_layers]
        return mix_layers(content, style, taken)


@dataclass(frozen=True)
class FaceSettings:
    """How codes are drawn. batch_size: faces at once, part of the recipe as it changes float bits."""

    truncation_psi: float
    noise_mode: NoiseMode
    batch_size: int


@dataclass(frozen=True)
class FaceMaker:
    """Draws faces of sentences, and of no sentence. synthesise: ws -> images, called as `Synthesis` is."""

    generator: Generator
    text: TextToCode
    synthesise: Callable[..., Tensor]
    settings: FaceSettings

    def faces(self, captions: Sequence[str], *, seed: int) -> Iterator[UInt8[Tensor, "m 3 r r"]]:
        """One face a caption, a batch at a time; face i depends on its caption and `(seed, i)` alone."""
        return (pixels for _, pixels in self.coded_faces(captions, seed=seed))

    def coded_faces(
        self, captions: Sequence[str], *, seed: int
    ) -> Iterator[tuple[Float[Tensor, "m num_ws w_dim"], UInt8[Tensor, "m 3 r r"]]]:
        """As `faces`, each batch with its codes."""

        def ws_of(rows: Sequence[int]) -> Tensor:
            here = [captions[min(row, len(captions) - 1)] for row in rows]
            return self.text.ws(here, rows, seed=seed)

        return self._draw(ws_of, len(captions), seed=seed)

    def batch(
        self, captions: Sequence[str], indices: Sequence[int], *, seed: int
    ) -> tuple[Float[Tensor, "n num_ws w_dim"], UInt8[Tensor, "n 3 r r"]]:
        """Codes and faces of images `indices`, in one batch as given; its size is part of the recipe."""
        return self._drawn(self.text.ws(captions, indices, seed=seed), indices, seed=seed)

    def unconditional_faces(
        self, num_images: int, *, seed: int
    ) -> Iterator[UInt8[Tensor, "m 3 r r"]]:
        """Faces of random codes, a batch at a time: the floor of every text metric."""
        psi = self.settings.truncation_psi

        def ws_of(rows: Sequence[int]) -> Tensor:
            return random_ws(self.generator, rows, seed=seed, truncation_psi=psi)

        return (pixels for _, pixels in self._draw(ws_of, num_images, seed=seed))

    def variants(
        self,
        ws: Float[Tensor, "1 num_ws w_dim"],
        face: int,
        n: int,
        *,
        seed: int,
        layers: Sequence[int] | None = None,
    ) -> Iterator[UInt8[Tensor, "3 r r"]]:
        """Image `face` with other noise, n times; variant j depends on its code and `(seed, face, j)` alone.

        ws: its code. layers: whose noise is drawn anew, None = all; the others keep what the face has there.
        """
        of_face = stream(seed, "variants", face).initial_seed()
        sizes, own = self.generator.config.noise_sizes, self._noise_of(face, seed=seed)
        return draw_variants(self.synthesise, ws, sizes, n, seed=of_face, layers=layers, own=own)

    def _draw(
        self, ws_of: Callable[[Sequence[int]], Tensor], total: int, *, seed: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Codes and pixels of images 0 to total; every batch has one shape, so the last draws more than it gives.

        Drawn noise belongs to the image: that of image i depends on `(seed, i)` alone.
        """
        size = self.settings.batch_size
        for start in range(0, total, size):
            rows = range(start, start + size)
            ws, pixels = self._drawn(ws_of(rows), rows, seed=seed)
            yield ws[: total - start], pixels[: total - start]

    def _drawn(self, ws: Tensor, rows: Sequence[int], *, seed: int) -> tuple[Tensor, Tensor]:
        return ws, to_pixels(self._images(ws, rows, seed=seed).float()).cpu()

    @torch.no_grad()
    def _images(self, ws: Tensor, rows: Sequence[int], *, seed: int) -> Tensor:
        mode = self.settings.noise_mode
        if mode != "random":
            return self.synthesise(ws, noise_mode=mode)
        maps = sample_noise(seed, rows, self.generator.config.noise_sizes)
        return self.synthesise(ws, noise=[one.to(ws.device) for one in maps])

    def _noise_of(self, face: int, *, seed: int) -> list[Tensor | None]:
        """The noise maps that an image is drawn with; None = a layer's stored one."""
        sizes = self.generator.config.noise_sizes
        if self.settings.noise_mode == "const":
            return [None] * len(sizes)
        if self.settings.noise_mode == "none":
            return [torch.zeros(1, 1, size, size) for size in sizes]
        return [*sample_noise(seed, [face], sizes)]


@torch.no_grad()
def random_ws(
    generator: Generator, indices: Sequence[int], *, seed: int, truncation_psi: float
) -> Float[Tensor, "n num_ws w_dim"]:
    """Unconditional codes; image i's depends on `(seed, i)` alone."""
    z = sample_z(seed, list(indices), generator.config.z_dim)
    return generator.ws_of(z.to(generator.mapping.w_avg.device), truncation_psi=truncation_psi)
