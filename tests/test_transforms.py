"""grad, value_and_grad, jacobians, hessian, jvp and vjp: structure, composition, vmap inside and outside, crossings."""

import collections
import copy
import functools
import math
import pathlib
import random
import re
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_c
from micrograd_c import (
    TraceError,
    grad,
    gradients,
    hessian,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    no_grad,
    softmax,
    sumprod,
    tape,
    value_and_grad,
    vjp,
    vmap,
    where,
)
from micrograd_c._core.transforms import calling
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

Point = collections.namedtuple("Point", "x y")
TRANSFORMS = [grad, value_and_grad, jacrev, jacfwd, jacobian, hessian]


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    yield
    assert calling.level.depth == 0
    tape.verify()


def cube(x):
    return x ** 3


# --- structure ---

def test_results_are_plain_floats_in_the_structure_of_the_arguments():
    found = grad(lambda p: p["w"] * 3 + p["b"][0] * p["b"][1] + p["point"].x ** 2 + p["none"][0][0])(
        {"w": 1, "b": [2.0, 5], "point": Point(3.0, 4.0), "none": ([1.0], None, ())})
    assert found == {"w": 3.0, "b": [5.0, 2.0], "point": Point(6.0, 0.0), "none": ([1.0], None, ())}
    assert type(found["w"]) is float
    assert type(found["point"]) is Point


def test_values_as_arguments_count_as_their_numbers():
    x = Value(2.0)
    x.grad = 5
    assert grad(cube)(x) == 12.0
    assert x.grad == 5
    assert value_and_grad(lambda p: sumprod(p, p))([x, 3.0]) == (13.0, [4.0, 6.0])


def test_argnums_choose_arguments():
    def f(x, y, *, scale=1.0):
        return x * y * y * scale
    assert grad(f, 1)(3.0, 2.0) == 12.0
    assert grad(f, -1)(3.0, 2.0, scale=2.0) == 24.0
    assert grad(f, (1, 0))(3.0, 2.0) == (12.0, 4.0)
    assert grad(f, argnums=[0])(3.0, 2.0) == (4.0,)


def test_arguments_that_are_not_differentiated_are_given_as_they_are():
    class Anything:
        pass
    thing = Anything()

    def f(x, other, flag=None):
        assert other is thing
        assert flag == "yes"
        return x * 2
    assert grad(f)(1.0, thing, flag="yes") == 2.0


def test_aux_is_handed_on_with_its_numbers():
    def f(x):
        y = x * x
        return y * x, {"square": y, "name": "cube"}
    assert grad(f, has_aux=True)(2.0) == (12.0, {"square": 4.0, "name": "cube"})
    assert value_and_grad(f, has_aux=True)(2.0) == ((8.0, {"square": 4.0, "name": "cube"}), 12.0)
    for one in (jacrev, jacfwd, jacobian):
        assert one(f, has_aux=True)(2.0) == (12.0, {"square": 4.0, "name": "cube"})
    assert hessian(f, has_aux=True)(2.0) == (12.0, {"square": 4.0, "name": "cube"})
    assert jvp(f, (2.0,), (1.0,), has_aux=True) == (8.0, 12.0, {"square": 4.0, "name": "cube"})
    value, pull, aux = vjp(f, 2.0, has_aux=True)
    assert (value, pull(1.0), aux) == (8.0, (12.0,), {"square": 4.0, "name": "cube"})


def test_jacobians_have_the_results_structure_and_in_it_the_arguments():
    def f(x, p):
        return {"a": x * p["k"], "b": (x, [p["k"] ** 2])}
    wanted = {"a": (3.0, {"k": 2.0}), "b": ((1.0, {"k": 0.0}), [(0.0, {"k": 6.0})])}
    for one in (jacrev, jacfwd, jacobian):
        assert one(f, (0, 1))(2.0, {"k": 3.0}) == wanted
    assert hessian(f, 1)(2.0, {"k": 3.0}) == {"a": {"k": {"k": 0.0}}, "b": ({"k": {"k": 0.0}}, [{"k": {"k": 2.0}}])}


def test_hessians_of_two_arguments_are_pairs_of_pairs():
    assert hessian(lambda x, y: x * x * y, (0, 1))(3.0, 5.0) == ((10.0, 6.0), (6.0, 0.0))


def test_a_function_that_does_not_depend_on_its_argument_has_derivatives_of_0():
    w = Value(3.0)
    for fn in (lambda x: w * 2, lambda x: 7.0, lambda x: Value(1.0), lambda x: stop(x)):
        assert grad(fn)(1.0) == 0.0
        assert hessian(fn)(1.0) == 0.0
        assert jacfwd(fn)(1.0) == 0.0
        assert grad(grad(fn))(1.0) == 0.0
        assert list(vmap(grad(fn))([1.0, 2.0])) == [0.0, 0.0]


def stop(x):
    return micrograd_c.stop_gradient(x * x)


def test_vjp_and_jvp_go_the_two_ways():
    def f(x, y):
        return [x * y, y ** 2]
    value, pull = vjp(f, 2.0, 3.0)
    assert value == [6.0, 9.0]
    assert pull([1.0, 0.0]) == (3.0, 2.0)
    assert pull([0.0, 10.0]) == (0.0, 60.0)
    assert pull([Value(1.0), 10]) == (3.0, 62.0)
    assert jvp(f, (2.0, 3.0), (1.0, 0.0)) == ([6.0, 9.0], [3.0, 0.0])
    assert jvp(f, [2.0, 3.0], [0.5, 2]) == ([6.0, 9.0], [5.5, 12.0])


# --- composition ---

@pytest.mark.parametrize("outer", [grad, jacrev, jacfwd, jacobian])
@pytest.mark.parametrize("inner", [grad, jacrev, jacfwd, jacobian])
def test_any_two_make_second_derivatives(outer, inner):
    assert outer(inner(lambda x: x.sin() * x))(0.7) == pytest.approx(2 * math.cos(0.7) - 0.7 * math.sin(0.7))


def test_transforms_inside_functions():
    assert grad(lambda x: x * grad(lambda y: x * y * y)(3.0))(2.0) == 24.0       # x * 6 x
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0            # no confusion of perturbations
    assert grad(lambda x: grad(lambda y: x * y)(x))(3.0) == 1.0
    assert grad(lambda x: value_and_grad(lambda y: x * y ** 2)(x)[1])(3.0) == 12.0
    assert grad(lambda x: hessian(lambda y: x * y ** 3)(2.0))(5.0) == 12.0
    assert grad(lambda x: jvp(lambda y: x * y ** 2, (3.0,), (x,))[1])(2.0) == 24.0
    assert grad(lambda x: vjp(lambda y: x * y ** 2, x)[1](x)[0])(2.0) == 4 * 3 * 2.0 ** 2 / 2
    assert grad(lambda x: jacrev(lambda ys: [ys[0] * ys[1] * x])([x, x])[0][0])(3.0) == 6.0


def test_hessian_vector_products_either_way():
    def f(x):
        return (x[0] * x[1]).sin() + x[0] ** 4

    point, direction = [0.5, 1.5], [2.0, -1.0]
    matrix = hessian(f)(point)
    wanted = [sum(a * b for a, b in zip(row, direction)) for row in matrix]
    assert jvp(grad(f), (point,), (direction,))[1] == pytest.approx(wanted)
    assert grad(lambda x: sumprod(grad(f)(x), direction))(point) == pytest.approx(wanted)
    assert vjp(grad(f), point)[1](direction)[0] == pytest.approx(wanted)


def test_a_vjp_of_the_top_may_be_pulled_inside():
    x = Value(3.0)
    _, pull = vjp(lambda y: y ** 2, x)
    assert grad(lambda weight: pull(weight)[0] * weight)(2.0) == 24.0


def test_closed_over_parameters_are_constants_whose_gradients_stay():
    w, model = Value(3.0), MLP(2, [4, 1])
    parameters = model.parameters()
    for k, parameter in enumerate(parameters):
        parameter.grad = k
    w.grad = None
    assert grad(lambda x: w * x * x)(2.0) == 12.0
    found = grad(lambda x: model(x))([0.5, 1.0])
    assert len(found) == 2
    assert w.grad is None
    assert [parameter.grad for parameter in parameters] == list(range(len(parameters)))


def test_closed_over_graphs_are_not_gone_into():
    a = Value(0.0)
    broken = Value(2.0, (a,), "mine")
    broken._backward = lambda: pytest.fail("nobody asks for this")
    root = a ** 0.5             # whose slope raises
    assert grad(lambda x: x * (broken + root))(1.0) == 2.0
    assert grad(grad(lambda x: x * x * (broken + root)))(1.0) == 4.0


def test_a_penalty_on_a_slope_has_gradients_for_parameters():
    """As a net that solves an equation has it: second derivatives inside of the loss."""
    random.seed(0)
    model = MLP(1, [3, 1], activation="tanh")

    def loss(parameters, x):
        def u(x):
            hidden = [(parameters[2 * k] * x + parameters[2 * k + 1]).tanh() for k in range(3)]
            return sumprod(hidden, parameters[6:9])
        return (grad(grad(u))(x) + u(x)) ** 2
    start = [random.uniform(-1, 1) for _ in range(9)]
    found = grad(loss)(start, 0.4)
    for k in range(9):
        moved = [value_and_grad(loss)([*start[:k], start[k] + h, *start[k + 1:]], 0.4)[0] for h in (1e-5, -1e-5)]
        assert found[k] == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-6, abs=1e-8)
    assert model


# --- vmap ---

@pytest.mark.parametrize("order", [1, 2, 3])
def test_vmap_of_grad_is_grad_of_each_row(order):
    w = Value(0.7)

    def f(x):
        return (w * x).tanh() * x.exp() + (x * x + 1).log()
    for _ in range(order):
        f = grad(f)
    xs = [k / 10 for k in range(-20, 21)]
    assert list(vmap(f)(xs)) == pytest.approx([f(x) for x in xs], rel=1e-12, abs=1e-12)


def test_parameters_get_gradients_through_mapped_derivatives():
    w = Value(3.0)
    slopes = vmap(grad(lambda x: w * x ** 3))([1.0, 2.0])       # 3 w x^2
    assert list(slopes) == [9.0, 36.0]
    slopes.sum().backward()
    assert w.grad == 15.0


def test_vmap_of_jacrev_with_arguments_of_all_kinds():
    def residuals(camera, point, weight, feature):
        x = camera[0] * point[0] + camera[1] * point[1]
        return [weight * (x - feature[0]), weight * (x * camera[1] - feature[1]), 1 - weight * weight]
    cameras, points = [[1.0, 2.0], [0.5, -1.0]], [[3.0, 1.0], [2.0, 2.5]]
    weights, features = [1.0, 0.5], [[0.1, 0.2], [0.3, 0.4]]
    for one in (jacrev, jacfwd, jacobian):
        found = vmap(one(residuals, argnums=(0, 1, 2)))(cameras, points, weights, features)
        for row in range(2):
            wanted = jacrev(residuals, argnums=(0, 1, 2))(cameras[row], points[row], weights[row], features[row])
            for k in range(3):
                of_camera, of_point, of_weight = found[k]
                assert [batch[row] for batch in of_camera] == pytest.approx(wanted[k][0], rel=1e-12)
                assert [batch[row] for batch in of_point] == pytest.approx(wanted[k][1], rel=1e-12)
                assert of_weight[row] == pytest.approx(wanted[k][2], rel=1e-12)


def test_shared_arguments_may_be_differentiated_by():
    w = Value(2.0)
    found = vmap(grad(lambda x, w: x * w ** 2, 1), in_axes=(0, None))([1.0, 3.0], w)
    assert list(found) == [4.0, 12.0]
    found.sum().backward()
    assert w.grad == 8.0
    assert list(vmap(grad(lambda x, w: x * w ** 2, 1), in_axes=(0, None))([1.0, 3.0], 2.0)) == [4.0, 12.0]


def test_vmap_of_hessian_and_of_products_with_it():
    def f(x):
        return (x[0] * x[1]).exp() + x[1] ** 3
    rows = [[0.1, 0.2], [0.3, -0.4], [1.0, 0.5]]
    found = vmap(hessian(f))(rows)
    products = vmap(lambda x, v: jvp(grad(f), (x,), (v,))[1])(rows, rows)
    for k, row in enumerate(rows):
        wanted = hessian(f)(row)
        assert [[batch[k] for batch in line] for line in found] == [pytest.approx(line, rel=1e-12) for line in wanted]
        assert [batch[k] for batch in products] == pytest.approx(
            [sum(a * b for a, b in zip(line, row)) for line in wanted], rel=1e-12)


def test_choices_are_each_rows_own():
    def f(x):
        return where(micrograd_c.maximum(x, 0.0), x ** 3, -x * x) + micrograd_c.maximum(x, 0.5) * abs(x)
    xs = [-1.5, -0.5, 0.25, 0.75, 2.0]
    for _ in range(2):
        f = grad(f)
        assert list(vmap(f)(xs)) == pytest.approx([f(x) for x in xs], rel=1e-14)


def test_a_model_in_a_mapped_derivative_has_what_rows_have():
    random.seed(2)
    model = MLP(2, [5, 1], activation="tanh")
    rows = [[random.uniform(-1, 1) for _ in range(2)] for _ in range(9)]
    slopes = vmap(grad(lambda x: model(x)))(rows)
    for k, row in enumerate(rows):
        assert [slope[k] for slope in slopes] == pytest.approx(grad(lambda x: model(x))(row), rel=1e-12)
    (slopes[0].mean() + slopes[1].sum()).backward()
    by_vmap = [parameter.grad for parameter in model.parameters()]

    def eager(parameters):
        total = 0.0
        for row in rows:
            x = [Value(number) for number in row]
            first, second = gradients(model(x), x, create_graph=True)
            total = total + first * (1 / 9) + second
        return total
    assert by_vmap == pytest.approx(gradients(eager(None), model.parameters()), rel=1e-11, abs=1e-12)


def test_grad_of_a_function_that_calls_a_mapped_one():
    rows = [0.5, 1.0, 2.0]

    def loss(w):
        return vmap(lambda x: (w * x).tanh() ** 2)(rows).mean()

    def plain(w):
        return sum([(w * x).tanh() ** 2 for x in rows]) * (1 / 3)
    assert grad(loss)(0.3) == pytest.approx(grad(plain)(0.3), rel=1e-12)
    assert grad(grad(loss))(0.3) == pytest.approx(grad(grad(plain))(0.3), rel=1e-12)


def test_a_trace_error_inside_is_told_and_leaves_nothing():
    with pytest.raises(TraceError, match="data"):
        vmap(grad(lambda x: x * x.data))([1.0])
    assert vmap(grad(lambda x: vmap(lambda y: y * x)([3.0]).sum()))([1.0]).tolist() == [3.0]
    assert grad(cube)(2.0) == 12.0


def test_a_graph_in_a_trace_may_be_differentiated():
    def f(x):
        y = x ** 3
        (slope,) = gradients(y, [x], create_graph=True)
        (constant,) = gradients(y, [x])
        return slope, gradients(slope * constant, [x], create_graph=True)[0]
    slopes, products = vmap(f)([1.0, 2.0])
    assert list(slopes) == [3.0, 12.0]
    assert list(products) == [18.0, 144.0]      # 6 x * 3 x^2, of which only the first factor counts


def test_row_by_row_parameters_get_gradients_too():
    w = Value(3.0)

    def f(x):
        y = x * 1.0
        out = Value(y.data * 2, (y,), "twice")

        def backward():
            y.grad += 2 * out.grad
        out._backward = backward
        return grad(lambda z: w * z * z)(4.0) + out
    with pytest.warns(UserWarning, match="row by row"):
        found = vmap(f)([1.0, 2.0])
    assert list(found) == [26.0, 28.0]
    found.sum().backward()
    assert w.grad == 16.0


# --- random functions ---

def random_function(program):
    def f(xs):
        values = list(xs)
        for name, i, j in program:
            a, b = values[i % len(values)], values[j % len(values)]
            values.append(OPS[name](a, b))
        return values[-1] + values[-2] * values[0]
    return f


OPS = {
    "+": lambda a, b: a + b, "*": lambda a, b: a * b, "/": lambda a, b: a / (b * b + 1.5),
    "tanh": lambda a, b: a.tanh(), "exp": lambda a, b: (a.tanh() * 0.5).exp(),
    "log": lambda a, b: (a * a + 0.5).log(), "sin": lambda a, b: a.sin() * b,
    "softmax": lambda a, b: softmax([a, b, a * b])[1], "power": lambda a, b: (a * a + 0.3) ** (b.tanh() + 1.2),
    "atan2": lambda a, b: micrograd_c.atan2(a, b * b + 0.7), "softplus": lambda a, b: (a - b).softplus(),
    "erf": lambda a, b: (a * b).erf(), "constant": lambda a, b: a * 0.25 - 1.5,
}
programs = st.lists(st.tuples(st.sampled_from(sorted(OPS)), st.integers(0, 99), st.integers(0, 99)), min_size=1,
                    max_size=12)
points = st.lists(st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3), min_size=1, max_size=4)


@given(programs, points)
@settings(max_examples=60)
def test_random_functions(program, rows):
    f = random_function(program)
    mapped, second = vmap(grad(f))(rows), vmap(hessian(f))(rows)
    for k, row in enumerate(rows):
        slopes = grad(f)(row)
        scale = 1e-12 * max(1.0, *map(abs, slopes))
        assert [batch[k] for batch in mapped] == pytest.approx(slopes, rel=1e-12, abs=scale)
        assert jacfwd(f)(row) == pytest.approx(jacrev(f)(row), rel=1e-11, abs=10 * scale)
        matrix = hessian(f)(row)
        size = max(1.0, *[abs(one) for line in matrix for one in line])
        for i in range(3):
            assert [second[i][j][k] for j in range(3)] == pytest.approx(matrix[i], rel=1e-11, abs=1e-11 * size)
            assert matrix[i] == pytest.approx([matrix[j][i] for j in range(3)], rel=1e-10, abs=1e-11 * size)
            assert matrix[i] == pytest.approx(
                grad(lambda x, i=i: grad(f)(x)[i])(row), rel=1e-11, abs=1e-11 * size)


# --- crossings ---

@pytest.mark.parametrize("transform", TRANSFORMS)
def test_no_grad_around_them_does_not_matter(transform):
    wanted = transform(cube)(2.0)
    with no_grad():
        assert transform(cube)(2.0) == wanted
        assert grad(lambda x: transform(cube)(x) if transform is not value_and_grad else x)(2.0) != 0.0
        assert not (Value(1.0) * 2)._prev
        assert jvp(cube, (2.0,), (1.0,)) == (8.0, 12.0)
        assert vjp(cube, 2.0)[1](1.0) == (12.0,)

    def generator():
        with no_grad():
            yield transform(cube)(2.0)
            yield (Value(1.0) * 2)._prev
    assert list(generator()) == [wanted, set()]


def test_no_grad_inside_makes_constants():
    def f(x):
        with no_grad():
            constant = grad(cube)(x)
        assert not constant._prev
        return constant * x
    assert grad(f)(2.0) == 12.0
    assert grad(no_grad()(lambda x: x * x))(3.0) == 0.0


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_what_the_function_raises_comes_out_and_leaves_nothing_behind(transform):
    w = Value(1.0)

    def fails(x):
        x * w
        raise LookupError("mine")
    for _ in range(2):
        with pytest.raises(LookupError, match="mine"):
            transform(fails)(1.0)
        with pytest.raises(LookupError, match="mine"):
            grad(lambda x: transform(fails)(x))(1.0)
    with no_grad(), pytest.raises(LookupError, match="mine"):
        transform(fails)(1.0)
    assert (w * 2)._prev
    assert transform(cube)(2.0)


class Signed(Value):
    def __mul__(self, other):
        return Value.__mul__(self, other) * -1.0

    def doubled(self):
        return self + self


def test_subclasses_and_attributes_reach_the_function():
    x = Signed(3.0)
    x.label = "mine"

    def f(x):
        assert x.label == "mine"
        return x.doubled() + x * 1.0
    assert grad(f)(x) == 1.0
    assert x.grad == 0


def test_results_inside_may_be_copied_and_have_a_graph():
    def f(x):
        slope = grad(cube)(x)
        assert slope._prev
        assert copy.deepcopy(slope).data == slope.data
        return slope
    assert grad(f)(2.0) == 12.0


def test_backward_inside_of_a_function_is_its_own():
    w = Value(2.0)

    def f(x):
        y = x * w
        y.backward()
        return y * x
    assert grad(f)(3.0) == 12.0
    assert w.grad == 3.0


def test_intermediate_values_that_are_kept_have_no_gradients():
    kept = []

    def f(x):
        kept.append(x * x)
        return kept[-1] * x
    assert grad(f)(2.0) == 12.0
    assert kept[0].grad == 0
    assert next(iter(kept[0]._prev)).grad == 0


def test_users_ops_have_first_derivatives():
    def square(x):
        out = Value(x.data ** 2, (x,), "square")

        def backward():
            x.grad += 2 * x.data * out.grad
        out._backward = backward
        return out
    assert grad(lambda x: square(x) * x)(3.0) == 27.0
    assert jacrev(lambda x: [square(x), x])(3.0) == [6.0, 1.0]
    for transform in (jacfwd, hessian, lambda f: grad(grad(f)), lambda f: functools.partial(jvp, f, (3.0,), (1.0,))):
        with pytest.raises(TypeError, match="'square' has a _backward of your own"):
            transform(square)(*() if isinstance(transform(square), functools.partial) else (3.0,))


def test_threads_are_at_the_top_each():
    results = []

    def f(x):
        thread = threading.Thread(target=lambda: results.append(grad(cube)(2.0)))
        thread.start()
        thread.join()
        return grad(cube)(x)
    assert grad(f)(2.0) == 12.0
    assert results == [12.0]


def test_functions_keep_their_name_and_docstring():
    def named(x):
        """What it is."""
        return x
    for transform in TRANSFORMS:
        assert transform(named).__name__ == "named"
        assert transform(named).__doc__ == "What it is."


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda: grad(3), TypeError, "grad wants a function, not 3"),
    (lambda: jvp(3, (1.0,), (1.0,)), TypeError, "jvp wants a function"),
    (lambda: vjp(3, 1.0), TypeError, "vjp wants a function"),
    (lambda: grad(cube, "x"), TypeError, "argnums must be the place"),
    (lambda: grad(cube, 1.5), TypeError, "argnums must be the place"),
    (lambda: grad(cube, ()), ValueError, "argnums must name one argument or more"),
    (lambda: grad(cube, (0, 0)), ValueError, "argnums must name one argument or more"),
    (lambda: grad(cube, 1)(1.0), ValueError, "argnums names argument 1, and cube is given 1 by position"),
    (lambda: grad(cube)(x=1.0), ValueError, "argnums names argument 0, and cube is given 0 by position"),
    (lambda: grad(cube)("x"), TypeError, "argument 0 of cube must be a number, a Value, or nested lists"),
    (lambda: grad(cube)(True), TypeError, "argument 0 of cube must be a number"),
    (lambda: grad(lambda x: [x])(1.0), TypeError, "use jacrev or jacfwd"),
    (lambda: grad(lambda x: None)(1.0), TypeError, "does it have a `return`"),
    (lambda: jacrev(lambda x: "text")(1.0), TypeError, "must be a Value, or nested lists, tuples and dicts"),
    (lambda: grad(cube, has_aux=True)(1.0), TypeError, "must return a pair"),
    (lambda: jvp(cube, 1.0, 1.0), TypeError, "primals as a tuple"),
    (lambda: jvp(cube, (1.0,), ([1.0],)), ValueError, "tangents must have the structure of primals"),
    (lambda: jvp(cube, (1.0,), (1.0, 2.0)), ValueError, "1 numbers, and here are 2"),
    (lambda: jvp(cube, (1.0,), ("x",)), TypeError, "must be numbers or Values"),
    (lambda: vjp(cube, 1.0)[1]([1.0]), ValueError, "must have the structure of the results"),
])
def test_mistakes_are_told(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_arrays_are_refused_with_what_to_do_and_their_numbers_taken():
    np = pytest.importorskip("numpy")
    assert grad(cube)(np.float64(2.0)) == 12.0
    assert grad(cube)(np.int64(2)) == 12.0
    with pytest.raises(TypeError, match=r"give array.tolist\(\)"):
        grad(cube)(np.array([2.0]))


def test_a_list_that_contains_itself_is_an_error():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="contains itself"):
        grad(lambda x: Value(1.0))(endless)


def test_the_documentation_says_what_is_so(capsys):
    page = pathlib.Path(__file__).parents[1] / "docs" / "transforms.md"
    if not page.is_file():
        pytest.skip("the documentation is not here")
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for block in blocks:
        exec(compile(block, str(page), "exec"), {})
    said = re.findall(r"# prints (.*)", "".join(blocks))
    printed = capsys.readouterr().out.splitlines()
    assert len(said) == 10
    assert [line for line in printed if line in said] == said


class Doubled(Value):
    """With methods and attributes that functions look for."""

    def tanh(self):
        return Value.tanh(self) * 2

    def __add__(self, other):
        return Value.__add__(self, other) * self.scale


@pytest.mark.parametrize("twice", [
    lambda f: grad(grad(f)), lambda f: jacfwd(grad(f)), lambda f: jacrev(jacfwd(f)), hessian,
], ids=["grad", "jacfwd", "jacrev", "hessian"])
def test_methods_and_attributes_of_a_subclass_are_those_of_its_stand_ins(twice):
    def f(x):
        return (x.tanh() + 1.0) * (x + 2.0) * x.scale

    x = Doubled(0.5)
    x.scale = 3.0

    def plain(value):
        return (2 * math.tanh(value) + 1.0) * (value + 2.0) * 3.0 * 3.0

    step = 1e-4
    wanted = (plain(0.5 + step) - 2 * plain(0.5) + plain(0.5 - step)) / step**2
    assert twice(f)(x) == pytest.approx(wanted, rel=1e-5)
    assert (x.grad, x.scale, type(x)) == (0, 3.0, Doubled)


def test_an_op_of_a_users_does_not_lead_out_of_the_function():
    def square(v):
        out = Value(v.data**2, (v,), "square")

        def backward():
            v.grad += 2 * v.data * out.grad

        out._backward = backward
        return out

    wall = Value(0.0) ** 0.5        # whose slope raises
    outside = Value(1.0, (Value(2.0),), "outside")
    outside._backward = lambda: calls.append("outside")
    calls = []
    assert grad(lambda v: square(v) * (wall + outside))(3.0) == 6.0
    x = Value(9.0, (wall,), "argument")
    x._backward = lambda: calls.append("argument")
    assert grad(lambda v: square(v))(x) == 18.0
    assert calls == []
