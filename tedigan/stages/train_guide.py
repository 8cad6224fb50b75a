"""photographs + attributes -> models/guide: the tagger that steering follows, trained here or adopted."""

from tedigan.models.adopt_annotator import adopt_tagger
from tedigan.params import chosen
from tedigan.training.parser_and_tagger import Settings, train_tagger
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Train on the guide's half of the train split, which the referee never sees; or take a tagger as it is."""
    params, folder = workspace.params.train_guide, workspace.model("guide")
    if params.init is not None:
        adopt_tagger(workspace.given(params.init), folder)
        return Outcome(metrics={"adopted": 1.0})
    config = train_tagger(
        workspace.dataset,
        folder,
        chosen(params, Settings),
        work=workspace.work,
        device=workspace.device,
        half="guide",
        name="train_guide",
        profile_steps=workspace.params.runtime.profile,
    )
    learnt = {name: float(config[name] or 0) for name in ("num_proposed", "mean_f1_of_proposed")}
    return Outcome(metrics=learnt, curves=folder / "log.csv")
