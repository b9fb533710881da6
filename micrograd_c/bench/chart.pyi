from collections.abc import Mapping, Sequence
from typing import Any

from micrograd_c.bench.compare import Row
from micrograd_c.bench.inputs import Sizes
from micrograd_c.bench.workloads import Workload

__all__ = ["draw"]

COLUMNS: int
COLOURS: dict[str, str]
OTHERS: str

def draw(pyplot: Any, file: str, results: Mapping[Workload, Sequence[Row]], sizes: Sizes) -> None: ...
def bars(axes: Any, workload: Workload, sizes: Sizes, rows: Sequence[Row]) -> None: ...
