"""What the evaluation looks at is what the stages draw."""

import torch

from tedigan.dataset.folder import Dataset
from tedigan.method.text_to_face import FaceMaker
from tedigan.models.makers import Way
from tedigan.models.opening import load_encoder
from tedigan.stages.evaluate import networks_of
from tedigan.stages.making_faces import open_makers
from tedigan.tensors import to_images, to_pixels
from tedigan.workspace import Workspace

CAPTIONS = ["She is young.", "The man has a beard."]


def maker_of(workspace: Workspace, way: Way = "search") -> FaceMaker:
    psi = workspace.params.evaluate.truncation_psi
    return open_makers(workspace, [way], truncation_psi=psi)[0][way]


def test_the_networks_under_test_are_the_workspace_s(untrained: Workspace) -> None:
    networks, maker = networks_of(untrained), maker_of(untrained)
    faces = networks.faces(CAPTIONS, 3)
    assert torch.equal(faces, torch.cat(list(maker.faces(CAPTIONS, seed=3))))
    assert not torch.equal(networks.faces(CAPTIONS[::-1], 3), faces)
    drawn = torch.cat(list(maker.unconditional_faces(2, seed=3)))
    assert torch.equal(networks.random_faces(2, 3), drawn)


def test_the_other_ways_to_faces_are_measured_beside_it(untrained: Workspace) -> None:
    networks = networks_of(untrained)
    assert set(networks.rivals) == {"one_pass", "regression"}
    faces = networks.rivals["regression"](CAPTIONS, 3)
    assert torch.equal(
        faces, torch.cat(list(maker_of(untrained, "regression").faces(CAPTIONS, seed=3)))
    )
    assert not torch.equal(faces, networks.faces(CAPTIONS, 3))


def test_inversions_and_the_mean_face_are_drawn_with_the_stored_noise(untrained: Workspace) -> None:
    networks, generator = networks_of(untrained), maker_of(untrained).generator
    data = Dataset.open(untrained.dataset)
    photographs = data.pixels(data.split("test")[:3])
    encoder = load_encoder(untrained.model("encoder"), generator)
    drawn = generator.synthesis(encoder(to_images(photographs)))
    assert torch.equal(networks.invert(photographs), to_pixels(drawn))
    mean_code = generator.mapping.w_avg.expand(1, generator.num_ws, -1)
    assert torch.equal(networks.mean_face, to_pixels(generator.synthesis(mean_code)))
