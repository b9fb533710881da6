"""vmap given what is broken, endless, huge or changing: errors that say so, and no memory but its own is touched."""

import array
import ctypes
import gc
import math
import sys

import numpy as np
import pytest

from micrograd_c import maximum, sumprod, vmap
from micrograd_c._core.mapped import (
    analysis,
    batch,
    columns,
    executor,
    grouping,
    linking,
    lowering,
    packing,
    program,
    reductions,
    running,
)
from micrograd_c._core.value import tracing
from micrograd_c.engine import Value

_testbuffer = pytest.importorskip("_testbuffer", reason="of CPython's own tests")
w = Value(2.0)


class Forgetful(Value):
    def __init__(self):
        """Calls no super().__init__()."""


def itself(*before):
    endless = list(before)
    endless.append(endless)
    return endless


def deep(levels):
    nested = 1.0
    for _ in range(levels):
        nested = [nested]
    return nested


# --- Values without data ---

@pytest.mark.parametrize("value", [Value.__new__(Value), Forgetful()], ids=["__new__", "no super().__init__()"])
@pytest.mark.parametrize("call", [
    lambda v: vmap(lambda x: v)([1.0]), lambda v: vmap(lambda x: [x, [v]])([1.0]),
    lambda v: vmap(lambda x: x * v)([1.0]), lambda v: vmap(lambda x: v - 1.0)([1.0]),
    lambda v: vmap(lambda x: (v * 2.0, x))([1.0]),
    lambda v: vmap(lambda x: sumprod([w, v], [x, x]))([1.0]), lambda v: vmap(lambda x: maximum(x, v))([1.0]),
    lambda v: vmap(lambda x: maximum(v, 1.0).relu())([1.0]),
    lambda v: vmap(lambda x, s: x * s, in_axes=(0, None))([1.0], v),
    lambda v: vmap(lambda x, s: x, in_axes=(0, None))([1.0], [2.0, [v]]), lambda v: vmap(lambda x: x)([v]),
    lambda v: vmap(lambda x: w * x)([1.0, 2.0]).sum([1.0, v]), lambda v: lowering.compile([v], [], [], []),
], ids=range(13))
def test_a_value_that_was_never_initialised_is_an_attribute_error(call, value):
    with pytest.raises((AttributeError, RuntimeError), match=r"no data yet|no trace"):
        call(value)
    assert vmap(lambda x: w * x)([1.0]).tolist() == [2.0]


# --- lists ---

@pytest.mark.parametrize("endless", [itself(), itself(itself()), [1.0, itself()], deep(100), deep(50_000)],
                         ids=["itself", "two", "further in", "deep", "very deep"])
@pytest.mark.parametrize("call", [
    lambda v: vmap(lambda x: x)([v]), lambda v: vmap(lambda x: x)([[1.0], [v]]), lambda v: vmap(lambda x: v)([1.0]),
    lambda v: vmap(lambda x: [x, (v,)])([1.0]), lambda v: vmap(lambda x, s: x, in_axes=(0, None))([1.0], v),
    lambda v: vmap(lambda x: x)([1.0]).sum(v), lambda v: vmap(lambda x: w * x)([1.0]).mean([v]),
    lambda v: vmap(lambda x: [x, (Value(x.data, (x,)), v)])([1.0]),
], ids=range(8))
@pytest.mark.filterwarnings("ignore:vmap runs")
def test_lists_that_contain_themselves_or_are_deep_are_a_value_error(call, endless):
    with pytest.raises(ValueError, match=r"contains itself|ragged"):
        call(endless)


def test_lists_of_lists_that_are_huge_for_being_shared_are_a_value_error():
    numbers = [1.0, 2.0]
    for _ in range(60):
        numbers = [numbers, numbers]
    with pytest.raises(ValueError, match=r"argument 1 \('x'\) has numbers of shape .* is the most"):
        vmap(lambda x: x)(numbers)


class Odd:
    """A number that does something when it is read."""

    def __init__(self, action):
        self.action = action

    def __float__(self):
        self.action()
        return 1.0


@pytest.mark.parametrize("action", [
    lambda rows: rows.clear(), lambda rows: rows[0].clear(), lambda rows: rows[-1].extend([1.0] * 1000),
    lambda rows: rows.extend([[3.0, 4.0]] * 1000), lambda rows: rows.__setitem__(1, "text"), lambda rows: gc.collect(),
])
def test_lists_may_change_while_they_are_read(action):
    for mapped in (vmap(lambda x: x[0] * w), vmap(lambda x: x[0] * w, saved_bytes=0)):
        rows = [[1.0, 2.0], [3.0, 4.0]]
        rows[0][1] = Odd(lambda: action(rows))      # noqa: B023
        try:
            assert len(mapped(rows)) == 2
        except (ValueError, TypeError) as error:
            assert "argument 1" in str(error)       # noqa: PT017
    weights = [1.0, 2.0]
    weights[0] = Odd(lambda: action([weights, weights]))
    try:
        vmap(lambda x: w * x)([1.0, 2.0]).sum(weights)
    except (ValueError, TypeError) as error:
        assert "weights" in str(error)              # noqa: PT017


def test_shared_numbers_may_change_the_list_they_are_in():
    mapped = vmap(lambda x, s: x * s[0] + s[1], in_axes=(0, None))
    assert mapped([1.0], [1.0, 2.0]).tolist() == [3.0]
    shared = [1.0, 2.0]
    shared[0] = Odd(shared.clear)
    with pytest.raises(IndexError):     # the function's, which is given what was left
        mapped([1.0], shared)
    shared = [1.0, 2.0]
    shared[0] = Odd(shared.clear)
    column = columns.Columns(1)
    column.add(columns.Buffer(array.array("d", [1.0])))
    with pytest.raises(ValueError, match="1 shared numbers for a program of 2"):
        running.run(mapped.latest.runner, column, shared, [])


class TolistOf:
    shape = (2,)

    def __init__(self, *answers):
        self.answers = list(answers)

    def tolist(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize("row", [
    TolistOf([1.0, 2.0], [1.0]), TolistOf([1.0], [1.0, 2.0]), TolistOf(None), TolistOf(3.0), TolistOf("ab"),
    TolistOf([[1.0]], [1.0, 2.0]),
], ids=range(6))
def test_arrays_that_answer_in_another_way_each_time(row):
    with pytest.raises((ValueError, TypeError), match="argument 1"):
        vmap(lambda x: x[0])([row, row])


# --- buffers ---

def ctypes_array(axes, length=1):
    kind = ctypes.c_double
    for _ in range(axes):
        kind = kind * length
    return kind()


@pytest.mark.parametrize("axes", [65, 66, 100, 400])
def test_buffers_of_more_axes_than_arrays_have(axes):
    given = ctypes_array(axes)
    with pytest.raises(ValueError, match=rf"argument 1 \('x'\) has {axes} axes; 64 is the most"):
        vmap(lambda x: x)(given)
    with pytest.raises(ValueError, match="64 is the most"):
        vmap(lambda x, s: x, in_axes=(0, None))([1.0], given)
    with pytest.raises((TypeError, ValueError), match="64 is the most"):
        vmap(lambda x: x)([1.0]).sum(given)
    with pytest.raises(ValueError, match="64 is the most"):
        columns.Buffer(given)


@pytest.mark.parametrize("axes", [2, 33, 63, 64])
def test_as_many_axes_as_arrays_have(axes):
    def innermost(x):
        while isinstance(x, list):
            x = x[0]
        return x
    for given in (ctypes_array(axes), deep(axes), memoryview(ctypes_array(axes))):
        mapped = vmap(innermost)
        assert mapped(given).tolist() == mapped(given).tolist()
    nothing = ctypes_array(axes, 0)
    if memoryview(nothing).itemsize:        # CPython 3.9's says that its numbers have no bytes
        assert vmap(lambda x: w)(nothing).tolist() == vmap(lambda x: w)(memoryview(nothing)).tolist() == []


long_addresses = pytest.mark.skipif(sys.maxsize < 2**32, reason="no such arrays with addresses of 32 bits")


@pytest.mark.parametrize(("number", "shape"), [
    pytest.param(np.int8(1), (2, 2**31, 2**29), marks=long_addresses),
    pytest.param(np.int8(1), (2, 2**31, 0), marks=long_addresses), (np.float64(1), (1, 2**25)),
    pytest.param(np.float64(1), (3, 2**40, 0), marks=long_addresses),
])
def test_rows_that_are_too_large_for_any_function(number, shape):
    given = np.broadcast_to(number, shape)
    with pytest.raises(ValueError, match=r"argument 1 \('x'\) has numbers of shape .* is the most"):
        vmap(lambda x: w)(given)
    with pytest.raises(ValueError, match=r"argument 2 \('s'\) has numbers of shape .* is the most"):
        vmap(lambda x, s: w, in_axes=(0, None))([1.0], given)


def test_more_rows_than_there_is_memory_for(run_python):
    run_python("""
import sys
import numpy as np
from micrograd_c import vmap
for rows in (2**30, sys.maxsize // 2) if sys.maxsize < 2**32 else (2**44, 2**62):
    for kind in (np.int8, np.bool_):
        for function in (lambda x: x * 2.0, lambda x: 1.0, lambda x: [x] * 100):
            mapped = vmap(function)
            mapped(np.ones(2, dtype=kind))
            for one in (mapped, vmap(function)):
                try:
                    one(np.broadcast_to(kind(1), rows))
                except MemoryError:
                    continue
                raise AssertionError(rows)
""")


def test_buffers_of_pointers_are_read_as_lists_or_not_at_all():
    pointers = _testbuffer.ndarray([1.0, 2.0, 3.0, 4.0], shape=[2, 2], format="d", flags=_testbuffer.ND_PIL)
    for given in (pointers, memoryview(pointers)):
        mapped = vmap(lambda x: x[0] + x[1])
        for _ in range(2):
            assert mapped(given).tolist() == [3.0, 7.0]
        with pytest.raises((BufferError, TypeError, ValueError)):
            columns.Buffer(given)


@pytest.mark.parametrize("strides", [(8, 16), (-8, 8), (-32, -8), (0, 8), (0, 0)])
def test_strides_of_any_sign(strides):
    data = np.arange(16.0)
    view = np.lib.stride_tricks.as_strided(data[7:], (2, 3), strides, writeable=False)
    mapped = vmap(lambda x: x)
    for given in (view, memoryview(view), view.tolist()):
        for _ in range(2):
            assert [one.tolist() for one in mapped(given)] == view.T.tolist()


def test_buffers_cannot_be_resized_during_the_call_and_can_be_changed_in_it():
    given = array.array("d", [1.0, 2.0])

    def function(x):
        with pytest.raises(BufferError):
            given.append(3.0)
        given[0] = 5.0
        return w * x
    assert vmap(function)(given).tolist() == [10.0, 4.0]
    given.append(3.0)


def test_released_and_refusing_buffers():
    released = memoryview(b"12345678").cast("d")
    released.release()
    for call in (lambda: vmap(lambda x: x)(released), lambda: vmap(lambda x: x)([1.0]).sum(released)):
        for _ in range(2):
            with pytest.raises((TypeError, ValueError)):
                call()
    mapped = vmap(lambda x: x)
    mapped(np.ones(2))
    with pytest.raises((TypeError, ValueError)):
        mapped(released)


# --- the classes behind it ---

MADE_OF_NOTHING = {
    "Batch": batch.Batch, "Run": executor.Run, "Reduction": reductions.Reduction, "Program": program.Program,
    "Analysis": analysis.Analysis, "Compiler": lowering.Compiler, "Empty": columns.Empty,
    "Links": linking.Links, "Grouping": grouping.Grouping, "Packer": packing.Packer,
}


@pytest.mark.parametrize("name", MADE_OF_NOTHING)
def test_objects_made_of_nothing_do_no_harm(name):
    kind = MADE_OF_NOTHING[name]
    one = kind.__new__(kind)
    for attribute in dir(one):
        if attribute in ("__class__", "__init_subclass__", "__subclasshook__"):
            continue
        for arguments in ((), (1,), (None,), (1.0, "a"), ([], [], []), (slice(None),)):
            try:
                found = getattr(one, attribute)
                if callable(found):
                    found(*arguments)
            except Exception as error:
                assert not isinstance(error, SystemError), attribute     # noqa: PT017
    for action in (repr, list, memoryview, len, np.asarray, lambda v: v[0], lambda v: v.sum(), lambda v: v.mean([1.0]),
                   lambda v: v.sum([]), lambda v: executor.Runner(v, None, 1, 0), lambda v: vmap(lambda x: x)(v)):
        try:
            action(one)
        except (TypeError, ValueError, AttributeError, IndexError, BufferError, ZeroDivisionError, RuntimeError):
            continue


def test_a_batch_is_made_by_vmap_only():
    with pytest.raises(TypeError, match="a Batch is what a function given to vmap returns"):
        batch.Batch()
    with pytest.raises(TypeError, match="was not returned by a function given to vmap"):
        batch.Batch.__new__(batch.Batch).sum()
    with pytest.raises(TypeError, match="was not made by the compiler"):
        executor.Runner(program.Program(), None, 1, 0)


def test_wrong_arguments_of_what_is_internal():
    mapped = vmap(lambda x: x[0] * w + x[1])
    mapped([[1.0, 2.0]])
    runner = mapped.latest.runner
    two, text = columns.Buffer(array.array("d", [1.0, 2.0])), columns.Buffer(np.array(["a"]))
    most = sys.maxsize + 1
    side = math.isqrt(most) * 2**8
    for call, error in [
        (lambda: executor.Runner(runner.program, [(side, side)], 1, 0), ValueError),
        (lambda: executor.Runner(runner.program, [(1,)], 1, 0), ValueError),
        (lambda: columns.Layout([(-1, 3)]), ValueError), (lambda: columns.Layout([3]), TypeError),
        (lambda: columns.Columns(sys.maxsize // 8), MemoryError), (lambda: columns.Columns(-1), MemoryError),
        (lambda: columns.Columns(1).add(text), TypeError), (text.flat, TypeError),
        (lambda: columns.Columns(1).add(columns.Buffer(np.array(1.0))), ValueError),
        (lambda: running.run(runner, columns.Columns(0), [], []), ValueError),
        (lambda: linking.row_of(mapped([[1.0, 2.0]]), two, 0), ValueError),
        (lambda: linking.row_of(None, two, 0), TypeError),
        (lambda: columns.empty((2, 3)), ValueError), (lambda: columns.empty(()), ValueError),
        (lambda: columns.empty((0,) * 65), ValueError), (lambda: tracing.argument([]), RuntimeError),
        (lambda: columns.Columns(1).add(None), TypeError), (lambda: tracing.check_read(None, ""), TypeError),
    ]:
        with pytest.raises(error):
            call()
    tracing.check_read(w, "")
    tracing.check_assignment(w)
    runner.program.parameters.clear()
    assert (mapped([[1.0, 2.0]]).tolist(), two.flat()) == ([4.0], [1.0, 2.0])


class Many:
    """Says that it is one, and is many."""

    def __len__(self):
        return 1

    def __iter__(self):
        return iter(range(1, 1000))


def test_shapes_that_tell_another_length_than_they_have():
    with pytest.raises(ValueError, match="is the most"):
        columns.Layout([Many()])


@pytest.mark.parametrize("indexes", [[0], [-5], [10**6], [2**31 - 1], ["a"], [2**70], None])
def test_a_trace_is_compiled_for_its_own_nodes_only(indexes):
    errors = []

    def function(x):
        for given in ([x], indexes, [], []), ([x], [], indexes, []), ([x], [], [], indexes):
            try:
                lowering.compile(*given)
            except (ValueError, TypeError, OverflowError) as error:
                errors.append(error)
        y = x * 2.0
        for wrong in ([y, 3], [None], "ab", [object()]):
            try:
                lowering.compile(wrong, [], [], [])
            except TypeError as error:
                errors.append(error)
        made = analysis.Analysis([y], [], [], [])
        try:
            made.__init__([y], [], [], [])
        except RuntimeError as error:
            errors.append(error)
        return y
    assert vmap(function)([1.0]).tolist() == [2.0]
    assert len(errors) == 3 + 4 + 1


def test_classes_made_of_nothing_or_of_anything_or_again(run_python):
    """Of every compiled module; in a process of its own, which a crash would end."""
    run_python("""
import gc, importlib, inspect, pkgutil
import micrograd_c._core
from micrograd_c import tape, vmap
from micrograd_c.engine import Value

given = [(), (1,), (None,), (1.0, "a"), ([], [], []), ([1], [2], [3]), (slice(None),), (b"ab",), ([(2,)],),
         (Value(1.0),)]
kinds = []
for found in pkgutil.walk_packages(micrograd_c._core.__path__, "micrograd_c._core."):
    module = importlib.import_module(found.name)
    if module.__file__.endswith((".so", ".pyd")):
        kinds += [kind for kind in vars(module).values() if inspect.isclass(kind)
                  and kind.__module__ in (module.__name__, "micrograd_c", "micrograd_c.engine")
                  and not issubclass(kind, BaseException)]
assert {kind.__name__ for kind in kinds} >= {"Batch", "Block", "Columns", "Compiler", "LocalStep", "Runner", "Value"}
for kind in kinds:
    for arguments in given:
        try:
            one = kind.__new__(kind, *arguments)
        except (TypeError, ValueError, MemoryError, OverflowError):
            continue
        for others in given:
            for name in ["__init__", "__init__", *(name for name in dir(one) if "subclass" not in name)]:
                try:
                    found = getattr(one, name)
                    if callable(found) and name not in ("__class__", "__new__"):
                        found(*others)
                except SystemError:
                    raise
                except Exception:
                    pass
        (Value(2.0) * 3.0).backward()
        close = getattr(one, "close", None)
        if close:
            close()
        del one
        gc.collect()
        tape.verify()
w = Value(2.0)
total = vmap(lambda x: x * w)([1.0, 2.0]).sum()
total.backward()
assert (total.data, w.grad) == (6.0, 3.0)
""")


def test_a_buffer_in_a_cycle_is_given_back_before_what_it_looks_into_is_cleared(run_python):
    run_python("""
import array, gc
from micrograd_c import vmap
from micrograd_c._core.mapped import columns

class Holder:
    pass

for _ in range(20):     # the collector clears in the order in which things were made
    view = memoryview(array.array("d", [1.0] * 100))
    buffer = columns.Buffer(view)
    holder = Holder()
    holder.all = [view, buffer, holder]
    del view, buffer, holder
    gc.collect()
for _ in range(20):     # as the frames of an error hold them
    try:
        vmap(lambda x: x * missing)(memoryview(array.array("d", [1.0] * 100)))
    except NameError as error:
        kept = [error]
        kept.append(kept)
    del kept
    gc.collect()
assert not any(isinstance(thing, (memoryview, columns.Buffer, Holder)) for thing in gc.get_objects())
""")
