"""A studio of untrained networks: every kind of source can be given, and text moves the codes."""

import pytest
import torch

from tedigan.encoders.visual import Paint
from tedigan.models.opening import load_discriminator, load_generator
from tedigan.page.app import application
from tedigan.page.offers import Offer
from tedigan.page.studio import Studio
from tedigan.store.model_folders import save_model, save_tensors
from tedigan.store.sums import write_sums
from tedigan.training.encoder_trainer import new_encoder
from tests.stages.small import small_workspace, write_models

CPU, PORT = torch.device("cpu"), 8765


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A workspace's models/ with encoders of drawings that were never trained, but answer."""
    workspace = small_workspace(tmp_path_factory.mktemp("page"))
    write_models(workspace)
    folder = workspace.model("generator")
    generator, features = load_generator(folder, CPU), load_discriminator(folder, CPU)
    for name, strength in generator.named_parameters():
        if name.endswith("noise_strength"):
            strength.fill_(0.5)  # so that other noise is another picture
    save_tensors(folder / "G_ema.safetensors", generator.state_dict())
    for name, channels, count in (("sketch", 1, 5), ("label", 19, 3)):
        paint = Paint(torch.full((channels, 3), 0.5), 0.0)
        encoder = new_encoder(
            generator, features, head_dim=16, num_passes=1, seed=channels, paint=paint
        )
        torch.nn.init.normal_(encoder.out.weight, std=0.5)
        config = encoder.to_json() | {"layers": list(range(count))}
        save_model(workspace.model(f"{name}_encoder"), {"encoder": encoder}, config, "")
    card = "- Licence: Drawn by nobody.\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    write_sums(folder)
    return workspace.models


@pytest.fixture(scope="session")
def offers(models):
    """All of it, and the generator alone."""
    whole = Offer("whole", "Untrained networks", {"generator": models})
    return [whole, Offer("bare", "A generator alone", {"generator": models / "generator"})]


@pytest.fixture(scope="session")
def studio(offers):
    return Studio(offers, device="cpu")


@pytest.fixture(scope="session")
def page(studio):
    """The application, as it would answer at PORT."""
    return application(studio, PORT)
