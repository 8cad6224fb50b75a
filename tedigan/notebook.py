"""What a researcher does in a notebook: faces from a sentence, a photograph inverted, edited, mixed.

Plain arguments in; Pillow pictures and W+ codes (`ws`, float32 `[n, num_ws, w_dim]`) out. The names are offered by
`import tedigan` and imported when they are first used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from tedigan.captions.lines import check_caption
from tedigan.encoders.encoder import Encoder
from tedigan.encoders.mean_face import MeanFace
from tedigan.encoders.text import CaptionEncoder
from tedigan.errors import ParamsError, ShapeError, StoreError, WeightsError
from tedigan.generator.noise import NoiseMode
from tedigan.generator.whitening import Whitening, whitening_of
from tedigan.method.control import mix_layers
from tedigan.method.edit import Editor, EditSettings
from tedigan.method.inversion import InversionSettings, Inverter
from tedigan.method.text_to_face import FaceMaker, FaceSettings
from tedigan.models.parts import Parts, open_parts
from tedigan.store import pictures
from tedigan.store.arrays import read_npy, write_npy
from tedigan.store.model_folders import check_finite, load_tensors, save_tensors
from tedigan.tensors import (
    choose_device,
    sample_noise,
    sample_z,
    stream,
    to_images,
    to_pixels,
)

Photograph = Image.Image | str | Path
Codes = Float[Tensor, "n num_ws w_dim"]

BATCH_SIZE = 8
LEARNING_RATE = 0.2  # of the inversion, in whitened units of W
MIN_PROGRESS = 0.03
EMBEDDED = Path(__file__).resolve().parents[1] / "assets"
EMBEDDED_PARTS = {
    "generator": EMBEDDED / "stylegan2-drawn-64",
    "text_encoder": EMBEDDED / "text-encoder-drawn-64",
}


def load(
    generator: str | Path | None = None,
    *,
    text_encoder: str | Path | None = None,
    encoder: str | Path | None = None,
    device: str = "auto",
) -> "Model":
    """The networks of model folders or official files, ready to use.

    generator: a folder of ours, an official file, or a workspace's models/ with generator/, text_encoder/ and
    encoder/ in it; None = the drawn faces that come along. device: auto takes a GPU if there is one.
    Raises WeightsError for what is missing, damaged or hostile; nothing of a file is executed.
    """
    given = {"generator": generator, "text_encoder": text_encoder, "encoder": encoder}
    places = {name: Path(place) for name, place in given.items() if place is not None}
    for name, place in places.items():
        if not place.exists():
            raise WeightsError(
                f"the {name} {place} does not exist; expected a model folder or an official file. Mend its name."
            )
    if generator is None:
        if not EMBEDDED_PARTS["generator"].is_dir():
            raise WeightsError(
                f"no generator was named, and {EMBEDDED} is not beside this installation; expected a model folder "
                "or an official file. Name one: tedigan.load(PATH)."
            )
        places = EMBEDDED_PARTS | places
    return Model(**vars(open_parts(places, choose_device(device))))


@dataclass(frozen=True)
class Model(Parts):
    """A generator, and what there is to speak to it with; see docs/python.md."""

    def faces(
        self,
        text: str,
        n: int = 1,
        *,
        seed: int = 0,
        strength: float = 1.0,
        variety: float = 0.6,
        truncation_psi: float = 0.7,
        style_layers: list[int] | Literal["measured"] = "measured",
    ) -> list[Image.Image]:
        """n faces of a sentence; face i depends on the sentence and `(seed, i)` alone, but for float rounding.

        strength: length of the text's shift, in deviations of the codes. variety: what chance adds to the text's
        layers, 0 = nothing. Raises CaptionError for a text that is no caption.
        """
        settings = FaceSettings(
            truncation_psi=truncation_psi,
            strength=strength,
            variety=variety,
            style_layers=style_layers,
            noise_mode="const",
            batch_size=min(_at_least_one(n), BATCH_SIZE),
        )
        maker = FaceMaker(self.generator, self._captions, self.generator.synthesis, settings)
        batches = maker.faces([check_caption(text)] * n, seed=seed)
        return [pictures.to_pillow(face) for batch in batches for face in batch]

    def random_ws(self, n: int = 1, *, seed: int = 0, truncation_psi: float = 0.7) -> Codes:
        """Codes of n random faces; code i depends on `(seed, i)` alone."""
        z = sample_z(seed, list(range(_at_least_one(n))), self.generator.config.z_dim)
        return self.generator.ws_of(z.to(self._device), truncation_psi=truncation_psi)

    def draw(self, ws: Codes, *, noise_mode: NoiseMode = "const") -> list[Image.Image]:
        """The face of each code."""
        return self._draw(self._codes(ws), noise_mode)

    @torch.no_grad()
    def variants(self, ws: Codes, n: int, *, seed: int = 0) -> list[Image.Image]:
        """n faces of one code that differ in their noise alone: strands, pores, the fall of the hair."""
        one, faces = self._codes(ws, most=1), []
        for index in range(_at_least_one(n)):
            maps = sample_noise(seed, [index], self.generator.config.noise_sizes)
            noise = [layer.to(self._device) for layer in maps]
            faces.append(to_pixels(self.generator.synthesis(one, noise=noise)).cpu()[0])
        return [pictures.to_pillow(face) for face in faces]

    def read(self, photograph: Photograph) -> Image.Image:
        """A photograph as the networks see it: a square of the generator's size, from its centre."""
        size_px = self.generator.config.img_resolution
        if isinstance(photograph, Image.Image):
            pixels = pictures.from_pillow(photograph)
        else:
            pixels = pictures.load(Path(photograph))
        return pictures.to_pillow(pictures.resize(pixels, size_px))

    def invert(self, photograph: Photograph, *, num_steps: int = 100) -> Codes:
        """The code of one aligned photograph: by the encoder if there is one, then by optimisation."""
        return self._inverter(num_steps).invert(self._images(photograph))

    def edit(
        self,
        photograph: Photograph | Codes,
        text: str,
        *,
        strength: float = 1.0,
        layers: list[int] | Literal["measured"] = "measured",
        num_steps: int = 100,
    ) -> Image.Image:
        """A photograph, or one code that `invert` found, moved by what the text says.

        strength: length of the text's shift, in deviations of the codes; negative = the contrary.
        """
        settings = EditSettings("shift", strength, layers, num_edit_steps=0, weight_text=0.0)
        editor = Editor(self._inverter(num_steps), self._captions, settings)
        if isinstance(photograph, Tensor):
            ws = self._codes(photograph, most=1)
        else:
            ws = editor.inverter.invert(self._images(photograph))
        return self._draw(editor.mix(ws, [check_caption(text)]), "const")[0]

    @torch.no_grad()
    def _draw(self, ws: Codes, noise_mode: NoiseMode) -> list[Image.Image]:
        parts = ws.split(BATCH_SIZE)
        faces = [to_pixels(self.generator.synthesis(part, noise_mode=noise_mode)) for part in parts]
        return [pictures.to_pillow(face) for face in torch.cat(faces).cpu()]

    def _codes(self, ws: Codes, *, most: int | None = None) -> Codes:
        """On the device, of this generator's shape, float32 and finite; `most` of them."""
        wanted = (self.generator.num_ws, self.generator.config.w_dim)
        if ws.ndim != 3 or tuple(ws.shape[1:]) != wanted or not len(ws):
            raise ShapeError(
                f"codes are {list(ws.shape)}, but this generator takes [n, {wanted[0]}, {wanted[1]}]. "
                "Were they made for another one?"
            )
        if most is not None and len(ws) > most:
            raise ShapeError(f"{len(ws)} codes were given, expected {most}. Take one: ws[:1].")
        check_finite({"ws": ws}, "codes")
        return ws.to(self._device, torch.float32)

    @property
    def _device(self) -> torch.device:
        return self.generator.mapping.w_avg.device

    @property
    def _captions(self) -> CaptionEncoder:
        if self.text_encoder is None:
            raise WeightsError(
                "this model has no text encoder, which a sentence needs; expected one for this very generator. "
                "Name it: text_encoder=FOLDER of tedigan.load, or --text-encoder FOLDER."
            )
        return self.text_encoder

    def _images(self, photograph: Photograph) -> Float[Tensor, "1 3 r r"]:
        return to_images(pictures.from_pillow(self.read(photograph))[None])

    def _inverter(self, num_steps: int) -> Inverter:
        if num_steps < 0:
            raise ParamsError(f"num_steps is {num_steps}; expected 0 or more. Set it.")
        has_features = self.discriminator is not None
        settings = InversionSettings(
            num_steps=num_steps,
            learning_rate=LEARNING_RATE,
            min_progress=MIN_PROGRESS,
            weight_pixel=1.0,
            weight_perceptual=0.25 if has_features else 0.0,
            weight_encoder=0.0,
            weight_norm=0.1,
            weight_coherence=0.1,
        )
        return Inverter(
            self.generator, self._encoder, self.discriminator, self._whitening, settings
        )

    @cached_property
    def _whitening(self) -> Whitening:
        return whitening_of(self.generator, stream(0, "whitening"))

    @cached_property
    def _encoder(self) -> Encoder:
        return self.encoder or MeanFace(self.generator)


def mix(content: Codes, style: Codes, layers: Sequence[int], *, amount: float = 1.0) -> Codes:
    """Content, whose named layers (0-based, coarse to fine) are style's: `(1 - amount) content + amount style`."""
    _check_alike(content, style)
    return mix_layers(content, style, layers, amount=amount)


def interpolate(
    start: Float[Tensor, "1 num_ws w_dim"], end: Float[Tensor, "1 num_ws w_dim"], n: int
) -> Codes:
    """n codes from one start to one end, both among them."""
    _check_alike(start, end)
    steps = torch.linspace(0, 1, _at_least_one(n), device=start.device)
    return torch.lerp(start, end, steps[:, None, None])


def save_ws(path: str | Path, ws: Codes) -> None:
    """Write codes as .safetensors (under the name `ws`) or .npy, whole or not at all."""
    path = Path(path)
    if path.suffix == ".npy":
        check_finite({"ws": ws}, path.name)
        write_npy(path, ws)
    else:
        save_tensors(_codes_file(path), {"ws": ws})


def load_ws(path: str | Path) -> Codes:
    """Codes that `save_ws`, or another tool, wrote: `[n, num_ws, w_dim]`, or one code without the n."""
    path = _codes_file(Path(path))
    if not path.is_file():
        raise StoreError(f"{path} does not exist. Save codes there first, or mend its name.")
    ws = read_npy(path) if path.suffix == ".npy" else load_tensors(path).get("ws")
    if ws is None or ws.ndim not in (2, 3) or not ws.is_floating_point():
        found = "no tensor `ws`" if ws is None else f"{ws.dtype} of {list(ws.shape)}"
        raise ShapeError(
            f"{path} holds {found}; expected ws [n, num_ws, w_dim]. Choose another file."
        )
    check_finite({"ws": ws}, str(path))
    return ws.float() if ws.ndim == 3 else ws.float()[None]


def sheet(faces: Sequence[Image.Image], columns: int | None = None) -> Image.Image:
    """A contact sheet in reading order; in one row where nobody says otherwise."""
    _at_least_one(len(faces))
    pixels = torch.stack([pictures.from_pillow(face) for face in faces])
    return pictures.to_pillow(pictures.grid(pixels, columns or len(faces)))


def _codes_file(path: Path) -> Path:
    if path.suffix not in {".safetensors", ".npy"}:
        raise ParamsError(f"{path.name}: codes are kept as .safetensors or .npy. Name such a file.")
    return path


def _at_least_one(n: int) -> int:
    if n < 1:
        raise ParamsError(f"{n} pictures or codes were asked for; expected at least 1.")
    return n


def _check_alike(one: Codes, other: Codes) -> None:
    if one.ndim != 3 or one.shape != other.shape:
        raise ShapeError(
            f"codes are {list(one.shape)} and {list(other.shape)}; expected two of one shape, [n, num_ws, w_dim]. "
            "Were they made for two generators?"
        )
