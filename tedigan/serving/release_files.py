"""Which of a workspace's files are a release."""

from pathlib import Path

from tedigan.errors import DataError
from tedigan.models.makers import COMPOSED, MODELS_OF
from tedigan.releases.release import EDITS, EVALUATION, MODELS
from tedigan.workspace import Workspace

# Numbers and tables; pictures of people stay where they are.
KEPT = {
    EVALUATION: ("metrics.json", "per_attribute.csv", "per_prompt.csv", "subjects.json"),
    EDITS: ("metrics.json", "per_attribute.csv", "per_edit.csv", "inversions.csv"),
}
# Stages whose results a release holds; it is made when all of them are true.
STAGES_OF_RELEASE = (
    "dataset", "train_generator", "train_encoder", "train_sketch_encoder", "train_label_encoder",
    "train_text_encoder", "train_guide", "train_latent_tagger", "analyse_layers", "train_text_mapper",
    "train_referee", "evaluate", "evaluate_edits",
)  # fmt: skip


def files_of(workspace: Workspace) -> dict[str, Path]:
    """Path in the release -> file. A DataError for a workspace in which something is not made yet."""
    names = sorted({*COMPOSED, *(one for way in MODELS_OF.values() for one in way), "referee"})
    folders = [(f"{MODELS}/{name}", workspace.model(name)) for name in names]
    results = [
        (f"{part}/{name}", workspace.result(part) / name)
        for part, kept in KEPT.items()
        for name in kept
    ]
    alone = {
        "dataset/dataset.json": workspace.dataset / "dataset.json",
        "dataset/grammar.yaml": workspace.grammar,
        "params.yaml": workspace.root / "params.yaml",
        "code.lock": workspace.code_lock,
        "dvc.lock": workspace.root / "dvc.lock",
    }
    files = {
        f"{name}/{path.relative_to(folder).as_posix()}": path
        for name, folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    lacking = [folder for _, folder in folders if not folder.is_dir()]
    lacking += [path for _, path in [*results, *alone.items()] if not path.is_file()]
    if lacking:
        raise DataError(
            f"{lacking[0]} does not exist, expected all that a release holds. Run the lifecycle there first: "
            "`python -m flows.lifecycle`."
        )
    return files | dict(results) | alone
