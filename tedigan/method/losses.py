"""The terms that trainings are made of, each a mean over the batch; inversion has its own, one a photograph."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def generator_loss(fake_logits: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """Non-saturating: mean softplus(-D(x^)).    Goodfellow et al., arXiv:1406.2661"""
    return F.softplus(-fake_logits).mean()


def discriminator_loss(
    real_logits: Float[Tensor, " n"], fake_logits: Float[Tensor, " m"]
) -> Float[Tensor, ""]:
    """mean softplus(D(x^)) + mean softplus(-D(x))."""
    return F.softplus(fake_logits).mean() + F.softplus(-real_logits).mean()


def r1_penalty(
    real_logits: Float[Tensor, " n"], real_images: Float[Tensor, "n 3 h w"]
) -> Float[Tensor, ""]:
    """mean_b sum |grad_x D(x)|^2 on photographs; times gamma / 2.    Mescheder et al., arXiv:1801.04406

    real_images must require gradients.
    """
    (gradient,) = torch.autograd.grad(real_logits.sum(), real_images, create_graph=True)
    return gradient.square().sum(dim=[1, 2, 3]).mean()


def pixel_loss(
    images: Float[Tensor, "n 3 h w"], target: Float[Tensor, "n 3 h w"]
) -> Float[Tensor, ""]:
    """mean((x - x^)^2) on images in -1..1."""
    return F.mse_loss(images, target)


def perceptual_loss(
    features: list[Tensor], target: list[Tensor], deviations: list[Tensor] | None = None
) -> Float[Tensor, ""]:
    """Mean over the feature maps of mean |F(x) - F(x^)|, each map scaled by its target's deviation.

    With discriminator features this is feature matching (pix2pixHD, arXiv:1711.11585). deviations: where these are
    a part of a batch, the whole one's.
    """
    scales = [one.detach().std() for one in target] if deviations is None else deviations
    terms = [
        F.l1_loss(ours, theirs) / (scale + 1e-6)
        for ours, theirs, scale in zip(features, target, scales, strict=True)
    ]
    return torch.stack(terms).mean()


def delta_loss(u: Float[Tensor, "n num_ws num_axes"]) -> Float[Tensor, ""]:
    """mean_i (u_i - u_0)^2 over i >= 1: keeps a code near to one w for all layers (e4e, arXiv:2102.02766)."""
    return (u[:, 1:] - u[:, :1]).square().mean()


def latent_loss(
    ws: Float[Tensor, "n num_ws w_dim"],
    target: Float[Tensor, "n num_ws w_dim"],
    layer_weights: Float[Tensor, " num_ws"] | None = None,
) -> Float[Tensor, ""]:
    """sum_i p_i mean((w_i - w'_i)^2): TediGAN's visual-linguistic similarity with p_i = layer_weights.

    layer_weights sum to 1; None weighs all layers alike.
    """
    per_layer = (ws - target).square().mean(dim=[0, 2])
    if layer_weights is None:
        return per_layer.mean()
    return (per_layer * layer_weights).sum()
