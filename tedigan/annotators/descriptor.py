"""Who is it? The face descriptor of dlib, which nothing here trains and no training sees.

Two descriptors nearer than `SAME_PERSON` are of one person, says its author. It was made for faces that dlib
itself cuts out; the faces here are aligned already, so one cut serves all, and a face that dlib's detector does
not find is described as well. Measured on 420 photographs of 141 people (CelebA-HQ, val, 408 pairs of one person):
AUROC 0.9886 where dlib cuts each out at 256 px, 0.9884 with the one cut, 0.9869 with it at 64 px.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tedigan.errors import WeightsError
from tedigan.store.packaged_weights import DLIB_DESCRIPTOR, packaged_file
from tedigan.tensors import to_pixels

NAME = "dlib_resnet_v1"
SAME_PERSON = 0.6
# Where dlib cuts: the medians over those photographs, in shares of the side.
CENTRE_X, CENTRE_Y, SIDE = 0.504, 0.613, 0.691
CUT_PX = 150


@dataclass(frozen=True)
class FaceDescriptor:
    """network: dlib's, which takes the cut and answers with 128 numbers."""

    network: Any

    @property
    def name(self) -> str:
        """Goes into the metric's name."""
        return NAME

    def __call__(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 128"]:
        """Descriptors of aligned faces of any size, in -1..1; on the CPU, about 60 ms a face."""
        if not len(images):
            return torch.zeros(0, 128)
        cuts = to_pixels(_cut(images.cpu())).permute(0, 2, 3, 1)
        faces = [np.ascontiguousarray(one.numpy()) for one in cuts]
        return torch.tensor([list(one) for one in self.network.compute_face_descriptor(faces)])


def load_descriptor() -> FaceDescriptor:
    """dlib's network with the weights of face-recognition-models; a WeightsError says how to get them."""
    path = packaged_file(DLIB_DESCRIPTOR)
    try:
        dlib = importlib.import_module("dlib")
    except ImportError as error:
        raise WeightsError(
            f"the face descriptor needs the package dlib-bin, which is not usable here ({error}). Run "
            "`pip install 'tedigan[align]'`."
        ) from error
    return FaceDescriptor(dlib.face_recognition_model_v1(str(path)))


def _cut(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 150 150"]:
    """The one square; what it takes from beyond the picture is the picture's edge."""
    theta = torch.tensor([[SIDE, 0, 2 * CENTRE_X - 1], [0, SIDE, 2 * CENTRE_Y - 1]])
    size = [len(images), 3, CUT_PX, CUT_PX]
    where = F.affine_grid(theta.expand(len(images), -1, -1), size, align_corners=False)
    return F.grid_sample(
        _no_finer(images), where, mode="bilinear", padding_mode="border", align_corners=False
    )


def _no_finer(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h2 w2"]:
    """Made smaller where the square is finer than the cut, so that no pixel is passed over."""
    side = min(images.shape[-1], round(CUT_PX / SIDE))
    return F.interpolate(images, (side, side), mode="bilinear", antialias=True, align_corners=False)
