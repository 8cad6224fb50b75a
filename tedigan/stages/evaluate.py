"""networks + test photographs -> results/evaluation: metrics with floors, ceilings and protocols.

metrics.json         every metric: value, n, interval, floor, ceiling, better, protocol
values.json          the values alone, for `dvc metrics`
per_attribute.csv    text fidelity of each attribute
per_prompt.csv       of each prompt, by every way: its mentions, those found, what was found unmentioned, and whom
                     its photograph shows
subjects.json        the captions that were used, in order
*.png                reconstructions (photographs above inversions), texts, variants
"""

from dataclasses import asdict

from tedigan.dataset.folder import Dataset
from tedigan.evaluation.contestants import Networks, gather
from tedigan.evaluation.evaluation_files import plain_name, write_evaluation
from tedigan.evaluation.instruments import open_instruments
from tedigan.evaluation.memorisation import measure_memorisation
from tedigan.evaluation.metric import Instruments
from tedigan.evaluation.protocol import Protocol, measure
from tedigan.extras import require
from tedigan.models.makers import MODELS_OF
from tedigan.models.opening import load_encoder
from tedigan.params import chosen
from tedigan.stages.making_faces import open_makers
from tedigan.store.files import finished_folder
from tedigan.store.model_folders import read_config
from tedigan.workspace import Outcome, Workspace


def check(_workspace: Workspace) -> None:
    """Refuse now what would be found missing after all the trainings."""
    require("lpips", "stlpips_pytorch", "efficientnet_lite_pytorch")


def run(workspace: Workspace) -> Outcome:
    """Measure everything on the test split."""
    return evaluate(workspace, networks_of(workspace))


def networks_of(workspace: Workspace) -> Networks:
    """The workspace's models, at the truncation that is measured; the other way to faces is generate's rival."""
    psi = workspace.params.evaluate.truncation_psi
    makers, _, _ = open_makers(workspace, [*MODELS_OF], truncation_psi=psi)
    maker = makers.pop(workspace.params.generate.way)
    return Networks.of(maker, load_encoder(workspace.model("encoder"), maker.generator), makers)


def evaluate(workspace: Workspace, networks: Networks) -> Outcome:
    """As `run`, of given networks."""
    protocol, folder = chosen(workspace.params.evaluate, Protocol), workspace.result("evaluation")
    tools = instruments_of(workspace)
    people = read_config(workspace.model("referee"))["identity"]
    data = Dataset.open(workspace.dataset)
    subjects = gather(data, networks, **asdict(protocol))
    found = measure(subjects, tools, protocol, people)
    found.metrics.append(measure_memorisation(data, subjects))
    with finished_folder(folder) as fresh:
        names = write_evaluation(fresh, subjects, found)
    measured = {one.name: one.value for one in found.metrics if one.value is not None}
    return Outcome(
        metrics={plain_name(name): value for name, value in measured.items()},
        pictures=[folder / name for name in names],
    )


def instruments_of(workspace: Workspace) -> Instruments:
    """The workspace's referee and grammar, and the packages' networks or the given trunk."""
    params = workspace.params.evaluate
    return open_instruments(
        workspace.model("referee"),
        workspace.grammar,
        lpips_trunk=workspace.at_or_none(params.lpips_trunk),
        device=workspace.device,
        seed=params.seed,
        batch_size=params.batch_size,
    )
