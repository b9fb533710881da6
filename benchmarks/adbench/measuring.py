"""Compares what sides compute, measures them in turn, and prints tables."""

import statistics
import time

import numpy as np
import vmap_sides

CLOSE = 1e-10       # of the largest number of an array


def differ(what, found, wanted, close=CLOSE):
    """End, if these arrays do."""
    if len(found) != len(wanted):
        raise SystemExit(f"{what}: {len(found)} arrays, not {len(wanted)}")
    for k, (a, b) in enumerate(zip(found, wanted)):
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        if a.shape != b.shape:
            raise SystemExit(f"{what}: array {k} has the shape {a.shape}, not {b.shape}")
        apart = np.abs(a - b).max()
        if not apart <= close * np.abs(b).max():
            raise SystemExit(f"{what}: array {k} differs by {apart}")


class Table:
    """Of times by problem and method, and how much longer the first side takes than others; and one of first calls."""

    def __init__(self, title, options):
        self.title, self.options = title, options
        self.rows, self.first_calls = [], []

    def add(self, problem, sides, methods):
        """Measure these methods of {name: side}, which give arrays that are compared first."""
        ours, *others = sides
        self.header = [*sides]
        self.ratios = [f"{ours} by {other}" for other in others]
        for method in methods:
            actions = [getattr(side, method) for side in sides.values()]
            first, found = zip(*map(vmap_sides.seconds, actions))
            for other, arrays in zip(others, found[1:]):
                differ(f"{problem}, {method}: {ours} and {other}", found[0], arrays)
            times = timings(actions, self.options.rounds, self.options.seconds)
            least = [min(one) for one in times]
            name = f"{problem}, {method}"
            self.rows.append([name, *map(shown, times), *[f"{least[0] / one:.2f}" for one in least[1:]]])
            self.first_calls.append([name, *[f"{one * 1e3:.1f}" for one in first]])

    def show(self):
        vmap_sides.show(self.title, [["ms: minimum (median)", *self.header, *self.ratios], *self.rows])
        vmap_sides.show("First calls", [["ms", *self.header], *self.first_calls])


def timings(actions, rounds, seconds):
    """Of functions in turn, each for so long a round, and once at least: lists of seconds."""
    found = [[] for _ in actions]
    for _ in range(rounds):
        for action, times in zip(actions, found):
            until = time.perf_counter() + seconds
            while True:
                times.append(vmap_sides.seconds(action)[0])
                if time.perf_counter() >= until:
                    break
    return found


def shown(times):
    return f"{min(times) * 1e3:.3f} ({statistics.median(times) * 1e3:.3f})"
