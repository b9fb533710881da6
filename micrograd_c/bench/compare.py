"""Checks and measures all sides of a workload. Knows nothing of tables."""

from __future__ import annotations

import math
import traceback
from dataclasses import dataclass, field

from micrograd_c.bench.measure import Candidate, Timing, collector, frozen, measure
from micrograd_c.bench.memory import grown
from micrograd_c.bench.peers import OURS, Cannot, Side

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from micrograd_c.bench.inputs import Sizes
    from micrograd_c.bench.measure import Plan
    from micrograd_c.bench.peers import Peer, Program
    from micrograd_c.bench.workloads import Workload

    _Progress = Callable[[str], object]

__all__ = ["Row", "Sides", "compare"]

SPARED = "left out by --quick"
RELATIVE = 1e-9
SMALLEST = 1e-12        # of a sum that cancels, only noise may be left


@dataclass
class Row:
    """What came of one side: times, or bytes, or why there are none."""

    side: Side
    timing: Timing | None = None        # seconds, or bytes
    note: str = ""
    reason: str = ""
    difference: str = ""                # the reason, if that is a value or gradients that are not equal
    details: dict = field(default_factory=dict)


class Sides:
    """The chosen sides; each library is imported when it is first used."""

    def __init__(self, sides: Sequence[Side], sizes: Sizes, quick: bool = False) -> None:
        self.sides, self.sizes, self.quick = sides, sizes, quick
        self.peers: dict[str, Peer] = {}
        self.expected: dict[tuple[str, Sizes], list[float]] = {}

    def of(self, workload: Workload) -> list[Side]:
        """The sides that are rows of this workload."""
        return [side for side in self.sides if not side.only or workload.name in side.only]

    def load(self, row: Row, workload: Workload, progress: _Progress) -> None:
        """Import a row's library. Puts a reason into the row if it is not to be used."""
        side = row.side
        if self.spared(side, workload):
            row.reason = SPARED
        elif side.name not in self.peers:
            progress(f"{side.title}, import")
            try:
                self.peers[side.name] = side.create(self.sizes)
            except ImportError as error:
                row.reason = f"it cannot be imported: {error}"

    def spared(self, side: Side, workload: Workload) -> bool:
        """Whether --quick leaves it out."""
        return self.quick and workload.name in side.slow

    def reference(self, workload: Workload, sizes: Sizes) -> list[float]:
        """This package's results."""
        if (workload.name, sizes) not in self.expected:
            peer = next(side for side in self.sides if side.name == OURS).create(sizes)
            self.expected[workload.name, sizes] = peer.program(workload.name).results()
        return self.expected[workload.name, sizes]


def compare(workload: Workload, sides: Sides, plan: Plan, progress: _Progress = lambda text: None) -> list[Row]:
    """Measure a workload on all its sides; Rows in their order."""
    if workload.unit == "bytes":
        return [weigh(workload, side, sides, progress) for side in sides.of(workload)]
    rows, candidates = [Row(side) for side in sides.of(workload)], []
    for row in rows:
        sides.load(row, workload, progress)
    with frozen():
        for row in rows:
            if not row.reason:
                progress(f"{row.side.title}, value and gradients")
                program = checked(row, workload, sides)
                if program is not None and not row.reason:
                    candidates.append(Candidate(row.side.title, program, row.side.collector, row.side.collected))
        sides.expected.clear()      # long lists
        timings = measure(candidates, plan, progress)
    for row in rows:
        row.timing = timings.get(row.side.title)
    return rows


def checked(row: Row, workload: Workload, sides: Sides) -> Program | None:
    """A row's Program. Puts a reason into the row if it is not to be timed."""
    try:
        program = sides.peers[row.side.name].program(workload.name)
        row.note = program.note
        with collector(row.side.collector):
            row.difference = row.reason = difference(program, sides.reference(workload, program.sizes or sides.sizes))
        return program
    except Cannot as error:
        row.reason = str(error)
    except Exception as error:
        if row.side.name == OURS:
            raise
        row.reason = traceback.format_exception_only(type(error), error)[-1].strip()
    return None


def difference(program: Program, expected: list[float]) -> str:
    """Where a program's results are not the expected ones, in words, or nothing."""
    results = program.results()
    if program.values is not None:
        expected = expected[:program.values]
    if len(results) != len(expected):
        return f"differs: {len(results)} numbers, not {len(expected)}"
    largest = max(map(abs, expected))
    for k, (here, there) in enumerate(zip(results, expected)):
        if not math.isclose(here, there, rel_tol=RELATIVE, abs_tol=SMALLEST * max(1.0, largest)):
            return f"differs: number {k} of value and gradients is {here!r}, and micrograd_c's {there!r}"
    return ""


def weigh(workload: Workload, side: Side, sides: Sides, progress: _Progress) -> Row:
    """A Row of bytes."""
    progress(side.title)
    if sides.spared(side, workload):
        return Row(side, reason=SPARED)
    result = grown(side, workload.name, sides.sizes)
    if "failure" in result and side.name == OURS:
        raise RuntimeError(f"memory was not measured: {result['failure']}")
    if "bytes" not in result:
        return Row(side, reason=result.get("reason") or result["failure"])
    share = result["operations"] if workload.name == "node" else 1
    details = {"arena": result["arena"]} if "arena" in result else {}
    return Row(side, Timing([result["bytes"] / share]), result["note"], details=details)
