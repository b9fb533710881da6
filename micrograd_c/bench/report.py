"""Measurements as tables for the terminal, and as JSON. Knows nothing of how they were made."""

from __future__ import annotations

import datetime
import json

from micrograd_c import __version__
from micrograd_c.bench import machine
from micrograd_c.bench.peers import OURS
from micrograd_c.bench.workloads import titled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from micrograd_c.bench.command import Session
    from micrograd_c.bench.compare import Row
    from micrograd_c.bench.inputs import Sizes
    from micrograd_c.bench.workloads import Workload

__all__ = ["aligned", "as_json", "closing", "described", "table"]

SCHEMA = 1
TIMES = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")]
SIZES = [(2**30, "GB"), (2**20, "MB"), (2**10, "KB"), (1, "B")]


def described(figure: float, unit: str) -> str:
    """A figure with its unit, to three digits."""
    scales = TIMES if unit == "seconds" else SIZES
    scale, name = next((pair for pair in scales if figure >= pair[0]), scales[-1])
    return f"{three_digits(figure / scale)} {name}"


def three_digits(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def ratios(row: Row, ours: Row) -> list[float | None]:
    """How many times this package's minimum and median a row takes; None where this package's is not above 0."""
    assert row.timing is not None
    assert ours.timing is not None
    return [
        there / here if here > 0 else None
        for there, here in [(row.timing.minimum, ours.timing.minimum), (row.timing.median, ours.timing.median)]
    ]


def table(workload: Workload, sizes: Sizes, rows: Sequence[Row]) -> str:
    """A workload's table in Markdown, with its footnotes."""
    ours = next(row for row in rows if row.side.name == OURS)
    notes: list[str] = []
    lines: list[list[str]] = []
    for row in rows:
        mark = footnote(notes, row.note or row.reason)
        if row.timing is None:
            cells = ["-", "", "", "", ""]
        else:
            figures = ["" if ratio is None else three_digits(ratio) for ratio in ratios(row, ours)]
            cells = [described(row.timing.minimum, workload.unit)]
            if workload.unit == "seconds":
                cells += [described(row.timing.median, workload.unit), f"{row.timing.spread:.0%}", *figures]
            else:
                cells += figures[:1]
        lines.append([row.side.title + mark, *cells])
    if workload.unit == "seconds":
        header = [f"per {workload.per}", "minimum", "median", "noise", "ratio of minima", "ratio of medians"]
    else:
        header = [f"per {workload.per}", "bytes", "ratio"]
    lines = [line[:len(header)] for line in lines]
    return "\n".join([
        f"{titled(workload, sizes)}\n", *aligned([header, *lines]),
        *([""] if notes else []), *(f"[{k}] {note}  " for k, note in enumerate(notes, 1)),
    ])


def footnote(notes: list[str], text: str) -> str:
    """The mark of a footnote; each text is noted once."""
    if not text:
        return ""
    if text not in notes:
        notes.append(text)
    return f" [{notes.index(text) + 1}]"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table whose columns are as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    header, *rest = [
        "| " + " | ".join(cell.ljust(width) if k == 0 else cell.rjust(width)
                          for k, (cell, width) in enumerate(zip(row, widths))) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) if k == 0 else "-" * (width + 1) + ":"
                          for k, width in enumerate(widths)) + "|"
    return [header, rule, *rest]


def closing(session: Session) -> str:
    """What is missing, and what the figures were measured on."""
    packages = dict.fromkeys(side.package for side in session.missing)
    lines = [f"{package} is not installed: pip install {package}" for package in packages]
    facts = machine.facts()
    versions = ", ".join(f"{name} {version}" for name, version in session.versions().items())
    lines.append(
        f"Measured on: {machine.described(facts)}; micrograd_c {__version__}"
        f"{', ' if versions else ''}{versions}; {session.seconds:.0f} s, "
        f"on a processor for {session.processor_share:.0%} of the time."
    )
    if session.quick:
        lines.append("With --quick: these figures mean little.")
    return "\n".join(lines)


def as_json(results: Mapping[Workload, Sequence[Row]], session: Session) -> str:
    """All measurements. `results` has a list of rows for each workload."""
    return json.dumps({
        "schema": SCHEMA,
        "made": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "quick": session.quick,
        "micrograd_c": __version__,
        "versions": session.versions(),
        "machine": machine.facts(),
        "seconds": session.seconds,
        "processor_share": session.processor_share,
        "missing": [
            {"name": side.name, "title": side.title, "pip": f"pip install {side.package}"} for side in session.missing
        ],
        "workloads": [
            {
                "name": workload.name, "title": titled(workload, session.sizes),
                "per": workload.per, "unit": workload.unit,
                "sides": [row_as_json(row) for row in rows],
            }
            for workload, rows in results.items()
        ],
    }, indent=1)


def row_as_json(row: Row) -> dict[str, Any]:
    """One side's measurements."""
    found: dict[str, Any] = {"name": row.side.name, "title": row.side.title}
    if row.timing is not None:
        found.update(minimum=row.timing.minimum, median=row.timing.median, spread=row.timing.spread,
                     values=row.timing.values)
    found.update({key: text for key, text in [
        ("note", row.note), ("reason", row.reason), ("difference", row.difference)
    ] if text})
    return {**found, **row.details}
