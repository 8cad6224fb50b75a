"""`tedigan survey`: people choose between methods' faces on one page, and their answers become a table."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """make and read."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser("make", help="write the page for people, and the key that stays here")
    make.add_argument("protocol", type=Path, help="of `tedigan compare plan`")
    make.add_argument("folder", type=Path, help="for survey.html and key.json")
    make.add_argument("methods", nargs="+", metavar="NAME=FOLDER", help="pictures named by prompt")
    make.add_argument(
        "--questions",
        type=int,
        default=30,
        metavar="N",
        help="prompts, each asked for both (%(default)s)",
    )
    make.add_argument(
        "--at-once", type=int, metavar="N", help="faces of one question, else all methods'"
    )
    make.add_argument("--seed", type=int, default=1, metavar="N", help="(%(default)s)")
    read = actions.add_parser("read", help="what people's files of answers say")
    read.add_argument("survey", type=Path, help="the folder that `make` wrote")
    read.add_argument("answers", type=Path, nargs="+", help="files that people saved")
    read.add_argument("--out", type=Path, metavar="FOLDER", help="for the tables as files")
    for one, do in ((make, _make), (read, _read)):
        one.set_defaults(do=do)


def run(arguments: argparse.Namespace) -> int:
    """The chosen action's exit status."""
    status: int = arguments.do(arguments)
    return status


def _make(arguments: argparse.Namespace) -> int:
    from tedigan.commands.compare_command import named_folders
    from tedigan.comparison.comparing import open_methods
    from tedigan.comparison.comparison_protocol import ComparisonProtocol
    from tedigan.comparison.survey_folder import KEY, PAGE, make_survey
    from tedigan.report.survey_page import survey_page
    from tedigan.store.files import finished_folder, write_text

    protocol = ComparisonProtocol.read(arguments.protocol)
    methods = open_methods(named_folders(arguments.methods), protocol)
    survey, shown = make_survey(
        protocol,
        methods,
        num_asked=arguments.questions,
        num_shown=len(methods) if arguments.at_once is None else arguments.at_once,
        seed=arguments.seed,
    )
    with finished_folder(arguments.folder) as fresh:
        write_text(fresh / PAGE, survey_page(**shown))
        survey.write(fresh / KEY)
    print(
        f"{arguments.folder / PAGE}: {survey.tag}, {len(survey.questions)} questions; give it to people"
    )
    print(f"{arguments.folder / KEY}: which method stands where; keep it")
    return 0


def _read(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.status import aligned
    from tedigan.comparison.survey_answers import read_answers
    from tedigan.comparison.survey_figures import figures, people_table
    from tedigan.comparison.survey_folder import Survey
    from tedigan.evaluation.evaluation_files import write_rows
    from tedigan.store.files import finished_folder

    survey = Survey.read(arguments.survey)
    people = read_answers(survey, arguments.answers)
    tables = figures(survey, people) | {"people": people_table(people)}
    for rows in tables.values():
        cells = [[*rows[0]], *([_cell(one) for one in row.values()] for row in rows)]
        print("\n".join(aligned(cells)) + "\n")
    if arguments.out is not None:
        with finished_folder(arguments.out) as fresh:
            survey.write(fresh / "key.json")
            for name, rows in tables.items():
                write_rows(fresh / f"{name}.csv", rows)
        print(arguments.out)
    return 0


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
