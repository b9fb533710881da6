"""Steps: sweeps, functions and ops of one's own, attributes, the graph through `_prev`, copies."""

from nodes import below, is_native


def backward(draw):
    a = draw.value(1e6)
    return a and f"{a}.backward()"


def asked(draw):
    """Derivatives of what has no function of a user's below, which would be called."""
    a, b, c = draw.any("v"), draw.any("v"), draw.any("v")
    if a is None or any(node._function for node in below(draw.worlds.model[a])):
        return None
    return f"asked({a}, [{b}, {c}], {draw.one([False, True])})"


def backward_twice(draw):
    a = draw.value(1e6)
    return a and f"{a}.backward(); {a}.backward()"


def step_by_hand(draw):
    a = draw.value()
    return a and f"{a}._backward()"


def backward_that_raises(draw):
    """A power's slope at 0, after the forward pass."""
    a, v, w = draw.value(), draw.new(), draw.new()
    return a and f"{v} = Value(1.0); {w} = {v} ** -1 + {a} * {v}; {v}.data = 0.0; {w}.backward()"


def look(draw):
    a = draw.any("v")
    if a is None:
        return None
    text = a
    for _ in range(draw.random.randint(1, 4)):
        text = f"operands({text})[{draw.one([0, -1, -1, 1])}]"
    return f"{draw.new()} = {text}"


def identity(draw):
    a = draw.any("v")
    return a and f"x0 = {a}._prev is {a}._prev or not {a}._prev, len({a}._prev), {{{a}: 1}}[{a}]"


def name(draw):
    a = draw.any("v")
    return a and f"{a}._op = {draw.one(['mine', 'other', '+'])!r}"


def replace_operands(draw):
    """Only of what nothing was computed from, and of no mapped run."""
    model = draw.worlds.model
    unused = [v for v in draw.values()
              if not (model[v]._used or model[v]._detached or is_native(model[v]))]
    a, b = draw.value(), draw.value()
    if not unused:
        return None
    target = draw.one(unused)
    return None if model[target] in (model[a], model[b]) else f"{target}._prev = ({a}, {b})"


# --- functions and ops of one's own ---

SWEEP = "(children[0] * children[-1]).backward()"        # not of what is above the node: it would never end
BODIES = [      # of a closure over `out` and `children`
    "for child in children: child.grad += 2 * out.grad",
    "for child in children: child.grad += out.grad",
    "sum([out] * 20, out * 2)",
    "burst({burst})",
    "gc.collect(0)",
    "tape.collect()",
    "len(out._prev)",
    "copy(out)",
    "raise ZeroDivisionError",
    "raise KeyError(3)",
    SWEEP,
    "globals().pop({drop!r}, None)",
    "globals().update({new}=out + 1)",
    "out.seen = 1",
    "children[0].label = 'seen'",
    "out.grad = out.grad * 1",
    "with no_grad(): out * 3",
    "sumprod([children[0], out], [out, children[-1]])._prev",
    "children[0].data = children[0].data * 1.0",
]


def bodies(draw, above=False):
    lines = [draw.one(BODIES[:2])] if draw.chance(0.8) else []
    lines += [draw.one(BODIES) for _ in range(draw.random.randint(0, 2))]
    lines = [line for line in lines if line != SWEEP or not above]
    lines = lines or ["pass"]
    drop = draw.any("v") or "v0"
    return "\n".join(f"    {line.format(drop=drop, new=draw.new(), burst=draw.one([50, 9000]))}" for line in lines)


def custom(draw):
    """An op of one's own, made as micrograd makes its own."""
    names = draw.some(1, 4)
    if not names:
        return None
    out, f = draw.new(), draw.new("h")
    total = " + ".join(f"{name}.data" for name in names)
    lines = [
        f"def {f}(out, children):",
        "  def _backward():",
        bodies(draw),
        "  out._backward = _backward",
        "  return out",
        f"{out} = {f}(Value({total}, ({', '.join(names)},), {draw.one(['mix', 'mine', ''])!r}), [{', '.join(names)}])",
    ]
    return "\n".join(lines)


def custom_without_rule(draw):
    names = draw.some(1, 4)
    return names and f"{draw.new()} = Value({draw.plain()}, ({', '.join(names)},), 'none')"


def local(draw):
    """An op of one's own without a function."""
    names = draw.some(1, 4)
    if not names:
        return None
    total = " + ".join(f"{name}.data" for name in names)
    numbers = "".join(f"{draw.one([draw.plain(), f'{name}.data * 0.5'])}, " for name in names)
    form = draw.one(["({numbers})", "[{numbers}]", "local_grads=({numbers})", "'mine', local_grads=({numbers})",
                     "({numbers}), label='local'"])
    return f"{draw.new()} = Value({total}, ({', '.join(names)},), {form.format(numbers=numbers)})"


def respelled(draw):
    """Any op as one of one's own."""
    a = draw.value(1e6)
    return a and (f"x0 = len({a}._prev), len({a}._children), [type(one).__name__ for one in {a}._local_grads]\n"
                  f"{draw.new()} = Value({a}.data, {a}._children, {a}._local_grads)")


def wrong_local(draw):
    a, b = draw.any("v"), draw.any("v")
    return a and draw.one([
        f"Value(1.0, ({a},), (1.0, 2.0))", f"Value(1.0, ({a}, {b}), [{b}, 2.0])", f"Value(1.0, ({a},), (None,))",
        f"Value(1.0, ({a},), 2.0)", f"Value(1.0, ({a},), ())", "Value(1.0, (), (1.0,))",
    ])


def hook(draw):
    """A function of one's own on any node, alone or around the node's own."""
    a, b = draw.value(), draw.value()
    if a is None or draw.worlds.model[a]._detached:
        return None
    f = draw.new("h")
    above = draw.worlds.model[a] in below(draw.worlds.model[b])
    own = draw.one(["    own()", "    pass", "    own()"])
    return "\n".join([
        f"def {f}(out, children, own):",
        "  def _backward():",
        own,
        bodies(draw, above),
        "  out._backward = _backward",
        f"{f}({a}, [{b}], {a}._backward)",
    ])


def simple_hook(draw):
    a = draw.value()
    if a is None or draw.worlds.model[a]._detached:
        return None
    return f"{a}._backward = " + draw.one([
        "lambda: None", f"lambda own={a}._backward: own()", f"(lambda out: lambda: setattr(out, 'seen', 2))({a})",
        f"{a}._backward",
    ])


# --- attributes ---

STATES = ["'a'", "'b'", "1", "2.5", "None", "True", "[1, 'two']", "(3, [4])", "lambda: 3", "{value}",
          "[{value}, {other}]", "('text', {value})", "Ending(lambda: burst(100))", "Ending(tape.collect)",
          "Ending(lambda: Value(1.0) * 2)"]


def attribute(draw):
    a, b, c = draw.any("v"), draw.any("v"), draw.any("v")
    if a is None:
        return None
    if draw.chance(0.6):
        return f"{a}.label = {draw.one(STATES[:6])}"
    return f"{a}.{draw.one(['tag', 'other'])} = {draw.one(STATES).format(value=b, other=c)}"


def attribute_then_drop(draw):
    """The Value loses its name, and can be found through `_prev` only."""
    a, b, c = draw.value(), draw.value(), draw.new()
    if a is None:
        return None
    drop = f"del {a}" if draw.chance(0.7) else "pass"
    lines = [f"{a}.{draw.one(['label', 'tag'])} = {draw.one(STATES[:6])}", f"{c} = {a} * {b}"]
    if draw.chance(0.5):
        lines.reverse()
    return "; ".join([*lines, drop])


def temporary_with_attribute(draw):
    a, b = draw.value(), draw.value()
    if a is None:
        return None
    t, out = draw.new("t"), draw.new()
    return f"{t} = {a} + 1; {t}.label = 'lost'; {out} = {t} * {b}; del {t}"


def no_attribute(draw):
    a = draw.any("v")
    return a and f"del {a}.{draw.one(['label', 'tag', 'other'])}"


def through_vars(draw):
    a = draw.any("v")
    return a and draw.one([f"vars({a})['label'] = 'by vars'", f"x0 = sorted(vars({a}))",
                           f"setattr({a}, 'tag', 'set')", f"{a}.__dict__.update(label='late')"])


def vector(draw):
    """Numbers of several Values at once, and back."""
    a, b = draw.any("v"), draw.any("v")
    if a is None:
        return None
    first, second = (draw.worlds.model[name] for name in (a, b))
    if first._slack or second._slack or first._blur or second._blur:
        return None
    numbers = [str(draw.number()) for _ in {first, second}]
    written = draw.one(["", f".copy_([{', '.join(numbers)}])", ".copy_()"])
    return f"x0 = flat([{a}, {b}, {a}], {draw.one(['data', 'grad'])!r}){written}.tolist()"


# --- copies ---

def shallow(draw):
    a = draw.any("v")
    return a and f"{draw.new()} = copy({a})"


def deep(draw):
    a, b = draw.any("v"), draw.any("v")
    if a is None:
        return None
    return f"{draw.new()} = deepcopy({a})" if draw.chance(0.7) else \
        f"{draw.new()}, {draw.new()} = deepcopy([{a}, {b}])"


def modules(draw):
    m = draw.any("m")
    return m and draw.one([f"{draw.new('m')} = deepcopy({m})", f"{draw.new('m')} = pickle.loads(pickle.dumps({m}))",
                           f"{draw.new('m')} = copy({m})"])


def pickled(draw):
    a = draw.any("v")
    if a is None or type(draw.worlds.model[a]) is not draw.worlds.model["Value"]:
        return None
    if any(callable(one) or isinstance(one, (list, tuple)) for one in vars(draw.worlds.model[a]).values()):
        return None
    return f"{draw.new()} = pickle.loads(pickle.dumps({a}))"


KINDS = {
    "backward": (9, backward), "asked": (5, asked), "backward_twice": (2, backward_twice),
    "step_by_hand": (2, step_by_hand),
    "backward_that_raises": (1, backward_that_raises), "look": (4, look), "identity": (2, identity),
    "name": (1, name), "replace_operands": (2, replace_operands), "custom": (3, custom),
    "custom_without_rule": (1, custom_without_rule), "local": (3, local), "respelled": (2, respelled),
    "wrong_local": (0.5, wrong_local), "hook": (2, hook), "simple_hook": (1, simple_hook),
    "attribute": (4, attribute), "attribute_then_drop": (3, attribute_then_drop),
    "temporary_with_attribute": (2, temporary_with_attribute), "no_attribute": (2, no_attribute),
    "through_vars": (1, through_vars), "shallow": (1, shallow), "deep": (1, deep), "pickled": (1, pickled),
    "vector": (1, vector),
    "modules": (0.5, modules),
}
