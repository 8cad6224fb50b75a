"""G + D training at 64 px by one process and by two, on two cores: `python -m benchmarks.two_processes`.

One process with two threads, as the stage runs today; two processes with a thread each, which share a batch by
gloo; and one with a thread, of which two would be twice as quick if nothing were exchanged. In turn, each in
processes of its own; the networks are those of params.yaml, without the discriminator on ImageNet features.
"""

import argparse
import itertools
import os
from contextlib import nullcontext

import torch

from benchmarks.pairing import Cell, ratio, run_in_turn, save, table
from benchmarks.timing import measure, say
from tedigan.draws import integers
from tedigan.params import chosen, read_params
from tedigan.provenance import CHECKOUT
from tedigan.tensors import stream, to_images
from tedigan.training import ranks
from tedigan.training.adversarial import AdversarialSettings
from tedigan.training.generator_start import GeneratorSize, start_training

SIZE = 64
TORCHRUN = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]


def main() -> None:
    """Measure, print the table, write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=16)
    parser.add_argument("--threads", type=int, help="of a worker, which this process then is")
    given = parser.parse_args()
    if given.threads:
        with ranks.joined(on_gpu=False) if ranks.is_started() else nullcontext():
            _work(given)
        return
    sizes = [f"--batch={given.batch}", f"--repeats={given.repeats}"]
    worker = ["benchmarks.two_processes", *sizes]
    cells = [
        Cell("1 process, 2 threads", [*worker, "--threads=2"]),
        Cell("2 processes, 1 thread each", [*TORCHRUN, *worker, "--threads=1"]),
        Cell("1 process, 1 thread", [*worker, "--threads=1"]),
    ]
    run_in_turn(cells, rounds=given.rounds)
    rows = [
        [one.name, f"{one.rate:.1f}", "{:.2f} [{:.2f}-{:.2f}]".format(*ratio(one, cells[0]))]
        for one in cells
    ]
    columns = [f"{SIZE} px, batch {given.batch}", "images/s", "x 1 process, 2 threads"]
    text = table(columns, rows) + f"\n\nload at the end: {os.getloadavg()[0]:.1f}"
    print(text)
    print(f"\n{save('ranks-64', cells, text)}")


def _work(given: argparse.Namespace) -> None:
    torch.set_num_threads(given.threads)
    params = read_params(CHECKOUT / "params.yaml").train_generator
    section = params.model_copy(update={"feature_weight": 0.0})
    trainer = start_training(
        None,
        SIZE,
        chosen(section, GeneratorSize),
        chosen(section, AdversarialSettings),
        seed=0,
        device=torch.device("cpu"),
    )
    pixels = torch.randint(256, (256, 3, SIZE, SIZE), generator=stream("photographs"))
    steps = itertools.count()

    def step() -> None:
        index = next(steps)
        rng = ranks.shared_stream(0, "ranks", index)
        rows = integers(rng, 0, len(pixels), ranks.share(given.batch))
        trainer.step(to_images(pixels[rows].to(torch.uint8)), rng, index=index)

    taken = measure(step, repeats=given.repeats, warm_up=2)
    if ranks.is_first():
        say({"images": given.batch, **taken})


if __name__ == "__main__":
    main()
