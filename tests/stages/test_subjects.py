"""What the evaluation looks at is what the stages draw."""

import torch

from tedigan.dataset.folder import Dataset
from tedigan.evaluation.contestants import Networks
from tedigan.method.text_to_face import FaceMaker, faces_from_captions, unconditional_faces
from tedigan.models.opening import load_encoder
from tedigan.tensors import to_images, to_pixels
from tedigan.workspace import Workspace

CAPTIONS = ["She is young.", "The man has a beard."]


def test_the_networks_under_test_are_the_workspace_s(untrained: Workspace) -> None:
    networks, maker = Networks.load(untrained), FaceMaker.load(untrained)
    options = {"seed": 3, "truncation_psi": untrained.params.evaluate.truncation_psi}
    faces = networks.faces(CAPTIONS, 3)
    assert torch.equal(faces, faces_from_captions(maker, CAPTIONS, **options))
    assert not torch.equal(networks.faces(CAPTIONS[::-1], 3), faces)
    assert torch.equal(networks.random_faces(2, 3), unconditional_faces(maker, 2, **options))


def test_inversions_and_the_mean_face_are_drawn_with_the_stored_noise(untrained: Workspace) -> None:
    networks, generator = Networks.load(untrained), FaceMaker.load(untrained).generator
    data = Dataset.open(untrained.dataset)
    photographs = data.pixels(data.split("test")[:3])
    encoder = load_encoder(untrained.model("encoder"), torch.device("cpu"))
    drawn = generator.synthesis(encoder(to_images(photographs)))
    assert torch.equal(networks.invert(photographs), to_pixels(drawn))
    mean_code = generator.mapping.w_avg.expand(1, generator.num_ws, -1)
    assert torch.equal(networks.mean_face, to_pixels(generator.synthesis(mean_code)))
