"""The measurements as a picture: for each workload a bar for each side, on a logarithmic scale. Needs matplotlib."""

from __future__ import annotations

import math

from micrograd_c.bench.peers import OURS
from micrograd_c.bench.report import described
from micrograd_c.bench.workloads import titled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from micrograd_c.bench.compare import Row
    from micrograd_c.bench.inputs import Sizes
    from micrograd_c.bench.measure import Timing
    from micrograd_c.bench.peers import Side
    from micrograd_c.bench.workloads import Workload

__all__ = ["draw"]

COLUMNS = 2
COLOURS = {OURS: "#d62728", "micrograd": "#1f77b4"}     # by family
OTHERS = "#b0b0b0"


def draw(pyplot: Any, file: str, results: Mapping[Workload, Sequence[Row]], sizes: Sizes) -> None:
    """Write the picture; its format is that of the file's name."""
    height = max(map(len, results.values()))
    rows = math.ceil(len(results) / COLUMNS)
    figure, grid = pyplot.subplots(
        rows, COLUMNS, figsize=(8 * COLUMNS, rows * (0.3 * height + 0.9)), squeeze=False, layout="constrained"
    )
    for axes, (workload, measured) in zip(grid.flat, results.items()):
        bars(axes, workload, sizes, [(row.side, row.timing) for row in measured if row.timing is not None])
    for axes in list(grid.flat)[len(results):]:
        axes.set_visible(False)
    figure.savefig(file)
    pyplot.close(figure)


def bars(axes: Any, workload: Workload, sizes: Sizes, rows: Sequence[tuple[Side, Timing]]) -> None:
    """One workload's, the fastest on top."""
    rows = sorted(rows, key=lambda row: row[1].median, reverse=True)
    smallest = 1e-12 if workload.unit == "seconds" else 1.0     # a logarithmic scale has no 0
    figures = [max(timing.median, smallest) for _, timing in rows]
    drawn = axes.barh(
        [side.title for side, _ in rows], figures, color=[COLOURS.get(side.family, OTHERS) for side, _ in rows]
    )
    axes.bar_label(drawn, [described(timing.median, workload.unit) for _, timing in rows], padding=3, fontsize=8)
    axes.set_xscale("log")
    axes.margins(x=0.2)
    axes.set_title(f"{titled(workload, sizes)}\n({workload.unit} per {workload.per})", fontsize=9)
    axes.tick_params(labelsize=8)
