"""The models that a page offers, by name: their places, their files' digests, the licence of their cards."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tedigan.models.embedded import EMBEDDED, EMBEDDED_PARTS, READER, drawers_at_hand
from tedigan.models.parts import ENCODERS, STEERING
from tedigan.page.recipe import Recipe
from tedigan.store.files import sha256_file
from tedigan.store.model_folders import CARD

WEIGHTS = (".safetensors", ".pt", ".pth", ".pkl", ".json")
_OF_SOURCES = {
    "sketch": "sketch_encoder",
    "label": "label_encoder",
    "photograph": "encoder",
    "style": "encoder",
}


@dataclass(frozen=True)
class Offer:
    """Networks under a name. places: the arguments of `tedigan.load`."""

    name: str
    title: str
    places: Mapping[str, Path]

    @property
    def licence(self) -> str:
        """The first line of the generator's card that speaks of it."""
        card = self.parts["generator"] / CARD
        text = card.read_text(encoding="utf-8") if card.is_file() else ""
        found = re.search(r"^- Licence: (.+)$", text, re.MULTILINE)
        return found[1] if found else "Not recorded in the model's card."

    @property
    def parts(self) -> dict[str, Path]:
        """Each network's folder or file, as `tedigan.load` finds them."""
        root = self.places["generator"]
        if (root / "generator").is_dir():
            names = ("generator", *ENCODERS)
            found = {name: root / name for name in names if (root / name).is_dir()}
            if (root / "latent_tagger").is_dir():
                found["steering"] = root
            found |= {name: place for name, place in self.places.items() if name != "generator"}
        else:
            found = dict(self.places)
        found = drawers_at_hand() | found
        steering = found.pop("steering", None)
        return found | ({} if steering is None else {name: steering / name for name in STEERING})

    def digests(self, recipe: Recipe) -> dict[str, str]:
        """sha256 of each file that faces of this recipe depend on."""
        parts = self.parts | ({} if recipe.text is None else {"text_reader": READER})
        unused = {*ENCODERS} - {_OF_SOURCES[name] for name in recipe.pictures}
        return {
            name: digest
            for part, place in parts.items()
            if part not in unused
            for name, digest in _digests(part, place).items()
        }


def embedded() -> list[Offer]:
    """Those that come along: faces of CelebA-HQ for research, and drawn ones."""
    offers = [
        Offer("celebahq-64", "CelebA-HQ faces, 64 px", {"generator": EMBEDDED / "celebahq-64"}),
        Offer("drawn-64", "Drawn faces, 64 px", EMBEDDED_PARTS),
    ]
    return [offer for offer in offers if offer.places["generator"].is_dir()]


def _digests(part: str, place: Path) -> dict[str, str]:
    if place.is_file():
        return {part: sha256_file(place)}
    files = [path for path in sorted(place.iterdir()) if path.suffix in WEIGHTS]
    return {f"{part}/{path.name}": sha256_file(path) for path in files}
