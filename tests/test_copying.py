"""copy, deepcopy and pickle of Values, graphs and modules."""

import copy
import gc
import pickle

import pytest

from micrograd_c.engine import Value
from micrograd_c.nn import MLP


class Named(Value):
    __slots__ = ("slot",)

    def __init__(self, name):
        super().__init__(len(name))
        self.name = name
        self.slot = [name]


WAYS = {
    "copy": copy.copy, "deepcopy": copy.deepcopy,
    **{f"pickle {p}": lambda v, p=p: pickle.loads(pickle.dumps(v, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_leaves_keep_numbers_and_attributes(way):
    leaf = Value(3)
    leaf.grad = 0.5
    leaf.label = "x"
    twin = way(leaf)
    assert twin is not leaf
    assert (repr(twin), twin.label, twin._op, twin._prev) == (repr(leaf), "x", "", set())
    twin.data = 7
    twin.label = "y"
    assert (leaf.data, leaf.label) == (3, "x")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_subclasses_keep_type_attributes_and_slots(way):
    twin = way(Named("abc"))
    assert type(twin) is Named
    assert (twin.data, twin.name, twin.slot) == (3, "abc", ["abc"])


def test_copy_shares_operands_and_what_attributes_refer_to():
    a = Value(2.0)
    b = a * 3
    b.tags = ["t"]
    twin = copy.copy(b)
    assert twin._prev == {a}  | (b._prev - {a})
    assert twin.tags is b.tags
    twin.backward()
    assert a.grad == 3


def test_deepcopy_of_a_graph_is_a_graph_of_its_own():
    a, b = Value(2.0), Value(-3)
    a.label = "a"
    inner = a * b
    inner.note = {"deep": [1]}
    root = (inner + a ** 2).relu() + inner.tanh() + Value(5.0, (a, b), "mine")
    twin = copy.deepcopy(root)
    expected = repr(root)
    twin.backward()
    assert repr(root) == expected
    assert (a.grad, b.grad) == (0, 0)
    root.backward()

    def walk(v):
        nodes, todo = {}, [v]
        while todo:
            node = todo.pop()
            if node not in nodes:
                nodes[node] = (repr(node), node._op, tuple(sorted(vars(node).items(), key=str)))
                todo.extend(node._prev)
        return nodes

    assert sorted(walk(twin).values()) == sorted(walk(root).values())
    assert not set(walk(twin)) & set(walk(root))


def test_deepcopy_of_a_container_keeps_sharing():
    a = Value(2.0)
    b = a * 3
    for original in ([a, b], [b, a], {"x": b, "y": (a, b)}):
        twin = copy.deepcopy(original)
        first, second = (twin["y"] if isinstance(twin, dict) else twin)[:2]
        leaf, product = (first, second) if first.data == 2.0 else (second, first)
        product.backward()
        assert leaf.grad == 3
        assert a.grad == 0


def test_deepcopy_follows_values_in_attributes():
    a, b = Value(1.0), Value(2.0)
    a.friend, b.friend = b, a
    twin = copy.deepcopy(a)
    assert twin.friend.friend is twin
    assert twin.friend is not b


def test_deepcopy_of_a_deep_graph_does_not_recurse():
    v = Value(1.0)
    for _ in range(50_000):
        v = v + 1
    assert copy.deepcopy(v).data == 50_001.0


def test_deepcopy_of_a_custom_op_keeps_its_function_as_micrograd_does():
    a = Value(2.0)
    out = Value(4.0, (a,), "custom")
    out._backward = lambda: setattr(a, "grad", a.grad + 10)
    twin = copy.deepcopy(out * 1)
    twin.backward()
    assert a.grad == 10


def test_computed_values_cannot_be_pickled_and_the_error_says_what_can():
    a = Value(2.0)
    hooked = Value(1.0)
    hooked._backward = lambda: None
    for computed in (a * 2, a.relu(), Value(1.0, (a,), "mine"), hooked):
        with pytest.raises(TypeError, match="only leaves can be pickled"):
            pickle.dumps(computed)


@pytest.mark.parametrize("way", [copy.deepcopy, WAYS["pickle 2"], WAYS["pickle 5"]], ids=["deepcopy", "2", "5"])
def test_modules_keep_structure_weights_and_attributes(way):
    model = MLP(2, [3, 2, 1])
    model.note = "mine"
    model.layers[0].neurons[1].note = "neuron"
    model([1.0, 2.0]).backward()
    twin = way(model)
    assert repr(twin) == repr(model)
    assert [repr(p) for p in twin.parameters()] == [repr(p) for p in model.parameters()]
    assert not set(twin.parameters()) & set(model.parameters())
    assert (twin.note, twin.layers[0].neurons[1].note) == ("mine", "neuron")
    assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data


def test_a_shared_weight_stays_shared():
    model = MLP(2, [2])
    first, second = model.layers[0].neurons
    second.w = first.w
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        first, second = twin.layers[0].neurons
        assert first.w[0] is second.w[0]


def test_attributes_of_an_unpickled_leaf_live_as_long_as_its_results():
    v = Value(2.0)
    v.items = [1, 2]
    twin = pickle.loads(pickle.dumps(v))
    result = twin.relu()
    del twin
    gc.collect()
    (again,) = result._prev
    assert again.items == [1, 2]


class Rule:
    """A step of backward() that is a method of an object, which refers to the Value."""

    def __init__(self, out, operand):
        self.out, self.operand = out, operand

    def step(self):
        self.operand.grad += 5.0 * self.out.grad


def test_a_deep_copy_has_the_object_copied_that_a_function_is_bound_to():
    v = Value(2.0)
    out = Value(10.0, (v,), "rule")
    out._backward = Rule(out, v).step
    twin = copy.deepcopy(out)
    (operand,) = twin._prev
    assert twin._backward.__self__.out is twin
    assert twin._backward.__self__.operand is operand
    twin.backward()
    assert (v.grad, operand.grad) == (0, 5.0)
