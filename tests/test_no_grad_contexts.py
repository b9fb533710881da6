"""no_grad belongs to who opened it: a thread, a task, a generator while it runs."""

import asyncio
import contextlib
import contextvars
import gc
import sys
import threading

import pytest

from micrograd_c import no_grad
from micrograd_c.engine import Value


def records():
    return bool((Value(1.0) * 2)._prev)


def test_a_generator_that_waits_does_not_pause_its_caller():
    def generator():
        with no_grad():
            yield records()
            yield records()

    it = generator()
    assert (next(it), records(), next(it), records()) == (False, True, False, True)
    it.close()
    assert records()


def test_a_generator_pauses_what_it_calls():
    paused = []

    def generator():
        with no_grad():
            yield records(), [records() for _ in range(2)], sorted([1], key=lambda _: paused.append(not records()))

    assert next(generator()) == (False, [False, False], [1])
    assert paused == [True]


def test_a_generator_may_end_in_another_thread():
    def generator():
        with no_grad():
            yield

    it = generator()
    next(it)
    thread = threading.Thread(target=it.close)
    thread.start()
    thread.join()
    assert records()


def test_a_generator_that_manages_a_context_pauses_the_block():
    @contextlib.contextmanager
    def evaluation():
        with no_grad():
            yield

    with evaluation():
        assert not records()
        with contextlib.ExitStack() as stack:
            stack.enter_context(evaluation())
        assert not records()
    assert records()


def test_a_block_opened_by_a_helper_stays_open():
    with contextlib.ExitStack() as stack:
        stack.enter_context(no_grad())
        assert not records()
    assert records()


def test_threads_have_blocks_of_their_own_even_of_one_object():
    shared, seen = no_grad(), {}
    inside, leave = threading.Barrier(2, timeout=300), threading.Event()

    def other():
        with shared:
            inside.wait()
            leave.wait(300)
            seen["inside"] = records()
        seen["after"] = records()

    thread = threading.Thread(target=other)
    with shared:
        thread.start()
        inside.wait()
    seen["here"] = records()
    leave.set()
    thread.join()
    assert seen == {"here": True, "inside": False, "after": True}


def test_a_block_closed_in_another_thread_is_closed():
    block, seen = no_grad(), []
    block.__enter__()
    thread = threading.Thread(target=lambda: (block.__exit__(None, None, None), seen.append(records())))
    thread.start()
    thread.join()
    assert seen == [True]
    assert records()


def test_tasks_have_blocks_of_their_own():
    async def paused(turns):
        with no_grad():
            for _ in range(3):
                await asyncio.sleep(0)
                turns.append(records())

    async def recording(turns):
        for _ in range(3):
            await asyncio.sleep(0)
            turns.append(records())

    async def main():
        first, second = [], []
        await asyncio.gather(paused(first), recording(second))
        return first, second

    assert asyncio.run(main()) == ([False] * 3, [True] * 3)


def test_an_asynchronous_generator_that_waits_does_not_pause_its_caller():
    async def generator():
        with no_grad():
            yield records()
            await asyncio.sleep(0)
            yield records()

    async def main():
        return [(one, records()) async for one in generator()]

    assert asyncio.run(main()) == [(False, True), (False, True)]


def test_recursion_of_a_decorated_function():
    @no_grad
    def down(depth):
        return [records(), *(down(depth - 1) if depth else [])]

    assert down(3) == [False] * 4
    assert records()


def test_a_block_that_was_not_opened_cannot_be_closed():
    with pytest.raises(RuntimeError, match="not entered"):
        no_grad().__exit__(None, None, None)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has it")
@pytest.mark.skipif(sys.version_info < (3, 10), reason="CPython 3.9 itself can be interrupted before __exit__")
@pytest.mark.skipif(
    sys.version_info[:2] == (3, 14), reason="CPython 3.14 itself can be interrupted after __enter__, before the block",
)
def test_ctrl_c_leaves_no_block_open(run_python):
    run_python("""
import signal
from micrograd_c import no_grad, tape
from micrograd_c.engine import Value
x = Value(3.0)

def interrupt(*_):
    raise KeyboardInterrupt

@no_grad()
def decorated():
    return x * x

def evaluate():
    with no_grad():
        with no_grad():
            x * x
    decorated()

signal.signal(signal.SIGALRM, interrupt)
for k in range(400):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005 + 0.000003 * k)
        while True:
            evaluate()
    except KeyboardInterrupt:
        pass
    assert (x * x)._prev == {x}, k
""")


def test_a_block_that_nobody_closes_ends_with_its_context():
    def in_a_context_of_its_own():
        no_grad().__enter__()
        assert (Value(1.0) * 2)._prev == set()

    contextvars.copy_context().run(in_a_context_of_its_own)
    gc.collect()
    assert (Value(1.0) * 2)._prev != set()
