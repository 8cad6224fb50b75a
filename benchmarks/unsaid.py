"""What a data set finds out that its source does not say, on photographs of which it is known.

    python -m benchmarks.unsaid people --photographs TAR --identities ../shared/data/celebahq-128/identity.csv
    python -m benchmarks.unsaid masks --photographs ../shared/data/celebahq-256-val/CelebA-HQ-img.tar
    python -m benchmarks.unsaid faces --photographs TAR --others FOLDER

people: identities are hidden, photographs grouped by their faces (dataset.people: faces), divided 200 times: the
share of test photographs, and of test people, who are in train as well.
masks: each pair of photographs has its masks swapped in turn, and is or is not named. A mask is made of dlib's
landmarks and of the silhouette that the parser sees in the mirror, up to 3 px larger or smaller.
faces: in how many photographs a face is found, and in how many others: pictures of FOLDER and crops of them, upper
left corners of the photographs, blobs of colour and noise.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from tedigan.annotators.face_parts import has_face, shares_of
from tedigan.annotators.landmark_labels import labels_of_landmarks
from tedigan.annotators.landmarks import find_landmarks, shows_face
from tedigan.annotators.parser import load_parser
from tedigan.captions.grammar_files import CELEBA, load_grammar
from tedigan.dataset.annotating import FOUND_PX, Annotators
from tedigan.dataset.people import group_faces
from tedigan.dataset.sources.celebamask import parse_identities
from tedigan.dataset.splits import split_by_identity
from tedigan.dataset.swapped_masks import DOUBTED, GAIN, LOOK_PX, agreement, outline_of
from tedigan.errors import ImageError, LabelError
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.shelves import TarShelf
from tedigan.tensors import to_images
from tedigan.vocabulary.labels import resize_labels

DIVISIONS, PERSON_PX = 200, 3


def main() -> None:
    """Print the figures of one of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("people", "masks", "faces"))
    parser.add_argument("--photographs", type=Path, required=True, help="a .tar, numbered")
    parser.add_argument("--identities", type=Path, help="identity.csv")
    parser.add_argument("--others", type=Path, help="pictures that show no face")
    parser.add_argument("--parser", default="assets/parser-celebahq")
    parser.add_argument("--count", type=int, default=600, help="photographs")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    {"people": people, "masks": masks, "faces": faces}[arguments.what](arguments)


def people(arguments: argparse.Namespace) -> None:
    """The share of test that is in train too: one by one, grouped, and by who it is."""
    who = {id: one for id, (one, _) in parse_identities(arguments.identities.read_text()).items()}
    shelf = TarShelf(arguments.photographs)
    names = {int(Path(name).stem): name for name in shelf.names()}
    order = sorted(names)[: arguments.count]
    annotators = Annotators(load_grammar(CELEBA, columns=None))
    described = []
    for id in progress(order, desc="describe", unit="face"):
        content = annotators.describe(pictures.decode(shelf.read(names[id])))
        described.append(np.frombuffer(content, np.float32))
    groups = group_faces(np.stack(described), [-1 - id for id in order])
    largest = Counter(groups).most_common(1)[0][1]
    print(f"{len(order)} photographs of {len({who[id] for id in order})} people")
    print(f"{len(set(groups))} groups, the largest of {largest}")
    ways = {"one by one": order, "grouped": groups, "by who it is": [who[id] for id in order]}
    for name, way in ways.items():
        shares = np.mean([_in_both(order, way, who, seed) for seed in range(DIVISIONS)], axis=0)
        print(f"{name}: {shares[0]:.1%} of test photographs, {shares[1]:.1%} of test people")


def _in_both(ids: list[int], way: list[int], who: dict[int, int], seed: int) -> tuple[float, float]:
    given = dict(zip(ids, way, strict=True))
    splits = split_by_identity(given, val_fraction=0.05, test_fraction=0.10, seed=seed)
    train = {who[id] for id in ids if splits[id] == "train"}
    test = [who[id] for id in ids if splits[id] == "test"]
    return (
        float(np.mean([one in train for one in test])),
        float(np.mean([one in train for one in set(test)])),
    )


def masks(arguments: argparse.Namespace) -> None:
    """Of all pairs: how many are named when swapped, and when they are not."""
    parser = load_parser(arguments.parser, torch.device("cpu"))
    random = np.random.default_rng(0)
    seen, given = [], []
    for photograph in progress(list(_photographs(arguments)), desc="masks", unit="face"):
        mirrored = parser.parse(to_images(photograph.flip(-1)[None]))[0].flip(-1)
        person = _grown((mirrored > 0).numpy(), int(random.integers(-PERSON_PX, PERSON_PX + 1)))
        try:
            matte = torch.from_numpy(person.astype(np.float32))
            mask = labels_of_landmarks(photograph, find_landmarks(photograph), matte)
        except (ImageError, LabelError):
            continue
        look = to_images(pictures.resize(photograph, LOOK_PX)[None])
        seen.append(outline_of(parser.parse(look)[0]).flatten())
        given.append(outline_of(resize_labels(mask[None], LOOK_PX)[0]).flatten())
    found = agreement(torch.stack(seen), torch.stack(given))
    own, pairs = found.diagonal(), torch.triu_indices(len(found), len(found), offset=1)
    is_named = _both(found - own[:, None])
    is_found = _both(own[:, None] - found) & (found < DOUBTED) & (found.T < DOUBTED)
    print(f"{len(own)} photographs, {pairs.shape[1]:,} pairs")
    print(f"agreement: own {own.min():.2f} to {own.max():.2f}, median {own.median():.2f}")
    print(f"named when swapped: {is_found[tuple(pairs)].float().mean():.2%}")
    print(f"named when not: {int(is_named[tuple(pairs)].sum())}")


def _both(gain: Tensor) -> Tensor:
    return (gain > GAIN) & (gain.T > GAIN)


def _grown(person: np.ndarray, px: int) -> np.ndarray:
    change = ndimage.binary_dilation if px > 0 else ndimage.binary_erosion
    found: np.ndarray = change(person, iterations=abs(px)) if px else person
    return found


def faces(arguments: argparse.Namespace) -> None:
    """The share of each kind of picture in which dlib and the parser find a face."""
    parser = load_parser(arguments.parser, torch.device("cpu"))

    def parsed(pixels: Tensor) -> bool:
        small = to_images(pictures.resize(pixels, FOUND_PX)[None])
        return has_face(shares_of(parser.parse(small)[0]))

    shown = list(_photographs(arguments))
    kinds: dict[str, list[Tensor]] = {
        "photographs": shown,
        "their corners": [_corner(one) for one in shown],
    }
    if arguments.others:
        kinds["others, and crops of them"] = list(_others(arguments.others))
    kinds["blobs and noise"] = [_blobs(seed) for seed in range(60)]
    ways: dict[str, Callable[[Tensor], bool]] = {"dlib": shows_face, "parser": parsed}
    for kind, shown in kinds.items():
        shares = {name: np.mean([way(one) for one in shown]) for name, way in ways.items()}
        print(f"{kind} ({len(shown)}): " + ", ".join(f"{n} {v:.1%}" for n, v in shares.items()))


def _photographs(arguments: argparse.Namespace) -> Iterator[Tensor]:
    shelf = TarShelf(arguments.photographs)
    for name in sorted(shelf.names())[: arguments.count]:
        yield pictures.decode(shelf.read(name), name=name)


def _corner(pixels: Tensor) -> Tensor:
    third = pixels.shape[-1] // 3
    return pictures.resize(pixels[:, :third, :third], 128)


def _others(folder: Path) -> Iterator[Tensor]:
    random = np.random.default_rng(0)
    for path in sorted(folder.iterdir()):
        pixels = pictures.decode(path.read_bytes(), name=path.name)
        yield pictures.resize(pixels, 128)
        for _ in range(20):
            side = int(random.integers(64, min(pixels.shape[1:]) + 1))
            top, left = (int(random.integers(0, edge - side + 1)) for edge in pixels.shape[1:])
            yield pictures.resize(pixels[:, top : top + side, left : left + side], 128)


def _blobs(seed: int) -> Tensor:
    cells = (4, 8, 16, 128)[seed % 4]
    small = torch.randint(
        0, 256, (1, 3, cells, cells), generator=torch.Generator().manual_seed(seed)
    )
    large = functional.interpolate(small.float(), (128, 128), mode="bicubic")
    return large[0].clamp(0, 255).to(torch.uint8)


if __name__ == "__main__":
    main()
