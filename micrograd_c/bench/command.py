"""`micrograd-c bench`: what it accepts, and what it does in which order."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from micrograd_c.bench.compare import Row
    from micrograd_c.bench.workloads import Workload

__all__ = ["add_arguments", "run"]

ONE_THREAD = {      # read by the libraries when they are imported
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "DEV": "CPU",
    "JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `micrograd-c bench` accepts."""
    from micrograd_c.bench.peers import families
    from micrograd_c.bench.workloads import WORKLOADS

    parser.add_argument("--quick", action="store_true", help="only see that it runs, in 20 s; the figures mean little")
    parser.add_argument("--json", metavar="FILE", help="write all measurements to a file")
    parser.add_argument("--plot", metavar="FILE", help="draw them all on a logarithmic scale (needs the extra `plot`)")
    parser.add_argument(
        "--only", metavar="WORKLOAD", nargs="+", choices=[workload.name for workload in WORKLOADS],
        help=f"measure these only; there are {', '.join(workload.name for workload in WORKLOADS)}",
    )
    parser.add_argument(
        "--sides", metavar="SIDE", nargs="+", choices=families(),
        help=f"compare with these libraries only; there are {', '.join(families())}"
             " (micrograd is shown twice, with Python's collector on and off)",
    )


class Progress:
    """A line that is written over, if there is somebody to see it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.shown = stream, stream.isatty()
        self.heading, self.started = "", time.perf_counter()

    def show(self, text: str) -> None:
        """What is done now, under the heading."""
        self.write(f"{self.heading}: {text} ({time.perf_counter() - self.started:.0f} s)")

    def clear(self) -> None:
        self.write("")

    def write(self, line: str) -> None:
        if self.shown:
            self.stream.write(f"\r\x1b[K{line[:100]}")
            self.stream.flush()


def run(options: argparse.Namespace) -> int:
    """`micrograd-c bench`; the exit status is 1 if any value or gradient differs."""
    from micrograd_c.options import demand_writable, import_extra

    pyplot = None
    if options.plot:
        import_extra("matplotlib", "--plot", "'micrograd_c[plot]'").use("Agg")     # no window
        pyplot = import_extra("matplotlib.pyplot", "--plot", "'micrograd_c[plot]'")
    for file in filter(None, (options.json, options.plot)):
        demand_writable(file, "micrograd-c bench")

    from micrograd_c.bench import report
    from micrograd_c.bench.workloads import WORKLOADS

    workloads = [workload for workload in WORKLOADS if not options.only or workload.name in options.only]
    session = Session(options.sides, options.quick)
    results = {}
    for workload, rows in session.measure(workloads):
        results[workload] = rows
        print(report.table(workload, session.sizes, rows), end="\n\n", flush=True)
    print(report.closing(session))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(report.as_json(results, session) + "\n")
    if pyplot:
        from micrograd_c.bench.chart import draw

        draw(pyplot, options.plot, results, session.sizes)
    wrong = [f"{row.side.title}, {workload.name}: {row.difference}"
             for workload, rows in results.items() for row in rows if row.difference]
    for line in wrong:
        print(f"micrograd-c bench: error: {line}", file=sys.stderr)
    return 1 if wrong else 0


class Session:
    """One run: which sides there are, which are missing, and how long everything took."""

    def __init__(self, families: Sequence[str] | None, quick: bool) -> None:
        os.environ.update({name: value for name, value in ONE_THREAD.items() if name not in os.environ})

        from micrograd_c.bench.inputs import FULL, QUICK
        from micrograd_c.bench.measure import CAREFUL, ROUGH
        from micrograd_c.bench.peers import OURS, SIDES

        chosen = [side for side in SIDES if not families or side.family in {OURS, *families}]
        self.sides = [side for side in chosen if side.installed()]
        self.missing = [side for side in chosen if not side.installed()]
        self.quick = quick
        self.sizes, self.plan = (QUICK, ROUGH) if quick else (FULL, CAREFUL)
        self.seconds = self.processor_share = 0.0

    def measure(self, workloads: Sequence[Workload]) -> Iterator[tuple[Workload, list[Row]]]:
        """(workload, rows) one after the other."""
        from micrograd_c.bench.compare import Sides, compare

        sides = Sides(self.sides, self.sizes, self.quick)
        progress = Progress(sys.stderr)
        wall, processor = time.perf_counter(), time.process_time()
        for k, workload in enumerate(workloads, 1):
            progress.heading = f"[{k}/{len(workloads)}] {workload.name}"
            rows = compare(workload, sides, self.plan, progress.show)
            progress.clear()
            self.seconds = time.perf_counter() - wall
            self.processor_share = (time.process_time() - processor) / self.seconds
            yield workload, rows

    def versions(self) -> dict[str, str]:
        """Those of the measured packages."""
        import importlib.metadata

        versions = {}
        for name in dict.fromkeys(side.package for side in self.sides if side.package):
            try:
                versions[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:     # a folder that nobody installed
                versions[name] = "of unknown version"
        return versions
