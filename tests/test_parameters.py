"""Names of parameters, and saving and loading their data."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_c.engine import Value
from micrograd_c.nn import MLP, Layer, Module, Neuron


class Attention(Module):
    """As people write modules: matrices, dicts, a list of modules, something that is no parameter, something shared."""

    def __init__(self):
        self.weights = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
        self.scale = Value(5.0)
        self.blocks = [Layer(1, 1), {"head": Neuron(1)}]
        self.tied = self.scale
        self.last = [Value(0.5), self.scale]    # not all of it are parameters
        self.hidden = (lambda kept: lambda: kept)(Value(6.0))

    def parameters(self):
        rows = [p for row in self.weights for p in row]
        return [*rows, self.scale, *self.blocks[0].parameters(), *self.blocks[1]["head"].parameters(), self.hidden(),
                self.scale]


def test_names_are_the_ways_to_the_parameters_in_their_order():
    model = MLP(2, [2, 1])
    named = model.named_parameters()
    assert [p for _, p in named] == model.parameters()
    assert [name for name, _ in named] == [
        "layers.0.neurons.0.w.0", "layers.0.neurons.0.w.1", "layers.0.neurons.0.b",
        "layers.0.neurons.1.w.0", "layers.0.neurons.1.w.1", "layers.0.neurons.1.b",
        "layers.1.neurons.0.w.0", "layers.1.neurons.0.w.1", "layers.1.neurons.0.b",
    ]
    assert model.num_parameters() == 9


def test_a_module_of_ones_own_has_names_for_all_parameters_and_each_shared_one_once():
    model = Attention()
    assert [name for name, _ in model.named_parameters()] == [
        "weights.0.0", "weights.0.1", "weights.1.0", "weights.1.1", "scale",
        "blocks.0.neurons.0.w.0", "blocks.0.neurons.0.b", "blocks.1.head.w.0", "blocks.1.head.b", "parameters.9",
    ]
    assert model.num_parameters() == len(model.named_parameters()) == 10
    assert len(model.parameters()) == 11


def test_a_module_without_parameters_has_no_names():
    assert Module().named_parameters() == []
    assert Module().state_dict() == {}
    assert Module().num_parameters() == 0
    Module().load_state_dict({})


def test_the_state_is_floats_by_name():
    model = Layer(2, 1)
    model.neurons[0].w = [Value(1.5), Value(-2)]
    assert model.state_dict() == {"neurons.0.w": [1.5, -2.0], "neurons.0.b": 0.0}
    assert {type(x) for x in [*model.state_dict()["neurons.0.w"], model.state_dict()["neurons.0.b"]]} == {float}
    assert Attention().state_dict()["weights"] == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("make", [lambda: MLP(3, [4, 2]), Attention, lambda: Neuron(1)], ids=["mlp", "own", "neuron"])
def test_what_was_saved_as_json_computes_the_same_when_loaded(make):
    saved, loaded = make(), make()
    for p in saved.parameters():
        p.data = random.gauss(0, 1)
    state = json.loads(json.dumps(saved.state_dict()))
    kept = loaded.parameters()
    for p in kept:
        p.grad = 3.0
    loaded.load_state_dict(state)
    assert [p.data for p in loaded.parameters()] == [p.data for p in saved.parameters()]
    assert all(a is b for a, b in zip(loaded.parameters(), kept))
    assert {p.grad for p in kept} == {3.0}


@given(st.integers(1, 4), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_every_network_can_be_saved_and_loaded(nin, nouts):
    saved, loaded = MLP(nin, nouts), MLP(nin, nouts)
    loaded.load_state_dict(saved.state_dict())
    assert loaded.state_dict() == saved.state_dict()


WRONG = {
    "missing": (lambda s: s.pop("neurons.1.b"), ValueError, r"fit the model:\n  neurons\.1\.b is missing$"),
    "unexpected": (lambda s: s.update(c=1.0), ValueError, r"\n  c is not a parameter of this model$"),
    "short": (lambda s: s["neurons.1.w"].pop(), ValueError, r"neurons\.1\.w has 2 entries, and was given 1$"),
    "long": (lambda s: s["neurons.1.w"].append(1.0), ValueError, r"neurons\.1\.w has 2 entries, and was given 3$"),
    "number": (lambda s: s.update({"neurons.1.w": 3.0}), ValueError, "w has 2 entries, and was given 3.0"),
    "no number": (lambda s: s.update({"neurons.1.b": "1"}), TypeError, r"neurons\.1\.b wants a number, not '1'$"),
    "a list": (lambda s: s.update({"neurons.1.b": [1.0]}), TypeError, r"neurons\.1\.b wants a number, not \[1.0\]$"),
}


@pytest.mark.parametrize(("spoil", "error", "message"), WRONG.values(), ids=WRONG)
def test_a_state_that_does_not_fit_is_an_error_with_names_and_changes_nothing(spoil, error, message):
    model = Layer(2, 2)
    before = model.state_dict()
    state = Layer(2, 2).state_dict()
    spoil(state)
    with pytest.raises(error, match=message):
        model.load_state_dict(state)
    assert model.state_dict() == before


def test_many_problems_are_listed_up_to_a_point():
    with pytest.raises(ValueError, match=r"and 12 more$") as caught:
        MLP(2, [4, 4, 1]).load_state_dict(MLP(3, [8]).state_dict())
    assert str(caught.value).count("\n") == 11


def test_what_is_no_state_is_a_type_error():
    with pytest.raises(TypeError, match="wants the dict that state_dict\\(\\) returned, not list"):
        Neuron(1).load_state_dict([1.0])


def test_a_module_that_holds_itself_is_no_endless_walk():
    model = Attention()
    model.parent = [model]
    assert model.num_parameters() == len(model.named_parameters())
