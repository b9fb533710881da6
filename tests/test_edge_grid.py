"""Numbers at the edges: every op and helper is right, eagerly and by vmap, on every instruction set and in every role.

Right is what PyTorch and JAX agree on, else what docs/numbers.md lists. Where Python raises, the eager engine does.
"""

import functools
import math
import pathlib

import edge_choices
import pytest
from conftest import is_sanitized
from edge_sides import ERRORS, Mapped, eager, fitting_rows, roles
from edges import CASES, close, nan, same
from micrograd.engine import Value as Original

from micrograd_c._core.mapped import executor
from micrograd_c.engine import Value

ORACLE = edge_choices.read_oracle()
DOCS = pathlib.Path(__file__).parent.parent / "docs" / "numbers.md"
# of micrograd, which has no Value ** Value nor number ** Value
ORIGINALS = ["relu", "v ** n", *(f"{one} {op} {other}" for op in "+-*/" for one, other in ("vv", "vn", "nv"))]


@functools.cache
def cells(name):
    """Each cell, and what is right there."""
    return [
        (cell, edge_choices.right(name, cell, *answers)) for cell, answers in zip(CASES[name].cells, ORACLE[name])
    ]


def test_pytorch_and_jax_were_asked_about_every_case():
    """Else run python tests/oracle/edge_grid.py, which wants both: pip install torch jax."""
    assert set(ORACLE) == set(CASES)


@pytest.mark.parametrize("name", ORACLE)
def test_the_eager_engine_is_right_or_raises_where_numbers_are_not_finite(name):
    for cell, right in cells(name):
        got = eager(CASES[name], cell)
        if isinstance(got, type):
            assert not all(map(math.isfinite, right)), (cell, got, right)
        else:
            assert same(got, right), (cell, got, right)


@pytest.mark.parametrize("name", ORIGINALS)
def test_what_micrograd_has_is_micrograds_errors_and_all(name):
    """But for x ** 0, whose slope is 0 * x**-1 there, and powers that are not real."""
    case = CASES[name]
    for cell in case.cells:
        if name == "v ** n" and (cell[1] == 0.0 or (cell[0] < 0.0 and cell[1] % 1.0 != 0.0)):
            continue
        assert repr(attempt(case, cell, Value)) == repr(attempt(case, cell, Original)), cell


def attempt(case, cell, of):
    arguments = [of(x) if kind == "v" else x for x, kind in zip(cell, case.kinds)]
    try:
        out = case.function(Methods, *arguments)
        out.backward()
    except ERRORS as error:
        return [type(error)]
    return [out.data, *(arguments[k].grad for k in case.variables())]


class Methods:
    relu = staticmethod(lambda x: x.relu())


class Subclass(Value):
    """For which plain lines run, see plain_lines.py."""


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith(
    ("sumprod", "linear", "softmax", "logsumexp", "cross_entropy", "mean"))])
def test_the_plain_spelling_is_the_same(name):
    for cell in CASES[name].cells:
        assert repr(eager(CASES[name], cell, Subclass)) == repr(eager(CASES[name], cell)), cell


@pytest.mark.parametrize("name", ORACLE)
@pytest.mark.parametrize("kernels", executor.instruction_sets())
def test_vmap_is_right_in_every_role_on_every_instruction_set(kernels, name, monkeypatch):
    monkeypatch.setenv("MICROGRAD_C_KERNELS", kernels)
    case = CASES[name]
    for role in roles(case):
        mapped = Mapped(case, role)
        for cell, right in cells(name)[::7 if is_sanitized() else 1]:
            rows = fitting_rows([*cell, *right])
            got = mapped(cell, rows)
            if isinstance(got, type):   # by a constant: the function itself does
                assert "c" in role
                assert eager(case, cell) is got
                continue
            values, gradients = got
            assert len(values) == rows
            for value in {value.hex(): value for value in values}.values():     # to the bit, most are the same
                assert same([value], right[:1]), (role, cell, values, right)
            for gradient, x in zip(gradients, right[1:]):
                # each row may round to another multiple of the smallest number
                assert close(gradient, x * rows) or abs(gradient - x * rows) <= rows * 5e-324, (role, cell, gradient, x)


@pytest.mark.parametrize("name", edge_choices.CHOICES)
def test_each_choice_is_made_somewhere_and_documented(name):
    assert edge_choices.counts()[2][name] > 0
    assert f"| {name} |" in DOCS.read_text()


def test_the_documented_counts_are_the_grids():
    cells, agreed, chosen = edge_choices.counts()
    text = DOCS.read_text()
    assert f"{cells} cells; in {agreed} PyTorch and JAX agree, and are right; {cells - agreed} are chosen:" in text
    for name, count in chosen.items():
        assert f"{count:6} {name}\n" in text


@pytest.mark.parametrize("name", ORACLE)
def test_the_oracles_numbers_are_pytorchs(name):
    pytest.importorskip("torch")
    from oracle.edge_grid import torch_numbers

    for cell, answer, (torch, _) in zip(CASES[name].cells, torch_numbers(CASES[name]), ORACLE[name]):
        assert all(map(close, answer, torch)), (cell, answer, torch)


def test_numbers_are_told_apart():
    """What compares here does not let a difference pass."""
    assert same([0.0, -0.0, nan], [0.0, 0.0, nan])
    for one, other in (([0.0], [-0.0]), ([1.0, 0.0], [1.0, 1e-300]), ([nan], [0.0]), ([math.inf], [-math.inf]),
                       ([1.0], [1.0 + 1e-11]), ([1.7e308], [math.inf])):
        assert not same(one, other)
