"""Constructors of adopted classes are called with what people give them: a branch that ours has not keeps the class."""

import pytest
from own_values import CLOSURES, LOCAL, changed, made

from micrograd_c._core.adopted.accelerating import examine

DATA = "        self.data = data\n"
SIGNATURE = "data, _children=(), _op=''):"


def refusal(*edits, source=CLOSURES):
    return examine(made(changed(source, *edits))).refusal


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("data = random.random() if data is None else data", "Value(None) gives 0.13436424411240122, ours raises"),
        ("data = data.data if isinstance(data, Value) else data", "Value(one of its own) gives 2.5, ours raises"),
        ("data = float(data) if isinstance(data, str) and data != 'text' else data", "Value('2.5') gives 2.5, ours"),
        ("data = data[0] if isinstance(data, list) else data", "Value([1.0]) gives 1.0, ours raises"),
        ("data = max(data, -1)", "Value(-2) gives -1, ours gives -2"),
        ("assert data < 1e100", "Value(1e+300) raises an exception, ours gives"),
        ("assert data == data", "Value(nan) raises an exception, ours gives"),
    ],
)
def test_a_branch_for_some_data_keeps_the_class(line, told):
    for source, data in ((CLOSURES, DATA), (LOCAL, DATA)):
        seen = refusal(("import math\n", "import math, random\n"), (data, f"        {line}\n{data}"), source=source)
        assert told in seen


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("if data > 50: self.is_large = True", "Value(100) has an attribute is_large, other instances have none"),
        ("if _children: self.is_computed = True", "a product has an attribute is_computed, other instances have none"),
        ("self.is_large = data > 50", "Value(100) has True as its is_large, others have False"),
    ],
)
def test_an_attribute_of_some_instances_keeps_the_class(line, told):
    assert told in refusal((DATA, f"{DATA}        {line}\n"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("assert isinstance(label, str); self.label = label", "Value(2.5, label=7) raises an exception, ours gives"),
        ("self.label = str(label)", "Value(2.5, label=7) gives 2.5, str '7', ours gives 2.5, int 7"),
        ("self.label = label if label is not None else 'none'", "Value(2.5, label=None) gives 2.5, str 'none', ours"),
    ],
)
def test_a_branch_for_some_labels_keeps_the_class(line, told):
    assert told in refusal((SIGNATURE, "data, _children=(), _op='', label=''):"), (DATA, f"{DATA}        {line}\n"))


@pytest.mark.parametrize(
    "line",
    ["assert isinstance(data, (int, float))", "if data is None: raise ValueError('data')", "data = data",
     "data = float(data)"],
)
def test_where_both_refuse_or_keep_what_is_given_the_class_is_compiled(line):
    assert refusal((DATA, f"        {line}\n{DATA}")) == ""


def test_labels_that_are_kept_as_they_are_do_no_harm():
    edits = (SIGNATURE, "data, _children=(), _op='', label=''):"), (DATA, f"{DATA}        self.label = label\n")
    assert refusal(*edits) == ""
