"""Steps: subclasses of Value, and methods of Value itself replaced and put back."""

BODIES = [
    "pass",
    "kind = 'mine'",
    "def twice(self): return self + self",
    "def __mul__(self, other): self.tag = 'multiplied'; return super().__mul__(other)",
    "def __add__(self, other): return super().__add__(other)",
    "def __neg__(self): return super().__neg__()",
    "def __sub__(self, other): return super().__sub__(other)",
    "def __pow__(self, other): self.tag = 'power'; return super().__pow__(other)",
    "def relu(self): return super().relu()",
    "def exp(self): self.tag = 'exp'; return super().exp()",
    "def __init__(self, data, _children=(), _op=''): super().__init__(data, _children, _op); self.label = 'made'",
    "def __del__(self): burst(100)",
    "def __repr__(self): return 'mine'",
    "__hash__ = Value.__hash__",
    "label = property(lambda self: 'always')",
]
REFLECTED = [
    "def __radd__(self, other): self.tag = 'right'; return super().__radd__(other)",
    "def __rmul__(self, other): return super().__rmul__(other)",
    "def __rsub__(self, other): return super().__rsub__(other)",
    "def __rtruediv__(self, other): return super().__rtruediv__(other)",
]
SLOTS = ["__slots__ = ('slot',)", "__slots__ = ()"]


def define(draw):
    base = draw.any("C") if draw.chance(0.3) else None
    lines = draw.random.sample(BODIES, draw.random.randint(1, 3))
    if draw.chance(0.2):
        lines.insert(0, draw.one(SLOTS))
    name = draw.new("C")
    return "\n".join([f"class {name}({base or 'Value'}):", *["  " + line for line in lines]])


def define_reflected(draw):
    """With reflected operators that call Value's."""
    lines = [*draw.random.sample(REFLECTED, draw.random.randint(1, 3)), draw.one(BODIES)]
    return "\n".join([f"class {draw.new('C')}(Value):", *["  " + line for line in lines]])


def instance(draw):
    c = draw.any("C")
    if c is None:
        return None
    v, a = draw.new(), draw.value()
    children = f", ({a},), 'sub'" if a and draw.chance(0.3) else ""
    made = f"{v} = {c}({draw.plain()}{children})"
    more = draw.one(["", "", f"; {v}.slot = 'kept'", f"; {v}.label = 'own'", f"; {v} = {v} * {a or v}",
                     f"; {v} = {a or v} + {v}", f"; {v} = 2 - {v}"])
    return made + more


def mixed(draw):
    c, d, a = draw.any("C"), draw.any("C"), draw.value()
    if c is None or a is None:
        return None
    left, right = f"{c}({draw.plain()})", draw.one([f"{d}({draw.plain()})", a, draw.plain()])
    operator = draw.one("+-*/")
    return f"{draw.new()} = " + draw.one([f"{left} {operator} {right}", f"{right} {operator} {left}", f"-{left}",
                                         f"{left} ** 2", f"sumprod([{left}, {a}], [{a}, {left}], {left})",
                                         f"{left}.relu()", f"mean([{left}, {a}])", f"softmax([{a}, {left}])[0]",
                                         f"maximum({left}, {a})", f"stop_gradient({left})", f"sum([{left}, {a}])"])


def another_class(draw):
    c, a = draw.any("C"), draw.any("v")
    return c and a and f"{a}.__class__ = {c}"


# --- replaced methods ---

METHODS = {
    **{name: ["lambda a, b, f={0}: f(a, b)"] for name in
       ["__add__", "__mul__", "__radd__", "__rmul__", "__sub__", "__truediv__", "__pow__"]},
    "__neg__": ["lambda a, f={0}: f(a)", "lambda a: a * -1"],
    "relu": ["lambda a, f={0}: f(a)", "lambda a: a * (a.data > 0)"],
    "exp": ["lambda a, f={0}: f(a)"], "log": ["lambda a, f={0}: f(a) * 1"],
    "sigmoid": ["lambda a: (1 + (-a).exp()) ** -1"],
    "tanh": ["lecture_tanh", "lambda a, f={0}: f(a)"],
    "backward": ["lambda a, f={0}: f(a)"],
    "__setattr__": ["lambda a, name, value, f={0}: f(a, name, value)"],
    "__init__": ["lambda a, *b, f={0}, **c: f(a, *b, **c)"],
    "__lt__": ["lambda a, b, f={0}: f(a, b)"],
}


def replace(draw):
    if len(draw.replaced) > 2:
        return None
    name = draw.one([name for name in METHODS if name not in draw.replaced])
    p = draw.new("p")
    draw.replaced[name] = p
    return f"{p} = Value.{name}; Value.{name} = {draw.one(METHODS[name]).format(p)}"


def put_back(draw):
    if not draw.replaced:
        return None
    name = draw.one(list(draw.replaced))
    return f"Value.{name} = {draw.replaced.pop(name)}"


KINDS = {
    "define": (1, define), "define_reflected": (0.5, define_reflected), "instance": (3, instance),
    "mixed": (3, mixed), "another_class": (0.5, another_class),
    "replace": (0.5, replace), "put_back": (2, put_back),
}
