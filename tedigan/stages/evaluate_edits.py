"""networks + test photographs -> results/edits: attributes turned over, judged beside rivals; and inversions.

The files are those of `tedigan.evaluation.edit_files`. The numbers of the inversion and of the steering are
manipulate's; layers are not tuned to a photograph.
"""

from tedigan.dataset.folder import Dataset
from tedigan.evaluation.contestants import choose_test_photographs
from tedigan.evaluation.edit_faces import EditNetworks, EditProtocol, attributes_to_edit, draw_edits
from tedigan.evaluation.edit_files import headline, write_edits
from tedigan.evaluation.edit_judges import gather_judges
from tedigan.evaluation.edit_report import measure_edits
from tedigan.evaluation.edits import EditJudges
from tedigan.evaluation.instruments import open_distance
from tedigan.evaluation.inversion_table import measure_inversions, there_and_back
from tedigan.extras import require
from tedigan.generator.stylegan import Generator
from tedigan.method.linear_directions import fit_linear_directions
from tedigan.method.text_to_face import random_ws
from tedigan.params import chosen
from tedigan.stages.making_edits import open_editor
from tedigan.store.files import finished_folder
from tedigan.workspace import Outcome, Workspace


def check(_workspace: Workspace) -> None:
    """Refuse now what would be found missing after all the trainings."""
    require("lpips", "stlpips_pytorch", "efficientnet_lite_pytorch")


def run(workspace: Workspace) -> Outcome:
    """Edit test photographs by every way, judge the edits, and measure the inversions."""
    params, folder = workspace.params.evaluate_edits, workspace.result("edits")
    (inverter, editor), data = open_editor(workspace), Dataset.open(workspace.dataset)
    generator, steering = inverter.generator, editor.steering
    linear = fit_linear_directions(generator, steering.tagger, steering.settings)
    networks = EditNetworks.of(inverter, editor, linear)
    judges = judges_of(workspace, data, networks, generator)
    attributes = attributes_to_edit(params.attributes, networks.names, judges.referee)
    ids = choose_test_photographs(data, params.num_photographs, seed=params.seed)
    photographs, protocol = data.pixels(ids), chosen(params, EditProtocol)
    edits = draw_edits(photographs, networks, judges.referee, attributes, protocol)
    report = measure_edits(edits, judges)
    inversions = measure_inversions(
        photographs,
        inverter,
        workspace.at_or_none(params.published_encoder),
        open_distance(
            workspace.at_or_none(workspace.params.evaluate.lpips_trunk), workspace.device
        ),
        judges.same_person,
        there_and_back(linear, attributes[0]),
        batch_size=params.batch_size,
    )
    with finished_folder(folder) as fresh:
        sheets = write_edits(fresh, ids, edits, report, inversions)
    return Outcome(headline(report, inversions), pictures=[folder / name for name in sheets])


def judges_of(
    workspace: Workspace, data: Dataset, networks: EditNetworks, generator: Generator
) -> EditJudges:
    """The referee, who says who it is, the parser, and what faces without a text look like."""
    params, psi = workspace.params.evaluate_edits, workspace.params.evaluate.truncation_psi
    return gather_judges(
        data,
        networks,
        random_ws(generator, range(params.num_faces), seed=params.seed, truncation_psi=psi),
        workspace.model("referee"),
        descriptor=params.descriptor,
        parser=None if params.parser is None else workspace.given(params.parser),
        batch_size=params.batch_size,
        seed=params.seed,
    )
