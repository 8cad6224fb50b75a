"""Ready-made generators and encoders take the place of a training, and the later stages run on them."""

from dataclasses import replace

import pytest
import torch

from tedigan.encoders.adopted import AdoptedEncoder
from tedigan.encoders.idinvert import IdinvertEncoder
from tedigan.encoders.psp import PyramidEncoder
from tedigan.errors import WeightsError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator
from tedigan.models.adopt_encoder import adopt_encoder
from tedigan.models.opening import load_encoder
from tedigan.stages import (
    analyse_layers,
    generate,
    invert,
    manipulate,
    train_encoder,
    train_generator,
    train_guide,
    train_latent_tagger,
    train_text_encoder,
    train_text_mapper,
)
from tedigan.store.model_folders import load_tensors, read_config, save_model
from tedigan.workspace import Workspace
from tests.stages.small import small_workspace

PAPERS = GeneratorConfig(
    32,
    z_dim=16,
    w_dim=16,
    num_mapping_layers=2,
    channel_base=128,
    channel_max=8,
    architecture="stylegan1",
    repeat_w=False,
    final_tanh=True,
)


def official_pair(root, *, encoder_px: int = 32) -> dict[str, dict[str, object]]:
    """The paper's kind of networks, small: StyleGAN1 with a w for each layer, and its encoder."""
    torch.manual_seed(0)
    generator, encoder = Generator(PAPERS), IdinvertEncoder(encoder_px, w_dim=16, channel_base=4)
    save_model(root / "g", {"G_ema": generator}, PAPERS.to_json(), "card")
    save_model(root / "e", {"encoder": encoder}, encoder.to_json(), "card")
    return {
        "train_generator": {"init": str(root / "g"), "total_nimg": 0},
        "train_encoder": {"init": str(root / "e")},
        "manipulate": {"weight_perceptual": 0.0},
    }


@pytest.fixture(scope="module")
def adopted(tmp_path_factory) -> Workspace:
    root = tmp_path_factory.mktemp("adopted")
    workspace = small_workspace(root, **official_pair(root))
    for stage in (train_generator, train_encoder):
        stage.run(workspace)
    return workspace


def test_the_papers_generator_and_encoder_go_through_every_later_stage(adopted):
    chain = (
        invert,
        train_text_encoder,
        train_guide,
        train_latent_tagger,
        analyse_layers,
        analyse_layers,
        train_text_mapper,
        generate,
        manipulate,
    )
    for stage in chain:
        stage.run(adopted)
    assert load_tensors(adopted.codes / "codes.safetensors")["ws"].shape == (40, 8, 16)
    assert len(list(adopted.result("generated").glob("faces/*.png"))) == 4
    assert len(list(adopted.result("manipulated").glob("after/*.png"))) == 2


def test_what_is_adopted_is_what_was_given(adopted):
    given = load_tensors(adopted.root / "g/G_ema.safetensors")
    taken = load_tensors(adopted.model("generator") / "G_ema.safetensors")
    assert given.keys() == taken.keys()
    assert all(torch.equal(given[name], taken[name]) for name in given)
    assert read_config(adopted.model("generator"))["training"] == {"adopted": True}


def test_an_adopted_encoder_knows_the_statistics_of_its_generators_w(adopted):
    tensors = load_tensors(adopted.model("encoder") / "encoder.safetensors")
    assert tensors["w_std"].shape == (16,)
    assert not torch.equal(tensors["w_std"], torch.ones(16))


def test_photographs_of_another_size_are_resized_for_it():
    encoder = AdoptedEncoder(IdinvertEncoder(32, w_dim=16, channel_base=4)).eval()
    small = torch.rand(1, 3, 32, 32) * 2 - 1
    large = torch.nn.functional.interpolate(small, scale_factor=2, mode="nearest")
    assert torch.allclose(encoder(large), encoder(small), atol=0.1)
    assert encoder(large).shape == (1, 8, 16)


def test_an_encoder_of_another_generators_size_is_refused(tmp_path):
    workspace = small_workspace(tmp_path, **official_pair(tmp_path, encoder_px=64))
    train_generator.run(workspace)
    with pytest.raises(WeightsError, match=r"codes of 10 x 16, but the generator takes 8 x 16"):
        train_encoder.run(workspace)
    assert not workspace.model("encoder").exists()


def test_a_generator_without_a_discriminator_says_what_can_be_done(tmp_path):
    pair = official_pair(tmp_path)
    workspace = small_workspace(tmp_path, train_generator=pair["train_generator"])
    train_generator.run(workspace)
    with pytest.raises(WeightsError, match=r"train_encoder\.init"):
        train_encoder.run(workspace)


def test_only_stylegan2_is_trained_further(tmp_path):
    pair = official_pair(tmp_path)
    training = pair["train_generator"] | {"total_nimg": 8}
    with pytest.raises(WeightsError, match="Adopt it as it is"):
        train_generator.run(small_workspace(tmp_path, train_generator=training))


@pytest.mark.parametrize(("channels", "modality"), [(1, "sketch"), (19, "label")])
def test_an_official_encoder_of_drawings_gives_pSps_layers_and_no_other_kind_is_taken(
    tmp_path, channels, modality
):
    torch.manual_seed(0)
    network = PyramidEncoder("psp_encoder", input_channels=channels, num_ws=8)
    generator = Generator(replace(PAPERS, w_dim=512))
    save_model(tmp_path / "g", {"G_ema": generator}, generator.config.to_json(), "card")
    save_model(tmp_path / "e", {"encoder": network}, network.to_json(), "card")
    place = tmp_path / "made"
    adopt_encoder(tmp_path / "e", tmp_path / "g", place, modality, seed=0)
    assert read_config(place)["layers"] == list(range(8))
    encoder = load_encoder(place, generator.eval())
    assert encoder.input_channels == channels
    assert encoder(torch.rand(1, channels, 32, 32)).shape == (1, 8, 512)
    other = {"sketch": "label", "label": "image"}[modality]
    with pytest.raises(WeightsError, match="Choose an encoder of"):
        adopt_encoder(tmp_path / "e", tmp_path / "g", tmp_path / "none", other, seed=0)
