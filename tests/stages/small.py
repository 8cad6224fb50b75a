"""Params small enough that every stage of the lifecycle trains for real in seconds."""

from pathlib import Path

import torch

from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig
from tedigan.encoders.latent_tagger import LatentTagger, LatentTaggerConfig
from tedigan.encoders.text import TextEncoder
from tedigan.encoders.text_mapper import Mover, MoverConfig
from tedigan.encoders.visual import Paint, VisualEncoder, w_statistics
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.generator.whitening import Whitening, whitening_of
from tedigan.method.layer_analysis import LayerTable
from tedigan.models.layers import save_layers
from tedigan.models.opening import load_text_reader
from tedigan.store.model_folders import save_model, save_tensors
from tedigan.tensors import stream
from tedigan.workspace import Workspace
from tests.stages.toy import ROOT, SIZE, toy_workspace

DRAWING = {
    "head_dim": 16,
    "num_pairs": 32,
    "drawer": None,
    "num_drawer_steps": 2,
    "drawer_channels": 2,
    "num_fit_steps": 2,
    "num_synthetic_steps": 2,
    "num_steps": 2,
    "batch_size": 4,
    "checkpoint_every": 2,
}
SMALL: dict[str, dict[str, object]] = {
    "train_generator": {
        "init": None,
        "total_nimg": 32,
        "z_dim": 16,
        "w_dim": 16,
        "num_mapping_layers": 2,
        "channel_base": 128,
        "channel_max": 8,
        "batch_size": 4,
        "checkpoint_every": 2,
    },
    "train_encoder": {
        "head_dim": 16,
        "num_synthetic_steps": 3,
        "num_steps": 3,
        "batch_size": 4,
        "checkpoint_every": 2,
    },
    "invert": {"batch_size": 16},
    "train_sketch_encoder": DRAWING,
    "train_label_encoder": DRAWING | {"parser": None},
    "train_text_encoder": {
        "hidden_dim": 16,
        "captions_per_image": 1,
        "num_steps": 10,
        "batch_size": 8,
        "checkpoint_every": 4,
    },
    "train_guide": {
        "init": None,
        "base_channels": 4,
        "num_steps": 6,
        "batch_size": 8,
        "checkpoint_every": 3,
    },
    "train_latent_tagger": {
        "num_pairs": 64,
        "pairs_batch_size": 8,
        "hidden_dim": 16,
        "num_steps": 6,
        "batch_size": 8,
        "checkpoint_every": 4,
    },
    "analyse_layers": {"num_faces": 3, "num_search_steps": 4},
    "train_text_mapper": {
        "reader": None,
        "num_backbone_layers": 1,
        "reader_dim": 16,
        "num_sentences": 40,
        "num_reader_steps": 4,
        "reader_batch_size": 8,
        "mover_dim": 16,
        "num_mover_steps": 4,
        "mover_batch_size": 8,
        "num_search_steps": 4,
        "checkpoint_every": 3,
    },
    "evaluate_edits": {
        "num_photographs": 3,
        "num_strips": 4,
        "strengths": [-1, 0, 1],
        "num_faces": 8,
        "batch_size": 4,
    },
    "evaluate_sources": {
        "num_drawings": 2,
        "num_candidates": 5,
        "parser": str(ROOT / "assets/parser-drawn-64"),
    },
    "generate": {
        "captions": "captions.txt",
        "faces_per_caption": 2,
        "batch_size": 4,
        "bank_size": 64,
        "bank_best": 8,
        "noise_variants": 1,
        "num_search_steps": 8,
    },
    "compose": {"sources": "sources.csv", "faces_per_row": 3, "batch_size": 2},
    "manipulate": {
        "edits": "edits.csv",
        "max_photographs": 2,
        "num_steps": 2,
        "batch_size": 2,
        "strip": [-1, 1],
        "num_search_steps": 8,
        "num_picture_steps": 1,
    },
    "showcase": {
        "models": None,
        "max_captions": 1,
        "faces_per_caption": 2,
        "num_faces": 2,
        "strengths": [-1, 0, 1],
        "bank_size": 64,
        "weight_identity": 0.0,
    },
}


def small_workspace(root: Path, **sections: dict[str, object]) -> Workspace:
    """40 toy photographs, two captions, one edit for each photograph."""
    (root / "captions.txt").write_text("She is young.\nThe man has a beard.\n")
    (root / "edits.csv").write_text("photograph,text\n*,She has blond hair.\n")
    (root / "sources.csv").write_text("text,sketch,label,n\n,test:0,,\nShe is young.,,test:1,1\n")
    merged = {name: SMALL.get(name, {}) | sections.get(name, {}) for name in {**SMALL, **sections}}
    return toy_workspace(root, num_images=40, **merged)


CONFIG = GeneratorConfig(
    SIZE, z_dim=16, w_dim=16, num_mapping_layers=2, channel_base=128, channel_max=8
)
TEXT_LAYERS = [0, 1, 2, 5]
NAMES = ("Blond_Hair", "Male", "No_Beard", "Smiling", "Young")  # that the guide knows


def write_models(workspace: Workspace, names: tuple[str, ...] = NAMES, *, seed: int = 0) -> None:
    """Untrained networks in the place of trained ones; captions speak of, and attributes act on, TEXT_LAYERS.

    names: of the attributes that the guide knows.
    """
    torch.manual_seed(seed)
    generator, discriminator = Generator(CONFIG), Discriminator(CONFIG)
    mean, std = w_statistics(generator, stream("w"), num_samples=256)
    generator.mapping.w_avg.copy_(mean)
    networks = {"G_ema": generator, "G": generator, "D": discriminator}
    save_model(workspace.model("generator"), networks, CONFIG.to_json() | {"training": {}}, "")

    whitening = whitening_of(generator, stream("whitening"), num_samples=256)
    sizes = {"head_dim": 16, "num_axes": whitening.num_axes, "num_passes": 1}
    encoder = VisualEncoder(CONFIG, **sizes)
    encoder.start_from(discriminator, whitening, mean, std)
    torch.nn.init.normal_(encoder.out.weight)
    about = {"architecture": "visual_encoder", "generator": CONFIG.to_json(), **sizes}
    save_model(workspace.model("encoder"), {"encoder": encoder}, about, "")

    sizes = {"embedding_dim": 384, "hidden_dim": 16, "num_ws": CONFIG.num_ws, "w_dim": CONFIG.w_dim}
    text_encoder = TextEncoder(*sizes.values())
    text_encoder.ws_mean.copy_(mean + 0.1)
    text_encoder.ws_std.copy_(std * torch.linspace(0.5, 2, CONFIG.num_ws)[:, None])
    about = {"architecture": "text_encoder", "backbone": "all-MiniLM-L6-v2", **sizes}
    about |= {"text_layers": TEXT_LAYERS}
    save_model(workspace.model("text_encoder"), {"text_encoder": text_encoder}, about, "")
    _write_steering(workspace, whitening, names)

    for kind, channels in (("sketch", 1), ("label", 19)):
        sizes = {"head_dim": 16, "num_axes": whitening.num_axes, "input_channels": channels}
        drawing = VisualEncoder(CONFIG, **sizes)
        paint = Paint(torch.full((channels, 3), 0.5), 0.0)
        drawing.start_from(discriminator, whitening, mean, std, paint=paint)
        torch.nn.init.normal_(drawing.out.weight)
        about = drawing.to_json() | {"layers": [0, 1, 2]}
        save_model(workspace.model(f"{kind}_encoder"), {"encoder": drawing}, about, "")


def _write_steering(workspace: Workspace, whitening: Whitening, names: tuple[str, ...]) -> None:
    guide = FaceTagger(TaggerConfig(SIZE, 4, names)).eval()
    quality = {"threshold": 0.0, "f1": 0.9, "floor": 0.5, "is_proposed": True}
    about = guide.config.to_json() | {"attributes": dict.fromkeys(names, quality)}
    save_model(workspace.model("guide"), {"tagger": guide}, about, "")

    sizes = (CONFIG.num_ws, CONFIG.w_dim, whitening.num_axes, 16, 2)
    tagger = LatentTagger(LatentTaggerConfig(*sizes, names))
    tagger.whitening.load_state_dict(whitening.state_dict())
    for member in tagger.members:
        torch.nn.init.normal_(member.linear.weight, std=0.1)
    config = tagger.config.to_json()
    save_model(workspace.model("latent_tagger"), {"latent_tagger": tagger}, config, "")

    mover = Mover(MoverConfig(CONFIG.num_ws, whitening.num_axes, 16, names))
    torch.nn.init.normal_(mover.straight.weight, std=0.1)
    reader = load_text_reader(ROOT / "assets/text-reader", torch.device("cpu"))
    parts = {"reader": reader.config.to_json(), "mover": mover.config.to_json()}
    networks = {"text_reader": reader, "mover": mover}
    about = {"architecture": "text_mapper", **parts}
    save_model(workspace.model("text_mapper"), networks, about, "")

    acts = torch.zeros(len(names), CONFIG.num_ws)
    acts[:, TEXT_LAYERS] = 1
    table = LayerTable(names, acts, acts, acts, acts)
    save_layers(workspace.model("layers"), table, num_faces=2)


def write_codes(workspace: Workspace) -> None:
    """Drawn codes in the place of inverted ones."""
    ws = torch.randn(40, CONFIG.num_ws, CONFIG.w_dim, generator=stream("codes"))
    save_tensors(workspace.codes / "codes.safetensors", {"ids": torch.arange(40), "ws": ws})
