"""python tests/fuzz/own_classes.py [--seed N] [--seeds M] [--steps K] [--seconds S]

Random programs over somebody's own class Value, once as it is and once accelerated. The class is a lecture's or a short
GPT's, with methods, attributes and a constructor of its own. Data must agree to the bit, and gradients but for the
order of additions. Each seed has a process of its own, as a process adopts one class.
"""

import argparse
import contextlib
import copy
import gc
import math
import pathlib
import random
import sys
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import shrinking
from own_values import CLOSURES, LOCAL, changed, made
from processes import apart

CLOSE = 1e-9        # gradients, relative to 1 and their size
MOST = 25           # variables
EXTRA_METHODS = """
    def cube(self):
        return self * self * self

    def clipped_log(self):
        return (self + 1e-10).log()

    def item(self):
        return self.data

    def mixed(self, other):
        return self * 2 + other.exp() if other.data < 3 else self - other
"""
EDITS = [   # of either class, what others write
    (("self.data = data\n", "self.data = data\n        self.label = ''\n"),),
    (("class Value:", "class Value:\n    count = 0\n"),),
    (("    def __neg__(self)", EXTRA_METHODS.strip("\n") + "\n\n    def __neg__(self)"),),
    (("other * self ** -1" , "other * (self ** -1)"),),
    (("def __rmul__(self, other): return self * other", "def __rmul__(self, other): return other * self"),),
    (("self.grad = 0.0", "self.grad = 0"),),
    (("self._prev = set(_children)", "self._prev = tuple(_children)"),),
    (("math.exp(self.data), (self,), (math.exp(self.data),)", "(e := math.exp(self.data)), (self,), (e,)"),),
]


def source_of(draw):
    source = draw.choice([CLOSURES, LOCAL])
    slots = source is LOCAL
    for edit in EDITS:
        with contextlib.suppress(AssertionError):       # not a line of this class
            if draw.random() < 0.4 and not (slots and "label" in edit[0][1]) and "def __rmul__" not in edit[0][0]:
                source = changed(source, *edit)
    return source


# --- what programs call, in either world ---

def sum_of_products(ws, xs):
    return sum((w * x for w, x in zip(ws, xs)), 0)


def softmax(xs):
    top = max(x.data for x in xs)
    exps = [(x - top).exp() for x in xs]
    total = sum(exps)
    return [e / total for e in exps]


def descend(values):
    for value in values:
        value.data -= 0.1 * value.grad


def compiled_names(kind):
    import micrograd_c
    from micrograd_c.optim import SGD

    with warnings.catch_warnings():
        warnings.simplefilter("error")      # that the class stays as it is
        kind = micrograd_c.accelerate(kind)
    return {"Value": kind, "sum_of_products": micrograd_c.sumprod, "softmax": micrograd_c.softmax,
            "descend": lambda values: SGD(values, lr=0.1).step()}


def plain_names(kind):
    return {"Value": kind, "sum_of_products": sum_of_products, "softmax": softmax, "descend": descend}


def agree(theirs, ours):
    """But for the order of additions; and 0 may be an int, where nothing has come to yet but by hand."""
    return abs(theirs - ours) <= CLOSE * (1 + abs(theirs)) and (theirs == 0 or type(theirs) is type(ours))


# --- steps ---

class Program:
    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.source = source_of(self.draw)
        self.closures = "_backward" in self.source
        self.methods = ["exp", "log", "relu"] + (["tanh"] if self.closures else [])
        common = {"gc": gc, "deepcopy": copy.deepcopy}
        self.worlds = [{**common, **plain_names(made(self.source))}, {**common, **compiled_names(made(self.source))}]
        self.count, self.over = 0, False
        self.lines = []

    def names(self, most=30.0):
        plain = self.worlds[0]
        return [name for name in plain if name[0] == "v" and name[1:].isdigit() and abs(plain[name].data) < most
                and abs(plain[name].grad) < 1e6]

    def new(self):
        self.count += 1
        return f"v{self.count}"

    def number(self):
        return repr(self.draw.choice([0, 1, -1, 2, 3, 0.5, -1.5, 2.0, 0.0, round(self.draw.uniform(-3, 3), 3)]))

    def next(self):
        names, draw, out = self.names(), self.draw, self.new()
        if len(names) < 3:
            return f"{out} = Value({self.number()})"
        a, b, c = (draw.choice(names) for _ in range(3))
        # what data is assigned to; theirs keeps the result of tanh apart: see docs/programs.md
        d = draw.choice([name for name in names if getattr(self.worlds[0][name], "_op", "") != "tanh"] or ["v0"])
        n = self.number()
        if len(self.names(math.inf)) > MOST:
            return f"del {draw.choice(self.names(math.inf))}"
        forms = [
            (3, f"{out} = Value({n})"), (6, f"{out} = {a} {draw.choice('+-*/')} {b}"),
            (3, f"{out} = {a} {draw.choice('+-*/')} {n}"), (3, f"{out} = {n} {draw.choice('+-*/')} {a}"),
            (2, f"{a} {draw.choice('+-*')}= {b}"), (2, self.power(out, a)),
            (1, f"{out} = -{a}"), (4, f"{out} = {a}.{draw.choice(self.methods)}()"),
            (2, f"{out} = {a} * {b} + ({c} - {n}).relu()"), (5, f"{a}.backward()"),
            (2, f"{d}.data = {n}"), (1, f"{d}.data = round({d}.data - 0.1 * {d}.grad, 6)"),
            (2, f"{a}.grad = 0"), (1, f"{a}.grad = 0.0"),
            (1, f"for v in [{a}, {b}]: v.grad = 0\ndel v"), (1, f"x = {a} is {a}, {a} == {b}"),
            (2, f"{out} = sum_of_products([{a}, {b}], [{c}, {a}])"), (1, f"{out} = softmax([{a}, {b}, {c}])[1]"),
            (1, f"{out} = sum([{a}, {b}, {c}])"), (1, f"descend([{d}]); {d}.data = round({d}.data, 6)"),
            (1, "gc.collect()"), (1, f"x = {a} + 'text'"), (0.5, f"{a}.unknown"),
            (1, f"x = isinstance({a}, Value), type({a}).__name__, type({a}.data)"),
        ]
        if "def cube" in self.source:
            forms += [(2, f"{out} = {a}.{draw.choice(['cube', 'clipped_log'])}()"), (1, f"x = {a}.item()"),
                      (1, f"{out} = {a}.mixed({b})")]
        if "label" in self.source:
            forms += [(1, f"{a}.label = 'a'"), (1, f"x = {a}.label")]
        if self.closures:
            forms += [(1, f"x = repr({a})"), (1, f"x = len({a}._prev)"), (1, f"x = {a}._op"), (1, f"{a}._backward()"),
                      (1, f"{out} = Value({a}.data, ({a},), 'own'); "
                          f"{out}._backward = lambda a={a}, out={out}: setattr(a, 'grad', a.grad + 2 * out.grad)")]
        else:
            forms += [(1, f"{out} = deepcopy({a})"), (1, f"x = len({a}._children)"),
                      (2, f"x = [(type(one), float('%.6g' % one) + 0) for one in {a}._local_grads]"),
                      (2, f"{out} = Value({a}.data * {b}.data, ({a}, {b}), ({b}.data, {n}))"),
                      (1, f"{out} = Value({a}.data, children=({a},), local_grads=({n},))")]
        return draw.choices([form for _, form in forms], [weight for weight, _ in forms])[0]

    def power(self, out, a):
        """Where the two agree, see docs/programs.md: roots of positive numbers, and nothing else of 0 than products."""
        data = self.worlds[0][a].data
        if data == 0:
            return f"{out} = {a} * {a}"
        return f"{out} = {a} ** {self.draw.choice(['2', '3', '-1', *(['0.5', '1.5'] if data > 0 else [])])}"

    # --- both worlds, and the comparison ---

    def outcome(self, line, names):
        names.pop("x", None)
        try:
            exec(line, names)
        except Exception as error:
            return type(error).__name__, str(error)
        return None

    def step(self, line):
        """What differs after a line, or None."""
        if self.over:
            return None
        self.lines.append(line)
        plain, compiled = (self.outcome(line, names) for names in self.worlds)
        if compiled and not plain and "is not a real number" in compiled[1]:
            self.over = True        # complex in theirs: see docs/differences.md
            return None
        if plain and "backward" in line and (compiled or plain[0] == "ZeroDivisionError"):
            self.over = True        # they had come to different nodes; and 1 / 0 is infinite in ours
            return None
        if (plain or [None])[0] != (compiled or [None])[0]:
            return f"raised {compiled}, but should {plain or 'not'}"
        plain, compiled = self.worlds
        if repr(plain.get("x")) != repr(compiled.get("x")):
            return f"x is {compiled.get('x')!r}, but should be {plain.get('x')!r}"
        for name in self.names(math.inf):
            a, b = plain[name], compiled[name]
            if repr(a.data) != repr(b.data):
                return f"{name}.data is {b.data!r}, but should be {a.data!r}"
            if math.isfinite(a.grad) and not agree(a.grad, b.grad):
                return f"{name}.grad is {b.grad!r}, but should be {a.grad!r}"
        return None


def found_by(action):
    """What differs by an action in a process of its own, or how that has ended: a text, or None."""
    written, signal_name = apart(lambda write: write(["difference", action()]))
    return f"ended by {signal_name}" if signal_name else written[-1][1]


def run(seed, steps):
    """Whether the program of a seed goes as it should. If not, a smaller one is printed."""

    def at_first(write):
        program = Program(seed)
        difference = None
        while difference is None and len(program.lines) < steps and not program.over:
            line = program.next()
            write(["line", line])
            difference = program.step(line)
        write(["difference", difference])

    def again(lines):
        program = Program(seed)
        return next(filter(None, map(program.step, lines)), None)

    written, signal_name = apart(at_first)
    lines = [text for what, text in written if what == "line"]
    difference = f"ended by {signal_name}" if signal_name else written[-1][1]
    if difference is None:
        return True
    kind = difference.split(" is ")[0].split(".")[-1].split(" ")[0]
    lines = shrinking.smallest(lines, lambda some: kind in (found_by(lambda: again(some)) or ""))
    print(f"\n=== seed {seed}: {found_by(lambda: again(lines)) or difference}\n{source_of(random.Random(seed))}")
    print("\n".join(lines), flush=True)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--steps", type=int, default=300, help="of each seed")
    parser.add_argument("--seconds", type=float, default=math.inf)
    given = parser.parse_args()
    start, seed, failures = time.time(), given.seed, 0
    while seed < given.seed + given.seeds and time.time() - start < given.seconds:
        failures += not run(seed, given.steps)
        seed += 1
    print(f"seeds {given.seed} to {seed - 1}, {given.steps} steps each: {failures} differences")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
