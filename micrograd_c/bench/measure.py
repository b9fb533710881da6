"""Times several programs A B C A B C ... in one process, so that whatever slows the machine down slows all of them.

Knows nothing of what it times. Each side's first run comes earlier, when its results are checked. A second one here
tells how often the side can be timed in the time it has; it is not counted either, unless that is hardly ever.
"""

from __future__ import annotations

import contextlib
import gc
import math
import statistics
import time
from dataclasses import dataclass

from micrograd_c.bench.peers.base import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["CAREFUL", "ROUGH", "Candidate", "Plan", "Timing", "collector", "frozen", "measure"]


@dataclass(frozen=True)
class Plan:
    """How much time to take."""

    rounds: int             # turns that each side gets at most
    seconds: float          # for each side, its garbage included, beyond the fewest timings
    fewest: int             # timings of the slowest side
    most: int               # timings of the fastest
    shortest: float         # seconds of one timing: shorter programs are run several times in it


CAREFUL = Plan(rounds=25, seconds=0.8, fewest=3, most=500, shortest=1e-3)
ROUGH = Plan(rounds=4, seconds=0.04, fewest=1, most=100, shortest=2e-4)


@dataclass
class Candidate:
    """A program, and how Python's cyclic collector is to be while it runs."""

    name: str
    program: Program
    collector: bool = True
    collected: bool = False     # garbage is collected before each timing, not only before each turn


@dataclass
class Timing:
    """Seconds per operation."""

    values: list

    @property
    def minimum(self) -> float:
        return min(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """The median distance from the median, as a share of it."""
        return statistics.median(abs(value - self.median) for value in self.values) / self.median


def measure(
    candidates: Sequence[Candidate], plan: Plan, progress: Callable[[str], object] = lambda text: None,
) -> dict[str, Timing]:
    """Time all candidates in turn; {name: Timing}."""
    with frozen():
        runners = []
        for candidate in candidates:
            progress(f"{candidate.name}, warm-up")
            runners.append(Runner(candidate, plan))
        for k in range(plan.rounds):
            for runner in runners:
                count = runner.share(k, plan.rounds)
                if count:
                    progress(f"round {k + 1} of {plan.rounds}, {runner.candidate.name}")
                    runner.take(count)
    return {runner.candidate.name: Timing(runner.values) for runner in runners}


class Runner:
    """A candidate's timings."""

    def __init__(self, candidate: Candidate, plan: Plan) -> None:
        self.candidate, self.values, self.repeats = candidate, [], 1
        started = time.perf_counter()
        (seconds,) = self.timings(1)
        if candidate.program.prepare is None and seconds < plan.shortest:
            self.repeats = math.ceil(plan.shortest / seconds)
            started = time.perf_counter()
            self.timings(1)
        cost = time.perf_counter() - started
        self.count = max(plan.fewest, min(plan.most, int(plan.seconds / cost)))
        if self.count == plan.fewest and self.repeats == 1:     # too slow to be run once for nothing
            self.values.append(seconds / candidate.program.operations)
            self.count -= 1

    def share(self, k: int, rounds: int) -> int:
        """How many of its timings belong to round k: the slow side's few are spread over all of them."""
        return (k + 1) * self.count // rounds - k * self.count // rounds

    def take(self, count: int) -> None:
        self.values += [seconds / self.candidate.program.operations for seconds in self.timings(count)]

    def timings(self, count: int) -> list[float]:
        """Seconds of `count` runs in a row. What they leave behind is freed before the next side's, untimed."""
        candidate, values = self.candidate, []
        run, prepare, repeats = candidate.program.run, candidate.program.prepare, range(self.repeats)
        with collector(candidate.collector):
            for k in range(count):
                # with the collector off some sides leak tens of megabytes a run; with it on, collecting is part of it
                if k == 0 or candidate.collected or not candidate.collector:
                    gc.collect()
                if prepare is not None:
                    prepare()
                start = time.perf_counter()
                for _ in repeats:
                    run()
                values.append((time.perf_counter() - start) / len(repeats))
        return values


@contextlib.contextmanager
def frozen() -> Iterator[None]:
    """Hide what is alive from Python's collector, the modules of large libraries above all.

    A side whose garbage is collected while it runs would pay for looking at the other sides' modules.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextlib.contextmanager
def collector(on: bool) -> Iterator[None]:
    """Python's cyclic collector on or off; then as it was, and garbage collected."""
    was_on = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        yield
    finally:
        (gc.enable if was_on else gc.disable)()
        gc.collect()
