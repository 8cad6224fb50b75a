"""Faces of one code with other noise: what differs, what does not, and what the stage writes of them."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tedigan.errors import ParamsError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.fast_synthesis import FastSynthesis
from tedigan.generator.noise import NoiseMode
from tedigan.generator.stylegan import Generator
from tedigan.method.text_to_face import FaceMaker, FaceSettings, random_ws
from tedigan.stages import generate
from tedigan.store import pictures
from tedigan.store.files import sha256_tree
from tedigan.store.model_folders import load_tensors, save_tensors
from tedigan.store.sums import write_sums
from tedigan.workspace import Workspace
from tests.generator.nets import TINY, tiny_generator
from tests.stages.small import small_workspace, write_models

MODES: list[NoiseMode] = ["const", "random", "none"]
STYLEGAN1 = {"architecture": "stylegan1", "repeat_w": False}
LAYERS = range(len(TINY.noise_sizes))


class AnyText:
    """Says nothing of a face: random codes."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator

    def ws(self, texts: Sequence[str], indices: Sequence[int], *, seed: int) -> Tensor:
        return random_ws(self.generator, indices, seed=seed, truncation_psi=0.7)


def maker_of(generator: Generator, mode: NoiseMode = "const") -> FaceMaker:
    settings = FaceSettings(0.7, mode, 1)
    synthesise = FastSynthesis(generator.synthesis)
    return FaceMaker(generator, AnyText(generator), synthesise, settings)


def noisy_at(layers: Sequence[int]) -> Generator:
    """A generator that noise reaches in these layers alone."""
    generator = tiny_generator()
    for layer, name in enumerate(generator.synthesis.conv_names):
        strength = generator.get_parameter(f"synthesis.{name}.noise_strength")
        strength.fill_(1.0 if layer in layers else 0.0)
    return generator


def face_and_variants(
    maker: FaceMaker, n: int, *, face: int = 2, seed: int = 5, layers: list[int] | None = None
) -> tuple[Tensor, Tensor]:
    """One face of several, and its variants: `[3, r, r]` and `[n, 3, r, r]`."""
    codes, faces = zip(*maker.coded_faces([""] * (face + 1), seed=seed), strict=True)
    variants = maker.variants(codes[face], face, n, seed=seed, layers=layers)
    return faces[face][0], torch.stack(list(variants))


def difference(one: Tensor, other: Tensor) -> float:
    """Mean, in levels of 255."""
    return (one.float() - other.float()).abs().mean().item()


@pytest.mark.parametrize("mode", MODES)
def test_where_noise_does_nothing_a_variant_is_the_face_itself(mode: NoiseMode) -> None:
    face, variants = face_and_variants(maker_of(noisy_at([]), mode), 2)
    assert torch.equal(variants, face.expand(2, -1, -1, -1))


@pytest.mark.parametrize("mode", MODES)
def test_variants_differ_from_the_face_and_from_each_other(mode: NoiseMode) -> None:
    face, (first, second) = face_and_variants(maker_of(noisy_at(LAYERS), mode), 2)
    assert min(difference(face, first), difference(first, second)) > 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_that_is_not_chosen_keeps_its_noise(mode: NoiseMode, layer: int) -> None:
    maker = maker_of(noisy_at([layer]), mode)
    face, variants = face_and_variants(maker, 1, layers=[i for i in LAYERS if i != layer])
    assert torch.equal(variants[0], face)
    _, variants = face_and_variants(maker, 1, layers=[layer])
    assert difference(variants[0], face) > 0.5


def test_layers_are_counted_as_the_rows_of_a_stylegan1_too() -> None:
    """Its noise begins at layer 0 as well, and it has one map more."""
    config = GeneratorConfig.from_json(TINY.to_json())
    generator = Generator(GeneratorConfig(**{**vars(config), **STYLEGAN1}))
    generator.requires_grad_(False)
    for i in range(config.num_ws):
        generator.get_parameter(f"synthesis.epilogue{i}.noise_strength").fill_(float(i == 5))
    settings = FaceSettings(0.7, "const", 1)
    maker = FaceMaker(generator, AnyText(generator), generator.synthesis, settings)
    face, others = face_and_variants(maker, 1, layers=[0, 1, 2, 3, 4])
    assert torch.equal(others[0], face)
    assert difference(face_and_variants(maker, 1, layers=[5])[1][0], face) > 0.5


def test_a_variant_depends_on_seed_face_and_its_number_alone() -> None:
    maker = maker_of(noisy_at(LAYERS))
    _, few = face_and_variants(maker, 2)
    _, many = face_and_variants(maker, 3)
    assert torch.equal(few, many[:2])
    code = random_ws(maker.generator, [0], seed=0, truncation_psi=0.7)
    drawn = [
        next(maker.variants(code, face, 1, seed=seed)) for face, seed in ((0, 0), (1, 0), (0, 1))
    ]
    assert min(difference(drawn[0], other) for other in drawn[1:]) > 1


def test_the_noise_of_a_layer_does_not_depend_on_which_others_are_chosen() -> None:
    maker = maker_of(noisy_at([2]))
    _, alone = face_and_variants(maker, 1, layers=[2])
    _, with_all = face_and_variants(maker, 1)
    assert torch.equal(alone, with_all)


def test_a_layer_without_noise_is_refused() -> None:
    with pytest.raises(ParamsError, match=r"layer 5 .* 0 to 4\. Name some of these"):
        face_and_variants(maker_of(tiny_generator()), 1, layers=[1, 5])


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A small workspace whose generator adds noise that one sees."""
    workspace = small_workspace(tmp_path_factory.mktemp("noisy"))
    write_models(workspace)
    place = workspace.model("generator") / "G_ema.safetensors"
    tensors = load_tensors(place)
    loud = {name: torch.ones_like(tensors[name]) for name in tensors if "noise_strength" in name}
    save_tensors(place, tensors | loud)
    write_sums(place.parent)
    return workspace


def generated(workspace: Workspace, **values: object) -> Path:
    """The folder that the stage writes of two captions, two faces each."""
    section = workspace.params.generate.model_copy(update=values)
    params = workspace.params.model_copy(update={"generate": section})
    generate.run(Workspace(workspace.root, params))
    return workspace.result("generated")


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open() as file:
        return list(csv.DictReader(file))


def test_the_stage_varies_the_first_face_of_each_caption(noisy: Workspace) -> None:
    folder = generated(noisy, noise_variants=3)
    faces, rows = rows_of(folder, "faces.csv"), rows_of(folder, "variants.csv")
    assert [row["variant"] for row in rows] == ["0", "1", "2"] * 2
    for number, row in enumerate(rows):
        first = faces[2 * (number // 3)]
        assert {name: row[name] for name in first if name != "file"} == {
            name: value for name, value in first.items() if name != "file"
        }
        face, other = (pictures.load(folder / one["file"]) for one in (first, row))
        assert 1 < difference(face, other)
    assert sorted(str(p.relative_to(folder)) for p in (folder / "variants").iterdir()) == [
        row["file"] for row in rows
    ]


def test_the_stage_s_variants_have_the_code_of_their_face(untrained: Workspace) -> None:
    """Noise reaches nothing in an untrained generator."""
    folder = generated(untrained, noise_variants=1)
    faces, rows = rows_of(folder, "faces.csv"), rows_of(folder, "variants.csv")
    for first, row in zip(faces[::2], rows, strict=True):
        assert difference(*(pictures.load(folder / one["file"]) for one in (first, row))) < 0.01


def test_the_stage_draws_anew_what_it_is_told_and_repeats_it(noisy: Workspace) -> None:
    digests = [
        sha256_tree(generated(noisy, noise_variants=1, variant_layers=layers) / "variants")
        for layers in ([6], [6], None)
    ]
    assert digests[0] == digests[1] != digests[2]


def test_no_variants_are_no_files_and_the_same_faces(noisy: Workspace) -> None:
    digest = sha256_tree(generated(noisy, noise_variants=1) / "faces")
    folder = generated(noisy, noise_variants=0, variant_layers=[99])
    assert not {"variants", "variants.csv"} & {path.name for path in folder.iterdir()}
    assert sha256_tree(folder / "faces") == digest
