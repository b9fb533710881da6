"""What a class asks or sets besides numbers, gradients and operands: no trial shows it, so the method is not ours."""

import pytest
from own_values import CLOSURES, LOCAL, changed, made

from micrograd_c._core.adopted.accelerating import examine

NO_SLOTS = changed(LOCAL, ("    __slots__ = ('data', 'grad', '_children', '_local_grads')\n", ""))
INIT = ("        self._op = _op\n", "        self._op = _op\n        self.{} = {}\n")


def with_attribute(name, held, *edits):
    return changed(CLOSURES, (INIT[0], INIT[1].format(name, held)), *edits)


ADD = "            self.grad += out.grad\n"
EXP = "            self.grad += out.data * out.grad\n"
SEED = "        self.grad = 1.0\n"
SWEEP = "            node._backward()\n"


# --- read ---

@pytest.mark.parametrize(
    ("name", "held", "edit"),
    [
        ("requires_grad", True, (ADD, "            if self.requires_grad: self.grad += out.grad\n")),
        ("hook", None, (SWEEP, SWEEP + "            if node.hook: node.hook(node)\n")),
        ("detached", False, (SWEEP, "            if not node.detached: node._backward()\n")),
        ("device", "'cpu'", ("self.data + other.data, (self, other), '+')",
                             "self.data + other.data, (self, other), '+')\n        out.device = self.device")),
        ("device", "'cpu'", ("        out = Value(self.data * other.data",
                             "        assert self.device == other.device\n        out = Value(self.data * other.data")),
        ("seed", 1.0, (SEED, "        self.grad = self.seed\n")),
        ("other", 1, (ADD, "            if getattr(self, 'frozen', False): return\n" + ADD)),
        ("other", 1, (ADD, "            if hasattr(self, 'frozen'): return\n" + ADD)),
        ("other", 1, (ADD, "            if vars(self).get('frozen'): return\n" + ADD)),
        ("other", 1, (ADD, "            if self.__dict__.get('frozen'): return\n" + ADD)),
        ("label", "''", (ADD, "            if self.label != 'constant': self.grad += out.grad\n")),
        ("index", "0", (ADD, "            if not self.index: self.grad += out.grad\n")),     # which lists have as well
    ],
)
def test_a_core_method_that_reads_an_attribute_leaves_the_class(name, held, edit):
    verdict = examine(made(with_attribute(name, held, edit)))
    asked = next(one for one in ("vars", "__dict__", "frozen", name) if one in edit[1])
    assert asked in verdict.refusal
    assert verdict.refusal.startswith(("its __add__ ", "its __mul__ ", "its backward "))


@pytest.mark.parametrize(
    "edit",
    [
        (EXP, "            if self.frozen is None: self.grad += out.data * out.grad\n"),
        (EXP, "            if not getattr(self, 'frozen', None): self.grad += out.data * out.grad\n"),
        (EXP, "            self._give(out.data * out.grad)\n"),
        (EXP, "            give(self, out.data * out.grad)\n"),
        (EXP, "            if self.is_live: self.grad += out.data * out.grad\n"),
    ],
)
def test_another_method_that_reads_one_stays_theirs_also_in_what_it_calls(edit):
    helpers = """
    def _give(self, grad):
        if self.frozen is None: self.grad += grad

    @property
    def is_live(self):
        return self.frozen is None

    def __neg__(self)"""
    source = with_attribute("frozen", None, edit, ("    def __neg__(self)", helpers.strip("\n")), ("import math\n", """
import math

def give(node, grad):
    if node.frozen is None: node.grad += grad
"""))
    verdict = examine(made(source))
    assert verdict.refusal == ""
    assert "frozen" in verdict.own["exp"]
    assert {"__add__", "__mul__", "backward", "log"} <= set(verdict.ours)


@pytest.mark.parametrize(
    "edits",
    [
        [('f"Value(data={self.data})"', 'f"Value({self.label}, {self.data})"')],
        [("    def __neg__(self)", "    def named(self, name):\n        self.label = name\n        return self\n"
                                   "    def __neg__(self)")],
        [("        topo = []\n", "        import collections\n        topo = collections.deque()\n")],
        [("        topo = []\n", "        topo = list(); topo.sort(key=id); topo.extend(())\n")],
        [("import math\n", "import math\nfrom functools import wraps\ndef told(f):\n    @wraps(f)\n"
                           "    def inner(self):\n        return f(self)\n    return inner\n"),
         ("    def exp(self)", "    @told\n    def exp(self)")],
        [("        out = Value(math.exp(self.data), (self,), 'exp')\n",
          "        import math as m\n        out = Value(m.exp(self.data), (self,), 'exp')\n")],
        [(EXP, "            self.grad += m.prod((out.data, out.grad))\n"),
         ("        out = Value(math.exp(self.data), (self,), 'exp')\n",
          "        import math as m\n        out = Value(m.exp(self.data), (self,), 'exp')\n")],
        [("        out = Value(math.exp(self.data), (self,), 'exp')\n",
          "        if not hasattr(self, 'data'): raise TypeError(f'not {type(self).__name__}')\n"
          "        out = Value(math.exp(self.data), (self,), 'exp')\n")],
    ],
)
def test_what_is_asked_elsewhere_or_of_others_than_nodes_does_no_harm(edits):
    verdict = examine(made(with_attribute("label", "''", *edits)))
    assert verdict.refusal == ""
    assert {"__add__", "__mul__", "backward", "exp"} <= set(verdict.ours)


# --- set ---

@pytest.mark.parametrize(
    ("source", "edit", "name"),
    [
        (CLOSURES, ("(self, other), '+')\n", "(self, other), '+')\n        out.name = 'sum'\n"), "name"),
        (CLOSURES, ("(self, other), '+')\n", "(self, other), '+')\n        setattr(out, 'name', 'sum')\n"), "name"),
        (CLOSURES, (SEED, SEED + "        self.topo = topo\n"), "topo"),
        (CLOSURES, (SWEEP, SWEEP + "            node.seen = True\n"), "seen"),
        (NO_SLOTS, ("        self.grad = 1\n", "        self.topo = topo\n        self.grad = 1\n"), "topo"),
    ],
)
def test_a_core_method_that_sets_an_attribute_leaves_the_class(source, edit, name):
    refusal = examine(made(changed(source, edit))).refusal
    assert f" sets {name}, " in refusal or f"a sum has an attribute {name}, " in refusal


def test_another_method_that_sets_one_stays_theirs():
    verdict = examine(made(changed(CLOSURES, ("        out = Value(t, (self,), 'tanh')\n",
                                              "        out = Value(t, (self,), 'tanh')\n        out.t = t\n"))))
    assert verdict.refusal == ""
    assert "sets t" in verdict.own["tanh"]


# --- types of operands ---

@pytest.mark.parametrize(
    ("source", "condition"),
    [(source, condition) for source in (CLOSURES, LOCAL) for condition in (
        "isinstance(other, Vector)", "type(other) is Vector", "other.__class__ is Vector",
        "isinstance(other, (Value, fractions.Fraction))",
    )],
)
def test_a_method_that_asks_for_another_class_is_not_ours(source, condition):
    verdict = examine(made(changed(
        source, ("import math\n", "import fractions, math\nclass Vector:\n    pass\n"),
        ("    def __mul__(self, other):\n",
         f"    def __mul__(self, other):\n        if {condition} and not isinstance(other, Value): return None\n"))))
    assert "its __mul__ asks for the type " in verdict.refusal


@pytest.mark.parametrize("source", [CLOSURES, LOCAL])
@pytest.mark.parametrize(
    "line",
    [
        "if isinstance(other, list): return [self * one for one in other]",
        "if isinstance(other, tuple): return tuple(self * one for one in other)",
        "if isinstance(other, str): return other",
        "if other is None: return self",
        "if isinstance(other, (dict, set)): return len(other)",
        "if not isinstance(other, (Value, int, float)): return 0.0",
    ],
)
@pytest.mark.parametrize("method", ["__mul__", "__rmul__", "__sub__"])
def test_operands_of_other_types_are_tried(source, method, line):
    begin = f"    def {method}(self, other):"
    source = changed(source, (begin, f"{begin}\n        {line}\n       "))
    source = source.replace("       \n        ", "        ")
    verdict = examine(made(source))
    assert verdict.refusal if method == "__mul__" else method in verdict.own


@pytest.mark.parametrize(
    "line",
    ["if not isinstance(other, (Value, int, float)): return NotImplemented",
     "if not isinstance(other, (Value, int, float)): raise ValueError(type(other).__name__)",
     "assert isinstance(other, (Value, numbers.Number)), 'no number'"],
)
def test_in_what_way_they_are_refused_is_all_the_same(line):
    begin = "    def __mul__(self, other):\n"
    source = changed(CLOSURES, (begin, f"{begin}        {line}\n"), ("import math", "import math, numbers"))
    verdict = examine(made(source))
    assert (verdict.refusal, {"__mul__", "__rmul__"} <= set(verdict.ours)) == ("", True)


# --- methods that stay theirs ---

def test_a_method_of_a_number_is_not_tried_with_a_value():
    """Where a node's data would be a Value: ours refuses that, and nobody wants it."""
    source = changed(CLOSURES, ("    def __neg__(self)", """    def step(self, lr):
        self.data -= lr * self.grad

    def give(self, grad):
        self.grad += grad

    def __neg__(self)"""))
    verdict = examine(made(source))
    assert verdict.refusal == ""
    assert {"step", "give"} <= set(verdict.own)


def test_the_line_names_the_argument_and_says_what_to_do():
    source = changed(CLOSURES, ("    def __neg__(self)", """    def shown(self, digits):
        return sorted(vars(self))

    def __neg__(self)"""))
    refusal = examine(made(source)).refusal
    assert refusal.startswith("its own shown(0.5) of 0.7 would give ")
    assert refusal.endswith("; as a function outside of the class it would not keep the class from being compiled")
