"""Captions -> codes -> faces, the way that generate and evaluate share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.generator.engine import Engine, choose_engine
from tedigan.generator.stylegan import Generator
from tedigan.method.control import mix_layers, text_shift
from tedigan.models.opening import CaptionEncoder, load_generator, load_text_encoder
from tedigan.params import Generate
from tedigan.tensors import sample_noise, sample_z, to_pixels
from tedigan.workspace import Workspace


@dataclass(frozen=True)
class FaceMaker:
    """The networks and numbers that turn (caption, image index) into a face."""

    generator: Generator
    captions: CaptionEncoder
    params: Generate
    engine: Engine

    @classmethod
    def load(cls, workspace: Workspace) -> "FaceMaker":
        """From the workspace's model folders and its `generate` section."""
        device, params = workspace.device, workspace.params.generate
        generator = load_generator(workspace.model("generator"), device)
        captions = load_text_encoder(workspace.model("text_encoder"), device)
        engine = choose_engine(
            generator,
            precision=params.precision,
            compilation=params.compile,
            batch_size=params.batch_size,
        )
        return cls(generator, captions, params, engine)

    @property
    def style_layers(self) -> list[int]:
        """Layers that take the random style whole: those that captions say little about."""
        if self.params.style_layers != "measured":
            return self.params.style_layers
        return [i for i in range(self.generator.num_ws) if i not in self.captions.text_layers]

    def random_ws(
        self, indices: Sequence[int], *, seed: int, truncation_psi: float
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """Unconditional codes; image i's depends on `(seed, i)` alone."""
        z = sample_z(seed, list(indices), self.generator.config.z_dim)
        device = self.generator.mapping.w_avg.device
        return self.generator.ws_of(z.to(device), truncation_psi=truncation_psi)

    def text_ws(
        self, text: Float[Tensor, "n num_ws w_dim"], style: Float[Tensor, "n num_ws w_dim"]
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """Content = the caption's code, made stronger; style = a random one.

        The text's layers are content plus `variety` of what is random about style; the others are style's.
        """
        params, encoder = self.params, self.captions.encoder
        shift = text_shift(text, encoder.ws_mean, encoder.ws_std, strength=params.strength)
        content = encoder.ws_mean + shift
        content = content + params.variety * (style - self.generator.mapping.w_avg)
        return mix_layers(content, style, self.style_layers)

    @torch.no_grad()
    def faces(
        self, ws: Float[Tensor, "n num_ws w_dim"], *, seed: int, first: int = 0
    ) -> Iterator[UInt8[Tensor, "m 3 r r"]]:
        """Pixels, a batch at a time; the last batch is padded so that every batch has one shape.

        Drawn noise belongs to the image: that of ws[i] depends on `(seed, first + i)` alone.
        """
        size, mode = self.params.batch_size, self.params.noise_mode
        for start in range(0, len(ws), size):
            part = ws[start : start + size]
            count = len(part)
            if count < size:
                part = torch.cat([part, part[-1:].expand(size - count, -1, -1)])
            if mode == "random":
                indices = range(first + start, first + start + size)
                maps = sample_noise(seed, indices, self.generator.config.noise_sizes)
                images = self.engine.synthesise(part, noise=[one.to(part.device) for one in maps])
            else:
                images = self.engine.synthesise(part, noise_mode=mode)
            yield to_pixels(images[:count].float()).cpu()


def faces_from_captions(
    maker: FaceMaker, captions: Sequence[str], *, seed: int, truncation_psi: float
) -> UInt8[Tensor, "n 3 r r"]:
    """One face a caption; image i depends on `(seed, i)` and its caption."""
    style = maker.random_ws(range(len(captions)), seed=seed, truncation_psi=truncation_psi)
    ws = maker.text_ws(maker.captions.ws(captions), style)
    return torch.cat(list(maker.faces(ws, seed=seed)))


def unconditional_faces(
    maker: FaceMaker, num_images: int, *, seed: int, truncation_psi: float
) -> UInt8[Tensor, "n 3 r r"]:
    """Faces of random codes: the floor of every text metric."""
    ws = maker.random_ws(range(num_images), seed=seed, truncation_psi=truncation_psi)
    return torch.cat(list(maker.faces(ws, seed=seed)))
