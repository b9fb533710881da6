"""The activation of a neuron: chosen by name or function, and micrograd's if none is chosen."""

import copy
import pickle
import random

import pytest
from conftest import nodes_of

from micrograd_c import nn, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import MLP, Layer, Neuron

NAMES = {name: shown for name, shown in nn.ACTIVATIONS.items() if name != "linear"}


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
    assert NAMES == {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "gelu": "GELU", "silu": "SiLU",
            "leaky_relu": "LeakyReLU", "softplus": "Softplus", "log_sigmoid": "LogSigmoid"}


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


@pytest.mark.parametrize("wrong", ["Tanh", "exp", None, 3, {"relu"}])
@pytest.mark.parametrize("make", [Neuron, Layer, MLP])
def test_another_name_is_an_error_that_lists_the_known_ones(make, wrong):
    arguments = {Neuron: (2,), Layer: (2, 1), MLP: (2, [2, 1])}[make]
    known = ", ".join(map(repr, nn.ACTIVATIONS))
    with pytest.raises(ValueError, match=f"one of {known}, or a function of a Value, not "):
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


# --- one per layer, and none ---

@pytest.mark.parametrize("activation", [["tanh", "relu", "linear"], ("tanh", "relu", "linear")])
def test_each_layer_may_have_its_own(activation):
    model = MLP(2, [4, 4, 1], activation=activation)
    assert [repr(layer.neurons[0]) for layer in model.layers] == ["TanhNeuron(2)", "ReLUNeuron(4)", "LinearNeuron(4)"]
    x = step = [Value(0.5), Value(-1.5)]
    for layer, name in zip(model.layers, activation):
        sums = [by_hand(neuron, step, lambda total: total) for neuron in layer.neurons]
        step = sums if name == "linear" else [getattr(total, name)() for total in sums]
    out = model(x)
    assert repr(out) == repr(step[0])
    out.backward()
    gradients = [p.grad for p in model.parameters()]
    model.zero_grad()
    step[0].backward()
    assert gradients == [p.grad for p in model.parameters()]


def test_the_last_layer_of_a_list_has_what_the_list_says():
    model = MLP(2, [2, 2], activation=["linear", "sigmoid"])
    assert repr(model.layers[0]) == "Layer of [LinearNeuron(2), LinearNeuron(2)]"
    assert repr(model.layers[1]) == "Layer of [SigmoidNeuron(2), SigmoidNeuron(2)]"
    assert all(0 < v.data < 1 for v in model([1.0, 2.0]))
    assert MLP(1, [1], activation=[softplus]).layers[0].neurons[0].activation is softplus


@pytest.mark.parametrize("nouts", [[], [1], [3, 1]])
def test_a_list_must_be_as_long_as_the_network(nouts):
    for wrong in (["tanh"] * (len(nouts) + 1), ["relu"] * (len(nouts) - 1) if nouts else ["relu"] * 2):
        with pytest.raises(ValueError, match=f"activation has {len(wrong)} entries for {len(nouts)} layers: a list"):
            MLP(2, nouts, activation=wrong)
    with pytest.raises(ValueError, match=r"activation must be one of .* not 'nothing'"):
        MLP(2, [1, 1], activation=["tanh", "nothing"])
    with pytest.raises(ValueError, match=r"activation must be one of .* not \['tanh'\]"):
        MLP(2, [1, 1], activation=[["tanh"], "relu"])


def test_linear_is_none():
    random.seed(1)
    plain = MLP(2, [3, 2], activation="linear")
    random.seed(1)
    micrograds = MLP(2, [3, 2])
    for layer in micrograds.layers:
        for neuron in layer.neurons:
            neuron.nonlin = False
    assert repr(plain) == repr(micrograds)
    assert repr(plain([1.0, 2.0])) == repr(micrograds([1.0, 2.0]))
    assert repr(Neuron(2, activation="linear")) == "LinearNeuron(2)"
    assert repr(Layer(2, 1, activation="linear")) == "Layer of [LinearNeuron(2)]"


def test_linear_can_be_chosen_later_and_left():
    neuron = Neuron(2, activation="tanh")
    inputs = [0.5, -1.5]
    total, bent = by_hand(neuron, inputs, lambda total: total).data, neuron(inputs).data
    neuron.activation = "linear"
    assert (neuron.activation, neuron.nonlin, neuron(inputs).data) == ("linear", False, total)
    twin = pickle.loads(pickle.dumps(copy.deepcopy(neuron)))
    assert (twin.activation, twin(inputs).data) == ("linear", total)
    neuron.nonlin = True        # of what it has
    assert (repr(neuron), neuron(inputs).data) == ("LinearNeuron(2)", total)
    neuron.activation = "tanh"
    assert (neuron.nonlin, neuron(inputs).data) == (True, bent)
    last = Neuron(2, nonlin=False, activation="tanh")
    last.activation = "relu"
    assert last.nonlin is False


@pytest.mark.parametrize("name", nn.ACTIVATIONS)
def test_all_can_be_mapped(name):
    model = MLP(2, [3, 3, 1], activation=[name, name, "linear"])
    rows = [[0.5, -1.5], [2.0, 0.25], [-1.0, 1.0]]
    batch = vmap(model)(rows)
    assert list(batch) == pytest.approx([model(row).data for row in rows], rel=1e-13)
    batch.sum().backward()
    gradients = [p.grad for p in model.parameters()]
    model.zero_grad()
    sum(model(row) for row in rows).backward()
    assert gradients == pytest.approx([p.grad for p in model.parameters()], rel=1e-11, abs=1e-14)
