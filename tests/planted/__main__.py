"""python tests/planted/__main__.py [--only NAME] [--jobs 2] [--trust]

Plants small faults in the compiled sources, one at a time, and says which of them the suite notices. All is done in
temporary copies of the tree, built as MICROGRAD_C_BUILD=checked, so that the tape's own checks count as part of the
suite. See entries.py for what a fault is.
"""

import argparse
import pathlib
import queue
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from planted import entries, noticing
from planted.trees import DoesNotBuild, Tree

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="faults whose name or file has this text in it")
    parser.add_argument("--jobs", type=int, default=1, help="copies of the tree that are worked in at a time")
    parser.add_argument("--trust", action="store_true", help="do not run the tests without any fault first")
    parser.add_argument("--timeout", type=float, default=300, help="seconds until tests are taken to hang")
    return parser.parse_args()


def outcome(fault, trees, timeout):
    """(whether it was caught, what is to be said of it)"""
    tree, start = trees.get(), time.time()
    try:
        modules = tree.plant(fault)
        built = time.time() - start
        by = noticing.first_to_notice(tree.root, fault.notices, timeout)
        said = f"by {by}" if by else f"not by {' '.join(fault.notices)}"
        return by is not None, f"{said} ({modules} modules in {built:.0f} s, {time.time() - start - built:.0f} s)"
    except DoesNotBuild as error:
        return False, f"does not build: {error}"
    finally:
        tree.restore()
        trees.put(tree)


def main():
    given = arguments()
    chosen = [fault for fault in entries.faults() if given.only in fault.name or given.only in fault.file]
    wrong = [line for fault in chosen for line in entries.what_is_wrong(fault, ROOT)]
    if wrong or not chosen:
        print("\n".join(wrong) or f"no fault has {given.only!r} in its name or file")
        return 2
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        first = Tree.copy_of(ROOT, pathlib.Path(folder) / "0")
        print(f"building {first.root}", flush=True)
        first.build_all()
        if not given.trust:
            for notice in sorted({notice for fault in chosen for notice in fault.notices}):
                start = time.time()
                by = noticing.first_to_notice(first.root, [notice], 3 * given.timeout)
                print(f"without a fault: {notice} in {time.time() - start:.0f} s", flush=True)
                if by:
                    print(f"fails without any fault: {by}")
                    return 2
        trees = queue.Queue()
        for k in range(1, given.jobs):
            trees.put(Tree.copy_of_built(first, pathlib.Path(folder) / str(k)))
        trees.put(first)
        caught = 0
        with ThreadPoolExecutor(given.jobs) as pool:
            for fault, done in [(fault, pool.submit(outcome, fault, trees, given.timeout)) for fault in chosen]:
                noticed, said = done.result()
                caught += noticed
                print(f"{'caught  ' if noticed else 'SURVIVED'}  {fault.file}: {fault.name}: {said}", flush=True)
    print(f"faults planted: {len(chosen)}, caught: {caught}")
    return int(caught < 0.95 * len(chosen))


if __name__ == "__main__":
    sys.exit(main())
