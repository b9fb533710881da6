import pathlib
from typing import Any

from micrograd_c.bench.inputs import Sizes
from micrograd_c.bench.peers import Side

__all__ = ["grown"]

INSTALLED: pathlib.Path
STATUS: pathlib.Path
CLEAR: pathlib.Path

def grown(side: Side, workload: str, sizes: Sizes) -> dict[str, Any]: ...
def resident_bytes() -> tuple[int, int]: ...
def forget_peak() -> None: ...
def measure(side: Side, workload: str, sizes: Sizes) -> tuple[dict[str, Any], object]: ...
def main(name: str, workload: str, sizes: str) -> None: ...
