"""jit: the function's results and gradients, traced once for arguments of each structure."""

import collections
import copy
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_ops import cube
from test_vmap_functions import EXACT, ROUNDED, build, programs, relaxed

from micrograd_c import TraceError, grad, hessian, jacrev, jit, no_grad, sumprod, tape, vmap, where
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

Point = collections.namedtuple("Point", "x y")


def counted(fn, **options):
    """The function compiled, and a list with an entry for each time that it is traced or run."""
    times = []

    def function(*arguments, **keywords):
        times.append(arguments)
        return fn(*arguments, **keywords)

    return jit(function, **options), times


@settings(relaxed)
@given(programs({**ROUNDED, **EXACT}), st.lists(st.integers(1, 8), min_size=1, max_size=3))
def test_random_functions_are_what_they_are_eagerly(program, outputs):
    parameters = [Value(0.25 * k - 1.0) for k in range(9)]
    function = build(program, {**EXACT, **ROUNDED}, parameters, [min(k, len(program)) for k in outputs])
    compiled = jit(function)
    for row in ([0.5, -1.0, 2.0], [1.5, 0.25, -0.75]):
        made = {}
        for kind, one in (("jit", compiled), ("eager", function)):
            leaves, shared = [Value(x) for x in row], Value(0.7)
            for p in parameters:
                p.grad = 0
            results = one(leaves, shared)
            sumprod(results, [1.0 + k for k in range(len(results))]).backward()
            made[kind] = ([y.data for y in results], [p.grad for p in [*leaves, shared, *parameters]])
        assert made["jit"][0] == pytest.approx(made["eager"][0], rel=1e-12, abs=1e-12)
        scale = sum(map(abs, made["eager"][1])) + 1e-3
        assert made["jit"][1] == pytest.approx(made["eager"][1], rel=1e-12, abs=1e-12 * scale)


def test_results_have_the_structure_that_the_function_gives_them():
    w = Value(3.0)

    def function(p, flag=None):
        x = p.x * w
        return {"sum": x + p.y, "all": (x, [p.y, None, 7]), "point": Point(x, "text"), "flag": flag}

    for one in (function, jit(function)):
        result = one(Point(Value(2.0), Value(1.0)), flag="on")
        assert result["sum"].data == 7.0
        assert (result["all"][0].data, result["all"][1][0].data, result["all"][1][1:]) == (6.0, 1.0, [None, 7])
        assert (type(result["point"]), result["point"].x.data, result["point"].y) == (Point, 6.0, "text")
        assert (type(result["all"]), result["flag"]) == (tuple, "on")


def test_other_numbers_of_the_same_structure_are_not_traced_again():
    w = Value(2.0)
    compiled, times = counted(lambda x, p: w * x * p["a"][0] + p["b"])
    for k in range(1, 4):
        b = Value(10.0 * k)
        result = compiled(0.5 * k, {"a": [k], "b": b})
        assert result.data == k * k + 10.0 * k
        result.backward()
        assert b.grad == 1.0
    assert (len(times), w.grad) == (1, 0.5 + 2.0 + 4.5)


@pytest.mark.parametrize("others", [
    (1.0, [1.0]), ([1.0], [1.0, 2.0]), ([1.0], (1.0,)), ({"a": 1.0}, {"b": 1.0}), (1.0, Value(1.0)), ("a", "b"),
    (None, 1.0), (True, False), (True, 1), (np.zeros(3), np.zeros((3, 1))), (np.zeros(3), [0.0, 0.0, 0.0]),
])
def test_another_structure_is_traced_again(others):
    compiled, times = counted(lambda one: 1.0)
    for one in (*others, *others):
        assert compiled(one) == 1.0
    assert len(times) == 2


def test_arrays_are_nested_lists_of_values():
    x = np.arange(6.0).reshape(2, 3)
    compiled, times = counted(lambda rows, scale: [sum(row) * scale for row in rows])
    for one in (x, x[::-1], x + 1.0, np.asfortranarray(x), x.astype(np.float32), x.astype(int)):
        assert [y.data for y in compiled(one, 2.0)] == (one.sum(axis=1) * 2).tolist()
    assert len(times) == 1
    assert [y.data for y in compiled(x.T, 0.5)] == (x.T.sum(axis=1) * 0.5).tolist()
    assert compiled(np.zeros((0, 3)), 1.0) == []
    assert jit(lambda x: x * 2.0)(np.float64(1.5)).data == jit(lambda x: x * 2.0)(np.array(1.5)).data == 3.0


def test_static_arguments_are_taken_as_they_are():
    compiled, times = counted(lambda x, n, m: x ** n * len(range(m)), static_argnums=(1, -1))
    assert [compiled(2.0, 3, 2).data, compiled(3.0, 3, 2).data, compiled(2.0, 2, 2).data] == [16.0, 54.0, 8.0]
    assert len(times) == 2
    assert jit(lambda n: Value(1.0) * n, static_argnums=0)(3).data == 3.0
    with pytest.raises(TypeError, match="hashable"):
        jit(lambda x: x, static_argnums=0)([1.0])


def test_arguments_by_name():
    compiled, times = counted(lambda a, b=0.0, c=0.0: a * 100 + b * 10 + c)
    results = compiled(1, c=3, b=2), compiled(1.0, c=5.0, b=4.0), compiled(2, b=1)
    assert [result.data for result in results] == [123.0, 145.0, 210.0]
    assert len(times) == 2
    assert jit(lambda **k: list(k))(b=1.0, a=2.0) == ["b", "a"]


def test_data_of_parameters_is_read_at_each_call():
    model = MLP(2, [4, 1])
    loss, times = counted(lambda x, y: (model(x) - y) ** 2)
    x, y = [0.5, -1.0], 0.25
    for _ in range(5):
        model.zero_grad()
        compiled = loss(x, y)
        compiled.backward()
        found = [p.grad for p in model.parameters()]
        model.zero_grad()
        eager = (model(x) - y) ** 2
        eager.backward()
        assert compiled.data == pytest.approx(eager.data, rel=1e-14)
        assert found == pytest.approx([p.grad for p in model.parameters()], rel=1e-12)
        for p in model.parameters():
            p.data -= 0.1 * p.grad
    assert len(times) == 1


def test_what_is_returned_need_not_depend_on_arguments():
    w = Value(2.0)
    compiled = jit(lambda x: (w, x, w * 3.0, Value(5.0), 1.5, w))
    first, x, tripled, five, number, again = compiled(7.0)
    assert [first.data, x.data, tripled.data, five.data, number, again.data] == [2.0, 7.0, 6.0, 5.0, 1.5, 2.0]
    (first + tripled + again).backward()
    assert w.grad == 5.0
    assert jit(lambda: w * 2.0)().data == 4.0
    assert jit(lambda: None)() is None
    x = Value(1.0)
    jit(lambda x: x)(x).backward()
    assert x.grad == 1.0


def test_transforms_inside_and_outside():
    def function(x):
        return x[0] ** 2 * x[1]

    compiled = jit(function)
    assert grad(compiled)([3.0, 5.0]) == [30.0, 9.0]
    assert [y.data for y in jit(grad(function))([3.0, 5.0])] == [30.0, 9.0]
    assert [[y.data for y in row] for row in jit(hessian(function))([3.0, 5.0])] == hessian(compiled)([3.0, 5.0]) == [
        [10.0, 6.0], [6.0, 0.0]]
    assert jacrev(lambda x: [compiled(x), x[1] * 2])([3.0, 5.0]) == [[30.0, 9.0], [0.0, 2.0]]
    assert vmap(compiled)([[3.0, 5.0], [1.0, 2.0]]).tolist() == [45.0, 2.0]
    assert [list(one) for one in vmap(grad(compiled))([[3.0, 5.0]])] == [[30.0], [9.0]]
    assert jit(lambda x: compiled(x) + 1.0)([3.0, 5.0]).data == 46.0


def test_the_graph_of_arguments_goes_on():
    w = Value(2.0)
    square = jit(lambda x, y: x * x + y)
    total = square(w * 3.0, w) + square(square(w, 1.0), w)
    total.backward()
    assert (total.data, w.grad) == (36.0 + 2.0 + 25.0 + 2.0, 36.0 + 1.0 + 2 * 5 * 4.0 + 1.0)


def test_without_gradients():
    w = Value(2.0)
    compiled = jit(lambda x: w * x)
    with no_grad():
        assert compiled(3.0)._prev == set()
    compiled(3.0).backward()
    assert w.grad == 3.0


def test_methods_are_traced_for_each_object():
    class Line:
        def __init__(self, slope):
            self.slope = Value(slope)

        @jit
        def at(self, x):
            return self.slope * x

    two, three = Line(2.0), Line(3.0)
    assert [two.at(1.0).data, three.at(1.0).data, two.at(5.0).data, copy.deepcopy(three).at(2.0).data] == [2, 3, 10, 6]


doubled = jit(lambda x: x * 2.0)
doubled.__qualname__ = doubled.__name__ = "doubled"
doubled.__module__ = __name__


def test_copies_and_pickles():
    assert pickle.loads(pickle.dumps(doubled)) is doubled
    assert copy.copy(doubled)(2.0).data == copy.deepcopy(doubled)(2.0).data == 4.0
    assert doubled.__wrapped__(3.0) == 6.0


class Weight(Value):
    pass


@pytest.mark.parametrize("kind", [Weight, Value])
def test_attributes_of_arguments_are_their_own(kind):
    a, b, bare = kind(1.0), kind(1.0), kind(1.0)
    a.scale, b.scale = 2.0, 5.0
    function = lambda x, p: x * p * getattr(p, "scale", 1.0)      # noqa: E731
    compiled, mapped = jit(function), vmap(function, in_axes=(0, None))
    for p in (a, b, bare, a):
        assert compiled(1.0, p).data == mapped([1.0], p)[0] == function(1.0, p).data


class Demanding(Value):
    def __new__(cls, data, must):
        return super().__new__(cls)

    def __init__(self, data, must):
        super().__init__(data)


def test_a_subclass_that_cannot_be_made_without_arguments():
    p = Demanding(3.0, 1)
    jit(lambda x, p: x * p)(2.0, p).backward()
    vmap(lambda x, p: x * p, in_axes=(0, None))([2.0], p).sum().backward()
    assert p.grad == 4.0


def test_gradients_have_no_number_in_a_trace():
    p = Value(1.0)
    p.grad = 5.0
    for call in (lambda f: jit(f)(p), lambda f: vmap(lambda x, p: x * f(p), in_axes=(0, None))([1.0], p)):
        with pytest.raises(TraceError, match=r"its \.grad is read"):
            call(lambda p: p - 0.1 * p.grad)
        with pytest.raises(TraceError, match=r"its \.grad is assigned to"):
            call(lambda p: setattr(p, "grad", 0) or p)
    assert p.grad == 5.0


def test_zeros_keep_their_sign():
    assert str(jit(lambda x: -x)(0.0).data) == str((-Value(0.0)).data) == "-0.0"
    assert str(jit(lambda x: x)(-0.0).data) == "-0.0"


def test_what_is_not_computed_is_made_anew_at_each_call():
    compiled = jit(lambda x: [1, {"a": [2]}])
    compiled(1.0)[1]["a"].append(3)
    assert compiled(1.0) == [1, {"a": [2]}]


@pytest.mark.parametrize("result", [{1}, object(), np.ones(2), (x for x in [1.0])], ids=range(4))
def test_what_cannot_be_a_result(result):
    with pytest.raises(TypeError, match="given to jit, returns must be Values, numbers, texts"):
        jit(lambda x: [x, result])(1.0)


@pytest.mark.parametrize("values", [
    (0.0, -0.0), ((1,), (True,), (1.0,)), (1, True, 1.0), (frozenset([1]), frozenset([True])),
    ({1: 0}, {True: 0}, {1.0: 0}),
], ids=repr)
def test_what_is_taken_as_it_is_is_told_apart_exactly(values):
    dicts = isinstance(values[0], dict)
    compiled = jit(lambda x, n: repr(list(n) if dicts else n), static_argnums=() if dicts else 1)
    for _ in range(2):
        assert [compiled(1.0, n) for n in values] == [repr(list(n) if dicts else n) for n in values]


def test_subclasses_of_containers_stay_what_they_are():
    ordered = collections.OrderedDict(a=1.0, b=2.0)
    counts = collections.defaultdict(float, a=1.0)

    def function(d, n):
        d.move_to_end("a")
        return d, n["missing"] + n["a"]

    found, total = jit(function)(ordered, counts)
    assert (type(found), list(found), total.data) == (collections.OrderedDict, ["b", "a"], 1.0)
    assert (list(ordered), dict(counts)) == (["a", "b"], {"a": 1.0})


def test_within_others_it_gets_values_as_well():
    double = jit(lambda x: x.tanh() * 2)
    assert grad(lambda w: double(0.5) * w)(2.0) == pytest.approx(2 * Value(0.5).tanh().data)
    assert vmap(lambda w: double(0.5) * w)([1.0])[0] == pytest.approx(2 * Value(0.5).tanh().data)
    assert vmap(lambda w: jit(lambda m: m[1][0].exp())(np.zeros((2, 2))) * w)([3.0]).tolist() == [3.0]


def test_a_function_that_waits_for_another_thread_that_compiles():
    half, found = jit(lambda x: x * 0.5), []

    def function(x):
        other = threading.Thread(target=lambda: found.append(half(1.0)))
        other.start()
        other.join(20)
        return x + found[0].data

    assert jit(function)(1.0).data == 1.5


def test_kernels_are_chosen_as_for_vmap(monkeypatch):
    monkeypatch.setenv("MICROGRAD_C_KERNELS", "mmx")
    with pytest.raises(ValueError, match="mmx"):
        jit(lambda x: x * 2.0)(1.0)


@pytest.mark.parametrize("given", [None, 1.5, {0}, "a", (0, 0)])
def test_what_static_argnums_cannot_be(given):
    with pytest.raises((TypeError, ValueError), match="static_argnums must"):
        jit(lambda x: x, static_argnums=given)
    assert jit(lambda x: x, static_argnums=np.int64(0))(3) == 3


def test_a_number_that_decides_is_an_error_that_names_the_line_and_jit():
    with pytest.raises(TraceError, match=r"(?s)test_jit.py.*jit runs the function once for all calls") as caught:
        jit(lambda x: x if x > 0 else -x)(1.0)
    assert "vmap" not in str(caught.value)
    assert jit(lambda x: where(x, x, -x))(1.0).data == 1.0


def test_a_function_with_an_op_of_its_own_is_run_as_it_is():
    compiled = jit(lambda x: cube(x) * 2.0)
    x = Value(2.0)
    with pytest.warns(UserWarning, match="jit runs .* as it is"):
        compiled(x).backward()
    assert x.grad == 24.0
    with pytest.warns(UserWarning, match="jit runs .* as it is"):
        assert jit(lambda x: cube(x) * 2.0)(2.0).data == 16.0
    compiled(x).backward()      # without another warning
    assert x.grad == 48.0


def test_what_cannot_be_compiled_though_it_could_be_traced_is_run_as_it_is():
    def function(x):
        made = Value(2.0)
        own = Value(made.data, (made,), "own")
        own._backward = lambda: None
        with no_grad():
            lost = x * 3.0
        return lost + own

    compiled = jit(function)
    with pytest.warns(UserWarning, match="as it is"):
        assert compiled(1.0).data == 5.0
    assert compiled(2.0).data == 8.0


def test_an_error_in_the_function_comes_out_and_leaves_nothing():
    compiled, times = counted(lambda x: 1 / 0 if len(times) == 1 else x * 2.0)
    with pytest.raises(ZeroDivisionError):
        compiled(1.0)
    assert compiled(1.0).data == 2.0


@pytest.mark.parametrize(("argument", "error", "message"), [
    ([[]] * 2 + [{1, 2}], TypeError, "argument 1 must be a number.*hashable"),
    (Value.__new__(Value), AttributeError, "no data"), (np.array(["a"]), TypeError, "float64"),
    (10 ** 400, OverflowError, "int too large"),
])
def test_what_cannot_be_an_argument(argument, error, message):
    with pytest.raises(error, match=message):
        jit(lambda x: 1.0)(argument)


def test_lists_that_contain_themselves():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="deep"):
        jit(lambda x: 1.0)(endless)
    with pytest.raises(TypeError, match="jit wants a function"):
        jit(3)


def test_threads_call_what_is_compiled():
    w = Value(2.0)
    compiled = jit(lambda x: (w * x).tanh())
    found = {}

    def work(k):
        found[k] = [compiled(0.01 * (k + j)).data for j in range(200)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == {k: [compiled(0.01 * (k + j)).data for j in range(200)] for k in range(4)}


def test_a_loop_of_calls_keeps_no_memory():
    w, compiled = Value(2.0), jit(lambda x, y: x * y)
    tape.collect()
    before = tape.stats()["nodes"]
    for k in range(20_000):
        compiled(1.0 * k, w).backward()
    tape.collect()
    assert tape.stats()["nodes"] <= before + 10
