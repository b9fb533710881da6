"""Random functions, run by vmap and row by row: the same numbers to the bit, the same gradients to 1e-12."""

import array
import itertools
import math
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from micrograd_c import maximum, minimum, stop_gradient, sumprod, vmap, where
from micrograd_c._core.mapped import executor
from micrograd_c._core.ops import rules
from micrograd_c.engine import Value

EXACT = {       # in these, each row is the eager engine's to the bit
    "add": lambda a, b, c: a + b, "subtract": lambda a, b, c: a - b, "multiply": lambda a, b, c: a * b,
    "relu": lambda a, b, c: a.relu(), "add_number": lambda a, b, c: 1.5 + a, "negate": lambda a, b, c: -a,
    "scale": lambda a, b, c: a * -0.75, "dot": lambda a, b, c: sumprod([a, b, c], [c, a, b], b),
    "maximum": lambda a, b, c: maximum(a, b), "minimum": lambda a, b, c: minimum(a, c), "abs": lambda a, b, c: abs(a),
    "where": lambda a, b, c: where(maximum(a, 0), b, c), "stop": lambda a, b, c: stop_gradient(a) * b,
    "square": lambda a, b, c: a * a,
}
ROUNDED = {
    "tanh": lambda a, b, c: a.tanh(), "sigmoid": lambda a, b, c: a.sigmoid(), "exp": lambda a, b, c: a.tanh().exp(),
    "sin": lambda a, b, c: a.sin(), "cos": lambda a, b, c: a.cos(), "log": lambda a, b, c: (a * a + 1.0).log(),
    "sqrt": lambda a, b, c: (a * a + 0.5).sqrt(), "power": lambda a, b, c: (a * a + 1.0) ** -1.5,
    "divide": lambda a, b, c: a / (b * b + 1.0), "pow": lambda a, b, c: (a * a + 1.0) ** b.tanh(),
    "cube": lambda a, b, c: a.tanh() ** 3, "number_pow": lambda a, b, c: 2.0 ** a.tanh(),
}
for name, row in rules.functions().items():
    if row["ulp"]:
        ROUNDED.setdefault(name, lambda a, b, c, name=name: getattr(
            a.tanh() * 0.5 + (1.0 if math.isfinite(rules.value_at(name, 1.5)) else 0.0), name)())
ROWS = [1, 7, 8, 9, 100, 1000]


def programs(names):
    steps = st.tuples(st.sampled_from(sorted(names)), *[st.integers(0, 40)] * 3)
    layers = st.tuples(st.just("layer"), st.integers(1, 6), st.integers(2, 6), st.sampled_from(
        ["relu", None] if names is EXACT else ["relu", "tanh", None]))
    return st.lists(st.one_of(steps, steps, layers), min_size=1, max_size=14)


def build(program, ops, parameters, outputs):
    """A function of two rows' numbers and a shared one that does what the program says, and depends on parameters."""
    def function(x, s):
        pool = [*x, s, *parameters[:4], parameters[0] * parameters[1]]
        for name, i, j, k in program:
            if name == "layer":
                weights = iter(parameters * 20)
                xs = pool[-j:]
                made = []
                for _ in range(i):
                    total = sumprod([next(weights) for _ in xs], xs, next(weights))
                    made.append(total if k is None else getattr(total, k)())
                pool += made
            else:
                made = ops[name](*[pool[n % len(pool)] for n in (i, j, k)])
                # numbers must stay of a size that squaring does not make infinite
                pool.append(minimum(maximum(made, -50.0), 50.0))
        return [pool[-k] for k in outputs]
    return function


def compare(program, ops, rows, outputs, exact, variant, monkeypatch_env, threads=1, block=0, saved=2**26):
    generator = random.Random(rows)
    numbers = [[generator.gauss(0, 1) for _ in range(3)] for _ in range(rows)]
    weights = [generator.uniform(0.5, 1.5) for _ in range(rows)]
    parameters = [Value(generator.gauss(0, 1)) for _ in range(9)]
    function = build(program, ops, parameters, outputs)
    monkeypatch_env(variant, block)
    results = vmap(function, in_axes=(0, None), threads=threads, saved_bytes=saved)(numbers, 0.7)
    eager = [function([Value(x) for x in row], Value(0.7)) for row in numbers]
    for k, result in enumerate(results):
        wanted = [row[k].data for row in eager]
        if exact:
            assert result.tolist() == wanted
        else:
            assert result.tolist() == pytest.approx(wanted, rel=1e-12, abs=1e-12)
    total = sum([result.sum(weights) for result in results])
    total.backward()
    gradients = [p.grad for p in parameters]
    for p in parameters:
        p.grad = 0
    sum([sumprod([row[k] for row in eager], weights, 0.0) for k in range(len(results))]).backward()
    scale = sum(abs(p.grad) for p in parameters) + 1e-3
    for got, p in zip(gradients, parameters):
        assert got == pytest.approx(p.grad, rel=1e-12, abs=scale * 1e-12)


@pytest.fixture(scope="module")
def environment():
    with pytest.MonkeyPatch.context() as patch:
        def set_to(variant, block):
            patch.setenv("MICROGRAD_C_KERNELS", variant)
            patch.setenv("MICROGRAD_C_BLOCK", str(block))
        yield set_to


relaxed = settings(
    deadline=None, derandomize=True, suppress_health_check=list(HealthCheck),
    max_examples=3 * settings.default.max_examples,
)
sizes = st.sampled_from([*ROWS, 8, 9, 7, 1])
variants = st.sampled_from(executor.instruction_sets())
blocks = st.sampled_from([0, 8, 64, 128, 512])
several = st.lists(st.integers(1, 8), min_size=1, max_size=3)


@relaxed
@given(programs(EXACT), sizes, several, variants, blocks, st.sampled_from([0, 2**26]))
def test_sums_products_and_dots_are_the_eager_engines_to_the_bit(
    environment, program, rows, outputs, variant, block, saved,
):
    outputs = [min(k, len(program)) for k in outputs]
    compare(program, EXACT, rows, outputs, True, variant, environment, block=block, saved=saved)


@relaxed
@given(programs({**ROUNDED, **EXACT}), sizes, several, variants, blocks)
def test_all_functions_and_their_slopes(environment, program, rows, outputs, variant, block):
    outputs = [min(k, len(program)) for k in outputs]
    compare(program, {**EXACT, **ROUNDED}, rows, outputs, False, variant, environment, block=block)


@settings(relaxed, max_examples=12)
@given(programs({**ROUNDED, **EXACT}), several, variants)
def test_neither_threads_nor_memory_change_a_bit(environment, program, outputs, variant):
    """Nor do blocks, but for gradients, which are summed block by block."""
    generator = random.Random(len(program))
    numbers = array.array("d", [generator.gauss(0, 1) for _ in range(3 * 4200)])
    rows = memoryview(numbers).cast("B").cast("d", (4200, 3))
    parameters = [Value(generator.gauss(0, 1)) for _ in range(9)]
    function = build(program, {**EXACT, **ROUNDED}, parameters, [min(k, len(program)) for k in outputs])
    values, gradients = set(), {}
    for threads, block, saved in itertools.product([1, 3], [8, 64, 512, 2048], [0, 2**26]):
        environment(variant, block)
        results = vmap(function, in_axes=(0, None), threads=threads, saved_bytes=saved)(rows, 0.3)
        sum([result.sum() for result in results]).backward()
        values.add(repr([result.tolist() for result in results]))
        gradients.setdefault(block, set()).add(repr([p.grad for p in parameters]))
        for p in parameters:
            p.grad = 0
    assert len(values) == 1
    assert {block: len(found) for block, found in gradients.items()} == dict.fromkeys([8, 64, 512, 2048], 1)


def test_a_sum_of_minus_zeros_is_minus_zero():
    start, w = Value(-0.0), [Value(-1.0), Value(-2.0)]
    function = lambda x: sumprod(w, x, start)       # noqa: E731
    assert str(vmap(function)([[0.0, 0.0]])[0]) == str(function([0.0, 0.0]).data) == "-0.0"


@pytest.mark.parametrize(("name", "value", "message"), [
    ("MICROGRAD_C_KERNELS", "mmx", "does not have the instruction set 'mmx', but .*baseline"),
    ("MICROGRAD_C_BLOCK", "4", "a power of 2, or 1, not 4"),
    ("MICROGRAD_C_BLOCK", "-8", "not -8"), ("MICROGRAD_C_BLOCK", "100", "not 100"),
    ("MICROGRAD_C_BLOCK", "4096", "8 to 2048 rows"),
])
def test_what_the_environment_cannot_ask_for(name, value, message, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=message):
        vmap(lambda x: x + 1)([1.0])
