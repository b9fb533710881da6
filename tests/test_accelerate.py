"""micrograd_c.accelerate: classes of others in whose place Value is put, and what else there is beside them."""

import warnings

import pytest
from own_values import CLOSURES, LOCAL, changed, made

import micrograd_c
from micrograd_c import Value
from micrograd_c._core.adopted.accelerating import examine

# programs of run_python begin with these
BEGIN = """
import sys
sys.path.insert(0, {folder!r})
from own_values import CLOSURES, LOCAL, changed, made
import micrograd_c
from micrograd_c import accelerate
from micrograd_c._core.adopted.accelerating import examine
"""


@pytest.fixture
def run_own(run_python, request):
    begin = BEGIN.format(folder=str(request.path.parent))
    return lambda program: run_python(begin + program)


@pytest.fixture
def run_own_forked(run_forked, request):
    """The same for programs of which many begin alike."""
    begin = BEGIN.format(folder=str(request.path.parent))
    return lambda beginning, program: run_forked(begin + beginning, program)


# --- what comes back ---

@pytest.mark.parametrize("source", ["CLOSURES", "LOCAL"])
def test_ours_stands_in_under_their_name(source, run_own):
    run_own(f"""
original = made({source})
Value = accelerate(original)
assert Value is micrograd_c.Value is not original
for name in ("__name__", "__qualname__", "__module__", "__doc__"):
    assert getattr(Value, name) == getattr(original, name)
assert accelerate(Value) is Value
x, y = Value(2.0), Value(-3)
z = (x * y + 2).relu() - y / x
z.backward()
assert (type(z), z.data, x.grad, y.grad) == (Value, 1.5, -0.75, -0.5)
""")


def test_it_is_a_decorator_also_in_a_function(run_own):
    run_own("""
def make():
    source = LOCAL.replace("class Value", "@accelerate\\nclass Value")
    variables = {"__name__": "inner", "accelerate": accelerate}
    text = "def inner():\\n" + "".join("    " + line for line in source.splitlines(True)) + "\\n    return Value"
    exec(text, variables)
    return variables["inner"]()
Value = make()
assert Value is micrograd_c.Value
assert (Value(2.0) * 3 + Value(1).exp()).data == 6 + 2.718281828459045
assert Value(1.0).__class__.__qualname__ == "inner.<locals>.Value"
""")


def test_methods_that_differ_are_theirs_on_our_nodes(run_own):
    run_own("""
edits = ("math.log(self.data)", "math.log(self.data + 1e-10)"), ("1 / self.data", "1 / (self.data + 1e-10)")
source = changed(LOCAL, *edits) + '''
    def softplus(self):
        return (1 + self.exp()).log()
    @property
    def double(self):
        return self * 2
    @staticmethod
    def zero():
        return Value(0)
    @classmethod
    def one(cls):
        return cls(1)
    constant = 3
'''
Value = accelerate(made(source))
x = Value(0.0)
y = x.log() + x.softplus()
y.backward()
assert y.data == __import__("math").log(1e-10) + __import__("math").log(2 + 1e-10)
assert abs(x.grad - 1e10 - 0.5) < 1e-4
assert (x.double.data, Value.zero().data, Value.one().data, Value.constant) == (0.0, 0, 1, 3)
assert type(Value.zero()) is type(Value.one()) is Value
""")


@pytest.mark.parametrize(
    ("source", "edit", "difference"),
    [
        (CLOSURES, ("self.data + other.data", "self.data + other.data + 1"), "__add__ of 0.7, 0.7 gives data 2.4"),
        (LOCAL, ("(other.data, self.data)", "(other.data, self.data + 1)"), "neither derivatives"),
        (LOCAL, ("self.grad = 1\n", "self.grad = 2\n"), "gives grad 2, ours grad 1"),
        (CLOSURES, ("def __add__(", "def plus("), "it has no __add__ of its own"),
        (CLOSURES, ("class Value:", "class Value(float):"), "it is a subclass of float"),
        (CLOSURES, ("def relu(", "__hash__ = None\n    def relu("), "it cannot be hashed"),
        (CLOSURES, ("def relu(", "def __getattr__(self, name): return 0\n    def relu("), "it has a __getattr__"),
        (CLOSURES, ("def relu(", "def __new__(cls, *a): return 3\n    def relu("), "it has a __new__"),
        (LOCAL, ("def backward(self)", "def backward(self, scale)"), "its backward takes other arguments"),
        (LOCAL, ("children=(), local_grads=()", "children, local_grads=()"), "raises TypeError"),
        (LOCAL, ("self.grad = 0\n", "self.grad = None\n"), "which attribute has its gradient"),
    ],
)
def test_a_class_that_cannot_be_adopted_comes_back_with_a_warning(source, edit, difference):
    kind = made(changed(source, edit))
    with pytest.warns(RuntimeWarning, match="stays as it is: ") as caught:
        assert micrograd_c.accelerate(kind) is kind
    assert difference in str(caught[0].message)
    assert Value.__module__ == "micrograd_c.engine"


@pytest.mark.parametrize("what", [3, "Value", Value(2), lambda x: x])
def test_what_is_no_class_is_a_type_error(what):
    with pytest.raises(TypeError, match="accelerate wants a class, not "):
        micrograd_c.accelerate(what)


def test_a_second_class_stays_and_the_same_statement_in_a_notebook_takes_its_place(run_own):
    run_own("""
import builtins, warnings
builtins.__IPYTHON__ = True
first = made(CLOSURES)
first.__module__ = "__main__"
first = accelerate(first)
other = made(LOCAL)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert accelerate(other) is other
assert "has a compiled class already" in str(caught[0].message)
again = made(changed(LOCAL, ("def relu(self)", "def positive(self)")))
again.__module__ = "__main__"
assert accelerate(again) is first
assert first(2.0).positive().data == 2.0
assert type(first.gelu).__name__ == "method_descriptor"     # Value's again, not the first class's
x = first(3)
(x * x).backward()
assert repr(x.grad) == "6"
""")


SECOND = """
import warnings
def second(make):
    first, old = kinds[0], kinds[0](2.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        other = make()
    assert other is not first and first is micrograd_c.Value
    assert "has a compiled class already" in str(caught[0].message)
    assert (other(2.0).relu().data, old.relu().data, first(2.0).relu().data) == (4.0, 2.0, 2.0)
    x = other(2.0)
    (x * x + 1.0).backward()
    assert x.grad == 4.0
TWICE = changed(LOCAL, ("max(0, self.data)", "max(0, self.data) * scale"),
                ("class Value:", "@accelerate\\nclass Value:"))
"""


@pytest.mark.parametrize(
    "program",
    [
        # in a function
        "names = {'accelerate': accelerate, '__name__': 'inner'}\n"
        "exec('def make(scale):\\n' + ''.join('    ' + line for line in TWICE.splitlines(True)) + "
        "'\\n    return Value', names)\n"
        "kinds = [names['make'](1)]\nsecond(lambda: names['make'](2))",
        # twice in one file
        "names = {'accelerate': accelerate, '__name__': 'inner'}\n"
        "exec(TWICE.replace('scale', '1'), names)\nkinds = [names['Value']]\n"
        "def make():\n    exec(TWICE.replace('scale', '2'), names)\n    return names['Value']\nsecond(make)",
        # reloaded
        "import importlib, pathlib\nsys.path.insert(0, '')\nsys.dont_write_bytecode = True\n"
        "def write(scale):\n    pathlib.Path('reloaded.py').write_text("
        "'from micrograd_c import accelerate\\n' + TWICE.replace('scale', scale))\n"
        "write('1')\nimport reloaded\nkinds = [reloaded.Value]\nwrite('2')\n"
        "second(lambda: importlib.reload(reloaded).Value)",
    ],
)
def test_a_class_statement_that_runs_twice_makes_two_classes(program, run_own):
    run_own(SECOND + program)


@pytest.mark.parametrize("source", ["CLOSURES", "LOCAL"])
@pytest.mark.parametrize("returned", ["self", "topo", "self.grad", "len(topo) or None", "topo[1:] or None"])
def test_what_backward_returns_is_compared(source, returned):
    source = {"CLOSURES": CLOSURES, "LOCAL": LOCAL}[source]
    end = source.index("node._backward()\n") + 17 if source is CLOSURES else source.index("local_grad * v.grad") + 20
    verdict = examine(made(f"{source[:end]}        return {returned}\n{source[end:]}"))
    assert "its backward returns " in verdict.refusal


def test_explain_says_what_was_compared(capfd):
    kind = made(changed(LOCAL, ("self.grad = 1\n", "self.grad = 2\n")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        micrograd_c.accelerate(kind, explain=True)
    output, errors = capfd.readouterr()
    assert output == ""
    assert errors.startswith("micrograd-c: Value (")
    assert "\n  attribute _local_grads: derivatives with respect to operands\n" in errors
    assert "\n  constructor: data, children, local_grads\n" in errors


# --- trying leaves no traces ---

@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("print('adding')", "what is printed"), ("Value.count += 1", "Value.count"), ("COUNTS.append(1)", "COUNTS"),
        ("COUNTS[0] += 1", "COUNTS"), ("random.random()", "random numbers"), ("next(NUMBERS)", "NUMBERS"),
        ("STATE.total += 1", "STATE.total"), ("global total; total = 1", "total"),
        ("sys.stderr.write('x')", "what is printed"), ("self.__class__.count = 2", "Value.count"),
    ],
)
@pytest.mark.parametrize("method", ["__mul__", "exp"])
def test_a_method_that_does_more_is_found_out_and_has_done_nothing(line, changes, method, capfd):
    body = f"def {method}(self, other):\n        " if method == "__mul__" else f"def {method}(self):"
    source = LOCAL.replace("import math\n", """
import itertools, math, random, sys
COUNTS, NUMBERS, total = [0], itertools.count(), 0
class State: total = 0
STATE = State(); STATE.total = 0
""").replace(body, f"{body.rstrip()}\n        {line}\n        ")
    kind = made(source.replace("    __slots__", "    count = 0\n    __slots__"))
    variables = kind.backward.__globals__
    random_state = variables["random"].getstate()
    verdict = examine(kind)
    if method == "__mul__":
        assert f"changes {changes}" in verdict.refusal
    else:
        assert verdict.refusal == ""
        assert verdict.own["exp"] == f"it changes {changes}"
    assert capfd.readouterr() == ("", "")
    assert (variables["COUNTS"], next(variables["NUMBERS"]), variables["total"], kind.count) == ([0], 0, 0, 0)
    assert variables["STATE"].total == 0
    assert variables["random"].getstate() == random_state
    assert kind(2.0).__class__ is kind


@pytest.mark.parametrize(
    "line", ["open({path!r}, 'w').write('x')", "os.mkdir({path!r})", "os.system('touch ' + {path!r})",
             "pathlib.Path({path!r}).write_text('x')", "time.sleep(60)", "os.kill(os.getppid(), 9)"],
)
def test_what_would_be_seen_outside_is_not_done(line, tmp_path):
    path = str(tmp_path / "made")
    source = LOCAL.replace("import math\n", "import math, os, pathlib, time\n").replace(
        "def exp(self):", f"def exp(self):\n        {line.format(path=path)}\n        ")
    verdict = examine(made(source))
    assert "exp" not in verdict.ours
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("line", ["while True: pass", "os._exit(0)", "os.abort()", "sys.exit()"])
def test_what_ends_or_holds_up_trying_leaves_the_class(line, monkeypatch):
    monkeypatch.setattr("micrograd_c._core.adopted.apart.SECONDS", 1.0)
    source = LOCAL.replace("import math\n", "import math, os, sys\n").replace(
        "def exp(self):", f"def exp(self):\n        {line}\n        ")
    verdict = examine(made(source))
    assert verdict.refusal
    assert verdict.ours == {}


@pytest.mark.parametrize(
    ("edits", "flag"),
    [
        ([("class Value:", "FAST = True\nclass Value:"), ("(1, 1))", "(1, 1) if FAST else (0, 0))")], "FAST"),
        ([("    __slots__", "    fast = None\n    __slots__"), ("(1, 1))", "(1, 1) if Value.fast is None else ())")],
         "Value.fast"),
    ],
)
def test_what_depends_on_a_variable_stays(edits, flag):
    verdict = examine(made(changed(LOCAL, *edits)))
    assert verdict.refusal == f"its __add__ depends on {flag}, which may change"


def test_what_depends_on_an_argument_of_the_constructor_stays():
    source = changed(
        CLOSURES, ("_op=''):", "_op='', requires_grad=True):"),
        ("self._op = _op", "self._op = _op\n        self.requires_grad = requires_grad"),
        ("            self.grad += out.grad", "            if self.requires_grad: self.grad += out.grad"),
    )
    assert "__add__" in examine(made(source)).refusal


# --- constructors and attributes ---

def test_other_parameters_and_attributes_are_kept(run_own):
    run_own("""
source = changed(
    CLOSURES, ("data, _children=(), _op=''", "data=0.0, parents=(), name='', *, op='', trainable=True"),
    ("set(_children)", "set(parents)"),
    ("_op = _op", "_op, self.name, self.trainable, self.steps = op, name, trainable, 0"),
)
for op in ("'+'", "'*'", "f'**{other}'", "'ReLU'", "'exp'", "'log'", "'tanh'"):
    source = source.replace(f", {op})", f", op={op.replace('tanh', 'th').replace('ReLU', 'relu')})")
Value = accelerate(made(source))
import inspect
if sys.version_info >= (3, 11, 7):  # 3.11.2 and before, inspect asks a class made in C before its __init__
    assert str(inspect.signature(Value)) == "(data=0.0, parents=(), name='', *, op='', trainable=True)"
x = Value(2.0, name="x", trainable=False)
y = Value(parents=(x,), op="mine")
assert (x.name, x.trainable, x.steps, y.data, y._op, y._prev, y.name) == ("x", False, 0, 0.0, "mine", {x}, "")
z = (x * x).relu().tanh()
assert (z.name, z.trainable, z._op, x.relu()._op, (x + 1)._op, (x ** 3)._op) == ("", True, "th", "relu", "+", "**3")
x.steps += 1
assert (x.steps, z.steps, Value.steps) == (1, 0, 0)
try:
    Value(1, nothing=2)
except TypeError as error:
    assert "nothing" in str(error)
assert Value(3).relu().data == 3
""")


def test_other_names_of_attributes_are_theirs(run_own):
    run_own("""
source = LOCAL.replace("'grad'", "'gradient'")
for ours, theirs in (("_children", "parents"), ("_local_grads", "slopes"), ("data", "value"), (".grad", ".gradient")):
    source = source.replace(ours, theirs)
Value = accelerate(made(source))
x = Value(2.0)
y = x * 3
y.gradient = 4
y.backward()
assert (x.value, y.parents[0], y.slopes, x.gradient, x.grad, x.data) == (2.0, x, (3, 2.0), 3, 3, 2.0)
x.value = 5
x.gradient = 0.5
assert (x.data, x.grad) == (5, 0.5)
""")


@pytest.mark.parametrize("container", ["tuple", "list", "frozenset"])
def test_operands_are_in_their_container(container, run_own):
    run_own(f"""
Value = accelerate(made(changed(CLOSURES, ("set(_children)", "{container}(_children)"))))
x = Value(2.0)
y = x * 3
assert type(y._prev) is type(x._prev) is {container}
assert x in y._prev and len(y._prev) == 2
y._prev = {container}([x])
assert y._prev == {container}([x])
""")


# --- beside everything else ---

FEATURES = """
Value = accelerate(made({source}))
import copy, pickle
x, w = Value(2.0), Value(-1.5)
out = (x * w + 1).exp() * x
"""


ORIGINAL = """
original, Value = made(LOCAL), accelerate(made(LOCAL))
"""


@pytest.mark.parametrize("source", ["CLOSURES", "LOCAL"])
@pytest.mark.parametrize(
    "program",
    [
        # copies
        "c = copy.deepcopy(out); c.backward(); assert x.grad == 0 and c.data == out.data and type(c) is Value",
        "c = copy.copy(x); c.data = 5; assert x.data == 2.0 and type(c) is Value",
        # pictures
        "from micrograd_c.viz import to_dot; assert str(to_dot(out)).count('data ') == 7",
        # vmap
        "from micrograd_c import vmap\n"
        "ys = vmap(lambda a: (a * w).relu() + a.exp())([1.0, -2.0]); ys.sum().backward()\n"
        "expected = [(Value(a) * w).relu() + Value(a).exp() for a in (1.0, -2.0)]\n"
        "assert max(abs(y - e.data) for y, e in zip(ys, expected)) < 1e-15 and w.grad == -2.0",
        # no_grad
        "with micrograd_c.no_grad(): y = x * w\ny.backward(); assert (x.grad, len(y._prev)) == (0, 0)",
        # subclasses
        "class P(Value): kind = 'p'\np = P(3.0); q = p * x; q.backward()\n"
        "assert (type(p), type(q), p.grad, p.kind) == (P, Value, 2.0, 'p')",
        # attributes, weak references, sets
        "x.label = 'x'; x.history = [1]; import weakref; r = weakref.ref(x); assert r() is x and len({x, w, x}) == 2",
        # threads
        "import threading\nfound = []\ndef work():\n    v = Value(1.0)\n"
        "    for _ in range(200): v = v * 1.0 + 0.5\n    found.append(v.data)\n"
        "ts = [threading.Thread(target=work) for _ in range(4)]; [t.start() for t in ts]; [t.join() for t in ts]\n"
        "assert found == [101.0] * 4",
        # helpers, networks and optimizers of ours
        "from micrograd_c import sumprod, softmax; s = sumprod([x, w], [w, x]); s.backward(); assert s.data == -6.0\n"
        "assert x.grad == -3.0 and abs(sum(p.data for p in softmax([x, w])) - 1) < 1e-12",
        "from micrograd_c.nn import MLP; from micrograd_c.optim import Adam\n"
        "m = MLP(2, [3, 1]); o = Adam(m.parameters())\n"
        "before = [p.data for p in m.parameters()]; m([x, 1.0]).backward(); o.step()\n"
        "assert all(type(p) is Value for p in m.parameters()) and before != [p.data for p in m.parameters()]",
        # a sweep through functions of theirs
        "y = Value(9.0, (x,)); y._backward = lambda: setattr(x, 'grad', x.grad + 7 * y.grad); (y * 2).backward()\n"
        "assert x.grad == 14",
        # deep graphs, and many
        "y = x\nfor _ in range(50000): y = y + 1\ny.backward(); assert x.grad == 1",
        "for _ in range(3000): (x * w + x).backward(); x.data += 0.001; x.grad = 0\n"
        "from micrograd_c import tape; tape.verify(); assert tape.stats()['nodes'] < 20000",
        # Ctrl-C, forks
        "import os\npid = os.fork()\nif not pid:\n    out.backward(); os._exit(0 if x.grad else 1)\n"
        "assert os.waitpid(pid, 0)[1] == 0 and x.grad == 0",
        # errors leave the tape as it was
        "from micrograd_c import tape; n = tape.stats()['nodes']\ntry: Value(-1.0).log()\nexcept ValueError: pass\n"
        "tape.verify(); assert tape.stats()['nodes'] == n",
    ],
)
def test_features_meet(source, program, run_own_forked):
    run_own_forked(FEATURES.format(source=source), program)


def test_kept_derivatives_stay_as_they_were_whatever_data_is_assigned(run_own_forked):
    run_own_forked("Value = accelerate(made(LOCAL))\n", """
x, y = Value(3), Value(-1.5)
product = x * y
result = product.exp()
shown = product._local_grads, result._local_grads
types = [type(one) for one in shown[0]]
y.data = 0
assert (product._local_grads, result._local_grads) == shown
product.data = 1.0
result.data = 7.0           # the last node, whose derivative is its result
assert (product._local_grads, result._local_grads) == shown
assert [type(one) for one in product._local_grads] == types
later = y * 2               # of data as it is now
x.data = y.data = 100.0
assert (product._local_grads, result._local_grads, later._local_grads[1]) == (*shown, 0)
assert (x.data, y.data, product.data, result.data) == (100.0, 100.0, 1.0, 7.0)
result.backward()
assert (product.grad, y.grad) == (shown[1][0], 3 * shown[1][0])
""")


@pytest.mark.parametrize("copied", ["copy", "deepcopy"])
def test_a_copy_has_derivatives_of_data_that_was(copied, run_own_forked):
    run_own_forked("from copy import copy, deepcopy\nValue = accelerate(made(LOCAL))\n", f"""
x = Value(4.0)
root = x ** 0.5 * x
x.data = -1             # of which there is no root any more
root.grad = 3.0
again = {copied}(root)
assert (again.data, again.grad) == (8.0, 3.0)
assert again._local_grads == root._local_grads == (4.0, 2.0)
leaf = x if {copied} is copy else again._children[1]
assert (leaf is x) == ({copied} is copy)
again.backward()
assert (leaf.data, leaf.grad) == (-1, 3.0)      # 2 + 4 * 0.25
sum_of_products = micrograd_c.sumprod([x, x], [leaf, root])
x.data = 5.0
again = {copied}(sum_of_products)
again.backward()
""")


def test_gradients_are_by_data_as_it_was_as_those_of_backward_are(run_own_forked):
    run_own_forked("Value = accelerate(made(LOCAL))\nfrom micrograd_c import grad, gradients, jacfwd, jvp\n", """
x, w = Value(2.0), Value(3.0)
y = x * w + w * w + micrograd_c.sumprod([x, w], [w, x])
x.data, w.data = 10.0, 20.0
assert gradients(y, [x, w]) == [9.0, 12.0]
assert [one.data for one in gradients(y, [x, w], create_graph=True)] == [9.0, 12.0]
y.backward()
assert (x.grad, w.grad) == (9.0, 12.0)
def f(a):
    b = a * a
    a.data = 100.0
    return b
assert grad(f)(2.0) == jacfwd(f)(2.0) == jvp(f, (2.0,), (1.0,))[1] == 4.0
assert gradients(x * w, [x, w]) == [20.0, 10.0]
""")


@pytest.mark.parametrize("given", ["the other way round", "fewer", "more"])
def test_operands_that_are_assigned_are_those_of_the_class(given, run_own_forked):
    run_own_forked("ours = accelerate(made(LOCAL))\n", f"""
given = {given!r}
def grads(Value):
    x, w, other = Value(2.0), Value(3.0), Value(5.0)
    y = x * w
    y._children = {{"the other way round": (w, x), "fewer": (other,), "more": (x, w, other)}}[given]
    (y * 2).backward()
    return [one.grad for one in (x, w, other)], y.data, len(y._children)
assert grads(ours) == grads(made(LOCAL))
""")


def test_a_sweep_by_old_data_may_be_interrupted_by_others(run_own):
    run_own("""
from micrograd_c import tape
from micrograd_c._core.adopted.old_data import epochs_kept
Value = accelerate(made(LOCAL))
x, y = Value(2.0), Value(3.0)
middle = x * y
node = Value(middle.data, (middle,))
def step():
    inner = x * 2.0
    x.data = 7.0
    inner.backward()
    middle.grad += node.grad
node._backward = step
out = node * 1.0
x.data = 5.0
assert epochs_kept() == 1
x.grad = 0
out.backward()
tape.verify()
assert (x.grad, y.grad, x.data) == (2.0 + 3.0, 2.0, 7.0)
del middle, node, out, step
x.grad = 0
(x * y).backward()
assert epochs_kept() == 0
tape.verify()
""")


def test_leaves_of_closures_can_be_pickled(run_own):
    run_own(FEATURES.format(source="CLOSURES") + """
sys.modules[Value.__module__] = type(sys)(Value.__module__)
sys.modules[Value.__module__].Value = Value
x.grad = 3
y = pickle.loads(pickle.dumps(x))
assert (y.data, y.grad, type(y)) == (2.0, 3, Value)
""")


@pytest.mark.parametrize("slots", [True, False])
def test_pickles_are_those_of_the_class_without_us(slots, run_own):
    run_own(f"""
import pickle
source = LOCAL if {slots} else LOCAL.replace("    __slots__ = ('data', 'grad', '_children', '_local_grads')\\n", "")
kind = made(source)
module = sys.modules[kind.__module__] = type(sys)(kind.__module__)
def graph(Value):
    module.Value = Value
    x, y = Value(2.0), Value(3)
    out = x * y + x.exp()
    out.backward()
    return [x, out]
for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
    kind.backward.__globals__["Value"] = kind
    theirs = pickle.dumps(graph(kind), protocol)
    if protocol == 2:
        Value = accelerate(kind)
    kind.backward.__globals__["Value"] = Value
    ours = pickle.dumps(graph(Value), protocol)
    assert ours == theirs or protocol == 2, protocol
    x, out = pickle.loads(theirs)
    slope = 3 + 7.38905609893065
    assert (type(x), x.data, x.grad, out.data, len(out._children)) == (Value, 2.0, slope, 13.38905609893065, 2)
    out.backward()
    assert x.grad == 3 * slope
""")


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW"])
def test_an_optimizers_step_is_an_assignment(optimizer, run_own_forked):
    """A class that keeps derivatives as numbers has those of before, if an older graph is swept again after a step."""
    run_own_forked(ORIGINAL, f"""
from micrograd_c.optim import {optimizer}
gradients = []
for kind in (original, Value):
    x, w = kind(2.0), kind(-3.0)
    out = (x * w) ** 2 * x
    out.backward()
    if kind is Value:
        {optimizer}([x, w], lr=0.5).step()
        data = x.data, w.data
    out.backward()
    gradients.append((x.grad, w.grad))
assert gradients[0] == gradients[1] and data == (x.data, w.data) != (2.0, -3.0), (gradients, data)
""")


# --- habits ---

@pytest.mark.parametrize(
    ("edits", "shown"),
    [
        ([], ["0.0", "1.0", "3.0", "0.0"]),
        ([("self.grad = 0.0", "self.grad = 0"), ("self.grad = 1.0", "self.grad = 1"), ("1.0 * out.grad", "out.grad")],
         ["0", "1", "3", "0"]),
        ([("self.grad = 0.0", "self.grad = 0")], ["0", "1.0", "3.0", "0"]),
        ([("self.grad = 1.0", "self.grad = 1"), ("1.0 * out.grad", "out.grad")], ["0.0", "1", "3.0", "0.0"]),
    ],
)
def test_gradients_are_ints_and_floats_as_theirs(edits, shown, run_own):
    output = run_own(f"""
original = made(changed(CLOSURES, *{edits!r}))
def program(Value):
    x, unused = Value(2), Value(1)
    out = x + x + x
    first = repr(x.grad)
    out.backward()
    return [first, repr(out.grad), repr(x.grad), repr(unused.grad)]
print(program(original))
print(program(accelerate(original)))
""")
    assert output.splitlines() == [repr(shown)] * 2


def test_gradients_begin_as_theirs_in_what_functions_of_ours_return(run_own):
    """Also where a sum of products is one node, and in the nodes it becomes."""
    run_own("""
from micrograd_c import linear, mean, softmax, sumprod
Value = accelerate(made(CLOSURES))
a, b = Value(2.0), Value(3.0)
for out in (sumprod([a, b], [b, a]), sumprod([a, b], [1, 2.0], 4), linear([[a, b]], [b, a], [1.5])[0],
            sumprod([Value(2), Value(3)], [4, 5]), softmax([a, b])[0], mean([a, b])):
    todo = [out]
    while todo:
        value = todo.pop()
        assert repr(value.grad) == "0.0", (value._op, value.grad)
        todo.extend(value._prev)
""")


def test_data_are_floats_as_theirs_in_what_functions_of_ours_return(run_own):
    run_own("""
from micrograd_c import sumprod
Value = accelerate(made(changed(CLOSURES, ("self.data = data", "self.data = float(data)"))))
total = sumprod([Value(2), Value(3)], [4, 5], 6)
todo = [total]
while todo:
    value = todo.pop()
    assert type(value.data) is float, (value._op, value.data)
    todo.extend(value._prev)
""")


@pytest.mark.parametrize(
    "relu", [
        "max(0, self.data)", "max(0.0, self.data)", "max(self.data, 0)", "self.data if self.data > 0 else 0",
        "self.data if self.data > 0 else 0.0", "0.0 if self.data < 0 else self.data",
        "self.data if self.data >= 0 else 0",
    ],
)
def test_relu_has_their_zero(relu, run_own):
    output = run_own(f"""
original = made(changed(LOCAL, ("max(0, self.data)", {relu!r})))
numbers = [-2, -2.5, 0, 0.0, -0.0, 3, 3.5, float("nan"), float("inf")]
print([original(x).relu().data for x in numbers])
Value = accelerate(original)
print([Value(x).relu().data for x in numbers])
assert vars(original)["relu"] is not vars(Value)["relu"]
""")
    theirs, ours = output.splitlines()
    assert theirs == ours


# --- data as it was ---

@pytest.mark.parametrize(
    "program", [
        "y = x * x; x.data = 5; u = x + 1; x.data = 7; y.backward()",       # two assignments back
        "y = x * x; x.data = 5; y.backward()",
        "y = x * x; x.data = 5; z = Value(y.data, (y,), (1.0,)); del y; z.backward()",
        "y = x * x; x.data = 5; x.data = 6; u = x + y; u.backward()",
    ],
)
@pytest.mark.parametrize("start", ["2", "2.5"])
def test_derivatives_are_by_data_as_it_was(start, program, run_own_forked):
    theirs, ours = run_own_forked(ORIGINAL, f"""
def shown(Value):
    x = Value({start})
    {program}
    return repr(x.data), repr(x.grad)
print(shown(original))
print(shown(Value))
""").splitlines()
    assert ours == theirs
