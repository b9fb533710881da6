"""The GPT that brings its own class Value, as it comes and step by step as docs/microgpt.md changes it.

    python benchmarks/microgpt.py               # about ten minutes, nearly all of them in pure Python
    python benchmarks/microgpt.py --quick       # see that it runs; the figures mean little

Times are of whole processes, from their start to their end, which take turns (A B C A B C ...). What a step of learning
takes is seen from when each line is printed: the median over the steps of a run. All losses are compared first with
those of pure Python. The programs are examples/microgpt.py and the page's diffs; the table is the page's.

A missed target is printed, not punished; the exit status is 1 if losses differ.
"""

import argparse
import ast
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

from micrograd_c.bench import machine, report

ROOT = pathlib.Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "microgpt.py"
PAGE = ROOT / "docs" / "microgpt.md"

STEPS, ROUNDS, PYTHON_ROUNDS = 60, 9, 3     # once through all names
COMPARED_STEPS = 2
MOST = 1.03             # the target: unchanged under `run`, by its class deleted and ours imported

PYTHON = [sys.executable]
UNCOLLECTED = [sys.executable, "-c", "import gc, runpy, sys; gc.disable(); del sys.argv[0]; "
               "runpy.run_path(sys.argv[0], run_name='__main__')"]
RUN = [sys.executable, "-m", "micrograd_c", "run"]
AS_IT_COMES = "`python`, as it comes"
UNCHANGED = "`micrograd-c run`, unchanged"
IMPORTED = "its class deleted, ours imported"


# --- the programs ---

def patched(text, diff):
    """The text after a diff whose hunks are told by their lines, not by line numbers: each must be there, and once."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        if not lines:
            continue
        unknown = [line for line in lines if line[0] not in " -+\n"]
        if unknown:
            raise ValueError(f"a line of a diff begins with a space, - or +, and not as {unknown[0]!r}")
        old = "".join(line[1:] or line for line in lines if line[0] != "+")
        new = "".join(line[1:] or line for line in lines if line[0] != "-")
        if text.count(old) != 1:
            raise ValueError(f"these lines are there {text.count(old)} times, not once:\n{old}")
        text = text.replace(old, new)
    return text


def diffs(page):
    """Heading and diff of each step of the page, in order."""
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        found = re.findall(r"^```diff\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
        if found:
            yield section.split("\n", 1)[0], "".join(found)


def steps():
    """Heading to program, of the page's steps, each made of the one before."""
    text, found = EXAMPLE.read_text(encoding="ascii"), {}
    for heading, diff in diffs(PAGE.read_text(encoding="utf-8")):
        found[heading] = text = patched(text, diff)
    return found


def with_ours(text):
    """The program with its class Value deleted, and ours imported where it was."""
    (statement,) = [one for one in ast.parse(text).body if isinstance(one, ast.ClassDef) and one.name == "Value"]
    first = min(one.lineno for one in (statement, *statement.decorator_list))
    lines = text.splitlines(keepends=True)
    lines[first - 1 : statement.end_lineno] = ["from micrograd_c.engine import Value\n"]
    return "".join(lines).replace("import accelerate, ", "import ")


# --- running them ---

@dataclass
class Side:
    """A program, and how it is run."""

    title: str
    command: list
    text: str
    is_slow: bool = False           # pure Python
    file: pathlib.Path = None
    wholes: list = field(default_factory=list)      # seconds of each process
    processor: list = field(default_factory=list)   # seconds of each process on a processor, less noisy
    steps: list = field(default_factory=list)       # seconds of a step, the median in each process
    starts: list = field(default_factory=list)      # seconds before its first line
    is_computed: bool = False       # wholes are: from the start and from steps that are fewer


def sides():
    """All that are measured, in the order of the table."""
    text = EXAMPLE.read_text(encoding="ascii")
    found = [
        Side(AS_IT_COMES, PYTHON, text, is_slow=True),
        Side("`python`, `gc.disable()`", UNCOLLECTED, text, is_slow=True),
        Side(UNCHANGED, RUN, text),
        Side(IMPORTED, PYTHON, with_ours(text)),
        *(Side(f"+ {heading}", PYTHON, program) for heading, program in steps().items()),
    ]
    last = found[-1]
    return [*found, Side(f"{last.title}, its class deleted", PYTHON, with_ours(last.text))]


def environment():
    """Lines are to be seen as soon as they are printed."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


def losses(side, folder, count):
    """Of that many steps."""
    file = folder / "compared.py"
    file.write_text(f"{side.text}\nprint(losses)\n", encoding="ascii")
    done = subprocess.run([*side.command, str(file), str(count)], capture_output=True, text=True, check=True,
                          cwd=folder, env=environment())
    return json.loads(done.stdout.splitlines()[-1])


def processor_seconds():
    """Of all processes that have been started and have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(side, folder, count, steps):
    """One process, of that many steps; if these are fewer than all steps, the whole is computed."""
    begin, processor = time.perf_counter(), processor_seconds()
    with subprocess.Popen([*side.command, str(side.file), str(count)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, cwd=folder, env=environment()) as process:
        times = [time.perf_counter() - begin for line in process.stdout if line.startswith(("step", "4192"))]
    whole = time.perf_counter() - begin
    side.processor.append(processor_seconds() - processor)
    if process.returncode or len(times) != count + 1:
        raise SystemExit(f"{side.title}: exit status {process.returncode} after {len(times)} lines")
    side.is_computed = count < steps
    side.wholes.append(whole + (steps - count) * (times[-1] - times[0]) / count)
    side.starts.append(times[0])
    side.steps.append(statistics.median(after - before for before, after in zip(times, times[1:])))


# --- what is printed ---

def rows(found):
    """The table's: seconds, and how many times as fast as Python as it comes."""
    first = found[0]
    yield ["", "whole process, minimum", "median", "times as fast", "a step, minimum", "median", "times as fast"]
    for side in found:
        cells = [side.title]
        for seconds, slowest in ((side.wholes, first.wholes), (side.steps, first.steps)):
            middle, about = statistics.median(seconds), "≈ " if side.is_computed and seconds is side.wholes else ""
            cells += [about + report.described(min(seconds), "seconds"), about + report.described(middle, "seconds"),
                      report.three_digits(statistics.median(slowest) / middle)]
        yield cells


def target_rows(found):
    """Unchanged by imported."""
    by_title = {side.title: side for side in found}
    unchanged, imported = by_title[UNCHANGED], by_title[IMPORTED]
    yield ["unchanged under `run` / class deleted, ours imported", "of minima", "of medians", "target", ""]
    for what, of, to, most in (
        ("whole process", unchanged.wholes, imported.wholes, MOST),
        ("whole process, on a processor", unchanged.processor, imported.processor, MOST),
        ("a step", unchanged.steps, imported.steps, None),
    ):
        ratios = [min(of) / min(to), statistics.median(of) / statistics.median(to)]
        verdict = "" if most is None else "met" if max(ratios) <= most else "missed"
        yield [what, *(f"{ratio:.3f}" for ratio in ratios), "" if most is None else f"≤ {most:g}", verdict]
    fixed = [report.described(max(0.0, one(unchanged.starts) - one(imported.starts)), "seconds")
             for one in (min, statistics.median)]
    yield ["seconds before the model is there, more than that", *fixed, "", ""]


def main():
    """Compare, measure, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each (default: %(default)s)")
    parser.add_argument("--python-rounds", type=int, default=PYTHON_ROUNDS,
                        help="runs of pure Python, which takes minutes (default: %(default)s)")
    parser.add_argument("--python-steps", type=int, default=STEPS,
                        help="steps of pure Python; if fewer than all, what all take is computed (default: all)")
    options = parser.parse_args()
    count, compared, rounds, slow_rounds = STEPS, COMPARED_STEPS, options.rounds, options.python_rounds
    slow_count = min(options.python_steps, STEPS)
    if options.quick:
        count, slow_count, compared, rounds, slow_rounds = 1, 1, 1, 1, 1
    begin, found = time.perf_counter(), sides()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copy(EXAMPLE.with_name("names.txt"), folder)
        wanted = losses(found[0], folder, compared)
        for k, side in enumerate(found):
            seen = losses(side, folder, compared)
            if any(abs(a - b) > 1e-9 * abs(b) for a, b in zip(seen, wanted)):
                print(f"{side.title}: losses {seen}, and not {wanted}")
                return 1
            side.file = folder / f"microgpt_{k}.py"
            side.file.write_text(side.text, encoding="ascii")
        for turn in range(rounds):
            for side in found:
                if turn < slow_rounds or not side.is_slow:
                    measure(side, folder, slow_count if side.is_slow else count, count)
    print("\n".join(report.aligned(list(rows(found)))), end="\n\n")
    print("\n".join(report.aligned(list(target_rows(found)))), end="\n\n")
    slow = f"{min(rounds, slow_rounds)} of pure Python" + (
        f", {slow_count} steps each, from which ≈ was computed" if slow_count < count else "")
    print(f"{count} steps of 16 names; {rounds} runs of each, {slow}; "
          f"{time.perf_counter() - begin:.0f} s; {machine.described(machine.facts())}.")
    if options.quick:
        print("With --quick: these figures mean little.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
