"""Steps: variables dropped, collections, many temporaries, weak references, re-initialised Values."""

from nodes import users_of


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
    return (names and f"del {draw.one(names)}") or None


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
    return (unused and f"{draw.one(unused)}.__init__({draw.number()})") or None


def initialise_used(draw):
    """What was computed from it keeps its former node."""
    model = draw.worlds.model
    a = draw.value()
    if a is None or type(v := model[a]) is not model["Value"] or v.__dict__ or v._function or v._detached:
        return None
    if "__init__" in draw.replaced or "__setattr__" in draw.replaced or v._op != v._made_as:
        return None
    return None if any(user._set is not None for user in users_of(v)) else f"{a}.__init__({draw.number()})"


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


def old_values(draw):
    """Many that live for a while: a tape that grows, and gives memory back."""
    names = [name for name in draw.worlds.real if name[0] == "k" and name[1:].isdigit()]
    if names and draw.chance(0.6):
        return f"del {draw.one(names)}"
    count = draw.one([100, 5000, 20000])
    return f"{draw.new('k')} = " + draw.one([
        f"[Value(1.0) for _ in range({count})]", f"[Value(1.0) * 2 for _ in range({count // 2})]",
        f"[sum([Value(0.5)] * {count}, Value(1.0))]", f"[sumprod([Value(0.5)] * {count}, [Value(2.0)] * {count})]"])


def list_of_values(draw):
    a = draw.value(3.0)
    return a and f"{draw.new('l')} = [{a} * n0 for n0 in range({draw.one([3, 10, 40])})]"


def of_list(draw):
    x = draw.any("l")
    return x and draw.one([f"{draw.new()} = {x}[{draw.one([0, -1, 1])}]", f"{draw.new()} = sum({x})",
                           f"len({x}) > 1 and {x}.pop()", f"{draw.new()} = mean({x})", f"{x}.reverse()",
                           f"{x}[0].backward()",
                           f"{draw.new()} = sumprod({x}, {x})", f"{x}[0] = {x}[-1] * 2",
                           f"{x}.append({draw.any('v')})"])


def reference_below(draw):
    """To a Value that nothing but the graph holds."""
    a = draw.any("v")
    return a and f"{draw.new('r')} = ref(operands({a})[{draw.one([0, -1])}])"


old_values.here = True
burst.here = True
collect_tape.here = True

KINDS = {
    "initialise_used": (0.5, initialise_used),
    "drop": (12, drop), "drop_some": (2, drop_some), "drop_others": (2, drop_others),
    "collect_garbage": (1, collect_garbage), "collect_tape": (2, collect_tape), "reference": (2, reference),
    "dereference": (1, dereference), "initialise_again": (1, initialise_again), "burst": (1, burst),
    "long_sum": (0.5, long_sum), "old_values": (0.7, old_values), "list_of_values": (0.5, list_of_values),
    "of_list": (1.5, of_list), "reference_below": (0.5, reference_below),
}
