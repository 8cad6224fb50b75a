"""Toy photographs: attribute k < 8 lights its cells of a mirrored 4 x 4 grid; each person has a tint."""

from functools import cache
from pathlib import Path

import torch
import yaml

from tedigan.captions.grammar import Grammar
from tedigan.captions.grammar_files import GRAMMAR, load_grammar, save_grammar
from tedigan.dataset.folder import shard_name, write_tables
from tedigan.dataset.index import Row
from tedigan.dataset.splits import halves
from tedigan.store.pictures import encode
from tedigan.store.shards import ShardWriter, read_shard
from tedigan.tensors import stream
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tedigan.workspace import Workspace

ROOT = Path(__file__).parents[2]
SIZE = 32
TINY_REFEREE = {
    "num_views": 2,
    "hidden_dim": 128,
    "batch_size": 32,
    "embedding_dim": 8,
    "learning_rate": 0.01,
}
SPLITS = ["train"] * 6 + ["val", "val", "test", "test"]


def toy_workspace(
    root: Path, *, num_images: int = 200, faces_per_person: int = 2, **sections: dict[str, object]
) -> Workspace:
    """The project's params with `sections` put over them, and a toy data set."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["runtime"]["device"] = "cpu"
    for name, values in sections.items():
        params[name] |= values
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    workspace = Workspace.open(root)
    write_toy_dataset(workspace.dataset, num_images, faces_per_person)
    return workspace


def toy_attributes(index: int) -> torch.Tensor:
    """Half of the attributes, drawn; the last one is never there."""
    row = torch.rand(40, generator=stream("toy", index)) < 0.5
    row[39] = False
    return row


PHRASES = {
    1: "arched eyebrows",
    3: "bags under the eyes",
    5: "bangs",
    6: "big lips",
    7: "a big nose",
}


def toy_caption(attributes: torch.Tensor) -> str:
    """Names the visible attributes that have a phrase."""
    named = [phrase for index, phrase in PHRASES.items() if attributes[index]]
    return f"This person has {', '.join(named)}" if named else "This is a person"


def toy_pixels(attributes: torch.Tensor, person: int) -> torch.Tensor:
    """uint8 [3, 32, 32]."""
    half = (attributes[:8] * 200 + 50).float().reshape(1, 4, 2)
    cells = torch.cat([half, half.flip(2)], dim=2)
    picture = torch.nn.functional.interpolate(cells[None], (SIZE, SIZE))[0]
    tint = torch.rand(3, 1, 1, generator=stream("tint", person)) * 0.9 + 0.1
    return (picture * tint).to(torch.uint8)


@cache
def _grammar() -> Grammar:
    """Proved once: each load proves it anew."""
    return load_grammar()


def _split(person: int) -> str:
    return SPLITS[person % 10]


def write_toy_dataset(
    folder: Path, num_images: int, faces_per_person: int, *, mislabelled: str | None = None
) -> None:
    """mislabelled: the split, or the half of train, whose attributes are told the wrong way round."""
    folder.mkdir(parents=True)
    train = {
        i: i // faces_per_person
        for i in range(num_images)
        if _split(i // faces_per_person) == "train"
    }
    wrong = set(halves(train).get(mislabelled or "", ()))
    save_grammar(_grammar(), folder / GRAMMAR)
    rows, kinds = [], {"image": "png", "text": "txt", "sketch": "png", "label": "png"}
    with ShardWriter(folder / shard_name(0), kinds) as writer:
        for index in range(num_images):
            person, attributes = index // faces_per_person, toy_attributes(index)
            pixels = toy_pixels(attributes, person)
            grey, lit = pixels.amax(dim=0, keepdim=True), toy_pixels(attributes, 0)[:1] > 60
            files = {
                "image": encode(pixels, "png"),
                "text": f"{toy_caption(attributes)}\n".encode(),
                "sketch": encode(grey, "png"),
                "label": encode(torch.where(lit, 1, 13).to(torch.uint8), "png"),  # skin, hair
            }
            writer.add(index, files)
            split = _split(person)
            is_wrong = split == mislabelled or index in wrong
            values = bytes((attributes ^ is_wrong).tolist())
            rows.append(Row(index, split, person, f"{index}.png", "", values))
    write_tables(
        folder,
        rows,
        shards={0: read_shard(folder / shard_name(0))},
        quarantine=[],
        description={
            "attribute_names": list(ATTRIBUTE_NAMES),
            "captions_per_image": 1,
            "identities": "of the source",
            "kinds": kinds,
            "licence": "toy",
            "resolution": SIZE,
            "seed": 0,
            "source": "drawn",
        },
    )
