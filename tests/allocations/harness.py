"""harness.py [--mode MODE] [--every K] [--jobs N] [FEATURE ...]: fails allocations one by one, and reports.

Each feature runs in a process of its own. After a crash the next process goes on with the next allocation. The mode
"python", which is to be asked for, shows faults of the interpreter, too: in CPython 3.13 many, in 3.11 hardly any.
"""

import argparse
import collections
import os
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).parent
MODES = {       # kinds of allocations: which fail, and how many one after the other
    "compiled": ("compiled", 1), "compiled, many": ("compiled", 50),    # Python's allocators, asked by compiled code
    "plain": ("plain", 1), "plain, many": ("plain", 50),                # malloc and its like, asked by compiled code
    "python": ("python", 1),                                            # Python's allocators, asked by anybody
}
INTERPRETER = "in _deepcopy_dict"   # CPython 3.11 crashes when it has no memory for an iterator over a dict's items
Report = collections.namedtuple("Report", "tried crashes problems")


def build(folder):
    """Compile failing.c; the module's path."""
    module = pathlib.Path(folder) / "failing.so"
    include = sysconfig.get_path("include")
    subprocess.run(
        ["gcc", "-O1", "-shared", "-fPIC", f"-I{include}", str(HERE / "failing.c"), "-o", str(module)], check=True,
    )
    return module


def features():
    """The names of all."""
    program = "import features; print(*features.FEATURES)"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=HERE, check=True,
    ).stdout.split()


def run(module, feature, mode, every):
    """A Report of one feature in one mode."""
    kind, width = MODES[mode]
    first, tried, crashes, problems = 0, 0, [], []
    environment = {
        **os.environ, "LD_PRELOAD": str(module), "PYTHONHASHSEED": "0", "MICROGRAD_C_KERNELS": "baseline",
        "PYTHONPATH": os.pathsep.join([str(module.parent), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    while True:
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", str(HERE / "one.py"), feature, kind, str(width), str(first),
             str(every)],
            capture_output=True, text=True, env=environment, check=False, timeout=3_000,
        )
        reached = first
        for line in done.stdout.splitlines():
            number, _, problem = line.partition(" ")
            reached = int(number)
            if problem:
                problems.append(f"{feature} {mode}: {line}")
            else:
                tried += 1
        if done.returncode == 0:
            return Report(tried, crashes, problems)
        text = done.stderr.strip().splitlines()
        if kind != "python" or INTERPRETER not in done.stderr:
            crashes.append(
                f"{feature} {mode}: {reached} ends with {done.returncode}: {' | '.join(text[:14])}"[:900]
            )
        if not done.stdout or len(crashes) > 40:
            return Report(tried, crashes, problems)
        first = reached + every


def run_all(names, modes, every=1, jobs=2):
    """A Report of all of them."""
    tried, crashes, problems = 0, [], []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        module = build(folder)
        tasks = [(module, name, mode, every) for name in names for mode in modes]
        for report in pool.map(lambda task: run(*task), tasks):
            tried += report.tried
            crashes += report.crashes
            problems += report.problems
            for line in [*report.crashes, *report.problems]:
                print(line, flush=True)
    return Report(tried, crashes, problems)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("features", nargs="*")
    parser.add_argument("--mode", action="append", choices=MODES)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    report = run_all(given.features or features(), given.mode or list(MODES)[:4], given.every, given.jobs)
    print(f"{report.tried} allocations failed, {len(report.crashes)} crashes, {len(report.problems)} other faults")
    sys.exit(bool(report.crashes or report.problems))
