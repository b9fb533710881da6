from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from micrograd_c.bench.peers.base import Program

__all__ = ["CAREFUL", "ROUGH", "Candidate", "Plan", "Timing", "collector", "frozen", "measure"]

@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float
    fewest: int
    most: int
    shortest: float

CAREFUL: Plan
ROUGH: Plan

@dataclass
class Candidate:
    name: str
    program: Program
    collector: bool = True
    collected: bool = False

@dataclass
class Timing:
    values: list[float]
    @property
    def minimum(self) -> float: ...
    @property
    def median(self) -> float: ...
    @property
    def spread(self) -> float: ...

def measure(
    candidates: Sequence[Candidate], plan: Plan, progress: Callable[[str], object] = ...
) -> dict[str, Timing]: ...

class Runner:
    candidate: Candidate
    values: list[float]
    repeats: int
    count: int
    def __init__(self, candidate: Candidate, plan: Plan) -> None: ...
    def share(self, k: int, rounds: int) -> int: ...
    def take(self, count: int) -> None: ...
    def timings(self, count: int) -> list[float]: ...

def frozen() -> AbstractContextManager[None]: ...
def collector(on: bool) -> AbstractContextManager[None]: ...
