"""grammar + latent tagger -> models/text_mapper: open wording into wishes, and wishes into shifts of codes."""

from dataclasses import replace
from typing import Any

from tedigan.captions.grammar_files import load_grammar
from tedigan.dataset.folder import Dataset
from tedigan.encoders.text_mapper import TextReader, TextReaderConfig
from tedigan.method.steering import SteeringSettings
from tedigan.models.cards import text_mapper_card
from tedigan.models.makers import open_steering
from tedigan.models.opening import load_reader_backbone, load_text_reader
from tedigan.params import chosen
from tedigan.stages.resuming import close_loop, open_loop
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.model_folders import freeze, save_model
from tedigan.training import text_mapper_trainer as training
from tedigan.training_sections import TrainTextMapper
from tedigan.workspace import Outcome, Workspace

NUM_COMPARED = 256  # codes


def run(workspace: Workspace) -> Outcome:
    """Adopt or teach a reader, teach a mover by what the search minimises, and compare it with the search."""
    params, device = workspace.params.train_text_mapper, workspace.device
    data = Dataset.open(workspace.dataset)
    steering = open_steering(workspace.models, device, chosen(params, SteeringSettings))
    mover = training.new_mover(steering, hidden_dim=params.mover_dim, seed=params.seed)
    moving = training.MoverTrainer(mover, steering, _settings(params, "mover"))
    trainers: list[training.Trainer] = [moving]
    if params.reader is not None:
        reader = load_text_reader(workspace.given(params.reader), device)
    else:
        reader, lessons = _reader(workspace)
        trainers = [training.ReaderTrainer(reader, lessons, _settings(params, "reader")), moving]
    inputs = [workspace.dataset, *map(workspace.model, ("generator", "latent_tagger", "layers"))]
    loop = open_loop(workspace, "train_text_mapper", inputs)
    training.run_in_turn(loop, trainers, seed=params.seed)
    freeze(reader, device)
    freeze(mover, device)
    with finished_folder(workspace.model("text_mapper")) as folder:
        config: dict[str, Any] = {
            "architecture": "text_mapper",
            "reader": reader.config.to_json(),
            "mover": mover.config.to_json(),
            "latent_tagger_sha256": sha256_file(
                workspace.model("latent_tagger") / "latent_tagger.safetensors"
            ),
            "licence": data.licence,
            "training": params.model_dump(mode="json", exclude={"checkpoint_every"}),
        }
        networks = {"text_reader": reader, "mover": mover}
        loop.write_log(folder / "log.csv")
        save_model(folder, networks, config, text_mapper_card(config))
    measured = training.compare_with_search(
        mover, steering, num_codes=NUM_COMPARED, seed=params.seed
    )
    return close_loop(loop, workspace.model("text_mapper"), measured)


def _reader(workspace: Workspace) -> tuple[TextReader, training.Lessons]:
    """A new reader of the attributes of the data set's grammar, and what it is to learn."""
    params, device = workspace.params.train_text_mapper, workspace.device
    grammar = load_grammar(workspace.grammar)
    sentences = training.draw_sentences(
        grammar, num_sentences=params.num_sentences, seed=params.seed
    )
    names, depth = training.names_of(grammar), params.num_backbone_layers
    config = TextReaderConfig(params.backbone, depth, 0, params.reader_dim, params.threshold, names)
    backbone = load_reader_backbone(config, device)
    config = replace(config, embedding_dim=backbone.dim)
    lessons = training.Lessons.of(sentences, backbone, names)
    return training.new_reader(config, device, seed=params.seed), lessons


def _settings(params: TrainTextMapper, part: str) -> training.TrainingSettings:
    names = ("batch_size", "learning_rate")
    values = {name: getattr(params, f"{part}_{name}") for name in names}
    return training.TrainingSettings(getattr(params, f"num_{part}_steps"), **values)
