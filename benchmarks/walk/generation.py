"""Generation that goes on through all of a walk: one plan of one release, drawn again and again."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.walk.platform import INSIDE, Platform, WalkError, wait

ASKED = "--yes --faces-per-prompt 20 --images-per-shard 20 --sample 32 --seed 11"
NICENESS = 19  # the walk's own commands go first
TRIES = 50


@dataclass
class Generation:
    """Each job is the same plan, in a place of its own. roots: of those that were sealed; tries: of commands."""

    platform: Platform
    release: str
    roots: list[str] = field(default_factory=list)
    tries: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    def draw(self, number: int) -> str:
        """Plan, draw and seal a job; what fails meanwhile is asked again. The root."""
        place = f"s3://tedigan/walk/{number}"
        plan = f"tedigan jobs plan prompts/captions.txt {place} --release {self.release} {ASKED}"
        job = re.findall(rf"{place}/[0-9a-f]+", self._insist(plan))[-1]
        self._insist(f"tedigan jobs run {job}")
        return re.findall(r"\b[0-9a-f]{64}\b", self._insist(f"tedigan jobs seal {job}"))[-1]

    @contextmanager
    def beside(self) -> Iterator["Generation"]:
        """One job after another while the block runs; the last one is finished."""
        thread = threading.Thread(target=self._go_on)
        thread.start()
        try:
            yield self
        finally:
            self.is_over.set()
            thread.join()

    def check(self) -> str:
        """What came of all jobs; a WalkError where two differ."""
        if len(set(self.roots)) != 1:
            raise WalkError(f"{len(self.roots)} jobs have {len(set(self.roots))} roots")
        return f"{len(self.roots)} jobs of one plan, {self.tries} commands, one root {self.roots[0][:16]}"

    def _go_on(self) -> None:
        while not self.is_over.is_set():
            self.roots.append(self.draw(len(self.roots)))

    def _insist(self, command: str) -> str:
        for _ in range(TRIES):
            self.tries += 1
            done = self.platform.quietly(f"{INSIDE} {command}", niceness=NICENESS)
            if done.returncode == 0:
                return done.stdout
            self.is_over.wait(5)
        raise WalkError(f"`{command}` failed {TRIES} times: {(done.stderr or done.stdout)[-500:]}")


def going(generation: Generation) -> str:
    """That at least one job was sealed since."""
    before = len(generation.roots)
    wait(lambda: len(generation.roots) > before, 900, "a job that is sealed")
    return generation.check()
