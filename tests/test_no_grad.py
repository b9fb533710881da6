"""no_grad: the same numbers, and nothing to go back through."""

import contextvars
import threading
import weakref

import pytest
from conftest import custom_sum

from micrograd_c import no_grad, sumprod
from micrograd_c.engine import Value
from micrograd_c.nn import MLP


def test_no_grad_gives_the_same_numbers_without_a_graph():
    a, b = Value(2.0), Value(-3)
    with no_grad():
        results = [a + b, a * b, a - b, a / b, b ** 2, a ** a, b.relu(), a.exp(), Value(1.0, (a,), "x"), 2 * a, abs(b)]
    expected = [a + b, a * b, a - b, a / b, b ** 2, a ** a, b.relu(), a.exp(), Value(1.0), 2 * a, abs(b)]
    assert [repr(r) for r in results] == [repr(e) for e in expected]
    assert all(r._prev == set() for r in results)
    (results[0] * a).backward()
    assert (a.grad, b.grad) == (-1.0, 0)
    assert (a + b)._prev == {a, b}


def test_results_under_no_grad_keep_nothing_alive():
    v = Value(1.0)
    references = []
    with no_grad():
        for _ in range(10):
            v = Value((v * 2).data, (v,), "custom")
            v = v + MLP(1, [1])([v])
            v.label = "x"
            references.append(weakref.ref(v))
    assert [r() is None for r in references] == [True] * 9 + [False]


def test_a_function_assigned_under_no_grad_is_not_called():
    a = Value(2.0)
    with no_grad():
        out = custom_sum(a, a)
    (out * 2).backward()
    assert a.grad == 0


@pytest.mark.parametrize("decorator", [no_grad, no_grad()], ids=["bare", "called"])
def test_no_grad_decorates_functions_and_nests(decorator):
    @decorator
    def double(v):
        with no_grad():
            v = v + v
        return v * 1

    a = Value(2.0)
    assert double.__name__ == "double"
    assert double(a)._prev == set()
    assert (a * 2)._prev != set()


def test_no_grad_ends_with_an_exception_and_is_this_threads_only():
    a = Value(2.0)
    elsewhere = []

    @no_grad
    def fail():
        thread = threading.Thread(target=lambda: elsewhere.append(a * 2))
        thread.start()
        thread.join()
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert elsewhere[0]._prev
    assert (a * 2)._prev


def test_no_grad_refuses_generators_and_coroutines():
    def generator():
        yield 1

    async def coroutine():
        return 1

    for function in (generator, coroutine):
        with pytest.raises(TypeError, match=f"{function.__name__}.*with no_grad"):
            no_grad(function)


def test_a_block_is_closed_in_contexts_copied_while_it_was_open():
    x = Value(3.0)
    with no_grad():
        context = contextvars.copy_context()
        assert not context.run(lambda: (x * 2)._prev)
    with no_grad():     # of another context
        assert context.run(lambda: (x * 2)._prev)
        assert not (x * 2)._prev


def test_a_sum_of_products_of_ints_is_an_int():
    with no_grad():
        out = sumprod([Value(2), Value(3)], [Value(4), 5])
    assert repr(out.data) == "23"
