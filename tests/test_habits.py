"""What public programs do with micrograd: the scripts in habits/ print the same once their import is changed."""

import math
import pathlib
import re

import pytest

SCRIPTS = sorted(pathlib.Path(__file__).with_name("habits").glob("*.py"))
ROUNDED = {     # where the last digits of micrograd's own gradients, sums in the order of a set, change from run to run
    "attention", "bigrams", "binary_classifier", "custom_modules", "gradient_check", "line_fit", "long_chains",
    "numpy_arrays", "numpy_scalars", "optimizers", "xor",
}
RELATIVE, ABSOLUTE = 1e-12, 1e-14   # the latter for gradients that cancel
IMPORT = re.compile(r"^from micrograd\.(?=(engine|nn) import )", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])(-?\d+(?:\.\d+)?(?:e[-+]\d+)?)(?![\w.])")


def close(here, there):
    """Whether two numbers are printed alike, or are both floats and nearly the same."""
    if here == there or here.lstrip("-").isdigit() or there.lstrip("-").isdigit():
        return here == there
    return math.isclose(float(here), float(there), rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def same(here, there, rounded):
    if here == there or not rounded:
        return here == there
    texts_here, texts_there = NUMBER.split(here), NUMBER.split(there)   # what is between numbers, and numbers
    return texts_here[::2] == texts_there[::2] and all(map(close, texts_here[1::2], texts_there[1::2]))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_print_the_same(path, run_python):
    pytest.importorskip("micrograd")
    script = path.read_text(encoding="utf-8")
    changed, imports = IMPORT.subn("from micrograd_c.", script)
    assert imports == len(re.findall(r"\bmicrograd\b", script))
    there = run_python(script).splitlines()
    here = run_python(changed).replace("micrograd_c", "micrograd").splitlines()
    assert len(there) >= 5
    different = [pair for pair in zip(here, there) if not same(*pair, path.stem in ROUNDED)]
    assert not different
    assert len(here) == len(there)


def test_every_script_is_there():
    names = {path.stem for path in SCRIPTS}
    assert len(names) >= 30
    assert names >= ROUNDED


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ("(data=0, grad=1)", "(data=0, grad=1)", True), ("[0.1, -2e-05]", "[0.10000000000000001, -2e-05]", True),
        ("grad 0", "grad 0.0", False), ("3", "4", False), ("1.0", "1.00000001", False), ("a 1.0", "b 1.0", False),
        ("1.0 2.0", "1.0", False), ("nan", "nan", True), ("1e-17", "0.0", True), ("1.0", "-1.0", False),
    ],
)
def test_only_last_digits_may_differ(here, there, expected):
    assert same(here, there, rounded=True) is expected
