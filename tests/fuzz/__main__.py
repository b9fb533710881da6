"""python tests/fuzz/__main__.py [--seed N] [--seeds M] [--steps K] [--seconds S] [--jobs J] [--only/--without kinds]

Random programs of all features of micrograd_c, compared with a model in plain Python. Each seed has a process of its
own, so that a crash is a result as any other. A failure is printed as a program of few lines.
"""

import argparse
import gc
import math
import os
import sys
import time
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import drawing
import programs
import rules
import shrinking
from comparing import Difference
from processes import apart
from worlds import Entry, Worlds


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--seeds", type=int, default=None, help="how many; as many as there is time for")
    parser.add_argument("--steps", type=int, default=300, help="of each seed")
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="kinds of steps, separated by commas")
    parser.add_argument("--without", default="", help="kinds of steps that are left out")
    parser.add_argument("--failures", type=int, default=5, help="stop after so many")
    parser.add_argument("--wild", action="store_true", help="numbers may be infinite, none, or huge; without vmap")
    parser.add_argument("--planted", action="store_true", help="have the model wrong, to see that it is found")
    parser.add_argument("--keep", action="store_true", help="print whole programs, not smaller ones")
    return parser.parse_args()


def seed_of(seed, steps, kinds, without):
    """Run a seed. Its entries, how many steps it did, and its Difference, if there is one."""

    def action(write):
        worlds = Worlds()
        program = programs.Program(seed, worlds, kinds, without)
        found = None
        try:
            program.run(steps, lambda entry: write([entry.source, entry.here]))
        except Difference as difference:
            found = difference
        except programs.GiveUp:
            pass
        else:
            del program
            found = programs.leaks(worlds)
        if found:
            write(["difference", found.kind, found.check])

    return ended(*apart(action))


def ended(written, signal_name):
    entries = [Entry(*thing) for thing in written if len(thing) == 2 and thing[0] != "broken"]
    broken = [thing[1] for thing in written if thing[0] == "broken"]
    if broken:
        raise RuntimeError(f"the fuzzer itself failed:\n{broken[0]}\n{entries[-1].source if entries else ''}")
    found = [Difference(tuple(thing[1]), thing[2]) for thing in written if thing[0] == "difference"]
    if signal_name:
        return entries, Difference(("crash", signal_name), f"the process ended by {signal_name}")
    return entries, found[0] if found else None


def outcome_of(entries):
    """The Difference a program comes to, in a process of its own; and what its entries have raised."""

    def action(write):
        worlds = Worlds()
        found = programs.run_again(entries, worlds, lambda k, raised: write(["raised", k, raised]))
        found = found or programs.leaks(worlds)
        if found:
            write(["difference", found.kind, found.check])

    written, signal_name = apart(action, 20)
    if any(thing[0] == "broken" for thing in written):
        return None
    for entry in entries:
        entry.raised = None
    for thing in written:
        if thing[0] == "raised":
            entries[thing[1]].raised = thing[2]
    return ended(written, signal_name)[1]


def report(seed, entries, difference, keep):
    kind = difference.kind
    print(f"\n=== seed {seed}: {kind} after {len(entries)} steps\n    {difference.check}", flush=True)
    print("    " + entries[-1].source.replace("\n", "\n    "))

    def fails(candidate):
        found = outcome_of(candidate)
        return found is not None and found.kind == kind

    again = outcome_of(entries)
    if again is None or again.kind != kind:
        print(f"    not repeated by its steps alone: {again}")
    elif not keep:
        entries = shrinking.smallest(entries, fails)
        apart_ = shrinking.pieces(entries)
        if fails(apart_):
            entries = shrinking.smallest(apart_, fails)
        entries = shrinking.unwrapped(shrinking.without_operands(entries, fails), fails)
        entries = shrinking.smallest(entries, fails)
        again = outcome_of(entries)
    print(f"    {len(entries)} steps left\n")
    print(shrinking.text(entries, again or difference), flush=True)


def main():
    given = arguments()
    kinds = [kind for kind in programs.STEPS if kind not in given.without.split(",")]
    kinds = [kind for kind in given.only.split(",") if kind] or kinds
    drawing.Draw.wild = given.wild
    if given.wild:
        kinds = [kind for kind in kinds if kind not in programs.OF_RUNS]
    if given.planted:
        rules.VALUES["sin"] = lambda x: math.sin(x) + 1e-9
    gc.disable()
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda what: None
    Worlds()
    gc.collect()
    gc.freeze()
    start, steps, failures, seed = time.time(), 0, 0, given.seed
    while given.seeds is None or seed < given.seed + given.seeds:
        if given.seconds is not None and time.time() - start > given.seconds:
            break
        entries, difference = seed_of(seed, given.steps, kinds, given.without.split(","))
        steps += len(entries)
        if difference:
            failures += 1
            report(seed, entries, difference, given.keep)
            if failures >= given.failures:
                break
        seed += 1
    seconds = time.time() - start
    busy = sum(os.times()[:4]) or seconds       # in a browser no clock of processors
    print(f"seeds {given.seed} to {seed - 1}, {steps:,} steps, {steps / seconds:,.0f} a second, "
          f"{steps / busy:,.0f} a second of processor: {failures} differences")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
