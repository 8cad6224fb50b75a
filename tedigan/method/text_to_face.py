"""Text -> faces: the caption's code, made stronger, and what chance adds to it.

Content = the caption's code, style = a random one (TediGAN, arXiv:2012.03308).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.encoders.text import CaptionEncoder
from tedigan.generator.noise import NoiseMode
from tedigan.generator.stylegan import Generator
from tedigan.method.control import mix_layers, text_shift
from tedigan.tensors import sample_noise, sample_z, to_pixels


@dataclass(frozen=True)
class FaceSettings:
    """The numbers of `FaceMaker`.

    truncation_psi: of the random style; 1 leaves it as it is, 0 gives the mean face.
    strength: length of the text's shift, in deviations of the codes. variety: share of the random style that
    the text's layers take on top. style_layers: layers that take the random style whole; measured =
    those that captions say little about. batch_size: faces at once, part of the recipe as it
    changes float bits.
    """

    truncation_psi: float
    strength: float
    variety: float
    style_layers: list[int] | Literal["measured"]
    noise_mode: NoiseMode
    batch_size: int


@dataclass(frozen=True)
class FaceMaker:
    """The networks and numbers that turn (caption, image index) into a face.

    synthesise: ws -> images, called as `Synthesis` is.
    """

    generator: Generator
    captions: CaptionEncoder
    synthesise: Callable[..., Tensor]
    settings: FaceSettings

    @property
    def style_layers(self) -> list[int]:
        """Layers that take the random style whole."""
        if self.settings.style_layers != "measured":
            return self.settings.style_layers
        return [i for i in range(self.generator.num_ws) if i not in self.captions.text_layers]

    def faces(self, captions: Sequence[str], *, seed: int) -> Iterator[UInt8[Tensor, "m 3 r r"]]:
        """One face a caption, a batch at a time; face i depends on its caption and `(seed, i)` alone.

        A caption that follows itself is encoded once.
        """
        known: dict[str, Tensor] = {}

        def ws_of(rows: range) -> Tensor:
            nonlocal known
            here = [captions[min(row, len(captions) - 1)] for row in rows]
            known = {
                caption: known[caption] if caption in known else self.captions.ws([caption])[0]
                for caption in dict.fromkeys(here)
            }
            text = torch.stack([known[caption] for caption in here])
            return self.text_ws(text, self.random_ws(rows, seed=seed))

        return self._draw(ws_of, len(captions), seed=seed)

    def unconditional_faces(
        self, num_images: int, *, seed: int
    ) -> Iterator[UInt8[Tensor, "m 3 r r"]]:
        """Faces of random codes, a batch at a time: the floor of every text metric."""
        return self._draw(lambda rows: self.random_ws(rows, seed=seed), num_images, seed=seed)

    def random_ws(self, indices: Sequence[int], *, seed: int) -> Float[Tensor, "n num_ws w_dim"]:
        """Unconditional codes; image i's depends on `(seed, i)` alone."""
        z = sample_z(seed, list(indices), self.generator.config.z_dim)
        psi = self.settings.truncation_psi
        return self.generator.ws_of(z.to(self.generator.mapping.w_avg.device), truncation_psi=psi)

    def text_ws(
        self, text: Float[Tensor, "n num_ws w_dim"], style: Float[Tensor, "n num_ws w_dim"]
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """The text's layers are content plus `variety` of what is random about style; the others are style's."""
        neutral, settings = self.captions.neutral, self.settings
        std = self.captions.encoder.ws_std
        content = neutral + text_shift(text, neutral, std, strength=settings.strength)
        content = content + settings.variety * (style - self.generator.mapping.w_avg)
        return mix_layers(content, style, self.style_layers)

    @torch.no_grad()
    def _draw(
        self, ws_of: Callable[[range], Tensor], total: int, *, seed: int
    ) -> Iterator[UInt8[Tensor, "m 3 r r"]]:
        """Pixels of images 0 to total; every batch has one shape, so the last draws more than it gives.

        Drawn noise belongs to the image: that of image i depends on `(seed, i)` alone.
        """
        size, mode = self.settings.batch_size, self.settings.noise_mode
        for start in range(0, total, size):
            rows = range(start, start + size)
            ws = ws_of(rows)
            if mode == "random":
                maps = sample_noise(seed, rows, self.generator.config.noise_sizes)
                images = self.synthesise(ws, noise=[one.to(ws.device) for one in maps])
            else:
                images = self.synthesise(ws, noise_mode=mode)
            yield to_pixels(images[: total - start].float()).cpu()
