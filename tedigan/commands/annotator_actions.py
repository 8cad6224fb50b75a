"""`tedigan dataset train-parser|train-tagger|learn-people`: the models that annotate others' photographs."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

_HELP = {
    "parser": "train the network that makes label maps, on a data set that has them",
    "tagger": "train the network that proposes attributes, on a data set that has them",
}


def add_actions(actions: Any) -> None:
    """Both trainings, with the same options, and what a finished tagger may learn afterwards."""
    for name, summary in _HELP.items():
        one = actions.add_parser(f"train-{name}", help=summary, description=summary)
        one.add_argument("dataset", type=Path, metavar="DATASET", help="a finished data set")
        one.add_argument("folder", type=Path, metavar="FOLDER", help="the model folder to write")
        for option, meaning in (
            ("steps", "optimiser steps"),
            ("batch-size", "photographs in a step"),
            ("channels", "of the first layers"),
            ("input-px", "the side in which it looks at faces; a data set's own, 128 at most"),
            ("seed", "another gives another network"),
        ):
            one.add_argument(f"--{option}", type=int, metavar="N", help=meaning)
        one.add_argument("--learning-rate", type=float, metavar="X")
        if name == "parser":
            one.add_argument(
                "--examine",
                type=Path,
                metavar="DATASET",
                help="another data set with label maps; its card says how far the parser agrees with them",
            )
            one.add_argument(
                "--wardrobe",
                type=Path,
                metavar="DATASET",
                help="drawn faces: teach glasses, hats and jewellery by them and by the attributes",
            )
            one.add_argument("--start", type=Path, metavar="FOLDER", help="a parser to go on from")
        one.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
        one.add_argument(
            "--work", type=Path, default=Path(".work"), help="where checkpoints lie (%(default)s)"
        )
        one.set_defaults(run=_train, model=name)
    summary = "add to a finished tagger who is who, of the people that a data set shows twice"
    people = actions.add_parser("learn-people", help=summary, description=summary)
    people.add_argument("dataset", type=Path, metavar="DATASET", help="that it was trained on")
    people.add_argument("folder", type=Path, metavar="FOLDER", help="the tagger's, written anew")
    people.add_argument(
        "--half",
        default="guide",
        choices=["guide", "referee"],
        help="the half of train that it was trained on (%(default)s)",
    )
    people.set_defaults(run=_learn_people)


def _train(arguments: argparse.Namespace) -> int:
    from tedigan.tensors import choose_device
    from tedigan.training import parser_and_tagger as train_annotators

    trainings: dict[str, tuple[Callable[..., dict[str, Any]], Any]] = {
        "parser": (train_annotators.train_parser, train_annotators.PARSER_SETTINGS),
        "tagger": (train_annotators.train_tagger, train_annotators.TAGGER_SETTINGS),
    }
    train, settings = trainings[arguments.model]
    of_parser = ("examine", "wardrobe", "start") if arguments.model == "parser" else ()
    places = {name: getattr(arguments, name) for name in of_parser}
    places = {"examined_on" if name == "examine" else name: places[name] for name in places}
    config = train(
        arguments.dataset,
        arguments.folder,
        settings.changed(**_given(arguments)),
        work=arguments.work,
        device=choose_device(arguments.device),
        **places,
    )
    for quality in ("mean_iou", "num_proposed", "mean_f1_of_proposed"):
        if config.get(quality) is not None:
            print(f"{quality} = {config[quality]:.6g}")
    print(f"{arguments.folder}: finished; its README.md says more")
    return 0


def _learn_people(arguments: argparse.Namespace) -> int:
    from tedigan.training.learn_people import add_people

    config = add_people(arguments.dataset, arguments.folder, half=arguments.half)
    print(f"val_auroc = {config['identity']['val_auroc']}")
    print(f"{arguments.folder}: finished; its README.md says more")
    return 0


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that the command line changes."""
    wanted = {
        "num_steps": arguments.steps,
        "batch_size": arguments.batch_size,
        "base_channels": arguments.channels,
        "input_px": arguments.input_px,
        "seed": arguments.seed,
        "learning_rate": arguments.learning_rate,
    }
    return {name: value for name, value in wanted.items() if value is not None}
