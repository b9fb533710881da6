"""Python state on Values: attributes, functions, finalizers, and that Python's collector sees all of it."""

import gc
import weakref

import pytest
from conftest import nodes_of

from micrograd_c import tape
from micrograd_c.engine import Value
from micrograd_c.nn import MLP


def test_any_attribute_can_be_set_read_and_deleted():
    v = Value(1.0)
    assert not hasattr(v, "label")
    assert getattr(v, "label", "none") == "none"
    v.label = "x"
    v.m = 0.5
    assert (v.label, v.m) == ("x", 0.5)
    assert vars(v) == {"label": "x", "m": 0.5}
    del v.label
    assert not hasattr(v, "label")
    with pytest.raises(AttributeError):
        del v.label


def test_class_defaults_are_overridden_by_instances(patch_value):
    patch_value("label", "")
    a, b = Value(1.0), Value(2.0)
    a.label = "a"
    assert (a.label, b.label, (a + b).label) == ("a", "", "")


@pytest.mark.parametrize("late", [False, True], ids=["before use", "after use"])
def test_labels_survive_their_handles(late):
    def build(a):
        inner = a * 2
        if not late:
            inner.label = "inner"
        outer = inner + 1
        third = (outer * outer).relu()
        if late:
            inner.label = "inner"
        return third

    a = Value(3.0)
    a.label = "a"
    root = build(a)
    del a
    gc.collect()
    tape.collect()
    assert sorted(v.label for v in nodes_of(root) if hasattr(v, "label")) == ["a", "inner"]


def test_labels_survive_in_every_result_that_reaches_them():
    labelled = [Value(float(i)) for i in range(30)]
    for i, v in enumerate(labelled):
        v.label = i
    total = sum(v * 2 for v in labelled)
    product = labelled[3] * labelled[4]
    del labelled, v
    gc.collect()
    assert sorted(v.label for v in nodes_of(total) if hasattr(v, "label")) == list(range(30))
    del total
    gc.collect()
    assert sorted(v.label for v in product._prev) == [3, 4]


@pytest.mark.parametrize("write", [lambda v, attributes: setattr(v, "label", "x"),
                                   lambda v, attributes: attributes.update(label="x")], ids=["v.label", "the dict"])
def test_labels_survive_in_a_value_made_anew_whose_dict_was_handed_out(write):
    v = Value(1.0)
    attributes = vars(v)
    v.__init__(2.0)
    result = v.relu()
    write(v, attributes)
    del v, attributes
    (operand,) = result._prev
    assert operand.label == "x"


def test_state_below_a_value_found_through_prev_survives_the_root():
    def build():
        out = Value(a.data ** 2, (a,), "square")
        out._backward = lambda: setattr(a, "grad", a.grad + 2 * a.data * out.grad)
        out.label = "square"
        return (out * 5.0) * 2.0

    a = Value(3.0)
    root = build()
    (inner,) = (v for v in root._prev if v._op)
    del root
    gc.collect()
    inner.backward()
    assert a.grad == 30.0
    assert [v.label for v in inner._prev if v._op] == ["square"]


def test_state_goes_when_nothing_reaches_it():
    v = Value(1.0)
    v.label = type("Thing", (), {})()
    reference = weakref.ref(v.label)
    result = v * 2
    del v
    assert reference() is not None
    del result
    assert reference() is None


def test_parameters_with_state_survive_a_layer_call():
    model = MLP(2, [3, 1])
    for i, p in enumerate(model.parameters()):
        p.m = i
    out = model([1.0, 2.0])
    count = len(model.parameters())
    del model, p
    gc.collect()
    assert sorted(v.m for v in nodes_of(out) if hasattr(v, "m")) == list(range(count))


def test_cycles_of_custom_ops_are_freed_by_the_collector():
    def build():
        a = Value(2.0)
        out = Value(3.0, (a,), "custom")
        out._backward = lambda: setattr(a, "grad", out.grad)
        out.marker = marker = type("Marker", (), {})()
        return weakref.ref(out), weakref.ref(marker), weakref.ref(a)

    gc.collect()
    gc.disable()
    try:
        references = build()
        assert all(r() is not None for r in references)
        gc.collect()
        assert all(r() is None for r in references)
    finally:
        gc.enable()


def test_cycles_through_attributes_are_freed_by_the_collector():
    a = Value(1.0)
    b = a * 2
    a.result = b
    b.origin = a
    reference = weakref.ref(a)
    del a, b
    gc.collect()
    assert reference() is None


def test_a_long_lived_intermediate_does_not_pin_other_graphs(others):
    x = Value(1.0)
    kept = []
    for _ in range(50):
        y = x
        for _ in range(2_000):
            y = y * 1.0
        kept.append(x * 2)
        del y
    assert tape.collect() < 1_000 + 3 * len(kept) + others
    assert tape.stats()["capacity"] <= 16_384 + 4 * others


def test_long_chains_of_held_values_are_released_without_recursion():
    v = Value(0.0)
    for i in range(100_000):
        v = v + 1
        v.label = i
    del v
    assert tape.stats()["young_handles"] < 10


def test_finalizers_run_once_and_may_bring_a_value_back(patch_value):
    class Finalized(Value):
        def __del__(self):
            ended.append(self.data)

    def bring_back(self):
        ended.append(self.data)
        kept.append(self)

    ended, kept = [], []
    Finalized(1.0)
    assert ended == [1.0]
    patch_value("__del__", bring_back)
    v = Value(2.0)
    v.label = "x"
    del v
    (back,) = kept
    assert (ended, back.data, back.label) == ([1.0, 2.0], 2.0, "x")
    patch_value("__del__", lambda self: ended.append(self.data))
    for _ in range(5):
        Value(3.0)
    assert ended == [1.0, 2.0] + [3.0] * 5


def test_finalizers_and_weakref_callbacks_may_look_at_the_graph():
    def look(_=None):
        seen.append(sorted(v.data for v in result._prev))

    seen = []
    result = Value(2.0) * 3.0
    watched = Value(1.0)
    reference = weakref.ref(watched, look)
    del watched
    assert reference() is None
    assert seen == [[2.0, 3.0]]
    b = result * 1.0
    b.curious = type("Curious", (), {"__del__": look})()
    del b
    assert seen == [[2.0, 3.0]] * 2
