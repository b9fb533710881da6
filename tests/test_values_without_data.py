"""Values without data: no __init__ has run, or they were kept from a trace of vmap. Whatever is given one says so."""

import copy
import gc
import math
import pickle
import threading
import weakref

import pytest

from micrograd_c import (
    TraceError,
    cross_entropy,
    linear,
    log_softmax,
    logsumexp,
    maximum,
    mean,
    minimum,
    no_grad,
    softmax,
    stop_gradient,
    sumprod,
    tape,
    vmap,
    where,
)
from micrograd_c._core.ops import rules
from micrograd_c.engine import Value
from micrograd_c.functional import gelu
from micrograd_c.nn import MLP, Layer, Module, Neuron
from micrograd_c.optim import SGD, Adam
from micrograd_c.viz import draw_dot, nodes_and_edges, to_dot

w = Value(2.0)
v = Value(3.0)


class Forgetful(Value):
    def __init__(self):
        """Calls no super().__init__()."""


def kept(make=lambda x: x):
    """What a function made of a row's number while it was traced."""
    values = []

    def function(x):
        values.append(make(x))
        return x * w
    vmap(function)([1.0, 2.0])
    return values[0]


KINDS = {
    "__new__": (lambda: Value.__new__(Value), AttributeError, "no data yet"),
    "no super().__init__()": (Forgetful, AttributeError, "no data yet"),
    "an argument of a trace": (kept, TraceError, "made in a function given to vmap or jit while that was traced"),
    "computed in a trace": (lambda: kept(lambda x: (x * w + 1.0).relu()), TraceError, "the trace is over"),
    "computed under no_grad": (lambda: kept(no_grad(lambda x: x * w)), TraceError, "must be made outside"),
    "of a custom op": (lambda: kept(lambda x: Value(1.0, (x,))), TraceError, "the trace is over"),
}


def model_with(value, place=0):
    model = MLP(2, [2, 1])
    model.layers[place].neurons[0].w[0] = value
    return model


def biased(value):
    neuron = Neuron(2)
    neuron.b = value
    return neuron


USES = {
    "data": lambda x: x.data, "grad": lambda x: x.grad, "backward": lambda x: x.backward(), "_op": lambda x: x._op,
    "_prev": lambda x: x._prev, "_backward": lambda x: x._backward(), "float": float,
    "set data": lambda x: setattr(x, "data", 1.0), "set grad": lambda x: setattr(x, "grad", 1.0),
    "set _prev": lambda x: setattr(x, "_prev", (w,)), "set _op": lambda x: setattr(x, "_op", "a"),
    "set _backward": lambda x: setattr(x, "_backward", lambda: None),
    "add": lambda x: x + w, "radd": lambda x: w + x, "iadd": lambda x: w.__add__(x), "number": lambda x: x + 1,
    "rnumber": lambda x: 1.0 + x, "mul": lambda x: x * x, "rmul": lambda x: v * x, "sub": lambda x: x - w,
    "rsub": lambda x: w - x, "div": lambda x: x / w, "rdiv": lambda x: w / x, "pow": lambda x: x ** 2,
    "powv": lambda x: x ** w, "rpow": lambda x: 2 ** x, "neg": lambda x: -x, "abs": abs, "less": lambda x: x < w,
    "greater": lambda x: w > x, "lessn": lambda x: x <= 1, "sum": lambda x: sum([w, x]),
    **{name: lambda x, name=name: getattr(x, name)() for name in rules.functions()},
    "a child": lambda x: Value(1.0, (w, x), "op"), "data of another": lambda x: setattr(Value(1.0), "data", x),
    "maximum": lambda x: maximum(x, 1.0), "maximum 2": lambda x: maximum(w, x), "minimum": lambda x: minimum(x, w),
    "minimum 2": lambda x: minimum(1.0, x), "where": lambda x: where(x, 1.0, w), "where a": lambda x: where(1, x, w),
    "where b": lambda x: where(True, w, x), "stop_gradient": stop_gradient,
    "sumprod w": lambda x: sumprod([x, w], [1.0, w]), "sumprod x": lambda x: sumprod([w, v], [v, x]),
    "sumprod start": lambda x: sumprod([w, v], [v, w], x), "sumprod numbers": lambda x: sumprod([x, x], [1.0, 2.0]),
    "linear rows": lambda x: linear([[w, v], [v, x]], [w, v]), "linear xs": lambda x: linear([[w, v]], [w, x]),
    "linear biases": lambda x: linear([[w, v]], [w, 1.0], [x]), "softmax": lambda x: softmax([w, x]),
    "log_softmax": lambda x: log_softmax([x, w])[1],
    "logsumexp": lambda x: logsumexp([x, w]), "mean": lambda x: mean([w, x]),
    "cross_entropy": lambda x: cross_entropy([w, x], 0), "cross_entropy target": lambda x: cross_entropy([x, w], 0),
    "neuron": lambda x: Neuron(2)([w, x]), "layer": lambda x: Layer(2, 3)([x, 1.0]),
    "mlp": lambda x: MLP(2, [2, 1])([x, w]),
    "weight": lambda x: model_with(x)([1.0, 2.0]), "weight of Values": lambda x: model_with(x)([w, v]),
    "a later weight": lambda x: model_with(x, 1)([1.0, 2.0]), "bias": lambda x: biased(x)([1.0, w]),
    "zero_grad": lambda x: model_with(x).zero_grad(), "state_dict": lambda x: model_with(x).state_dict(),
    "load_state_dict": lambda x: model_with(x).load_state_dict(MLP(2, [2, 1]).state_dict()),
    "a state": lambda x: MLP(1, [1]).load_state_dict({"layers.0.neurons.0.w": [x], "layers.0.neurons.0.b": 0.0}),
    "SGD": lambda x: SGD([w, x], lr=0.1), "Adam": lambda x: Adam([x]), "rate": lambda x: SGD([w], lr=x),
    "nodes_and_edges": nodes_and_edges, "draw_dot": draw_dot, "to_dot": to_dot,
    "copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": pickle.dumps,
    "copy of a model": lambda x: copy.deepcopy(model_with(x)),
    "vmap: result": lambda x: vmap(lambda y: x)([1.0]), "vmap: results": lambda x: vmap(lambda y: [y, (x,)])([1.0]),
    "vmap: op": lambda x: vmap(lambda y: y * x)([1.0]), "vmap: op of numbers": lambda x: vmap(lambda y: x + 1)([1.0]),
    "vmap: maximum": lambda x: vmap(lambda y: maximum(y, x))([1.0]),
    "vmap: where": lambda x: vmap(lambda y: where(x, y, y))([1.0]),
    "vmap: stop_gradient": lambda x: vmap(lambda y: y * stop_gradient(x))([1.0]),
    "vmap: sumprod": lambda x: vmap(lambda y: sumprod([w, x], [y, y]))([1.0]),
    "vmap: softmax": lambda x: vmap(lambda y: softmax([y, x]))([1.0]),
    "vmap: model": lambda x: vmap(model_with(x))([[1.0, 2.0]]),
    "vmap: data": lambda x: vmap(lambda y: y * x.data)([1.0]),
    "vmap: shared": lambda x: vmap(lambda y, s: y, in_axes=(0, None))([1.0], x),
    "vmap: shared in a list": lambda x: vmap(lambda y, s: y, in_axes=(0, None))([1.0], [w, [x]]),
    "vmap: rows": lambda x: vmap(lambda y: y)([x]), "vmap: rows of lists": lambda x: vmap(lambda y: y)([[1.0], [x]]),
    "vmap: weights": lambda x: vmap(lambda y: y * w)([1.0, 2.0]).sum([1.0, x]),
    "vmap: mean": lambda x: vmap(lambda y: y * w)([1.0]).mean([x]),
    "vmap: the weights": lambda x: vmap(lambda y: y * w)([1.0]).sum(x),
    "vmap: argument": lambda x: vmap(lambda y: y)(x),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:vmap runs")
def test_whatever_uses_one_says_that_it_has_no_data(kind, use):
    make, error, message = KINDS[kind]
    value = make()
    if use in ("data of another", "rate", "a state"):     # what a number is wanted for
        error, message = (AttributeError, TypeError, ValueError), "."
    if use == "draw_dot":
        pytest.importorskip("graphviz")
    before = w.data, v.data
    w.grad = 0.25
    with pytest.raises(error, match=message):
        USES[use](value)
    assert (w.data, v.data, w.grad) == (*before, 0.25)
    tape.verify()


@pytest.mark.parametrize("kind", KINDS)
def test_such_a_value_is_an_object_as_any_other(kind):
    value = KINDS[kind][0]()
    assert value
    assert (value == w, value != w, value in [w, value]) == (False, True, True)
    assert (value in {w}, {value: 1}[value]) == (False, 1)
    if isinstance(value, Forgetful) or kind == "__new__":
        with pytest.raises(AttributeError):
            repr(value)
    else:
        assert repr(value) == "<Value without data, of a function that vmap has traced>"
    value.label = "kept"
    value.friend = value
    reference = weakref.ref(value)
    assert reference() is value
    gc.collect()
    assert value.label == "kept"
    del value
    gc.collect()
    assert reference() is None
    tape.verify()


@pytest.mark.parametrize("kind", KINDS)
def test_it_may_be_initialised_yet(kind):
    value = KINDS[kind][0]()
    Value.__init__(value, 5.0)
    (value * w).backward()
    assert (value.data, value.grad, repr(value)) == (5.0, 2.0, "Value(data=5.0, grad=2.0)")
    assert vmap(lambda x: x * value)([1.0]).tolist() == [5.0]
    value = None        # the next Value may be made of its memory
    fresh = [Value.__new__(Value) for _ in range(300)]
    for one in fresh:
        with pytest.raises(AttributeError, match="no data yet"):
            float(one)


# --- traces ---

def test_what_does_not_depend_on_an_argument_may_be_kept():
    cache = {}

    def function(x):
        if "scale" not in cache:
            cache["scale"] = Value(3.0)
            cache["both"] = cache["scale"] * w
        return x * cache["scale"]
    mapped = vmap(function)
    assert mapped([1.0, 2.0]).tolist() == [3.0, 6.0]
    assert (cache["scale"].data, cache["both"].data) == (3.0, 6.0)
    w.grad = 0
    cache["both"].backward()
    assert w.grad == 3.0


def test_a_trace_that_failed_leaves_no_data_either():
    values = []

    def function(x):
        values.extend([x, x * w])
        return 1 if x > 0 else x
    for _ in range(2):
        with pytest.raises(TraceError, match="it is compared"):
            vmap(function)([1.0])
    assert len(values) == 8     # each time it was also tried with numbers
    for value in values[:2] + values[4:6]:
        with pytest.raises(TraceError, match="the trace is over"):
            value.relu()


def test_values_kept_from_many_traces_and_their_nodes_go():
    before = tape.stats()["nodes"]
    values = [kept(lambda x: (x * w).exp()) for _ in range(300)]
    gc.collect()
    assert tape.stats()["nodes"] <= before + 10
    tape.verify()
    assert len({id(value) for value in values}) == 300
    del values
    assert vmap(lambda x: x * w)([1.0]).tolist() == [2.0]


@pytest.mark.filterwarnings("ignore:vmap runs")
def test_what_is_kept_row_by_row_has_data():
    values = []

    def function(x):
        values.append(x)
        return Value(x.data, (x,), "same")
    vmap(function)([1.0, 2.0])
    with pytest.raises(TraceError, match="the trace is over"):
        values[0].data      # noqa: B018
    assert [value.data for value in values[-2:]] == [1.0, 2.0]


def test_a_nan_of_another_thread_under_no_grad_is_no_argument():
    reached, traced = threading.Event(), threading.Event()
    seen = []

    def other():
        reached.wait(300)
        with no_grad():
            lost = Value(float("inf")) - Value(float("inf"))
            dot = sumprod([Value(float("nan")), w], [1.0, 2.0])
        seen.extend([lost.data, float(dot), (lost * 2.0).data, maximum(lost, 1.0).data, dot > 1.0, lost])
        traced.set()

    thread = threading.Thread(target=other)
    thread.start()

    def function(x):
        reached.set()
        assert traced.wait(300)
        return x * w
    assert vmap(function)([1.0]).tolist() == [2.0]
    thread.join()
    assert all(math.isnan(number) for number in seen[:4])
    assert seen[4] is False
    assert math.isnan(seen[5].data)       # after the trace, too


def test_no_grad_in_a_trace_is_still_an_error():
    for lost in (no_grad(lambda x: x * w), no_grad(lambda x: sumprod([w, v], [x, x])),
                 no_grad(lambda x: softmax([x, w])[0]), no_grad(lambda x: Value(1.0, (x,)) * x)):
        with pytest.raises(TraceError, match=r"no_grad\(\) inside a function given to vmap"):
            vmap(lambda x: x * lost(x))([1.0])      # noqa: B023
        with pytest.raises(TraceError, match=r"its \.data is read"):
            vmap(lambda x: x * lost(x).data)([1.0])     # noqa: B023


@pytest.mark.parametrize("ask", [
    lambda x: x == 0, lambda x: x != 1.5, lambda x: x in (0, 1), lambda x: x in [1.0], lambda x: 0 == x,    # noqa: SIM300
    lambda x: {0: w, 1: v}[x], lambda x: x in {0, 1}, lambda x: {x}, lambda x: {0: w}.get(x), lambda x: {x: 1},
    lambda x: (x * 2) == True, lambda x: 0 in [x], hash,        # noqa: E712
])
def test_equality_with_numbers_and_look_ups_in_a_trace_say_what_to_do(ask):
    with pytest.raises(TraceError, match=r"(?s)by identity, at .*where\(cond, a, b\).*a row of zeros with a one"):
        vmap(lambda x: [x, ask(x)][0])([1.0])


def test_identity_may_be_asked_in_a_trace():
    def function(x, y):
        assert x == x
        assert x != y
        assert x in [y, x]
        assert x is not None
        assert x != None        # noqa: E711
        assert x != "text"
        assert (x * y)._prev >= set()
        assert len({w, v, w}) == 2
        return x * y
    assert vmap(function)([1.0], [2.0]).tolist() == [2.0]


class Recursive(Module):
    """Whose lists contain themselves, and it."""

    def __init__(self):
        self.first = Value(1.0)
        self.parts = [Value(2.0)]
        self.parts.append(self.parts)
        self.pair = [[Value(3.0)], self]
        self.pair[0].append(self.pair)
        self.names = {"self": self.parts}
        self.names["names"] = self.names

    def parameters(self):
        return [self.first, self.parts[0], self.pair[0][0]]


def test_modules_with_lists_that_contain_themselves():
    module = Recursive()
    assert [name for name, _ in module.named_parameters()] == ["first", "parts.0", "pair.0.0"]
    state = module.state_dict()
    module.parts[0].data = 7.0
    module.load_state_dict(state)
    assert module.parts[0].data == 2.0
    assert "3 parameters" in module._repr_html_()
    assert copy.deepcopy(module).parts[0].data == 2.0
    with pytest.raises(TypeError, match=r"parts.0 wants a number, not \["):
        module.load_state_dict({**state, "parts.0": module.parts, "more": 1})


def endless(*before):
    parts = list(before)
    parts.append(parts)
    return parts


@pytest.mark.parametrize("call", [
    lambda xs: sumprod(xs, [1.0]), lambda xs: linear([xs], [1.0]), lambda xs: linear(xs, [1.0]), softmax, logsumexp,
    mean, lambda xs: cross_entropy(xs, 0), lambda xs: MLP(1, [1])(xs), lambda xs: SGD(xs, lr=0.1), lambda xs: Value(xs),
    lambda xs: w + xs, lambda xs: maximum(xs, 1.0), lambda xs: Value(1.0, xs), lambda xs: Adam([{"params": xs}]),
    lambda xs: MLP(1, [1]).load_state_dict({"layers.0.neurons.0.w": xs, "layers.0.neurons.0.b": 0.0}),
    lambda xs: MLP(1, [1]).load_state_dict({"layers.0.neurons.0.w": [xs], "layers.0.neurons.0.b": xs}),
    lambda xs: SGD([w], lr=0.1).load_state_dict({"param_groups": xs, "state": xs}),
    lambda xs: vmap(lambda x: x, in_axes=xs), lambda xs: SGD([w], lr=xs), to_dot, lambda xs: vmap(xs),
    lambda xs: where(xs, 1.0, 2.0), log_softmax, gelu, lambda xs: Value(1.0, (w,), xs),
    lambda xs: Value(1.0, children=xs, local_grads=xs),
], ids=range(26))
def test_lists_that_contain_themselves_are_an_error_everywhere(call):
    with pytest.raises((TypeError, ValueError)):
        call(endless())
