import argparse
from collections.abc import Iterator, Sequence
from typing import TextIO

from micrograd_c.bench.compare import Row
from micrograd_c.bench.inputs import Sizes
from micrograd_c.bench.measure import Plan
from micrograd_c.bench.peers import Side
from micrograd_c.bench.workloads import Workload

__all__ = ["add_arguments", "run"]

ONE_THREAD: dict[str, str]

def add_arguments(parser: argparse.ArgumentParser) -> None: ...

class Progress:
    stream: TextIO
    shown: bool
    heading: str
    started: float
    def __init__(self, stream: TextIO) -> None: ...
    def show(self, text: str) -> None: ...
    def clear(self) -> None: ...
    def write(self, line: str) -> None: ...

def run(options: argparse.Namespace) -> int: ...

def demand_writable(file: str) -> None: ...

class Session:
    sides: list[Side]
    missing: list[Side]
    quick: bool
    sizes: Sizes
    plan: Plan
    seconds: float
    processor_share: float
    def __init__(self, families: Sequence[str] | None, quick: bool) -> None: ...
    def measure(self, workloads: Sequence[Workload]) -> Iterator[tuple[Workload, list[Row]]]: ...
    def versions(self) -> dict[str, str]: ...
