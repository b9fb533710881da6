from collections.abc import Callable
from dataclasses import dataclass

from micrograd_c.bench.inputs import Sizes

__all__ = ["Cannot", "Chains", "Peer", "Program", "Training", "Trainings", "trained"]

class Cannot(Exception): ...

@dataclass
class Program:
    run: Callable[[], object]
    results: Callable[[], list[float]]
    prepare: Callable[[], object] | None = None
    operations: int = 1
    note: str = ""
    values: int | None = None
    sizes: Sizes | None = None

class Peer:
    cannot: dict[str, str]
    limits: dict[str, tuple[str, int, str]]
    sizes: Sizes
    def __init__(self, sizes: Sizes) -> None: ...
    def program(self, workload: str) -> Program: ...

class Chains:
    def op(self) -> Program: ...
    def op_backward(self) -> Program: ...
    def deep(self) -> Program: ...

class Trainings:
    notes: dict[str, str]
    def demo(self) -> Program: ...
    def training(self) -> Program: ...
    def gpt(self) -> Program: ...

class Training:
    def run(self, steps: int) -> list[float]: ...

def trained(training: Training, steps: int, note: str = "") -> Program: ...
