"""What attributes and subclasses cost: python benchmarks/attributes.py [--quick] [--before]

Labels given to Values that have been used, oldest first, newest first and shuffled; operations on Values that carry
plain data, and on instances of a plain subclass, beside the same on bare Values, in turn (A B A B) in one run. --before
takes fewer labels, for builds in which their cost explodes.
"""

import gc
import random
import statistics
import sys
import time

from micrograd_c.engine import Value

ROUNDS = 31


class Sub(Value):
    pass


def bare(number):
    return Value(number)


def labelled(number):
    value = Value(number)
    value.label = "w"
    value.m = 0.0
    value.v = None
    return value


KINDS = {"bare": bare, "with attributes": labelled, "of a subclass": Sub}


def chain(make):
    a, b = make(0.5), make(0.25)

    def run():
        x = a
        for _ in range(2_000):
            x = x * b + a
    return run, 4_000


def attention(make):
    """The lines of a GPT that say sum(w * x) over parameters."""
    rows = [[make(random.uniform(-1, 1)) for _ in range(16)] for _ in range(16)]

    def run():
        x = [row[0] for row in rows]
        for _ in range(8):
            x = [sum(w * xi for w, xi in zip(row, x)) for row in rows]
            x = [(xi * 0.1).tanh() for xi in x]
    return run, 8 * 16 * 35


def side_by_side(program, rounds):
    """For each kind the seconds an operation took, round by round."""
    runs = {kind: program(make) for kind, make in KINDS.items()}
    times = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind, (run, operations) in runs.items():
            start = time.perf_counter()
            run()
            times[kind].append((time.perf_counter() - start) / operations)
    return times


def label(count, order):
    """Seconds to label every Value of a chain."""
    values = [Value(1.0)]
    for _ in range(count - 1):
        values.append(values[-1] * 0.5)
    if order == "newest first":
        values.reverse()
    elif order == "shuffled":
        random.shuffle(values)
    start = time.perf_counter()
    for k, value in enumerate(values):
        value.label = str(k)
    return time.perf_counter() - start


def main(arguments):
    random.seed(1337)
    quick = "--quick" in arguments
    gc.collect()
    gc.freeze()
    print("| labels given to used Values | seconds |\n|---|---:|")
    for count in [1_000, 4_000] if "--before" in arguments else [4_000, 10_000, 100_000]:
        for order in ("oldest first", "newest first", "shuffled"):
            print(f"| {count:,}, {order} | {label(count, order):.3f} |", flush=True)
    print("\n| operations on Values | ns, minimum | median | by bare, minima | medians |\n|---|---:|---:|---:|---:|")
    for name, program in {"x*b + a": chain, "GPT's lines": attention}.items():
        times = side_by_side(program, 3 if quick else ROUNDS)
        least, middle = min(times["bare"]), statistics.median(times["bare"])
        for kind, seconds in times.items():
            print(f"| {name}, {kind} | {min(seconds) * 1e9:.1f} | {statistics.median(seconds) * 1e9:.1f} | "
                  f"{min(seconds) / least:.2f} | {statistics.median(seconds) / middle:.2f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
