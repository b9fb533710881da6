"""The activation of a neuron: chosen by name or function, and micrograd's if none is chosen."""

import copy
import pickle
import random

import pytest
from conftest import nodes_of

from micrograd_c import nn
from micrograd_c.engine import Value
from micrograd_c.nn import MLP, Layer, Neuron

NAMES = nn.ACTIVATIONS


def softplus(v):
    return (v.exp() + 1).log()


def by_hand(neuron, x, activate):
    total = sum((wi * xi for wi, xi in zip(neuron.w, x)), neuron.b)
    return activate(total)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("x", [[0.5, -2.0], [1, 2], [Value(0.5), Value(3)]], ids=["floats", "ints", "values"])
def test_a_name_is_the_method_of_that_name(name, x):
    neuron = Neuron(2, activation=name)
    out, expected = neuron(x), by_hand(neuron, x, lambda total: getattr(total, name)())
    assert repr(out) == repr(expected)
    assert sorted(v._op for v in nodes_of(out)) == sorted(v._op for v in nodes_of(expected))
    out.backward()
    gradients = [p.grad for p in neuron.parameters()]
    neuron.zero_grad()
    expected.backward()
    assert gradients == [p.grad for p in neuron.parameters()]


def test_a_function_is_called_with_the_sum():
    neuron = Neuron(2, activation=softplus)
    assert neuron([1.0, 2.0]).data == by_hand(neuron, [1.0, 2.0], softplus).data
    assert repr(neuron) == "softplusNeuron(2)"


def test_there_are_these_and_what_the_table_of_ops_adds():
    assert {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid"}.items() <= NAMES.items()


@pytest.mark.parametrize("name", [*NAMES, softplus])
def test_every_layer_of_a_network_has_it_but_the_last(name):
    model = MLP(2, [3, 2, 1], activation=name)
    called = NAMES.get(name, "softplus")
    assert repr(model.layers[1]) == f"Layer of [{called}Neuron(2), {called}Neuron(2)]".replace("(2)", "(3)")
    assert repr(model.layers[2]) == "Layer of [LinearNeuron(2)]"
    x = [0.25, -0.75]
    step = x
    for layer in model.layers:
        step = [neuron(step) for neuron in layer.neurons]
    assert model(x).data == step[0].data


def test_the_same_seed_gives_the_same_weights_whatever_the_activation():
    draws = []
    for activation in ("relu", "tanh", softplus):
        random.seed(3)
        draws.append([p.data for p in MLP(2, [4, 1], activation=activation).parameters()])
    assert draws[0] == draws[1] == draws[2]


@pytest.mark.parametrize("wrong", ["Tanh", "gelu", None, 3, ["relu"]])
@pytest.mark.parametrize("make", [Neuron, Layer, MLP])
def test_another_name_is_an_error_that_lists_the_known_ones(make, wrong):
    arguments = {Neuron: (2,), Layer: (2, 1), MLP: (2, [2, 1])}[make]
    with pytest.raises(ValueError, match=f"one of {', '.join(map(repr, NAMES))}, or a function of a Value, not "):
        make(*arguments, activation=wrong)


def test_it_can_be_changed_later():
    neuron = Neuron(1)
    assert neuron.activation == "relu"
    neuron.activation = "".join(["ta", "nh"])   # a text of its own
    assert neuron([1.0]).data == by_hand(neuron, [1.0], Value.tanh).data
    with pytest.raises(ValueError, match="'nothing'"):
        neuron.activation = "nothing"
    assert neuron.activation == "tanh"


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_keep_it(duplicate):
    model = MLP(2, [3, 1], activation="sigmoid")
    again = duplicate(model)
    assert repr(again) == repr(model)
    assert again([1.0, 2.0]).data == model([1.0, 2.0]).data


@pytest.mark.parametrize("name", NAMES)
def test_a_replaced_method_is_the_one_that_runs(name, patch_value):
    patch_value(name, lambda self: self * 100)
    neuron = Neuron(1, activation=name)
    assert neuron([1.0]).data == by_hand(neuron, [1.0], lambda total: total * 100).data


def test_a_neuron_with_the_name_for_something_else_works():
    class Mine(Neuron):
        def activation(self, total):
            return total * 2

        def __call__(self, x):
            return self.activation(super().__call__(x))

    class Bare(Neuron):
        def __init__(self):
            self.w, self.b, self.nonlin = [Value(-1.0)], Value(0.5), True

    mine = Mine(1, nonlin=False)
    assert mine([3.0]).data == 2 * (mine.w[0].data * 3.0)
    assert repr(Mine(1)) == "ReLUNeuron(1)"
    assert Bare()([2.0]).data == 0
    assert repr(Bare()) == "ReLUNeuron(1)"


def test_a_layer_that_knows_micrograds_arguments_only_can_replace_ours(monkeypatch):
    class OldNeuron(Neuron):
        def __init__(self, nin, nonlin=True):
            super().__init__(nin, nonlin)

    monkeypatch.setattr(nn, "Neuron", OldNeuron)
    assert type(MLP(1, [1, 1]).layers[0].neurons[0]) is OldNeuron
