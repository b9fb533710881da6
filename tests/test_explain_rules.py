"""The texts of rules in explanations: none is missing, and each says what the table of ops computes."""

import math
import pathlib
import re

import pytest

from micrograd_c import Value, explain
from micrograd_c._core.explained import rule_texts
from micrograd_c._core.explained.formulas import evaluate, filled, shown
from micrograd_c._core.explained.rule_texts import RULES, rule_of
from micrograd_c._core.ops import rules

GRID = [-3.0, -1.5, -0.7, -0.1, 0.2, 0.35, 0.5, 1.0, 1.3, 2.5]
NUMBERS = [-2.0, -1.0, 0.5, 1.0, 2.0, 3.0]


def test_no_op_of_the_table_is_missing():
    """Else add its line to rule_texts.py, where the others are."""
    assert set(RULES) == {*rules.functions(), *rules.of_two(), "STOP"}


@pytest.mark.parametrize("name", rules.functions())
def test_slopes_of_functions_are_the_tables(name):
    tried = 0
    for x in GRID:
        y = rules.value_at(name, x)
        if not math.isnan(y) and math.isfinite(rules.slope_at(name, x, y)):
            slope = evaluate(RULES[name].slopes[0], {"x": x, "z": y})
            assert slope == pytest.approx(rules.slope_at(name, x, y), rel=1e-12)
            tried += 1
    assert tried >= 5
    assert RULES[name].value == f"{name}(x)"


def python_of(text):
    """A column of the table, which is C, as Python: for the few forms that ops of two operands have."""
    while "?" in text:
        condition, _, rest = text.partition(" ? ")
        chosen, _, other = rest.partition(" : ")
        text = f"({chosen}) if ({condition}) else ({python_of(other)})"
    return text.replace("||", "or").replace("&&", "and")


@pytest.mark.parametrize("name", [name for name in rules.of_two() if name not in ("POWER", "POW")])
def test_values_and_slopes_of_two_operands_are_the_tables(name):
    row = rules.of_two()[name]
    for x in [*GRID, 0.0]:
        for y in [*GRID, 0.0]:
            numbers = {"x": x, "y": y, "g": 1.0}
            if name == "ATAN2" and x == y == 0.0:
                continue
            if name not in ("MAXIMUM", "MINIMUM"):
                assert evaluate(RULES[name].value, numbers) == eval(python_of(row["value"]), vars(math), numbers)
            for slope, pullback in zip(RULES[name].slopes, row["pullbacks"]):
                assert evaluate(slope, numbers) == eval(python_of(pullback), {}, numbers)


@pytest.mark.parametrize("power", NUMBERS)
@pytest.mark.parametrize("x", [0.5, 1.3, 2.0])
def test_slopes_of_powers_are_those_of_values(x, power):
    base = Value(x)
    by_number, by_value = base ** power, base ** Value(power)
    (slope,) = by_number._local_grads
    assert evaluate(RULES["POWER"].slopes[0], {"x": x, "n": power, "m": power - 1}) == pytest.approx(slope)
    numbers = {"x": x, "y": power, "z": by_value.data}
    assert [evaluate(text, numbers) for text in RULES["POW"].slopes] == pytest.approx(list(by_value._local_grads))


@pytest.mark.parametrize(
    ("expression", "line"),
    [("x**2", "df/dx = 2 * x = 2 * (-3) = -6"), ("x**1", "df/dx = 1"), ("x**0", "df/dx = 0"),
     ("x**3", "df/dx = 3 * x**2 = 3 * (-3)**2 = 27")],
)
def test_a_square_is_differentiated_as_people_write_it(expression, line):
    explanation = explain(expression, x=-3)
    assert f"    {line}\n" in explanation.text()
    assert r"\cdot x^{1}" not in explanation.latex()


@pytest.mark.parametrize("name", rules.functions())
def test_an_explanation_shows_the_text_of_each_function(name):
    text = explain(f"x.{name}()", x=0.5).text()
    assert f"f = {name}(x) = {name}(0.5) = " in text
    assert "given by" not in text
    (slope,) = getattr(Value(0.5), name)()._local_grads
    assert f" = {shown(slope)}\n" in text.partition("df/dx")[2]


@pytest.mark.parametrize(
    ("op", "expected"),
    [("+", ("ADD", None)), ("**", ("POW", None)), ("**2", ("POWER", 2.0)), ("**-0.5", ("POWER", -0.5)),
     ("**1e-05", ("POWER", 1e-5)), ("ReLU", ("relu", None)), ("stop", ("STOP", None)), ("mine", None), ("", None)],
)
def test_ops_are_known_by_what_the_graph_shows(op, expected):
    assert rule_of(op) == expected


@pytest.mark.parametrize("number", [2, 0.5, -0.5, 1e-5, 1e20, -3, 2**40])
def test_powers_are_known_however_their_number_is_written(number):
    assert rule_of((Value(1.0) ** number)._op) == ("POWER", float(number))


@pytest.mark.parametrize(
    ("number", "text"),
    [(3.0, "3"), (-0.0, "0"), (0.1 + 0.2, "0.3"), (1e300, "1e+300"), (math.inf, "inf"), (math.nan, "nan"),
     (123456789.0, "123456789"), (123456.789, "123457"), (-1e-9, "-1e-09")],
)
def test_numbers_are_shown_to_six_digits_and_whole_ones_in_full(number, text):
    assert shown(number) == text


@pytest.mark.parametrize(
    ("formula", "operands", "text"),
    [
        ("1 - z**2", {"z": "-0.5"}, "1 - (-0.5)**2"), ("x * y", {"x": "-1", "y": "a b"}, "-1 * (a b)"),
        ("max(x, y)", {"x": "-1", "y": "-2"}, "max(-1, -2)"), ("x + y", {"x": "y", "y": "x"}, "y + x"),
        ("exp(x)", {"x": "x"}, "exp(x)"), ("n * x**m", {"n": "-1", "x": "3", "m": "-2"}, "-1 * 3**(-2)"),
    ],
)
def test_operands_are_put_in_with_parentheses_where_they_want_them(formula, operands, text):
    assert filled(formula, operands) == text


def test_the_page_has_each_function():
    """Else add it to F in page.js."""
    script = (pathlib.Path(rule_texts.__file__).with_name("page.js")).read_text(encoding="utf-8")
    functions = set(re.findall(r"(\w+): (?:Math|\()", script.partition("const F = {")[2].partition("};")[0]))
    texts = [text for rule in RULES.values() for text in (rule.value, *rule.slopes)]
    assert {name for text in texts for name in re.findall(r"(\w+)\(", text)} <= functions
