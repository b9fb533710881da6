"""Steps: other threads, finalizers, suspended generators, pictures, state of networks."""

import re

from nodes import below, is_native

# --- only in micrograd_c, with assertions of their own ---

PARALLEL = """\
def h00(n):
    a = Value(1.0)
    for _ in range({count}): a = a * 0.5 + s00[0] * n
    a.backward()
    s00.append(a.data)
s00 = [Value(1.0)]
t01 = [Thread(target=h00, args=(n,)) for n in (1.0, 2.0)]
for t00 in t01: t00.start()
for t00 in t01: t00.join()
assert len(s00) == 3 and abs(s00[0].grad - 6.0) < 1e-3, s00
del t00, t01, s00, h00"""
SUSPENDED = """\
def h00():
    with no_grad(): yield
s00 = h00(); next(s00)
t01 = Value(1.0) * 2
s00.close()
assert len(t01._prev) == 2
t01 = Value(1.0) * 2
assert len(t01._prev) == 2
del h00, s00, t01"""
OTHER_THREAD = """\
def h00(): s00.append(len((Value(1.0) * 2)._prev))
s00 = []
with no_grad():
    t01 = Thread(target=h00); t01.start(); t01.join()
assert s00 == [2]
del h00, s00, t01"""


BACKGROUND = """\
def h0():
    while s0:
        a, b = Value(1.0), Value(2.0)
        c = Value(2.0, (a, b), "mine")
        c._backward = lambda: (sleep(0.0001), setattr(a, "grad", a.grad + 2.0))
        (c * 3 + a).backward()
        assert a.grad == 3.0, a
        {more}
        sleep(0.001)
s0 = [1]
t0 = Thread(target=h0, daemon=True); t0.start()"""
MORE = ["pass", "vmap(lambda x: (sleep(0.0001), a * x)[1])([1.0, 2.0]).sum().backward()", "tape.collect()",
        "with no_grad(): sleep(0.0001); assert (a * b)._prev == set()", "burst(500)", "(c * 2)._prev", "copy(c)"]
STOP = "s0.clear(); t0.join(); del s0, t0, h0"


def background(draw):
    """Another thread, for a while; waiting in a function of a user's it lets this one go on."""
    return STOP if "s0" in draw.worlds.real else BACKGROUND.format(more=draw.one(MORE))


def parallel(draw):
    return PARALLEL.format(count=draw.one([20, 300, 3000]))


def suspended(draw):
    return SUSPENDED


def other_thread(draw):
    return OTHER_THREAD


for step in (background, parallel, suspended, other_thread):
    step.here = True


# --- pictures ---

def picture(draw):
    a = draw.any("v")
    if a is None or any(node._slack for node in below(draw.worlds.model[a])):
        return None
    return (f"x0 = sorted(line[line.index('['):] for line in to_dot({a}, limit=None).splitlines() if 'shape' in line), "
            f"to_dot({a}, limit=None).count('->')")


def count(draw):
    a = draw.any("v")
    return a and f"x0 = sorted(count_ops({a}).items())"


def small_picture(draw):
    a = draw.any("v")
    return a and f"x0 = to_dot({a}, limit=3).count('shape=record') <= 3"


# --- networks ---

def state(draw):
    m, n = draw.any("m"), draw.any("m")
    return m and draw.one([f"x0 = sorted({m}.state_dict())", f"{m}.load_state_dict({n}.state_dict())",
                           f"x0 = sorted(name for name, _ in {m}.named_parameters())", f"x0 = {m}.num_parameters()",
                           f"x0 = repr({m})"])


def whole_weights(draw):
    m = draw.any("m")
    return m and f"for v0 in {m}.parameters(): v0.data = round(2 * v0.data)\ndel v0"


def training(draw):
    """A loop as people write it: the graph before lives until the next one has its name."""
    m, o, x = draw.any("m"), draw.new("o"), draw.value(3.0)
    if m is None:
        return None
    if x is None or any(node._slack or is_native(node) for node in below(draw.worlds.model[x])):
        # steps would follow gradients with slack
        x = "1.0"
    out = draw.new()
    total = "sum(v * v for v in l1) if type(l1) is list else l1 * l1"
    return "\n".join([
        f"{o} = {draw.one(['SGD', 'Adam', 'AdamW'])}({m}.parameters(), lr=0.01)",
        f"for _ in range({draw.random.randint(1, 3)}):",
        f"    l1 = {m}([{draw.plain()}, {x}])",
        f"    {out} = {total}",
        f"    {draw.one([o, m])}.zero_grad({draw.one(['', 'set_to_none=True'])})",
        f"    {out}.backward()",
        f"    {o}.step()",
        "del l1",
    ])


# --- finalizers ---

ACTIONS = ["tape.collect()", "burst(9000)", "burst(50)", "{a} * 2", "sumprod([{a}, {a}], [{a}, {a}])._prev",
           "Value(1.0).backward()", "setattr({a} + 1, 'label', 1)", "(Value(1.0) + 1)._prev"]
LOOKS = ["{a}._prev", "walk({a})", "copy({a})", "ref({a})"]     # at what the step may be about to change


def with_finalizer(draw, inner):
    """Code of a finalizer's runs wherever Python's collector can."""
    return finalized(draw, inner, ACTIONS)


def with_looking_finalizer(draw, inner):
    return finalized(draw, inner, LOOKS)


def finalized(draw, inner, actions):
    if "__class__" in inner:        # the finalizer may come when the class is another already, or not yet
        return inner
    plain = [name for name in draw.names("v") if type(draw.worlds.model[name]) is draw.worlds.model["Value"]]
    a = draw.one(plain) if plain else None
    if a:
        draw.worlds.model[a]._used = True       # for good, as its operands may not be replaced then
        for node in below(draw.worlds.model[a]):
            node._set = node._prev      # looked at, see initialise_used
    action = draw.one(actions).format(a=a)
    return (f"Garbage(lambda: {action}); gc.set_threshold(1, 1, 1); gc.enable()\n"
            "try:\n" + "\n".join("    " + line for line in inner.split("\n")) + "\nfinally: gc.disable()")


def with_later_drop(draw, inner):
    """A finalizer drops a variable that the step does not use, in the middle of it."""
    names = [name for name in draw.names("v") if name not in re.findall(r"\w+", inner)]
    if not names or "gc" in inner or re.search(r"\br\d+\(\)", inner):     # before or after: nobody knows
        return inner
    return (f"Later(lambda: globals().pop('{draw.one(names)}')); gc.set_threshold(1, 1, 1); gc.enable()\n"
            "try:\n" + "\n".join("    " + line for line in inner.split("\n"))
            + "\nfinally: gc.disable(); gc.collect(0)")


KINDS = {
    "background": (0.1, background),
    "parallel": (0.2, parallel), "suspended": (0.2, suspended), "other_thread": (0.2, other_thread),
    "picture": (0.5, picture), "count": (0.5, count), "small_picture": (0.2, small_picture), "state": (1, state),
    "whole_weights": (0.5, whole_weights), "training": (1, training),
}
