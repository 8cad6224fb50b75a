"""What comes along, where it lies beside this installation: generators, what steers them, what draws faces."""

from pathlib import Path

EMBEDDED = Path(__file__).resolve().parents[2] / "assets"
EMBEDDED_PARTS = {
    "generator": EMBEDDED / "stylegan2-drawn-64",
    "steering": EMBEDDED / "steering-drawn-64",
    "sketch_encoder": EMBEDDED / "drawer-drawn-64",
    "label_encoder": EMBEDDED / "parser-drawn-64",
}
READER = EMBEDDED / "text-reader"
DRAWERS = {
    "sketch_encoder": EMBEDDED / "drawer-celebahq",
    "label_encoder": EMBEDDED / "parser-celebahq",
}  # that fit any generator's aligned faces to a drawing


def drawers_at_hand() -> dict[str, Path]:
    """Of DRAWERS those that lie beside this installation."""
    return {name: place for name, place in DRAWERS.items() if place.is_dir()}
