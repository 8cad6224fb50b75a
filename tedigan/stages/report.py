"""results + models + data -> results/report (summary.json and its pictures), and the page results/report.html.

summary.json is a function of the other stages' outputs alone. The page adds what names the runs (Prefect and
MLflow ids, times, dvc.lock), so it lies beside the tracked folder, and `render_page` writes it anew whenever it
is called.
"""

from pathlib import Path

from tedigan.report.report_page import report_page
from tedigan.report.summary import Sources, read_summary, write_summary
from tedigan.stages import STAGES
from tedigan.store.files import finished_folder, write_text
from tedigan.store.report_inputs import last_runs, locked_outputs
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Write the summary and its pictures, then the page."""
    params, folder = workspace.params.report, workspace.result("report")
    sources = Sources(
        dataset=workspace.dataset,
        models=workspace.models,
        evaluation=workspace.result("evaluation"),
        edits=workspace.result("edits"),
        generated=workspace.result("generated"),
        manipulated=workspace.result("manipulated"),
        showcase=workspace.result("showcase"),
        composed=workspace.result("composed"),
        sources=workspace.result("sources"),
    )
    with finished_folder(folder) as fresh:
        summary = write_summary(
            fresh, sources, title=params.title, max_examples=params.max_examples
        )
    counts = {f"num_{name}": float(len(summary[name])) for name in ("texts", "edits", "metrics")}
    return Outcome(metrics=counts, pictures=[render_page(workspace)])


def render_page(workspace: Workspace) -> Path:
    """Write results/report.html from the summary and the run records; returns its path."""
    folder = workspace.result("report")
    summary, shown = read_summary(folder)
    records = last_runs(workspace.work, list(STAGES))
    place = folder.with_suffix(".html")
    write_text(place, report_page(summary, shown, records, locked_outputs(workspace.root)))
    return place
