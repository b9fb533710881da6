"""one.py FEATURE KIND WIDTH FIRST EVERY: one feature, with allocations FIRST, FIRST + EVERY ... failing, each together
with the WIDTH - 1 after it, until none does. Run by harness.py, with `failing` to be imported and preloaded.

Prints the number of each before it is tried, and for each that failed the test what was wrong. Where Python's own code
asked for the memory (kind "python") references may be lost, as the interpreter loses some.
"""

import gc
import pickle
import sys
import warnings

import failing
import features

from micrograd_c import tape
from micrograd_c.engine import Value

KINDS = {"python": failing.PYTHON, "compiled": failing.COMPILED, "plain": failing.PLAIN}
ALLOWED = (
    MemoryError,
    SystemError,            # CPython 3.11 and older, of an exception for whose frame there was no memory: it is lost
    pickle.PicklingError,   # pickle, of a MemoryError
)
# a Value that only weak references know dies, and a message says so
DOCUMENTED = "micrograd_c._core.value.slots.keep_if_reached"
unraisable = []


def settle():
    """Have all dropped that can be; what is then left."""
    features.clear()
    gc.collect()
    tape.collect()
    stats = tape.stats()
    left = {"pauses": not (Value(1.0) * 2)._prev, "a tape that drops nothing": not drops()}
    if PRECISE:
        left["pieces of memory"] = failing.held()
        left["references"] = [sys.getrefcount(probe) for probe in features.PROBES]
        left.update({name: stats[name] for name in ("nodes", "edges", "functions", "young_handles")})
    return left


def drops():
    """Whether the tape is not pinned."""
    before = tape.stats()["nodes"]
    Value(1.0) * 1
    return tape.stats()["nodes"] == before


def forget_frames(error):
    """The error without what it has seen, or it and a frame would be a cycle."""
    seen = error
    while seen is not None:
        seen.__traceback__ = None
        seen = seen.__context__
    return error


def attempt(feature, kind, first, last):
    """What the feature returned or raised, and how many allocations there were."""
    hoard = [Value(0.0) for _ in range(260)]    # no Value waits to be made again
    failing.arm(kind, first, last)
    try:
        outcome = feature()
        failing.disarm()
    except BaseException as error:
        failing.disarm()
        outcome = forget_frames(error)
    del hoard
    return outcome, failing.count()


def problems_of(feature, kind, first, last, expected, before):
    """Texts; and whether there were allocations enough for some to fail."""
    outcome, count = attempt(feature, kind, first, last)
    lost = [text for text in unraisable if DOCUMENTED in text]
    unraisable[:] = [text for text in unraisable if DOCUMENTED not in text]
    if isinstance(outcome, BaseException):
        if not isinstance(outcome, ALLOWED):
            yield f"raises {type(outcome).__name__}: {str(outcome)[:200]}"
        outcome = None
    elif repr(outcome) != expected and not lost:
        yield f"is wrong: {outcome!r}"[:400]
    while unraisable:
        text = unraisable.pop()
        if PRECISE or "<generator" not in text:     # the interpreter has no memory for ending a generator
            yield f"ignores {text}"
    after = settle()
    for name in before:
        if after[name] != before[name]:
            yield f"leaves {name} {after[name]} instead of {before[name]}"
            before[name] = after[name]
    again = repr(feature())
    if again != expected:
        yield f"is wrong from then on: {again}"[:400]
    settle()
    blocks = sys.getallocatedblocks()
    if PRECISE and ALL and count > first and blocks > problems_of.blocks:
        leak = blocks_a_time(feature, kind, first, last)
        if leak:
            yield f"leaks {leak} blocks"
        problems_of.blocks = max(problems_of.blocks, sys.getallocatedblocks())


def blocks_a_time(feature, kind, first, last):
    """How many are left each time; 0 if it is less than one in the long run, when caches are full."""
    for times in (10, 40, 80):
        before = sys.getallocatedblocks()
        for _ in range(times):
            attempt(feature, kind, first, last)
            unraisable.clear()
            settle()
        growth = sys.getallocatedblocks() - before
        if growth < times:
            return 0
    return growth / times


def main(name, kind, width, first, every):
    feature, kind, width, first, every = features.FEATURES[name], KINDS[kind], int(width), int(first), int(every)
    settle()
    expected = repr(feature())
    for _ in range(3):
        attempt(feature, kind, 0, 0)
    gc.collect()
    gc.freeze()
    before = settle()
    problems_of.blocks = sys.getallocatedblocks()
    while True:
        print(first, flush=True)
        for problem in problems_of(feature, kind, first, first + width, expected, before):
            print(first, problem.replace("\n", " "), flush=True)
        if failing.count() <= first:
            return
        first += every


if __name__ == "__main__":
    warnings.simplefilter("ignore")     # vmap's, of what it runs row by row
    sys.unraisablehook = lambda given: unraisable.append(f"{given.exc_type.__name__} in {given.object!r}"[:100])
    assert failing.watch("/micrograd_c/") > 10
    PRECISE = sys.argv[2] != "python"
    ALL = sys.argv[5] == "1"        # else there is no time to look for leaks
    main(*sys.argv[1:])
