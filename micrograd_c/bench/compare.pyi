from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from micrograd_c.bench.inputs import Sizes
from micrograd_c.bench.measure import Plan, Timing
from micrograd_c.bench.peers import Peer, Program, Side
from micrograd_c.bench.workloads import Workload

__all__ = ["Row", "Sides", "compare"]

SPARED: str
RELATIVE: float
SMALLEST: float

_Progress = Callable[[str], object]

@dataclass
class Row:
    side: Side
    timing: Timing | None = None
    note: str = ""
    reason: str = ""
    difference: str = ""
    details: dict[str, Any] = field(default_factory=dict)

class Sides:
    sides: Sequence[Side]
    sizes: Sizes
    quick: bool
    peers: dict[str, Peer]
    expected: dict[tuple[str, Sizes], list[float]]
    def __init__(self, sides: Sequence[Side], sizes: Sizes, quick: bool = False) -> None: ...
    def of(self, workload: Workload) -> list[Side]: ...
    def load(self, row: Row, workload: Workload, progress: _Progress) -> None: ...
    def spared(self, side: Side, workload: Workload) -> bool: ...
    def reference(self, workload: Workload, sizes: Sizes) -> list[float]: ...

def compare(workload: Workload, sides: Sides, plan: Plan, progress: _Progress = ...) -> list[Row]: ...
def checked(row: Row, workload: Workload, sides: Sides) -> Program | None: ...
def difference(program: Program, expected: list[float]) -> str: ...
def weigh(workload: Workload, side: Side, sides: Sides, progress: _Progress) -> Row: ...
