"""Few rows: equal steps of one row in the lanes of a vector. Numbers are the same to the bit."""

import functools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_vmap_functions import EXACT, ROUNDED, environment, relaxed  # noqa: F401

from micrograd_c import linear, maximum, minimum, stop_gradient, sumprod, vmap
from micrograd_c._core.mapped import executor
from micrograd_c.engine import Value

OPS = {**EXACT, **ROUNDED}
PARAMETERS = 9
steps = st.one_of(
    st.tuples(st.sampled_from(sorted(OPS)), *[st.integers(0, 40)] * 3),
    st.tuples(st.sampled_from(["layer", "biased", "attend", "highest", "own"]), *[st.integers(0, 40)] * 3),
)


def sequence(steps, places, parameters):
    """A function of a row's numbers at each of some places that does the same steps at all of them."""
    def function(x, s):
        total, earlier = 0.0, []
        for t in range(places):
            pool = [*x[t], s, *parameters[:3]]
            earlier.append([x[t][0]])
            for name, i, j, k in steps:
                a, b, c = [pool[n % len(pool)] for n in (i, j, k)]
                if name == "layer":         # of weights that all places share
                    made = linear([parameters[:2], parameters[2:4], parameters[4:6]], [a, b])
                elif name == "biased":      # of weights that they share, and a bias of each one's own
                    made = [sumprod(parameters[i % 4:i % 4 + 3], [a, b, c], parameters[(t + j) % PARAMETERS]).tanh()]
                elif name == "attend":      # to all places so far
                    made = [sumprod([a] * (t + 1), [place[i % len(place)] for place in earlier], b)]
                elif name == "highest":
                    made = [functools.reduce(maximum, [place[j % len(place)] for place in earlier], a)]
                    made[0] = stop_gradient(made[0]) if k % 2 else made[0]
                elif name == "own":
                    made = [a * parameters[t % PARAMETERS] + parameters[(t + k) % PARAMETERS]]
                else:
                    made = [OPS[name](a, b, c)]
                made = [minimum(maximum(number, -50.0), 50.0) for number in made]
                pool += made
                earlier[t].append(made[-1])
            total = total + pool[-1] * pool[-2]
        return total
    return function


def run(mapped, x, parameters):
    """The values and the gradients, of a sum in which rows have weights of their own."""
    for p in parameters:
        p.grad = 0
    result = mapped(x, 0.7)
    result.sum([1.0, -0.5, 2.0, 0.25][:len(x)]).backward()
    return result.tolist(), [p.grad for p in parameters]


def runner_of(mapped):
    return next(iter(mapped.specializations.values())).runner


@pytest.fixture
def packed(environment):    # noqa: F811
    environment(executor.instruction_sets()[0], 1)


@settings(relaxed, max_examples=2 * settings.default.max_examples)
@given(st.lists(steps, min_size=1, max_size=9), st.integers(1, 12), st.integers(1, 4),
       st.sampled_from(executor.instruction_sets()), st.sampled_from([0, 2**26]), st.sampled_from([1, 2]))
def test_lanes_hold_rows_or_equal_steps(environment, steps, places, rows, kernels, saved, threads):  # noqa: F811
    generator = random.Random(places)
    parameters = [Value(generator.gauss(0, 1)) for _ in range(PARAMETERS)]
    x = [[[generator.gauss(0, 1) for _ in range(2)] for _ in range(places)] for _ in range(rows)]
    function = sequence(steps, places, parameters)
    environment(kernels, 8)
    values, gradients = run(vmap(function, in_axes=(0, None)), x, parameters)
    environment(kernels, 1)
    mapped = vmap(function, in_axes=(0, None), saved_bytes=saved, threads=threads)
    scale = sum(map(abs, gradients)) + 1e-3
    for _ in range(2):
        found, found_gradients = run(mapped, x, parameters)
        assert found == values
        assert found_gradients == pytest.approx(gradients, rel=1e-12, abs=scale * 1e-12)
    for p in parameters:
        p.grad = 0
    rows = [function([[Value(number) for number in place] for place in row], Value(0.7)) for row in x]
    sum([row * weight for row, weight in zip(rows, [1.0, -0.5, 2.0, 0.25])]).backward()
    assert [row.data for row in rows] == pytest.approx(values, rel=1e-12, abs=1e-12)
    assert [p.grad for p in parameters] == pytest.approx(gradients, rel=1e-12, abs=scale * 1e-12)


def places_of(function, places=8, rows=1, **options):
    """A mapped function of the sum over the places, called once, and the parameters' gradients."""
    mapped = vmap(lambda x: sum([function(place, t) for t, place in enumerate(x)]), **options)
    return mapped, mapped([[[0.1 * t + r, 0.5, -0.25] for t in range(places)] for r in range(rows)])


@pytest.mark.usefixtures("packed")
def test_the_same_layer_at_each_place_is_one_layer():
    weights = [[Value(0.1 * (i + j)) for j in range(3)] for i in range(2)]
    mapped, _ = places_of(lambda x, t: sum([y.tanh() for y in linear(weights, x)]))
    assert runner_of(mapped).packed.describe().count("layer 2 x 3") == 1
    assert runner_of(mapped).program.describe().count("layer 2 x 3") == 8


@pytest.mark.usefixtures("packed")
@pytest.mark.parametrize("places", [2, 7, 8, 9, 17])
def test_biases_of_each_place_get_their_own_gradients(places):
    weights, biases = [Value(0.5), Value(-1.0), Value(2.0)], [Value(0.1 * t) for t in range(places)]
    _, result = places_of(lambda x, t: sumprod(weights, x, biases[t]) * (1.0 + t), places, rows=3)
    result.sum().backward()
    assert [b.grad for b in biases] == pytest.approx([3 * (1.0 + t) for t in range(places)], rel=1e-12)
    assert [w.grad for w in weights] == pytest.approx([
        sum([(1.0 + t) * (0.1 * t + r) for t in range(places) for r in range(3)]),
        0.5 * 3 * sum(range(1, places + 1)), -0.25 * 3 * sum(range(1, places + 1)),
    ], rel=1e-12)


@pytest.mark.usefixtures("packed")
def test_powers_of_each_place_have_their_own_exponents():
    w = Value(1.5)
    exponents = [0.3, 2, -1.5, 0.7, 3.25]
    mapped = vmap(lambda x: sum([(place + w) ** e for place, e in zip(x, exponents)]))
    result = mapped([[0.5] * 5])
    result.sum().backward()
    assert result[0] == pytest.approx(sum([2.0 ** e for e in exponents]), rel=1e-14)
    assert w.grad == pytest.approx(sum([e * 2.0 ** (e - 1) for e in exponents]), rel=1e-14)


@pytest.mark.usefixtures("packed")
def test_a_slope_that_is_infinite_at_one_place_stays_there():
    w = Value(0.0)
    mapped = vmap(lambda x: sum([(w + place[0]).sqrt() * 2.0 for place in x]))
    mapped([[[1.0]] * 7]).sum().backward()
    assert w.grad == pytest.approx(7.0)
    w.grad = 0
    with_zero = mapped([[[1.0]] * 6 + [[0.0]]])
    assert with_zero.tolist() == [12.0]
    with_zero.sum().backward()
    assert w.grad == float("inf")
    w.grad = 0
    mapped([[[1.0]] * 7]).sum().backward()      # nothing is left in other lanes
    assert w.grad == pytest.approx(7.0)


def test_only_few_rows_are_packed_and_only_if_that_is_faster(environment):      # noqa: F811
    environment(executor.instruction_sets()[0], 0)
    w = Value(0.5)
    mapped = vmap(lambda x: sum([(place[0] * w).tanh().exp().sin().log() for place in x]))
    places = [[[0.1 + 0.1 * t] for t in range(8)]]
    mapped(places * 5)
    assert runner_of(mapped).packed is None
    few = mapped(places)
    assert runner_of(mapped).packed is None     # packing takes longer than a run: the first ones do without
    assert [mapped(places).tolist() for _ in range(3)] == [few.tolist()] * 3
    assert runner_of(mapped).packed.most_rows >= 1
    assert mapped(places * 5).tolist() == few.tolist() * 5
    alone = vmap(lambda x: (x * w).tanh())
    assert [alone([1.0]).tolist() for _ in range(4)] == [alone([1.0]).tolist()] * 4
    assert runner_of(alone).packed is None


@pytest.mark.usefixtures("packed")
def test_many_rows_may_be_packed_in_threads():
    w = Value(0.5)
    function = lambda x: sum([(place * w).tanh() for place in x])     # noqa: E731
    x = [[0.1 * t + 0.001 * r for t in range(3)] for r in range(5000)]
    seen = set()
    for threads, saved in [(1, 2**26), (3, 2**26), (1, 0), (3, 0)]:
        w.grad = 0
        mapped = vmap(function, threads=threads, saved_bytes=saved)
        result = mapped(x)
        result.mean().backward()
        seen.add((tuple(result), w.grad))
        assert runner_of(mapped).packed is not None
    assert len(seen) == 1
    assert w.grad == pytest.approx(sum([
        0.1 * t + 0.001 * r - (0.1 * t + 0.001 * r) * Value(0.5 * (0.1 * t + 0.001 * r)).tanh().data ** 2
        for t in range(3) for r in range(5000)]) / 5000, rel=1e-9)


@pytest.mark.usefixtures("packed")
def test_gradients_from_several_outputs_need_no_packing():
    w = Value(0.5)
    mapped = vmap(lambda x: [sum([(place * w).tanh() for place in x]), w * x[0]])
    _, second = mapped([[0.1 * t for t in range(8)]])
    assert runner_of(mapped).packed is None
    second.sum().backward()
    assert w.grad == 0.0


@pytest.mark.usefixtures("packed")
def test_outputs_without_gradients_may_be_many():
    w = Value(0.5)

    def function(x):
        made = [(place * w).tanh() for place in x]
        return sum(made), x[3], 2.0, *[stop_gradient(number) for number in made]

    mapped = vmap(function)
    total, given, two, *others = mapped([[0.1 * t for t in range(8)]])
    assert runner_of(mapped).packed is not None
    assert (given.tolist(), two.tolist()) == ([0.1 * 3], [2.0])
    assert sum([other.tolist()[0] for other in others]) == pytest.approx(total.tolist()[0], rel=1e-12)
    total.sum().backward()
    assert w.grad == pytest.approx(sum([0.1 * t * (1 - other.tolist()[0] ** 2) for t, other in enumerate(others)]))
