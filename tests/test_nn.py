"""Module, Neuron, Layer, MLP: what users change is what runs, and wrong lengths are errors."""

import random

import numpy as np
import pytest

from micrograd_c import no_grad, tape
from micrograd_c.engine import Value
from micrograd_c.nn import MLP, Layer, Module, Neuron


def by_hand(neuron, x):
    act = sum((wi * xi for wi, xi in zip(neuron.w, x)), neuron.b)
    return act.relu() if neuron.nonlin else act


def graph(root):
    """The graph as nested tuples, with shared nodes as references to where they came first."""
    numbers = {}

    def walk(v):
        if v in numbers:
            return numbers[v]
        below = sorted((walk(child) for child in sorted(v._prev, key=lambda c: (c._op, c.data))), key=str)
        numbers[v] = len(numbers)
        return (v._op, repr(v), tuple(below))

    return walk(root)


INPUTS = {
    "floats": [0.5, -2.0, 3.25], "ints": [1, -2, 0], "tuple": (1.0, 2, 3), "float64": list(np.array([0.5, -2.0, 3.25])),
    "float32": list(np.array([0.5, -2.0, 3.25], dtype=np.float32)), "int64": list(np.array([1, -2, 3])),
    "array": np.array([0.5, -2.0, 3.25]), "values": [Value(0.5), Value(-2), Value(3.25)], "mixed": [Value(1.0), 2, 3.5],
}


@pytest.mark.parametrize("x", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("nonlin", [True, False])
def test_a_neuron_is_the_sum_that_micrograd_computes(x, nonlin):
    neuron = Neuron(3, nonlin=nonlin)
    outputs = [neuron(x), by_hand(neuron, [xi if isinstance(xi, Value) else getattr(xi, "item", lambda xi=xi: xi)()
                                           for xi in x])]
    assert graph(outputs[0]) == graph(outputs[1])
    for output in outputs:
        for p in neuron.parameters():
            p.grad = 0
        output.backward()
        output.gradients = [p.grad for p in neuron.parameters()]
    assert outputs[0].gradients == outputs[1].gradients


@pytest.mark.parametrize("x", INPUTS.values(), ids=INPUTS)
def test_an_mlp_is_its_layers_and_a_layer_its_neurons(x):
    model = MLP(3, [4, 2])
    step = x
    for layer in model.layers:
        step = [neuron(step) for neuron in layer.neurons]
    assert [out.data for out in model(x)] == [out.data for out in step]
    assert [graph(out) for out in model(x)] == [graph(out) for out in step]


def test_ints_stay_ints_through_a_layer():
    neuron = Neuron(2, nonlin=False)
    neuron.w = [Value(2), Value(-3)]
    assert repr(neuron([4, 5])) == "Value(data=-7, grad=0)"
    neuron.nonlin = True
    assert repr(neuron([4, 5])) == "Value(data=0, grad=0)"
    assert repr(neuron([4, 0.0])) == "Value(data=8.0, grad=0)"


@pytest.mark.parametrize("given", [0, 1, 3, 7])
@pytest.mark.parametrize("call", [Neuron(2), Layer(2, 3), MLP(2, [4, 1])], ids=["neuron", "layer", "mlp"])
def test_wrong_lengths_are_errors_that_name_both(call, given):
    before = tape.stats()["nodes"]
    with pytest.raises(ValueError, match=rf"a neuron with 2 weights was given {given} input"):
        call([1.0] * given)
    assert tape.stats()["nodes"] <= before + 1


def test_a_layer_of_the_wrong_size_in_the_middle_is_named():
    model = MLP(2, [3, 1])
    model.layers[1] = Layer(5, 1)
    with pytest.raises(ValueError, match="a neuron with 5 weights was given 3 inputs"):
        model([1.0, 2.0])


@pytest.mark.parametrize("x", [3, None, Value(1.0)])
def test_inputs_that_are_no_sequence_are_a_type_error(x):
    with pytest.raises(TypeError, match="x must be a sequence of numbers or Values"):
        Layer(1, 2)(x)


@pytest.mark.parametrize("x", [["a", 1.0], [None, 1.0], [[1.0], 1.0]])
def test_inputs_that_are_no_numbers_are_a_type_error(x):
    with pytest.raises(TypeError):
        MLP(2, [2, 1])(x)


def test_inputs_may_come_from_an_iterator():
    model = MLP(2, [2, 2])
    assert [v.data for v in model(iter([1.0, 2.0]))] == [v.data for v in model([1.0, 2.0])]
    assert [v.data for v in model.layers[0](x for x in (1.0, 2.0))] == [v.data for v in model.layers[0]([1.0, 2.0])]


def test_a_hidden_layer_of_one_neuron_feeds_the_next():
    model = MLP(2, [1, 1])
    hidden = by_hand(model.layers[0].neurons[0], [1.0, 2.0])
    expected = by_hand(model.layers[1].neurons[0], [hidden]).data
    assert model([1.0, 2.0]).data == expected
    model.layers[1].__class__ = type("Mine", (Layer,), {})
    assert model([1.0, 2.0]).data == expected


def test_one_output_comes_unwrapped():
    assert isinstance(Layer(2, 1)([1, 2]), Value)
    assert isinstance(MLP(2, [3, 1])([1, 2]), Value)
    assert len(MLP(2, [3, 2])([1, 2])) == 2


def test_a_neuron_without_weights_is_its_bias():
    neuron = Neuron(0, nonlin=False)
    assert neuron([]) is neuron.b
    assert MLP(2, [])([1, 2]) == [1, 2]


@pytest.mark.parametrize("base", [Neuron, Layer, MLP])
def test_a_subclass_own_call_is_the_one_that_runs(base):
    class Mine(base):
        def __call__(self, x):
            calls.append(base)
            return super().__call__(x)

    calls = []
    model = MLP(2, [2, 1])
    if base is Neuron:
        model.layers[0].neurons[1] = Mine(2)
    elif base is Layer:
        model.layers[0] = Mine(2, 2)
    else:
        model = Mine(2, [2, 1])
    model([1.0, 2.0]).backward()
    assert calls == [base]


@pytest.mark.parametrize("cls", [Neuron, Layer, MLP])
def test_a_replaced_call_is_the_one_that_runs(cls, monkeypatch):
    original = cls.__call__
    calls = []
    monkeypatch.setattr(cls, "__call__", lambda self, x: calls.append(cls) or original(self, x))
    MLP(2, [2, 1])([1.0, 2.0])
    assert len(calls) == {Neuron: 3, Layer: 2, MLP: 1}[cls]


def test_any_callable_may_be_a_layer_or_a_neuron():
    model = MLP(2, [2, 1])
    model.layers.insert(1, lambda x: [v * 2 for v in x])
    model.layers[0].neurons[0] = lambda x: Value(5.0)
    hidden = [10.0, 2 * by_hand(model.layers[0].neurons[1], [1.0, 2.0]).data]
    assert model([1.0, 2.0]).data == by_hand(model.layers[2].neurons[0], hidden).data


def test_weights_may_be_replaced_and_shared():
    layer = Layer(2, 2, nonlin=False)
    first, second = layer.neurons
    first.w = [Value(1.0), Value(2.0)]
    second.w = first.w
    second.b = first.b = Value(0.5)
    a, b = layer([3.0, 4.0])
    assert (a.data, b.data) == (11.5, 11.5)
    (a + b).backward()
    assert [w.grad for w in first.w] == [6.0, 8.0]
    assert first.b.grad == 2


@pytest.mark.parametrize(
    "w", [(Value(1.0), Value(2.0)), [1.0, 2.0], np.array([1.0, 2.0])], ids=["tuple", "floats", "array"]
)
def test_weights_of_other_kinds_are_computed_with_as_they_are(w):
    neuron = Neuron(2, nonlin=False)
    neuron.w = w
    assert neuron([3.0, 4.0]).data == 11.0


def test_a_weight_of_a_subclass_runs_its_own_operator():
    class Doubled(Value):
        def __mul__(self, other):
            return Value(self.data) * other * 2

    neuron = Neuron(2, nonlin=False)
    neuron.w = [Doubled(1.0), Value(1.0)]
    assert neuron([3.0, 4.0]).data == 10.0


@pytest.mark.parametrize("nonlin", [0, "", 1, "yes", None])
def test_nonlin_counts_by_its_truth(nonlin):
    neuron = Neuron(1, nonlin=nonlin)
    neuron.w[0].data = -1.0
    assert neuron([2.0]).data == (0 if nonlin else -2.0)


def test_a_users_module_is_a_module():
    class Twins(Module):
        def __init__(self):
            self.left, self.right = MLP(2, [3, 1]), Neuron(2)

        def parameters(self):
            return self.left.parameters() + self.right.parameters()

    class Fewer(Layer):
        def parameters(self):
            return super().parameters()[:1]

    twins = Twins()
    (twins.left([1.0, 2.0]) + twins.right([1.0, 2.0]) + twins.parameters()[0]).backward()
    assert any(p.grad for p in twins.parameters())
    twins.zero_grad()
    assert all(repr(p.grad) == "0" for p in twins.parameters())
    assert len(twins.parameters()) == 3 * 3 + 4 + 3
    model = MLP(2, [3, 1])
    model.layers[0] = Fewer(2, 3)
    assert len(model.parameters()) == 1 + 4
    assert Module().parameters() == []


def test_parameters_of_one_neuron_replaced_are_asked_for_by_its_layer():
    model = MLP(2, [2, 1])
    everything = model.parameters()
    first, second, last = (n for layer in model.layers for n in layer.neurons)
    first.label = "what is written on a neuron does not matter"
    second.parameters = lambda: second.w
    assert model.parameters() == everything[:5] + everything[6:]
    del second.parameters
    last.w = tuple(last.w)
    assert model.parameters() == everything
    last.w = iter(last.w[:1])
    assert model.parameters() == everything[:7] + everything[8:]
    del last.w
    with pytest.raises(AttributeError, match="w"):
        model.parameters()
    model.layers[1].neurons = (first,)
    assert model.parameters() == everything[:6] + everything[:3]


def test_parameters_replaced_for_all_neurons_are_asked_for_by_layers(monkeypatch):
    model = MLP(2, [2, 1])
    everything = model.parameters()
    monkeypatch.setattr(Neuron, "parameters", lambda self: [self.b])
    assert model.parameters() == [everything[k] for k in (2, 5, 8)]
    monkeypatch.undo()
    assert model.parameters() == everything


def test_parameters_is_a_fresh_list_each_time():
    model = MLP(2, [1])
    model.parameters().clear()
    assert len(model.parameters()) == 3


def test_modules_take_any_attribute():
    model = MLP(2, [2, 1])
    model.name = model.layers[0].name = model.layers[0].neurons[0].name = "mine"
    assert model.layers[0].neurons[0].name == "mine"


def test_no_grad_predicts_the_same_numbers_without_a_graph():
    random.seed(1)
    model = MLP(3, [4, 4, 1])
    expected = model([1.0, 2, -0.5]).data
    with no_grad():
        out = model([1.0, 2, -0.5])
    assert (out.data, out._prev) == (expected, set())


def test_a_deleted_weight_list_is_an_attribute_error():
    neuron = Neuron(2)
    del neuron.w
    with pytest.raises(AttributeError, match="w"):
        neuron([1.0, 2.0])
