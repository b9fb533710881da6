"""leaky_relu, gelu, softplus, silu, log_sigmoid, log_softmax: PyTorch's values and slopes, eagerly and by vmap."""

import math

import pytest

from micrograd_c import functional, log_softmax, vmap
from micrograd_c._core.mapped import executor
from micrograd_c.engine import Value

torch = pytest.importorskip("torch")
F = torch.nn.functional

FUNCTIONS = {       # by name: ours of a Value, and PyTorch's
    "leaky_relu": (lambda v: v.leaky_relu(), F.leaky_relu),
    "leaky_relu(0.2)": (lambda v: v.leaky_relu(0.2), lambda x: F.leaky_relu(x, 0.2)),
    "leaky_relu(negative_slope=0)": (lambda v: v.leaky_relu(negative_slope=0), lambda x: F.leaky_relu(x, 0.0)),
    "leaky_relu(-1.5)": (lambda v: v.leaky_relu(-1.5), lambda x: F.leaky_relu(x, -1.5)),
    "gelu": (lambda v: v.gelu(), F.gelu),
    "gelu('none')": (lambda v: v.gelu("none"), F.gelu),
    "gelu(approximate='tanh')": (lambda v: v.gelu(approximate="tanh"), lambda x: F.gelu(x, approximate="tanh")),
    "gelu_tanh": (lambda v: v.gelu_tanh(), lambda x: F.gelu(x, approximate="tanh")),
    "softplus": (lambda v: v.softplus(), lambda x: F.softplus(x, threshold=50.0)),  # by default it is x above 20
    "silu": (lambda v: v.silu(), F.silu),
    "log_sigmoid": (lambda v: v.log_sigmoid(), F.logsigmoid),
}
NUMBERS = [k / 8 for k in range(-80, 81)] + [-800.0, -38.0, -20.5, 20.5, 37.0, 800.0, 1e-300, -1e-300, 1e100, -1e100]


def by_torch(function, xs):
    given = torch.tensor(xs, dtype=torch.float64, requires_grad=True)
    out = function(given)
    out.sum().backward()
    return out.tolist(), given.grad.tolist()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_slopes_are_pytorchs(name):
    ours, theirs = FUNCTIONS[name]
    for x, value, slope in zip(NUMBERS, *by_torch(theirs, NUMBERS)):
        v = Value(x)
        out = ours(v)
        out.backward()
        assert out.data == pytest.approx(value, rel=1e-13, abs=1e-15), x
        if not math.isnan(slope):       # where PyTorch loses it
            assert v.grad == pytest.approx(slope, rel=1e-12, abs=1e-14), x


@pytest.mark.parametrize("kernels", executor.instruction_sets())
@pytest.mark.parametrize("name", FUNCTIONS)
def test_mapped_they_are_too(name, kernels, monkeypatch):
    monkeypatch.setenv("MICROGRAD_C_KERNELS", kernels)
    ours, theirs = FUNCTIONS[name]
    w = Value(1.0)
    values, slopes = by_torch(theirs, NUMBERS)
    batch = vmap(lambda x: ours(x * w))(NUMBERS)
    assert list(batch) == pytest.approx(values, rel=1e-13, abs=1e-15)
    for x, slope in zip(NUMBERS, slopes):
        w.grad = 0
        vmap(lambda x: ours(x * w))([x]).sum().backward()
        if not math.isnan(slope):
            assert w.grad == pytest.approx(slope * x, rel=1e-12, abs=1e-13), x


@pytest.mark.parametrize("xs", [[0.5, -1.5, 2.0], [1000.0, 0.0, -1000.0], [3.0], [0.0] * 7], ids=str)
@pytest.mark.parametrize("mapped", [False, True])
def test_log_softmax_is_pytorchs(xs, mapped):
    given = torch.tensor(xs, dtype=torch.float64, requires_grad=True)
    wanted = torch.log_softmax(given, 0)
    weights = [0.5 * k + 1.0 for k in range(len(xs))]
    (wanted * torch.tensor(weights, dtype=torch.float64)).sum().backward()
    values = [Value(x) for x in xs]
    if mapped:
        out = vmap(lambda one: log_softmax([v * one for v in values]))([1.0])
        sum(batch.sum([weight]) for batch, weight in zip(out, weights)).backward()
        shown = [batch[0] for batch in out]
    else:
        out = log_softmax(values)
        sum(v * weight for v, weight in zip(out, weights)).backward()
        shown = [v.data for v in out]
    assert shown == pytest.approx(wanted.tolist(), rel=1e-14, abs=1e-15)
    assert [v.grad for v in values] == pytest.approx(given.grad.tolist(), rel=1e-12, abs=1e-14)


def test_functions_of_lists_are_pytorchs():
    xs = [[0.5, -1.5], [2.0, -0.25]]
    given = torch.tensor(xs, dtype=torch.float64)
    for ours, theirs in [
        (functional.leaky_relu(xs), F.leaky_relu(given)), (functional.leaky_relu(xs, 0.3), F.leaky_relu(given, 0.3)),
        (functional.gelu(xs), F.gelu(given)),
        (functional.gelu(xs, approximate="tanh"), F.gelu(given, approximate="tanh")),
        (functional.softplus(xs), F.softplus(given)), (functional.silu(xs), F.silu(given)),
        (functional.log_sigmoid(xs), F.logsigmoid(given)),
    ]:
        for row, other in zip(ours, theirs.tolist()):
            assert [v.data for v in row] == pytest.approx(other, rel=1e-14)
