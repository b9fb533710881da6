"""A gradient of None, as zero_grad(set_to_none=True) leaves it, where it meets each other feature."""

import copy
import gc
import pickle
import random

import pytest
from conftest import custom_sum

from micrograd_c import no_grad, stop_gradient, sumprod, tape, viz, vmap, where
from micrograd_c.engine import Value
from micrograd_c.nn import MLP, Neuron
from micrograd_c.optim import AdamW


@pytest.fixture(autouse=True)
def tape_is_sound():
    yield
    tape.verify()


def shown(*values):
    return [repr(v.grad) for v in values]


# --- neurons, recorded as one node ---

@pytest.mark.parametrize("inputs", [[0, 1], [0, -2], [Value(0), Value(1)]], ids=repr)
@pytest.mark.parametrize("plain", [True, False])
def test_an_int_0_as_input_times_a_negative_int_is_the_int_0(inputs, plain):
    w, b = [Value(2.0), Value(3.0)], Value(1.0)
    for p in (*w, b):
        p.grad = None
    out = sum((one * x for one, x in zip(w, inputs)), b) if plain else sumprod(w, inputs, b)
    (-out).backward()
    second = inputs[1] if isinstance(inputs[1], int) else inputs[1].data
    assert shown(*w, b) == ["0", repr(-second), "-1"]


def test_a_neurons_weights_begin_anew_and_ints_are_not_minus_zero():
    unit, twin = Neuron(2, nonlin=False), Neuron(2, nonlin=False)
    x = [Value(1.0), Value(2.0)]
    for one in (unit, twin):
        for p, data in zip(one.parameters(), [0.5, -1.5, 0.25]):
            p.data = data
    unit.zero_grad(set_to_none=True)
    assert shown(*unit.parameters()) == ["None"] * 3
    outs = unit(x), twin(x)
    x[0].data = x[1].data = 0       # the products' derivatives are ints now, and -1 * 0 is no -0.0 among ints
    for out in outs:
        (-out).backward()
    assert shown(*unit.parameters()) == shown(*twin.parameters()) == ["0", "0", "-1"]


def test_weights_of_a_neuron_that_is_off_were_reached():
    unit = Neuron(2)
    for p in unit.parameters():
        p.data = -1.0
    inputs = [Value(1.0), Value(2.0)]
    unit.zero_grad(set_to_none=True)
    inputs[0].grad = None
    unit(inputs).backward()
    assert [p.grad for p in (*unit.parameters(), inputs[0])] == [0.0] * 4


@pytest.mark.parametrize("swept", [False, True])
def test_what_a_neuron_stands_for_has_gradients_though_it_has_none_itself(swept):
    unit = Neuron(2, nonlin=False)
    out = unit([Value(1.0), Value(2.0)])
    if swept:
        out.backward()
    unit.zero_grad(set_to_none=True)
    out.grad = None
    hidden = [child for child in out._prev if child._op]        # which replaces the one node by all
    assert [child.grad for child in hidden] == [int(swept)] * 2
    assert shown(out, *unit.parameters()) == ["None"] * 4
    out.backward()
    assert unit.b.grad == (2 if swept else 1)


def test_a_second_sweep_through_a_neuron():
    unit = Neuron(2, activation="tanh")
    out = unit([Value(1.0), Value(2.0)])
    out.backward()
    once = [p.grad for p in unit.parameters()]
    unit.zero_grad(set_to_none=True)
    for node in (out, *out._prev):
        node.grad = None
    (out * 2.0).backward()
    # the sums and products within have kept theirs, as micrograd's would
    assert [p.grad is None for p in unit.parameters()] == [False] * 3
    assert once[-1] != unit.b.grad


# --- steps by hand ---

STEPS = {
    "+": lambda x, w: x + w, "*": lambda x, w: x * w, "**": lambda x, w: x**2, "of two": lambda x, w: x**w,
    "relu": lambda x, w: x.relu(), "exp": lambda x, w: x.exp(), "where": lambda x, w: where(x, x, w),
    "local": lambda x, w: Value(3.0, (x, w), (0.5, 2)), "neuron": lambda x, w: sumprod([x, w], [w, x]),
    "run": lambda x, w: vmap(lambda row: row * x)([1.0, 2.0]).sum(),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_by_hand_multiplies_by_none_as_python_does(name):
    x, w = Value(1.5), Value(2.0)
    out = STEPS[name](x, w)
    x.grad, w.grad, out.grad = None, 3.0, None
    with pytest.raises(TypeError, match=r"_backward\(\) of a Value whose grad is None.*set it to a number, or call "):
        out._backward()
    assert shown(x, w, out) == ["None", "3.0", "None"]
    out.grad = 1.0
    out._backward()
    assert "None" not in shown(*out._prev)


@pytest.mark.parametrize("make", [
    lambda x: x, stop_gradient, lambda x: Value(1.0, (x,)),
], ids=["a leaf", "stop_gradient", "no rule"])
def test_a_step_by_hand_that_multiplies_by_nothing_does_nothing(make):
    x = Value(1.5)
    out = make(x)
    out.grad = None
    out._backward()
    assert out.grad is None


def test_a_sweep_by_hand_reaches_parameters():
    model = MLP(2, [3, 1])
    model.zero_grad(set_to_none=True)
    out = (model([1.0, -2.0]) - 1) ** 2
    order, seen = [], set()

    def visit(v):
        if v not in seen:
            seen.add(v)
            for child in v._prev:
                visit(child)
            order.append(v)

    visit(out)
    out.grad = 1
    for node in reversed(order):
        node._backward()
    by_hand = [p.grad for p in model.parameters()]
    model.zero_grad(set_to_none=True)
    ((model([1.0, -2.0]) - 1) ** 2).backward()
    assert by_hand == pytest.approx([p.grad for p in model.parameters()])


# --- functions of users ---

def test_a_function_of_a_users_adds_to_0():
    seen = []
    x = Value(2.0)
    out = Value(4.0, (x,), "square")

    def step():
        seen.append(x.grad)
        x.grad += 2 * x.data * out.grad

    out._backward = step
    x.grad = None
    (out * 3).backward()
    assert (seen, x.grad) == ([0], 12.0)


def test_a_function_that_takes_the_gradient_away_itself_is_an_error_as_in_python():
    x, y = Value(2.0), Value(3.0)
    inner = x * y
    out = custom_sum(inner)
    step = out._backward

    def spoil():
        step()
        inner.grad = None

    out._backward = spoil
    with pytest.raises(TypeError, match="grad is None"):
        out.backward()
    assert (x.grad, y.grad) == (0, 0)
    out._backward = step
    out.backward()
    assert (x.grad, y.grad) == (3.0, 2.0)


def test_what_lies_below_stop_gradient_is_not_reached_in_any_sweep():
    for beside in (lambda v: v * 1, custom_sum):
        x, y = Value(2.0), Value(3.0)
        x.grad = y.grad = None
        (stop_gradient(x * 2) * y + beside(Value(1.0))).backward()
        assert (x.grad, y.grad) == (None, 4.0)


def test_a_step_that_was_wrapped():
    x = Value(2.0)
    out = x * 3
    step = out._backward
    out._backward = lambda: step()
    x.grad = None
    out.backward()
    assert x.grad == 3


# --- local gradients, no_grad ---

def test_local_gradients_are_shown_and_used_whatever_gradients_are():
    x, w = Value(1.5), Value(3)
    out = Value(2.0, (x, w), (0.5, -2))
    x.grad = w.grad = out.grad = None
    assert out._local_grads == (0.5, -2)
    assert (x * w)._local_grads == (3, 1.5)
    out.backward()
    assert shown(x, w, out) == ["0.5", "-2", "1"]


def test_under_no_grad_it_can_be_assigned_and_nothing_is_reached():
    x = Value(2.0)
    with no_grad():
        x.grad = None
        y = x * 3
        y.grad = None
    (y * 2).backward()
    assert (x.grad, y.grad) == (None, 2)


# --- vmap ---

@pytest.mark.parametrize("function", [
    lambda w, row: w * row, lambda w, row: (w * row).tanh() + w, lambda w, row: (w * row - 100).relu(),
    lambda w, row: custom_sum(w, row),
], ids=["product", "used twice", "off", "row by row"])
@pytest.mark.filterwarnings("ignore:.*row by row.*")
def test_a_run_reaches_what_it_reads_and_nothing_else(function):
    w, unused, twin = Value(0.5), Value(1.0), Value(0.5)
    w.grad = unused.grad = None
    total = vmap(lambda row: function(w, row))([1.0, 2.0]).sum()
    assert w.grad is None
    total.backward()
    vmap(lambda row: function(twin, row))([1.0, 2.0]).sum().backward()
    assert (shown(w), unused.grad) == (shown(twin), None)


def test_a_run_with_two_sums_and_none_between_them():
    w = Value(0.5)
    batch = vmap(lambda row: w * row)([1.0, 2.0])
    first, second = batch.sum(), batch.mean()
    first.backward()
    w.grad = None
    second.backward()
    assert w.grad == 1.5
    w.grad = first.grad = None
    (first + second).backward()
    assert w.grad == 6.0       # the mean's own gradient is 2 by now


def test_the_node_of_a_run_is_reached_like_others():
    w = Value(3.0)
    total = vmap(lambda row: w * row)([1.0, 2.0]).sum()
    run, = total._prev
    run.grad = None
    total.backward()
    assert shown(run, w) == ["0.0", "3.0"]


def test_models_are_trained_in_runs_as_without():
    def train(mapped):
        random.seed(2)
        model, late = MLP(2, [4, 1]), Value(1.0)
        optimizer = AdamW([*model.parameters(), late], lr=0.05, weight_decay=0.1)
        rows = [[0.5, -1.0], [1.0, 2.0], [-0.25, 0.75]]
        for _ in range(5):
            optimizer.zero_grad(set_to_none=True)
            loss = vmap(lambda x: model(x) ** 2)(rows).sum() if mapped else sum(model(x) ** 2 for x in rows)
            loss.backward()
            optimizer.step()
        return [p.data for p in model.parameters()], late.data

    (mapped, late), (plain, _) = train(True), train(False)
    assert mapped == pytest.approx(plain, rel=1e-9)
    assert late == 1.0


def test_a_function_that_is_traced_may_take_gradients_away():
    w = Value(0.5)
    w.grad = 3.0

    def f(row):
        w.grad = None
        return w * row

    total = vmap(f)([1.0, 2.0]).sum()
    assert w.grad is None
    total.backward()
    assert w.grad == 3.0


# --- copies, pickles, states, pictures ---

@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_of_graphs_have_it_where_it_is(duplicate):
    class Weight(Value):
        pass

    x, w = Value(2.0), Weight(3.0)
    out = x * w
    x.grad, w.grad, out.grad = None, -0.0, None
    twin = duplicate(out)
    assert twin.grad is None
    assert sorted(map(repr, (child.grad for child in twin._prev))) == ["-0.0", "None"]
    (twin + 1).backward()
    assert (out.grad, twin.grad) == (None, 1)


def test_models_keep_it_when_they_are_copied_and_pickled_and_states_know_nothing_of_it():
    model = MLP(2, [2, 1])
    model.zero_grad(set_to_none=True)
    model.parameters()[0].grad = -0.0
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert shown(*twin.parameters()) == ["-0.0", *["None"] * 8]
        twin([1.0, 2.0]).backward()
        assert None not in [p.grad for p in twin.parameters()]
    fresh = MLP(2, [2, 1])
    fresh.load_state_dict(model.state_dict())
    assert shown(*fresh.parameters()) == ["0"] * 9
    model.load_state_dict(fresh.state_dict())
    assert shown(*model.parameters()) == ["-0.0", *["None"] * 8]


def test_a_node_that_is_given_other_operands_keeps_it():
    x, y = Value(1.0), Value(2.0)
    y.grad = None
    y._prev = {x}
    assert y.grad is None
    y.grad = -0.0
    z = Value(3.0)
    z.grad, z._prev = -0.0, (x,)
    assert shown(z) == ["-0.0"]


def test_pictures_of_graphs_with_and_without():
    model = Neuron(2)
    model.zero_grad(set_to_none=True)
    out = model([1.0, 2.0])
    before = viz.to_dot(out)
    assert before.count("grad None") == 3
    out.backward()
    assert "None" not in viz.to_dot(out)


# --- nodes that move and go ---

def moved(values, how):
    if how == "collect":
        tape.collect()
    elif how == "slide":        # a graph that outlives the next one, until the tape is full
        keep = None
        for _ in range(40):
            total = Value(0.0)
            for _ in range(4000):
                total = total + 1.0
            keep = total
        del keep
    elif how == "expand":
        out = sumprod([Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)])
        later = [Value(v.data) for v in values]
        for old, new in zip(values, later):
            new.grad = old.grad
        assert len(out._prev) == 2
        values[:] = later
    elif how == "reset":
        gc.collect()
        for _ in range(3):
            Value(1.0) * 2.0


@pytest.mark.parametrize("how", ["collect", "slide", "expand", "reset"])
def test_none_and_what_a_user_assigns_are_told_apart_wherever_nodes_go(how):
    given = [None, -0.0, 0, 0.0, -1, 2.5]
    values = [Value(float(k)) for k in range(600)]
    for k, v in enumerate(values):
        v.grad = given[k % 6]
    del values[1::2]
    for _ in range(3):
        moved(values, how)
        assert shown(*values) == [repr(given[int(v.data) % 6]) for v in values]
        tape.verify()


def test_minus_zero_that_is_assigned_is_a_gradient():
    x, late = Value(2.0), Value(1.0)
    optimizer = AdamW([x, late], lr=0.1, weight_decay=0.5)
    x.grad, late.grad = -0.0, None
    optimizer.step()
    assert (x.data, late.data) == (1.9, 1.0)
    (x * 0.0 * -1.0).backward()
    assert shown(x) == ["-0.0"]


# --- classes of others ---

OWN = """
import sys, warnings
sys.path.insert(0, {folder!r})
from own_values import CLOSURES, LOCAL, changed, made
import micrograd_c
from micrograd_c import accelerate, tape
from micrograd_c.optim import AdamW
"""


@pytest.fixture
def run_own(run_python, request):
    begin = OWN.format(folder=str(request.path.parent))
    return lambda program: run_python(begin + program)


@pytest.mark.parametrize("source", ["CLOSURES", "LOCAL"])
def test_adopted_classes_have_it(source, run_own):
    run_own(f"""
import copy
Value = accelerate(made({source}))
assert Value is micrograd_c.Value
x, late, w = Value(2.0), Value(1.0), Value(3.0)
optimizer = AdamW([("x", x), ("late", late)], lr=0.1, weight_decay=0.5)
for _ in range(2):
    optimizer.zero_grad(set_to_none=True)
    assert (x.grad, late.grad) == (None, None)
    out = (x * w + x.exp() * 0.0).relu() + x
    out.backward()
    assert (x.grad, late.grad, type(x.grad)) == (4.0, None, float)
    optimizer.step()
assert late.data == 1.0 and x.data < 2.0
twin = copy.copy(late)
assert twin.grad is None
optimizer.zero_grad()
assert x.grad == late.grad == 0
tape.verify()
""")


def test_adopted_classes_that_take_none_themselves_do_what_they_did(run_own):
    run_own("""
edit = "child.grad += local_grad * v.grad", '''g = local_grad * v.grad
                child.grad = g if child.grad is None else child.grad + g'''
source = changed(LOCAL, edit)

def program(Value):
    seen = []
    ps = [Value(2.0), Value(-3), Value(0.5), Value(1.0)]
    for step in range(4):
        for p in ps:
            p.grad = None
        a, b, c, d = ps
        out = [a * b + c, a * a, -(c * 0.0) + b * 1.0, c - a * b][step]
        seen.append([repr(p.grad) for p in ps])
        out.backward()
        seen.append([repr(p.grad) for p in ps])
        for p in ps:
            if p.grad is not None:
                p.data -= 0.125 * p.grad
        seen.append([p.data for p in ps])
    return seen

original = made(source)
expected = program(original)
with warnings.catch_warnings():
    warnings.simplefilter("error")
    Value = accelerate(original)
assert Value is micrograd_c.Value is not original
assert program(Value) == expected, (program(Value), expected)
""")


def test_gradients_of_adopted_classes_stay_ints_when_operands_are_assigned(run_own):
    run_own("""
Value = accelerate(made(CLOSURES))
x = Value(1.0)
assert repr(x.grad) == "0.0"
for given in (None, 3, 2.5, -0.0):
    y = Value(2.0)
    y.grad = given
    y._prev = {x}
    assert repr(y.grad) == repr(given), (y.grad, given)
""")


def test_functions_of_adopted_classes_meet_0(run_own):
    run_own("""
source = CLOSURES + '''
    def double(self):
        out = Value(self.data * 2, (self,), 'double')
        def _backward():
            self.grad += 2 * out.grad
        out._backward = _backward
        return out
'''
Value = accelerate(made(source))
assert Value is micrograd_c.Value
x = Value(1.5)
x.grad = None
(x.double() * x).backward()
assert x.grad == 6.0
""")


def test_derivatives_by_old_data_reach_it(run_own):
    run_own("""
Value = accelerate(made(LOCAL))
assert Value is micrograd_c.Value
x, y = Value(2.0), Value(3.0)
out = x * y
x.data = 5.0
more = out + 1
x.grad = y.grad = None
more.backward()
assert (x.grad, y.grad) == (3.0, 2.0)
""")
