"""Where addresses have 32 bits: sizes of memory beyond them are errors, and do not wrap around."""

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.maxsize >= 2**32, reason="addresses have 64 bits")


@pytest.mark.parametrize("program", [
    "sumprod([0.5] * 2**28, [x] * 2**28)", "numbers([x] * 2**16, [x] * 2**16)",
    "numbers([x] * (2**15 + 1), [x] * 2**15)", "grow(x)",
])
def test_too_much_for_the_addresses_there_are_is_a_memory_error(program, run_python):
    run_python(f"""
from micrograd_c import sumprod
from micrograd_c._core.transforms.plain_sweeps import numbers
from micrograd_c.engine import Value

def grow(x):
    while True:
        x = x + 1

x = Value(1.0)
try:
    {program}
except MemoryError:
    pass
else:
    raise AssertionError
y = x * 2
y.backward()
assert x.grad == 2
""")
