"""flat, parameter_vector and gradient_vector: numbers of many Values in one array, and back."""

import copy
import math
import pickle
import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_c import TraceError, flat, no_grad, sumprod, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import MLP, Module

NUMBERS = st.one_of(st.integers(-5, 5), st.floats(), st.just(-0.0))


def bits(numbers):
    return [(math.copysign(1, number), repr(float(number))) for number in numbers]


def trained():
    random.seed(3)
    model = MLP(3, [4, 2])
    sum(model([1.0, -2.0, 0.5]), Value(0.0)).backward()
    return model


@given(st.lists(NUMBERS), st.lists(NUMBERS, min_size=20))
def test_numbers_are_those_of_the_attributes(data, gradients):
    values = [Value(x) for x in data]
    for value, gradient in zip(values, gradients):
        value.grad = gradient
    assert bits(flat(values)) == bits(v.data for v in values)
    assert bits(flat(values, "grad")) == bits(v.grad for v in values)


@given(st.lists(NUMBERS, min_size=1), st.booleans())
def test_copy_assigns_as_each_attribute_would(numbers, neighbours):
    ours, plain = [Value(1) for _ in numbers], [Value(1) for _ in numbers]
    if not neighbours:
        ours.reverse()
    for attribute in ("data", "grad"):
        flat(ours, attribute).copy_(numbers)
        for value, number in zip(plain, numbers):
            setattr(value, attribute, float(number))
        assert [repr(getattr(v, attribute)) for v in ours] == [repr(getattr(v, attribute)) for v in plain]


def test_a_model_has_a_vector_of_its_parameters_and_of_their_gradients():
    model = trained()
    assert model.parameter_vector().tolist() == [p.data for p in model.parameters()]
    assert model.gradient_vector().tolist() == [p.grad for p in model.parameters()]
    assert any(model.gradient_vector())


def test_a_shared_parameter_is_there_once():
    w, b = Value(2.0), Value(3.0)

    class Tied(Module):
        def parameters(self):
            return [w, b, w, w]

    assert Tied().parameter_vector().tolist() == [2.0, 3.0]
    Tied().parameter_vector().copy_([5.0, 6.0])
    assert (w.data, b.data) == (5.0, 6.0)


def test_it_is_a_copy_until_it_is_copied_back():
    model = trained()
    vector = model.parameter_vector()
    before = vector.tolist()
    for p in model.parameters():
        p.data += 1.0
    assert vector.tolist() == before
    vector[0] = 100.0
    assert model.parameters()[0].data == before[0] + 1.0
    assert vector.copy_() is vector
    assert [p.data for p in model.parameters()] == [100.0, *before[1:]]


def test_numpy_takes_the_vector_as_it_is():
    np = pytest.importorskip("numpy")
    model = trained()
    vector = model.parameter_vector()
    seen = np.asarray(vector)
    assert seen.dtype == np.float64
    seen *= 2.0
    assert vector.tolist() == seen.tolist()
    vector.copy_()
    assert [p.data for p in model.parameters()] == seen.tolist()


@pytest.mark.parametrize("make", [list, tuple, iter, lambda x: array("d", x), lambda x: array("f", x),
                                  lambda x: memoryview(array("d", x))])
def test_numbers_come_from_whatever_holds_them(make):
    values = [Value(0), Value(0)]
    flat(values).copy_(make([0.5, 2]))
    assert [repr(v.data) for v in values] == ["0.5", "2.0"]


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "int64", "object"])
def test_arrays_of_numpy_are_numbers(kind):
    np = pytest.importorskip("numpy")
    values = [Value(0), Value(0)]
    flat(values).copy_(np.array([[0, 1], [2, 3]], kind)[:, 1].astype("float64" if kind == "object" else kind))
    assert [v.data for v in values] == [1.0, 3.0]


@pytest.mark.parametrize(("numbers", "error", "words"), [
    ([1.0], ValueError, "given 1 numbers for 2 Values"),
    ([1.0, 2.0, 3.0], ValueError, "given 3 numbers for 2 Values"),
    (["a", 1.0], TypeError, "copy_ wants numbers"),
    ([1.0, None], TypeError, "copy_ wants numbers, and number 1 is None"),
    ("ab", TypeError, "copy_ wants numbers, a buffer or an iterable of them, not str"),
    (b"12345678", TypeError, "not bytes"),
    (7, TypeError, "not int"),
    (memoryview(array("d", [1.0] * 4)).cast("B").cast("d", (2, 2)), ValueError, "not an array of 2 axes"),
])
def test_wrong_numbers_are_refused_and_change_nothing(numbers, error, words):
    values = [Value(1.5), Value(2)]
    vector = flat(values)
    with pytest.raises(error, match=words):
        vector.copy_(numbers)
    assert (vector.tolist(), values[0].data, repr(values[1].data)) == ([1.5, 2.0], 1.5, "2")


@pytest.mark.parametrize(("values", "attribute", "error", "words"), [
    (3.0, "data", TypeError, "wants a list of Values, as model.parameters"),
    ([Value(1.0), 2.0], "data", TypeError, "wants Values, not 2.0 of type float"),
    ([Value(1.0)], "gradient", ValueError, "'data' or 'grad' of Values, not 'gradient'"),
    ([Value.__new__(Value)], "data", AttributeError, "__init__"),
])
def test_other_things_than_values_are_refused(values, attribute, error, words):
    with pytest.raises(error, match=words):
        flat(values, attribute)


def test_a_vector_that_was_made_longer_is_refused():
    vector = flat([Value(1.0)])
    vector.append(2.0)
    with pytest.raises(ValueError, match="1 Values, and 2 numbers"):
        vector.copy_()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v)),
                                       lambda v: v[:]])
def test_copies_are_plain_arrays(duplicate):
    other = duplicate(flat([Value(1.5)]))
    assert type(other) is array
    assert other.tolist() == [1.5]


@pytest.mark.parametrize("number", [math.inf, 3.0])
def test_a_graph_swept_afterwards_sees_the_new_data(number):
    """Also in a neuron that is off, through which 0 * infinity is nan."""
    gradients = []
    for by_vector in (False, True):
        random.seed(1)
        model = MLP(2, [3, 1])
        for p in model.layers[0].neurons[0].parameters():
            p.data = -1.0
        out = model([Value(1.0), Value(2.0)])
        if by_vector:
            model.parameter_vector().copy_([number] * model.num_parameters())
        else:
            for p in model.parameters():
                p.data = number
        out.backward()
        gradients.append(bits(p.grad for p in model.parameters()))
    assert gradients[0] == gradients[1]


def test_nodes_that_were_computed_have_vectors_too_and_stay_nodes():
    a = Value(2.0)
    b = a * 3.0
    c = (b + 1.0).tanh()
    flat([c, b]).copy_([0.5, -1.0])
    assert (b.data, c.data) == (-1.0, 0.5)
    c.backward()
    assert a.grad == pytest.approx(0.75 * 3.0)
    assert flat([a, b, c], "grad").tolist() == [a.grad, b.grad, 1.0]


def test_a_gradient_of_minus_zero_becomes_zero_when_zero_is_added():
    x = Value(1.0)
    flat([x], "grad").copy_([-0.0])
    assert repr(x.grad) == "-0.0"
    (x * 0.0).backward()
    assert repr(x.grad) == "0.0"


def test_a_subclass_with_its_own_data_is_asked():
    class Doubled(Value):
        data = property(lambda self: 2 * Value.data.__get__(self),
                        lambda self, number: Value.data.__set__(self, number / 2))

    values = [Value(1.0), Doubled(5.0)]
    vector = flat(values)
    assert vector.tolist() == [1.0, 10.0]
    vector.copy_([3.0, 8.0])
    assert [v.data for v in values] == [3.0, 8.0]


def test_replaced_properties_are_asked(patch_value):
    original, seen = Value.grad, []
    patch_value("grad", property(lambda self: None, lambda self, number: seen.append(number)))
    vector = flat([Value(1.0), Value(2.0)], "grad")
    assert vector.tolist() == [0.0, 0.0]        # None counts as that
    vector.copy_([1.0, 2.0])
    assert seen == [1.0, 2.0]
    patch_value("grad", original)


def test_a_function_that_is_traced_reads_no_vector_of_its_arguments():
    with pytest.raises(TraceError, match=r"\.data is read"):
        vmap(lambda x: x * sum(flat([x])))([1.0, 2.0])
    w = Value(3.0)
    assert vmap(lambda x: x * flat([w])[0])([1.0, 2.0]).tolist() == [3.0, 6.0]


def test_no_grad_makes_no_difference():
    model = trained()
    with no_grad():
        vector = model.parameter_vector()
        vector.copy_([1.0] * len(vector))
    assert {p.data for p in model.parameters()} == {1.0}


def test_parameters_of_a_mapped_run_get_their_gradients_in_the_vector():
    model = trained()
    model.zero_grad()
    vmap(lambda x: model(x)[0])([[1.0, 2.0, 3.0], [0.5, 0.5, 0.5]]).sum().backward()
    assert model.gradient_vector().tolist() == [p.grad for p in model.parameters()]
    assert any(model.gradient_vector())


def test_a_program_with_a_class_of_its_own_keeps_derivatives_by_old_data(run_python):
    assert run_python(f"""
import sys
sys.path.insert(0, {str(__import__("pathlib").Path(__file__).parent)!r})
from own_values import LOCAL, made
from micrograd_c import accelerate, flat
Value = accelerate(made(LOCAL))
x, y = Value(3.0), Value(4.0)
assert type(x).__module__ != "micrograd_c.engine"
out = x * y
flat([x, y]).copy_([100.0, 200.0])
out.backward()
print(x.grad, y.grad, x.data)
""") == "4.0 3.0 100.0\n"


# --- what the tape is told ---

def test_a_gradient_of_none_is_0_and_no_minus_0():
    value = Value(1.0)
    value.grad = None
    assert repr(flat([value], "grad").tolist()) == "[0.0]"


def test_a_product_that_nobody_asks_for_is_computed_if_data_written_since_is_infinite():
    w, x = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
    out = sumprod(w, x) * 0.0
    flat(x).copy_([math.inf, 4.0])
    out.backward()
    assert math.isnan(w[0].grad)
    assert w[1].grad == 0.0


def test_a_minus_0_that_was_written_is_added_to(run_python):
    """In a process of its own: the tape remembers that there was one."""
    assert run_python("""
from micrograd_c import flat, sumprod
from micrograd_c.engine import Value
w, x = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
out = sumprod(w, x) * 0.0
flat(w, "grad").copy_([-0.0, -0.0])
out.backward()
print([value.grad for value in w])
""") == "[0.0, 0.0]\n"
