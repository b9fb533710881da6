"""Value.__setattr__, and the properties data and grad, replaced by a user's: every assignment in Python goes there."""

import pytest

from micrograd_c.engine import Value
from micrograd_c.nn import MLP


@pytest.fixture
def heard(patch_value):
    """Names of what was assigned to, and deleted, since a __setattr__ that calls the original was put in its place."""
    names, assign, delete = [], Value.__setattr__, Value.__delattr__
    patch_value("__setattr__", lambda self, name, value: names.append(name) or assign(self, name, value))
    patch_value("__delattr__", lambda self, name: names.append("del " + name) or delete(self, name))
    return names


def test_it_runs_for_whatever_is_assigned(heard):
    v = Value(1.0)
    v.data = 3
    v.data -= 0.5
    v.grad = -1
    v.label = "v"
    del v.label
    v._op = "mine"
    setattr(v, "".join(["da", "ta"]), v.data + 1)
    assert heard == ["data", "data", "grad", "label", "del label", "_op", "data"]
    assert (v.data, v.grad, v._op, vars(v)) == (3.5, -1, "mine", {})


def test_it_runs_in_a_training_step_as_micrograds_demo_spells_it(heard):
    model = MLP(2, [3, 1])
    count = len(model.parameters())
    model([1.0, Value(2.0)]).backward()
    model.zero_grad()
    for p in model.parameters():
        p.data -= 0.1 * p.grad
    assert heard == ["grad"] * count + ["data"] * count


def test_what_it_refuses_is_not_assigned(patch_value):
    v = Value(1.0)

    def refuse(self, name, value):
        raise TypeError("these Values are constants")

    patch_value("__setattr__", refuse)
    for name in ("data", "grad", "label"):
        with pytest.raises(TypeError, match="constants"):
            setattr(v, name, 2.0)
    assert repr(v) == "Value(data=1.0, grad=0)"
    assert not hasattr(v, "label")


def test_a_label_given_through_it_lives_as_long_as_the_graph(heard):
    v = Value(2.0)
    out = v * 3
    v.label = "input"
    del v
    assert "input" in [getattr(operand, "label", None) for operand in out._prev]
    assert heard == ["label"]


def test_it_is_called_again_each_time_it_is_replaced_and_not_in_between():
    heard, original, v = [], Value.__setattr__, Value(1.0)
    for i in range(1_500):      # CPython 3.13 counts a class's changes, up to 1,000
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Value, "__setattr__", lambda *arguments: heard.append(arguments[2]) or original(*arguments))
            v.data = i
        v.data = -i
    assert heard == list(range(1_500))
    assert v.data == -1_499


@pytest.mark.parametrize("name", ["data", "grad"])
def test_a_replaced_property_is_assigned_to(name):
    heard, original, v = [], getattr(Value, name), Value(1.0)
    setattr(v, name, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Value, name, property(
            original.__get__, lambda self, value: heard.append(value) or original.__set__(self, value)))
        setattr(v, name, 3)
        MLP(1, [1]).zero_grad()
    setattr(v, name, 4)
    assert heard == [3, *([0, 0] if name == "grad" else [])]
    assert getattr(v, name) == 4


def test_a_subclass_has_its_own():
    class Counting(Value):
        def __setattr__(self, name, value):
            heard.append(name)
            super().__setattr__(name, value)

    heard, v = [], Counting(1.0)
    v.data, v.grad, v.label = 2.0, 1, "v"
    assert heard == ["data", "grad", "label"]
    assert (v.data, v.grad, v.label) == (2.0, 1, "v")


@pytest.mark.parametrize("arguments", [(), ("label",), ("label", 1, 2), (1, 2)])
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(TypeError):
        Value.__setattr__(Value(1.0), *arguments)
    with pytest.raises(TypeError):
        Value.__setattr__(3.0, "label", 1)
    with pytest.raises((TypeError, AttributeError)):
        Value.__delattr__(Value(1.0), *arguments[1:])
