"""What a researcher does in a notebook: faces from a sentence, a photograph inverted, edited, mixed.

Plain arguments in; Pillow pictures and W+ codes (`ws`, float32 `[n, num_ws, w_dim]`) out. The names are offered by
`import tedigan` and imported when they are first used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from tedigan.captions.grammar_files import CELEBA
from tedigan.captions.lines import check_caption
from tedigan.codes import Codes, at_least_one, check_codes
from tedigan.encoders.encoder import Encoder
from tedigan.encoders.mean_face import MeanFace
from tedigan.errors import WeightsError
from tedigan.generator.noise import NoiseMode
from tedigan.generator.whitening import Whitening, whitening_of
from tedigan.method.edit import Editor
from tedigan.method.inversion import Inverter
from tedigan.method.noise_variants import draw_variants
from tedigan.method.sentence_reader import Reading
from tedigan.method.sources import SOURCES, SourceName
from tedigan.method.text_to_face import (
    FaceMaker,
    FaceSettings,
    Read,
    SteeredText,
)
from tedigan.models.embedded import EMBEDDED, EMBEDDED_PARTS, READER, drawers_at_hand
from tedigan.models.makers import open_sentence_reader
from tedigan.models.parts import Parts, check_places, open_parts
from tedigan.models.single_faces import (
    BATCH_SIZE,
    EDITING,
    REGION_CELLS,
    STEERING,
    inversion_settings,
    one_off_composer,
)
from tedigan.models.source_reader import SourceReader
from tedigan.store import pictures
from tedigan.tensors import choose_device, sample_z, stream, to_images, to_pixels

Photograph = Image.Image | str | Path


def load(
    generator: str | Path | None = None,
    *,
    steering: str | Path | None = None,
    encoder: str | Path | None = None,
    sketch_encoder: str | Path | None = None,
    label_encoder: str | Path | None = None,
    device: str = "auto",
    signers: Sequence[str | Path] = (),
) -> "Model":
    """The networks of model folders or official files, ready to use.

    generator: a folder of ours, an official file, or a workspace's models/ with all the others in it; None = the
    drawn faces that come along. steering: a folder with guide/, latent_tagger/ and layers/ of that generator,
    which sentences need. encoder, sketch_encoder, label_encoder: of photographs, sketches and label maps; without
    one of drawings, codes are fitted to them by networks that come along and know aligned faces. device:
    auto takes a GPU if there is one. signers: public keys; each folder that is named must be signed by one.
    Raises WeightsError for what is missing, damaged, hostile or not signed; nothing of a file is executed.
    """
    given = {
        "generator": generator,
        "steering": steering,
        "encoder": encoder,
        "sketch_encoder": sketch_encoder,
        "label_encoder": label_encoder,
    }
    places = {name: Path(place) for name, place in given.items() if place is not None}
    check_places(places, [Path(key) for key in signers])
    if generator is None:
        if not EMBEDDED_PARTS["generator"].is_dir():
            raise WeightsError(
                f"no generator was named, and {EMBEDDED} is not beside this installation; expected a model folder "
                "or an official file. Name one: tedigan.load(PATH)."
            )
        places = EMBEDDED_PARTS | places
    parts = open_parts(places, STEERING, choose_device(device), drawers=drawers_at_hand())
    return Model(**vars(parts))


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
        truncation_psi: float = 0.7,
        style_layers: list[int] | Literal["measured"] = "measured",
    ) -> list[Image.Image]:
        """n faces of a sentence; face i depends on the sentence and `(seed, i)` alone, but for float rounding.

        strength: in -3..3; 1 = what the text says, 0 = nothing, -1 = the contrary. Raises CaptionError for a text
        that is no caption.
        """
        start = self.starts.of(self.followed, truncation_psi, style_layers)
        maker = FaceMaker(
            self.generator,
            SteeredText(self._read, self.followed, start, strength),
            self.generator.synthesis,
            FaceSettings(truncation_psi, "const", min(at_least_one(n), BATCH_SIZE)),
        )
        batches = maker.faces([check_caption(text)] * n, seed=seed)
        return [pictures.to_pillow(face) for batch in batches for face in batch]

    def compose(
        self,
        n: int = 1,
        *,
        text: str | None = None,
        photograph: Photograph | Codes | None = None,
        sketch: Photograph | None = None,
        label: Photograph | None = None,
        style: Photograph | Codes | None = None,
        layers: Mapping[str, Sequence[int]] | None = None,
        weights: Mapping[str, float] | None = None,
        seed: int = 0,
        strength: float = 1.0,
        truncation_psi: float = 0.7,
    ) -> "Composition":
        """n faces of any of these sources; face i depends on them and `(seed, i)` alone, but for float rounding.

        photograph, style: a face, or its code. layers: by source (sketch, label, photograph, style), in the
        place of those that were measured. weights: 0..1 by source, text among them; where a drawing shows what the
        sentence denies, the larger one wins, and the report says so. Raises ParamsError where there is no source,
        ImageError and LabelError for drawings that cannot be understood.
        """
        given: dict[SourceName, Photograph | Codes | None] = {
            "sketch": sketch, "label": label, "photograph": photograph, "style": style
        }  # fmt: skip
        sources, notes = self._sources.read(given, layers or {}, weights or {})
        steering, read = (self.steering, None) if text is None else (self.followed, self._read)
        composer = one_off_composer(
            self.generator, steering, read, sources, self.starts, truncation_psi=truncation_psi
        )
        made = composer.compose_many(
            sources,
            None if text is None else check_caption(text),
            at_least_one(n),
            seed=seed,
            batch_size=BATCH_SIZE,
            strength=strength,
            text_weight=(weights or {}).get("text", 1.0),
        )
        return Composition(self.draw(made.ws), made.ws, [*notes, *made.report])

    def seen(self, picture: Photograph, kind: SourceName) -> Image.Image:
        """A source as the networks see it, at the generator's size; a label map in its colours."""
        row = SOURCES.index(kind)
        return pictures.to_pillow(self._sources.seen({kind: picture})[row])

    def understand(self, text: str) -> Reading:
        """What a sentence wishes, what it says both ways, and what cannot be steered here."""
        return self._read(check_caption(text))

    def random_ws(self, n: int = 1, *, seed: int = 0, truncation_psi: float = 0.7) -> Codes:
        """Codes of n random faces; code i depends on `(seed, i)` alone."""
        z = sample_z(seed, list(range(at_least_one(n))), self.generator.config.z_dim)
        return self.generator.ws_of(z.to(self._device), truncation_psi=truncation_psi)

    def draw(self, ws: Codes, *, noise_mode: NoiseMode = "const") -> list[Image.Image]:
        """The face of each code."""
        return self._draw(self._codes(ws), noise_mode)

    def variants(
        self, ws: Codes, n: int, *, seed: int = 0, layers: Sequence[int] | None = None
    ) -> list[Image.Image]:
        """n faces of one code that differ in their noise alone: strands, pores, the fall of the hair.

        layers: whose noise is drawn anew, None = all; the others keep the stored one, as `draw` does.
        """
        sizes, code = self.generator.config.noise_sizes, self._codes(ws, most=1)
        faces = draw_variants(
            self.generator.synthesis, code, sizes, at_least_one(n), seed=seed, layers=layers
        )
        return [pictures.to_pillow(face) for face in faces]

    def read(self, photograph: Photograph) -> Image.Image:
        """A photograph as the networks see it: a square of the generator's size, from its centre."""
        size_px = self.generator.config.img_resolution
        return pictures.to_pillow(pictures.resize(pictures.any_picture(photograph), size_px))

    def invert(self, photograph: Photograph, *, num_steps: int = 100) -> Codes:
        """The code of one aligned photograph: by the encoder if there is one, then by optimisation."""
        return self._inverter(num_steps).invert(self._images(photograph))

    def edit(
        self,
        photograph: Photograph | Codes,
        text: str,
        *,
        strength: float = 1.0,
        num_steps: int = 100,
    ) -> Image.Image:
        """A photograph, or one code that `invert` found, steered by what the text says; the rest is held.

        strength: in -3..3; 1 = what the text says (a face that is so stays), 0 = nothing, -1 = the contrary.
        """
        steering = replace(self.followed, settings=EDITING)
        editor = Editor(self._read, steering, REGION_CELLS)
        if isinstance(photograph, Tensor):
            ws = self._codes(photograph, most=1)
        else:
            ws = self.invert(photograph, num_steps=num_steps)
        edited = editor.edit(ws, [check_caption(text)], [strength])
        return pictures.to_pillow(to_pixels(editor.draw(ws, edited))[0])

    @property
    def _sources(self) -> SourceReader:
        size_px = self.generator.config.img_resolution
        return SourceReader(self.generator, self.drawing_encoders, self._inverted, size_px)

    def _inverted(self, photograph: Photograph | Codes) -> Codes:
        """A code that is one already, or the code of a photograph."""
        if isinstance(photograph, Tensor):
            return self._codes(photograph, most=1)
        return self.invert(photograph)

    @torch.no_grad()
    def _draw(self, ws: Codes, noise_mode: NoiseMode) -> list[Image.Image]:
        parts = ws.split(BATCH_SIZE)
        faces = [to_pixels(self.generator.synthesis(part, noise_mode=noise_mode)) for part in parts]
        return [pictures.to_pillow(face) for face in torch.cat(faces).cpu()]

    def _codes(self, ws: Codes, *, most: int | None = None) -> Codes:
        """On the device, of this generator's shape, float32 and finite; `most` of them."""
        check_codes(ws, (self.generator.num_ws, self.generator.config.w_dim), most=most)
        return ws.to(self._device, torch.float32)

    @property
    def _device(self) -> torch.device:
        return self.generator.mapping.w_avg.device

    @cached_property
    def _read(self) -> Read:
        device, known = self._device, self.followed.tagger.names
        return open_sentence_reader(CELEBA, READER, device, known=known).reading

    def _images(self, photograph: Photograph) -> Float[Tensor, "1 3 r r"]:
        return to_images(pictures.from_pillow(self.read(photograph))[None])

    def _inverter(self, num_steps: int) -> Inverter:
        settings = inversion_settings(num_steps, has_features=self.discriminator is not None)
        return Inverter(
            self.generator, self._encoder, self.discriminator, self._whitening, settings
        )

    @cached_property
    def _whitening(self) -> Whitening:
        return whitening_of(self.generator, stream(0, "whitening"))

    @cached_property
    def _encoder(self) -> Encoder:
        return self.encoder or MeanFace(self.generator)


@dataclass(frozen=True)
class Composition:
    """What `Model.compose` made: faces, their codes, and a report, a line a fact."""

    faces: list[Image.Image]
    ws: Codes
    report: list[str]


def sheet(faces: Sequence[Image.Image], columns: int | None = None) -> Image.Image:
    """A contact sheet in reading order; in one row where nobody says otherwise."""
    at_least_one(len(faces))
    pixels = torch.stack([pictures.from_pillow(face) for face in faces])
    return pictures.to_pillow(pictures.grid(pixels, columns or len(faces)))
