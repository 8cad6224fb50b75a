"""What the showcase is made of: generate's and manipulate's sentences, and models that come along."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tedigan.captions.lists import read_captions, read_edits
from tedigan.generator.engine import Engine
from tedigan.method.edit import Editor
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import FaceMaker, FaceSettings, Start, StartSettings, SteeredText
from tedigan.models.makers import open_face_makers, open_sentence_reader, open_steering
from tedigan.models.ready_made import licence_of
from tedigan.params import chosen
from tedigan.store.files import sha256_file
from tedigan.store.model_folders import LAYERS, model_digests, read_config
from tedigan.workspace import Workspace

HELD = ("generator", "guide", "latent_tagger", "layers")  # in the models' folder


def first_sentences(workspace: Workspace) -> tuple[list[str], list[str]]:
    """The first captions, and the texts of the first edits, each once."""
    params = workspace.params.showcase
    captions = read_captions(workspace.at(workspace.params.generate.captions))
    edits = read_edits(workspace.at(workspace.params.manipulate.edits))
    texts = list(dict.fromkeys(edit.text for edit in edits))
    return captions[: params.max_captions], texts[: params.max_edits]


def open_showcase(workspace: Workspace, models: Path) -> tuple[FaceMaker, Editor, Engine]:
    """The models' face maker with generate's numbers, editor with manipulate's, and the engine that draws.

    Some of these numbers are the showcase's own: they depend on how good models are.

    The workspace reads the sentences. The way is always the search: what moves codes in one pass is trained with
    the workspace's own latent tagger.
    """
    params, device = workspace.params.generate, workspace.device
    edits, own = workspace.params.manipulate, workspace.params.showcase
    faces = chosen(params, SteeringSettings)
    faces = replace(faces, margin=own.margin, weight_distance=own.weight_distance)
    steering = open_steering(models, device, faces)
    place, known = workspace.model("text_mapper"), steering.tagger.names
    read = open_sentence_reader(workspace.grammar, place, device, known=known).reading
    begin = replace(chosen(params, StartSettings), bank_size=own.bank_size)
    start = Start(steering.generator, steering.tagger, begin)
    makers, engine = open_face_makers(
        steering.generator,
        {"search": SteeredText(read, steering, start, params.strength)},
        chosen(params, FaceSettings),
        precision=params.precision,
        compilation=params.compile,
    )
    numbers = replace(
        chosen(edits, SteeringSettings),
        num_search_steps=own.num_search_steps,
        weight_identity=own.weight_identity,
    )
    editing = replace(steering, settings=numbers)
    return makers["search"], Editor(read, editing, edits.region_cells), engine


def recipe_of(workspace: Workspace, models: Path) -> dict[str, Any]:
    """By which numbers and networks, and on which terms these are given."""
    digests = model_digests([*(models / name for name in HELD), workspace.model("text_mapper")])
    return {
        "generate": workspace.params.generate.model_dump(mode="json"),
        "manipulate": workspace.params.manipulate.model_dump(mode="json"),
        "models": digests | {f"layers/{LAYERS}": sha256_file(models / "layers" / LAYERS)},
        "licence": licence_of(read_config(models / "generator")),
    }
