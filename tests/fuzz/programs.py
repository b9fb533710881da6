"""Programs: lists of entries, made step by step from a seed, executed in both worlds, and compared in between."""

import gc
import itertools

import arithmetic
import classes
import comparing
import graphs
import memory
import nodes
import running
import runs
import several
import wrapping
from comparing import Difference
from drawing import Draw
from worlds import Entry, Worlds, outcome

STEPS = {}
for steps in (arithmetic, graphs, memory, several, classes, running, runs):
    STEPS.update(steps.KINDS)
WRAPPERS = wrapping.KINDS
WALK = 0.04         # so often all below a Value is looked at
WRAP = 0.1          # so often a step is wrapped
OF_RUNS = {     # of vmap, whose numbers are others where Python raises; left out where numbers are wild
    "mapped", "run", "total", "run_and_sum", "run_of_two", "run_with_shared", "run_of_rows", "run_of_sums",
    "run_of_network", "run_of_places", "run_of_taken", "run_in_run", "run_with_loop", "compiled",
    "shared_run", "derivatives_of_runs",
    "run_of_dot", "loss_of_run", "large_run", "run_of_several", "kept_from_trace", "background",
    "choice",       # and `where` of a condition that is none
}
ALWAYS = {"leaf", "binary", "expression", "backward", "drop"}
PICKLING = {"TypeError", "PicklingError", "AttributeError"}
AS_IT_IS = {"replace_operands", "replace", "put_back", "mapped", "untraceable"}     # steps that are not wrapped


class GiveUp(Exception):
    """The program has come to where the two are known to differ."""


def execute(entry, worlds):
    """One entry in both worlds, and the comparison after it. Raises Difference."""
    if entry.source.startswith("walk("):
        name = entry.source[5:-1]
        if name in worlds.model and name in worlds.real:
            looked(comparing.compare_graphs, worlds, name)
        return
    code = entry.code()
    nodes.reads = 0.0
    expected = None if entry.here else outcome(code, worlds.model)
    if expected in ("TooLarge", "RecursionError"):
        raise GiveUp
    found = outcome(code, worlds.real)
    if entry.source.startswith("vmap("):     # something that vmap refuses
        expected = found
    if {found, expected} <= PICKLING and "pickle" in entry.source:     # of several parts that cannot be pickled, either
        expected = found
    if found != expected and not (entry.here and found == "NameError"):     # what it needs may have been left out
        raise Difference(("exception", found, expected), f"raised {found}, but should {expected or 'not'}")
    entry.raised = expected
    if worlds.verify:
        try:
            worlds.verify()
        except AssertionError as error:
            raise Difference(("verify",), f"tape.verify()  # {error}") from None
    looked(comparing.compare_variables, worlds)


def looked(compare, *arguments):
    """A comparison, in which nothing may raise what is none of its own."""
    try:
        compare(*arguments)
    except Difference:
        raise
    except Exception as error:
        raise Difference(("look", type(error).__name__), f"raised {error!r}, but should not") from None


class Program:
    """Made of a seed, step by step, as it is executed."""

    def __init__(self, seed, worlds, kinds=None, without=()):
        self.without = without
        self.worlds, self.draw = worlds, Draw(seed, worlds)
        self.kinds = list(kinds or STEPS)
        self.weights = list(itertools.accumulate(STEPS[kind][0] * self.emphasis(kind) for kind in self.kinds))
        self.entries = []

    def emphasis(self, kind):
        """Most programs leave some kinds out and have others more often: then these meet sooner."""
        often = self.draw.one([0, 0.3, 1, 1, 4])
        return 1 if kind in ALWAYS or self.draw.seed % 4 == 0 else often

    def next(self):
        """The next entry."""
        draw = self.draw
        values = draw.names("v")
        if len(values) < 2:
            return Entry(arithmetic.leaf(draw))
        if len(values) > 25 and draw.chance(0.5):
            return Entry(memory.drop(draw))
        if draw.chance(WALK):
            return Entry(f"walk({draw.one(values)})")
        for _ in range(20):
            kind = draw.random.choices(self.kinds, cum_weights=self.weights)[0]
            step = STEPS[kind][1]
            source = step(draw)
            if source:
                break
        else:
            return Entry(arithmetic.leaf(draw))
        here = getattr(step, "here", False)
        if not here and draw.chance(WRAP) and "global" not in source and kind not in AS_IT_IS:
            names = [name for name in WRAPPERS if name not in self.without]
            wrapper = draw.random.choices(names, [WRAPPERS[name][0] for name in names])[0]
            source = WRAPPERS[wrapper][1](draw, source)
        return Entry(source, here)

    def run(self, steps, log=None):
        """Execute so many steps. Raises Difference."""
        for _ in range(steps):
            entry = self.next()
            self.take(entry, log)
        for name in self.draw.names("v")[:2]:
            self.take(Entry(f"walk({name})"), log)

    def take(self, entry, log):
        self.entries.append(entry)
        if log:
            log(entry)
        try:
            execute(entry, self.worlds)
        except Difference as difference:
            if difference.kind != ("weak reference",):
                raise
            self.take_once(Entry("gc.collect()"), log)

    def take_once(self, entry, log):
        """The model may hold what is garbage, until Python's collector has come by."""
        self.entries.append(entry)
        if log:
            log(entry)
        execute(entry, self.worlds)


def run_again(entries, worlds, tell):
    """The Difference that a program comes to, or None. Tells each entry's place, and what it raised."""
    try:
        for k, entry in enumerate(entries):
            try:
                execute(entry, worlds)
                tell(k, getattr(entry, "raised", None))
            except Difference as difference:
                if difference.kind != ("weak reference",):
                    raise
                execute(Entry("gc.collect()"), worlds)
    except Difference as difference:
        return difference
    except GiveUp:
        pass
    return None


def leaks(worlds):
    """What is left of a program that is gone: a Difference, or None."""
    if "s0" in worlds.real:
        exec(running.STOP, worlds.real)
    references = [worlds.real[name] for name in worlds.variables() if name[0] == "r"]
    worlds.clear()
    gc.collect()
    alive = sum(reference() is not None for reference in references)
    left = worlds.real["tape"].collect()
    if alive or left:
        forget = "for name in [name for name in globals() if name[1:].isdigit()]: del globals()[name]"
        check = f"assert tape.collect() == 0, '{left} nodes, {alive} Values'"
        return Difference(("leak",), f"{forget}\ngc.collect()\n{check}")
    return None


__all__ = ["Entry", "Worlds"]
