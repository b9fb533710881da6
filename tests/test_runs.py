"""Runs over rows: several sums of one, threads that cannot be started, and chunks."""

import array
import random
import sys

import pytest
from conftest import sanitized

from micrograd_c import no_grad, tape, vmap
from micrograd_c._core.mapped import executor
from micrograd_c.engine import Value
from micrograd_c.nn import MLP


def test_sums_of_each_output_of_a_run_in_sweeps_of_their_own():
    u, w = Value(2.0), Value(3.0)
    first, second = vmap(lambda x: [x * u * w, x + w])([1.0, 2.0])
    one, other = first.sum(), second.sum()
    for k in range(1, 3):
        one.backward()
        assert (u.grad, w.grad) == (9.0 * k, 6.0 * k + 2.0 * (k - 1))
        other.backward()
        assert (u.grad, w.grad) == (9.0 * k, 8.0 * k)


@pytest.mark.parametrize("reductions", [
    (lambda b: b.sum(), lambda b: b.sum()), (lambda b: b.sum([1.0, 0.0, 2.0]), lambda b: b.sum([0.0, 1.0, 3.0])),
    (lambda b: b.mean([1.0, 2.0, 3.0]), lambda b: b.sum()), (lambda b: b.mean(), lambda b: b.mean([3.0, 2.0, 1.0])),
], ids=["plain", "weighted", "mean", "means"])
def test_several_sums_of_one_run_add_up(reductions):
    def gradient(sums, batch):
        w.grad = 0
        sum(reduce(batch) for reduce in sums).backward()
        return w.grad

    w = Value(3.0)
    mapped = vmap(lambda x: w * x)
    together = gradient(reductions, mapped([1.0, 2.0, 4.0]))
    apart = sum(gradient([reduce], mapped([1.0, 2.0, 4.0])) for reduce in reductions)
    assert together == pytest.approx(apart)


def test_a_sum_under_no_grad_of_a_batch_from_before_is_a_leaf():
    w = Value(3.0)
    batch = vmap(lambda x: w * x)([1.0, 2.0])
    with no_grad():
        total, mean = batch.sum(), batch.mean()
    assert (total.data, mean.data, total._prev, mean._prev) == (9.0, 4.5, set(), set())
    tape.verify()


@pytest.mark.parametrize("format", ["d", "f", "i", "b"])
@pytest.mark.parametrize("step", [2, 3, -1])
def test_weights_are_read_from_where_they_are(format, step):
    w = Value(3.0)
    numbers = array.array(format, range(1, 10))
    weights = memoryview(numbers)[::step]
    total = vmap(lambda x: w * x)([float(k) for k in range(len(weights))]).sum(weights)
    total.backward()
    wanted = sum(k * weight for k, weight in enumerate(numbers[::step]))
    assert (total.data, w.grad) == (3.0 * wanted, wanted)


def test_a_step_by_hand_is_taken_anew_each_time():
    w = Value(3.0)
    total = vmap(lambda x: w * x)([1.0, 2.0]).sum()
    (run,) = total._prev
    for k in range(1, 4):
        total.grad = 1
        total._backward()
        run._backward()
        assert w.grad == 3.0 * k


def test_two_runs_at_a_time_have_memory_of_their_own():
    w = Value(3.0)
    mapped = vmap(lambda x: (x * w) ** 2)
    mapped([1.0, 2.0])      # leaves its memory
    first, second = mapped([1.0, 2.0]), mapped([10.0, 20.0])
    first.sum().backward()
    assert w.grad == 2 * 3.0 * 5.0
    w.grad = 0
    second.sum().backward()
    assert w.grad == 2 * 3.0 * 500.0


def test_a_gradient_of_no_rows_is_0():
    u, w = Value(2.0), Value(3.0)
    mapped = vmap(lambda x: x * w + u)
    mapped([1.0, 2.0]).sum().backward()
    u.grad = w.grad = 0
    for _ in range(5):
        batch = mapped([])
        batch.sum().backward()
        del batch
    assert (u.grad, w.grad) == (0, 0)


@pytest.mark.parametrize("saved_bytes", [0, 2**30])
@pytest.mark.parametrize("rows", [2048, 2049, 5000])
def test_chunks_add_up(rows, saved_bytes):
    w = Value(3.0)
    mapped = vmap(lambda x: (x * w).tanh(), threads=2, saved_bytes=saved_bytes)
    xs = [k % 7 / 7 for k in range(rows)]
    mapped(xs).sum().backward()
    wanted = sum(x * (1 - (Value(x * 3.0).tanh().data) ** 2) for x in xs)
    assert w.grad == pytest.approx(wanted)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit of memory is Linux's")
@sanitized
def test_what_a_thread_that_cannot_be_started_should_do_is_done(run_python):
    """There is no memory for a thread's stack."""
    run_python("""
import os, resource
from micrograd_c import vmap
from micrograd_c.engine import Value
w = Value(3.0)
mapped = vmap(lambda x: x * w, threads=4)
mapped([1.0] * 2000).sum().backward()       # not in threads: stacks of threads that have ended are used again
w.grad = 0
xs = [float(k) for k in range(9000)]
wanted = [3.0 * x for x in xs]
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
limits = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (used + 3_000_000, limits[1]))
try:
    batch = mapped(xs)
    total = batch.sum()
    total.backward()
finally:
    resource.setrlimit(resource.RLIMIT_AS, limits)
assert batch.tolist() == wanted
assert w.grad == sum(xs)
""")


def test_the_fastest_kernels_are_chosen(monkeypatch):
    """Told by how sums of products are rounded, which is not the same with a fused multiply-add."""
    def gradients(kernels):
        monkeypatch.delenv("MICROGRAD_C_KERNELS", raising=False)
        if kernels is not None:
            monkeypatch.setenv("MICROGRAD_C_KERNELS", kernels)
        for p in model.parameters():
            p.grad = 0
        vmap(model)(rows).sum().backward()
        return [p.grad for p in model.parameters()]

    sets = executor.instruction_sets()
    draw = random.Random(3)
    model = MLP(5, [7, 1], activation="tanh")
    rows = [[draw.random() for _ in range(5)] for _ in range(100)]
    assert gradients(None) == gradients(sets[0])
    assert len(sets) == 1 or gradients(sets[0]) != gradients(sets[-1])
