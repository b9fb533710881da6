"""Rows of nodes that are looked at many at a time: what is special about one of them is seen wherever that one is."""

import pytest

from micrograd_c import sumprod, tape
from micrograd_c.engine import Value
from micrograd_c.nn import Layer

PLACES = [(width, place) for width in (2, 3, 7, 8, 9, 15, 16, 17, 24, 33) for place in range(width)]


@pytest.fixture(autouse=True)
def tape_is_sound():
    yield
    tape.verify()


def products_of(total):
    """From the last to the first, of a sum that begins with a Value."""
    found = []
    while total._op == "+":
        product, = [one for one in total._prev if one._op == "*"]
        found.append(product)
        total, = total._prev - {product}
    return found


@pytest.mark.parametrize(("width", "place"), PLACES)
def test_an_int_is_seen_among_floats(width, place):
    ws = [Value(3 if k == place else 1.5) for k in range(width)]
    xs = [Value(2 if k == place else 0.5) for k in range(width)]
    products = products_of(sumprod(ws, xs, Value(0.25)))
    assert [type(product.data) for product in reversed(products)] == [
        int if k == place else float for k in range(width)]


@pytest.mark.parametrize(("width", "place"), PLACES)
def test_an_int_weight_is_seen_in_each_neuron_of_a_layer(width, place):
    for changed in range(5):        # four are recorded at once, and one alone
        layer = Layer(width, 5, activation="linear")
        layer.neurons[changed].w[place].data = 3
        outputs = layer([Value(2) for _ in range(width)])
        for k, out in enumerate(outputs):
            types = [type(product.data) for product in reversed(products_of(out))]
            assert types == [int if k == changed and j == place else float for j in range(width)]


@pytest.mark.parametrize(("width", "place"), PLACES)
def test_a_class_with_a_product_of_its_own_is_seen(width, place):
    class Mine(Value):
        def __mul__(self, other):
            log.append(self)
            return super().__mul__(other)

    log = []
    ws = [Mine(1.5) if k == place else Value(1.5) for k in range(width)]
    xs = [Value(0.5) for _ in range(width)]
    sumprod(ws, xs, Value(0.25))
    assert log == [ws[place]]


@pytest.mark.parametrize(("width", "place"), PLACES)
def test_a_gradient_that_is_an_int_becomes_a_float(width, place):
    ws, xs = [[Value(1.5 + k) for k in range(width)] for _ in range(2)]
    sumprod(ws, xs, Value(0.25)).backward()
    ws[place].grad = xs[place].grad = 0
    (sumprod(ws, xs, Value(0.25)) * 0.0).backward()
    assert [type(one.grad) for one in (*ws, *xs)] == [float] * (2 * width)


@pytest.mark.parametrize(("width", "place"), PLACES)
def test_gradients_go_on_from_the_one_that_was_computed(width, place):
    base = Value(2.0)
    ws = [Value(1.5 + k) for k in range(width)]
    xs = [base.relu() if k == place else Value(0.5) for k in range(width)]
    for _ in range(2):
        base.grad = xs[place].grad = 0
        sumprod(ws, xs, Value(0.25)).backward()
        assert base.grad == 1.5 + place


@pytest.mark.parametrize("width", [2, 3, 8, 17])
@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("start", ["elsewhere", "first w", "first x", "last w"])
def test_rows_that_overlap_get_gradients_in_the_order_of_the_plain_lines(width, shift, start):
    sides = []
    for of_products in sumprod, lambda ws, xs, start: sum((w * x for w, x in zip(ws, xs)), start):
        values = [Value(0.1 + 0.7 * k) for k in range(width + abs(shift))]
        for k, value in enumerate(values):
            value.grad = (k + 1) / 3        # of three numbers the order shows, of two it does not
        ws, xs = values[max(0, -shift):][:width], values[max(0, shift):][:width]
        starts = {"elsewhere": Value(0.3), "first w": ws[0], "first x": xs[0], "last w": ws[-1]}
        of_products(ws, xs, starts[start]).backward()
        sides.append([value.grad.hex() for value in values])
    assert sides[0] == sides[1]


@pytest.mark.parametrize("width", [254, 255, 256, 510, 600])
@pytest.mark.parametrize("shared", [0, 1])
def test_all_that_a_long_row_was_computed_from_gets_its_gradient(width, shared):
    bases = [Value(0.5 + k) for k in range(width)]
    xs = [base.relu() for base in bases]    # one node each, so they are neighbours
    ws = xs if shared else [Value(1.0 + k) for k in range(width)]
    (sumprod(ws, xs, Value(0.25)) * 1.0).backward()     # by a float, which makes all gradients floats
    assert [base.grad for base in bases] == [2.0 * x.data if shared else w.data for w, x in zip(ws, xs)]
