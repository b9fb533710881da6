"""Says which of this package's targets a run of `micrograd-c bench` meets. Holds targets, never results.

    python benchmarks/targets.py                # measures what it needs
    python benchmarks/targets.py FILE           # reads what `micrograd-c bench --json FILE` has written

A missed target is printed, not punished; the exit status is 1 if values or gradients differed.
"""

import argparse
import json
from dataclasses import dataclass

from micrograd_c.bench import report
from micrograd_c.bench.command import Session
from micrograd_c.bench.workloads import WORKLOADS

OURS, HELPERS = "micrograd_c", "helpers"
FLOATS, PYTHON, PYTHON_UNCOLLECTED = "floats", "python", "python-uncollected"
MICROGRAD, UNCOLLECTED, TORCH = "micrograd", "micrograd-uncollected", "torch"
FAMILIES = ["floats", "python", "micrograd", "torch"]


@dataclass
class Target:
    """A ratio of two measurements, (workload, side) each, that both minima and medians have to meet."""

    label: str
    of: tuple
    to: tuple
    least: float = None
    most: float = None

    def limit(self):
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"

    def met(self, figures):
        return all(figure >= self.least if self.least is not None else figure <= self.most for figure in figures)


TARGETS = [
    Target("an op, forward, in ops of Python floats", ("op", OURS), ("op", FLOATS), most=2.5),
    Target("an op, forward and backward, in ops of Python floats, forward", ("op-backward", OURS),
           ("op-backward", FLOATS), most=3),
    Target("the README expression in ops of Python floats", ("expression", OURS), ("op", FLOATS), most=100),
    Target("one sample through the MLP and back: PyTorch by this package", ("mlp", TORCH), ("mlp", OURS), least=40),
    Target("the demo's step: this package by PyTorch, which takes all points at once", ("demo", OURS), ("demo", TORCH),
           most=1),
    Target("the demo's step: micrograd, as it comes, by this package", ("demo", MICROGRAD), ("demo", OURS), least=3000),
    Target("the demo's step: micrograd, gc.disable(), by this package", ("demo", UNCOLLECTED), ("demo", OURS),
           least=400),
    Target("the GPT's step: pure Python, as it comes, by this package", ("gpt", PYTHON), ("gpt", OURS), least=40),
    Target("the GPT's step: pure Python, gc.disable(), by this package", ("gpt", PYTHON_UNCOLLECTED), ("gpt", OURS),
           least=8),
    Target("the GPT's step: pure Python, as it comes, by this package's helpers", ("gpt", PYTHON), ("gpt", HELPERS),
           least=250),
    Target("the GPT's step: pure Python, gc.disable(), by this package's helpers", ("gpt", PYTHON_UNCOLLECTED),
           ("gpt", HELPERS), least=50),
]
ARENA = 40      # bytes a node


def measured(quick):
    """What the targets need, as JSON has it."""
    names = {name for target in TARGETS for name, _ in (target.of, target.to)} | {"node"}
    session = Session(FAMILIES, quick)
    results = dict(session.measure([workload for workload in WORKLOADS if workload.name in names]))
    print(report.closing(session), end="\n\n")
    return json.loads(report.as_json(results, session))


def rows(measurements):
    """A row for each target."""
    sides = {
        (workload["name"], side["name"]): side for workload in measurements["workloads"] for side in workload["sides"]
    }
    for target in TARGETS:
        of, to = sides.get(target.of, {}), sides.get(target.to, {})
        figures = [of[key] / to[key] for key in ("minimum", "median") if key in of and key in to]
        verdict = ("met" if target.met(figures) else "missed") if figures else "not measured"
        yield [target.label, *([f"{figure:.3g}" for figure in figures] or ["", ""]), target.limit(), verdict]
    arena = sides.get(("node", OURS), {}).get("arena")
    if arena is not None:
        yield ["bytes of arena a node", f"{arena:.1f}", "", f"≤ {ARENA}", "met" if arena <= ARENA else "missed"]


def main():
    """Measure or read, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", help="measurements, as `micrograd-c bench --json` writes them")
    parser.add_argument("--quick", action="store_true", help="see that it runs, in seconds; the figures mean little")
    options = parser.parse_args()
    if options.file:
        with open(options.file, encoding="utf-8") as file:
            measurements = json.load(file)
    else:
        measurements = measured(options.quick)
    header = ["ratio", "of minima", "of medians", "target", ""]
    print("\n".join(report.aligned([header, *rows(measurements)])))
    return 1 if any("difference" in side for workload in measurements["workloads"] for side in workload["sides"]) else 0


if __name__ == "__main__":
    raise SystemExit(main())
