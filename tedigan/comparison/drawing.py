"""The platform's own faces of a protocol's prompts, in the form in which any method hands in its own."""

from pathlib import Path

from tedigan.comparison.comparison_protocol import ComparisonProtocol
from tedigan.comparison.method_folder import picture_name
from tedigan.method.text_to_face import FaceMaker
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.files import finished_folder


def draw_method(folder: Path, maker: FaceMaker, protocol: ComparisonProtocol) -> int:
    """A face of each prompt, and further ones of the first, by the protocol's seed; how many there are."""
    captions, extra = protocol.captions, protocol.variety_faces
    further = [
        (prompt, face) for prompt in range(protocol.variety_prompts) for face in range(1, extra)
    ]
    places = [(prompt, 0) for prompt in range(len(captions))] + further
    texts = [captions[prompt] for prompt, _ in places]
    with finished_folder(folder) as fresh:
        parts = maker.faces(texts, seed=protocol.seed)
        left = iter(progress(places, total=len(places), desc="draw", unit="face"))
        for part in parts:
            for face in part:
                pictures.save(fresh / picture_name(*next(left)), face)
    return len(places)
