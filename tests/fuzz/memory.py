"""Steps: variables dropped, collections, many temporaries, weak references, re-initialised Values."""


def drop(draw):
    names = draw.names("v")
    if len(names) < 4:
        return None
    return f"del {draw.one(names)}"


def drop_some(draw):
    """The young ones, or all but a few."""
    names = draw.names("v")
    if len(names) < 8:
        return None
    kept = draw.random.sample(names, draw.random.randint(2, 6))
    gone = names[len(names) // 2:] if draw.chance(0.5) else [name for name in names if name not in kept]
    return f"del {', '.join(gone)}"


def drop_others(draw):
    names = [name for kind in "brmoflhCt" for name in draw.names(kind)]
    return names and f"del {draw.one(names)}" or None


def collect_garbage(draw):
    return f"gc.collect({draw.one(['', '0', '1'])})"


def collect_tape(draw):
    return "tape.collect()"


def reference(draw):
    a = draw.any("v")
    return a and f"{draw.new('r')} = ref({a})"


def dereference(draw):
    r = draw.any("r")
    if r is None or draw.worlds.model[r]() is None:
        return None
    return f"{draw.new()} = {r}()"


def initialise_again(draw):
    model = draw.worlds.model
    unused = [name for name in draw.values() if not model[name]._used]
    return unused and f"{draw.one(unused)}.__init__({draw.number()})" or None


def burst(draw):
    """Temporaries: only micrograd_c makes them."""
    count = draw.one([50, 1000, 6000, 9000, 20000])
    return draw.one([f"sum([1.0] * {count}, Value(0.5))", f"for _ in range({count // 4}): Value(1.0) * 2 + 1",
                     f"sum([Value(0.5)] * {count}, Value(0.5)).backward()",
                     f"[Value(1.0) for _ in range({count})]",
                     f"for _ in range({count // 400}): sumprod([Value(1.0)] * 100, [Value(2.0)] * 100)"])


def long_sum(draw):
    """A graph that stays."""
    a, b = draw.value(1.0), draw.value(1.0)
    return a and f"{draw.new()} = sum([{a}] * {draw.one([50, 300, 1000])}, {b})"


burst.here = True
collect_tape.here = True

KINDS = {
    "drop": (12, drop), "drop_some": (2, drop_some), "drop_others": (2, drop_others),
    "collect_garbage": (1, collect_garbage), "collect_tape": (2, collect_tape), "reference": (2, reference),
    "dereference": (1, dereference), "initialise_again": (1, initialise_again), "burst": (1, burst),
    "long_sum": (0.5, long_sum),
}
