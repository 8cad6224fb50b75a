"""networks + test drawings -> results/sources: do faces of drawings keep structure, and say their sentence?"""

from tedigan.annotators.parser import load_parser
from tedigan.annotators.referee import load_referee
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.dataset.folder import Dataset
from tedigan.encoders.modalities import Drawing
from tedigan.evaluation.drawn_faces import Artist, SourcesProtocol
from tedigan.evaluation.drawn_score import score_faces, write_scores
from tedigan.evaluation.evaluation_files import plain_name
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import StartSettings
from tedigan.models.makers import open_composer
from tedigan.params import chosen
from tedigan.store.files import finished_folder
from tedigan.training.drawing_lessons import Draw, labels_by, sketches_of
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Measure every way on the first test drawings; without a parser label maps are left out."""
    params, numbers = workspace.params.evaluate_sources, workspace.params.generate
    draws: dict[Drawing, Draw] = {"sketch": sketches_of}
    if params.parser is not None:
        parser = load_parser(str(workspace.given(params.parser)), workspace.device)
        draws["label"] = labels_by(parser)
    composer, reader = open_composer(
        workspace.models,
        workspace.grammar,
        workspace.device,
        chosen(numbers, StartSettings),
        chosen(numbers, SteeringSettings),
    )
    artist = Artist(composer, reader, draws, chosen(params, SourcesProtocol))
    found = artist.faces(Dataset.open(workspace.dataset))
    referee = load_referee(workspace.model("referee"), workspace.device)
    read = Reader(load_grammar(workspace.grammar)).read
    metrics, rows = score_faces(found, draws, referee, read, seed=params.seed)
    folder = workspace.result("sources")
    with finished_folder(folder) as fresh:
        names = write_scores(fresh, found, metrics, rows)
    told = {plain_name(one.name): one.value for one in metrics if one.value is not None}
    return Outcome(metrics=told, pictures=[folder / name for name in names])
