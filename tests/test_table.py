"""The table of ops: what is written from it is what it says now, and what it must not say does not compile."""

import os
import pathlib
import runpy
import shutil
import subprocess

import pytest

from micrograd_c import atan2, maximum, minimum, vmap, where
from micrograd_c._core.ops import rules
from micrograd_c.engine import Value

ROOT = pathlib.Path(__file__).parents[1]
OPS = ROOT / "src" / "micrograd_c" / "_core" / "ops"

CORE = "src/micrograd_c/_core"

pytestmark = pytest.mark.skipif(not (OPS / "write.py").is_file(), reason="the sources are not here")


@pytest.mark.parametrize("name", ["src/micrograd_c/_core/value/value.pyi", "docs/ops.md"])
def test_the_stub_and_the_documentation_are_the_tables(name):
    """Else run python src/micrograd_c/_core/ops/write.py."""
    write = runpy.run_path(str(OPS / "write.py"))
    text = (ROOT / name).read_text(encoding="utf-8")
    assert write["written"](text, write["PARTS"][name]) == text


def test_what_is_to_be_written_must_have_its_place():
    write = runpy.run_path(str(OPS / "write.py"))
    with pytest.raises(ValueError, match="there is no line that begins with"):
        write["written"]("nothing", write["PARTS"]["docs/ops.md"])


def test_a_function_is_a_method_of_value_and_has_one_name():
    names = list(rules.functions())
    assert len(set(names)) == len(names)
    assert set(names) <= vars(Value).keys()


def test_what_is_no_function_is_an_error_that_lists_those_that_are():
    for ask in (lambda name: rules.value_at(name, 1.0), lambda name: rules.slope_at(name, 1.0, 1.0)):
        with pytest.raises(ValueError, match="no function 'nothing': it must be one of relu, "):
            ask("nothing")


# what records each op of two operands; PICK and PICK_NOT are the two halves of where
OF_TWO = {
    "ADD": lambda x, y: x + y,
    "MUL": lambda x, y: x * y,
    "POWER": lambda x, y: x ** 2.5 * y,
    "POW": lambda x, y: x ** y,
    "MAXIMUM": maximum,
    "MINIMUM": minimum,
    "ATAN2": atan2,
    "PICK": lambda x, y: where(x > 1, y, 0.0 * x),
    "PICK_NOT": lambda x, y: where(x > 9, x, y),
}


def test_every_op_of_two_operands_is_tried_here():
    """Write what records yours into OF_TWO, and into OPERATORS of edges.py."""
    # what vmap makes of local gradients, see test_local_gradients.py; what recorded slopes are made of
    not_written = {"GIVEN", "ABOVE", "EQUAL"}
    assert set(OF_TWO) | not_written == set(rules.of_two())


@pytest.mark.parametrize("name", OF_TWO)
@pytest.mark.parametrize(("x", "y"), [(1.25, 0.75), (0.5, 2.0), (3.0, 1.5), (2, 3)])
def test_an_op_of_two_operands_differentiates_as_finite_differences_do_eagerly_and_mapped(name, x, y):
    function = OF_TWO[name]
    a, b, h = Value(x), Value(y), 1e-6
    (function(a, b) * 3.0).backward()
    of_x = (function(Value(x + h), Value(y)).data - function(Value(x - h), Value(y)).data) / (2 * h)
    of_y = (function(Value(x), Value(y + h)).data - function(Value(x), Value(y - h)).data) / (2 * h)
    assert (a.grad, b.grad) == (pytest.approx(3 * of_x, abs=1e-7), pytest.approx(3 * of_y, abs=1e-7))
    if name.startswith("PICK"):     # its condition is a comparison, which a trace does not have
        return
    p, q = Value(x), Value(y)
    out = vmap(lambda row: function(p * row, q * row))([1.0, 1.0, 1.0])
    out.sum().backward()
    assert list(out) == pytest.approx([function(Value(x), Value(y)).data] * 3, rel=1e-15)
    assert (p.grad, q.grad) == (pytest.approx(a.grad), pytest.approx(b.grad))


@pytest.mark.parametrize("name", rules.functions())
def test_lanes_may_not_be_far_from_the_value_of_one_number(name):
    assert 0 <= rules.functions()[name]["ulp"] <= 8


ENTRY = """FUNCTION(HALF, half,
    "half", "{activation}", "x / 2.",
    {error}, "",
    0, 0,
    0.5 * x,
    {reads}, {slope},
    0, {lanes}0.5 * x, {lane_slope},
    {recorded})
"""
GOOD = {
    "activation": "", "error": "NEVER", "reads": "X", "slope": "x", "lanes": "", "lane_slope": "x", "recorded": '"x"',
}


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")
@pytest.mark.parametrize(("changed", "compiles"), [
    ({}, True), ({"reads": "Y"}, False), ({"reads": "XY", "lane_slope": "y"}, True), ({"lane_slope": "y"}, False),
    ({"reads": "NONE"}, False), ({"activation": "Half"}, False), ({"lanes": "x, "}, False),
    ({"activation": "Half", "reads": "Y", "slope": "y", "lane_slope": "y"}, True),
    ({"activation": "Half", "reads": "Y", "slope": "y", "lane_slope": "y", "error": "ValueError"}, False),
    ({"recorded": ""}, True), ({"lane_slope": "x, \"x\""}, False),
    ({"error": "ZeroDivisionError"}, False), ({"lane_slope": "LANES(nothing)(x)"}, False),
], ids=str)
def test_an_entry_that_is_wrong_does_not_compile(changed, compiles, tmp_path):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.pyx"))
    table = tmp_path / OPS.relative_to(ROOT) / "table.h"
    text = table.read_text(encoding="utf-8")
    place = text.index("FUNCTION(RELU,")
    table.write_text(text[:place] + ENTRY.format(**{**GOOD, **changed}) + text[place:], encoding="utf-8")
    done = subprocess.run(
        ["gcc", "-fsyntax-only", "-Werror=implicit-function-declaration", f"-I{CORE}", f"-I{CORE}/ops",
         f"{CORE}/mapped/kernels/kernels.c"], cwd=tmp_path,
        # leaks of gcc's own are no concern of a sanitizer that is loaded here
        env={name: text for name, text in os.environ.items() if name != "LD_PRELOAD"},
        capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is compiles, done.stderr
