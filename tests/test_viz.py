"""Pictures of graphs: what is drawn, in which order, and how much of a graph that is too large."""

import math
import re
import shutil
import subprocess
import sys
import tracemalloc
import xml.etree.ElementTree
from collections import Counter

import pytest
from conftest import custom_sum, nodes_of, sanitized
from hypothesis import given
from programs import Run, programs

from micrograd_c import no_grad, tape, viz
from micrograd_c._core.value.copying import count_ops, in_order
from micrograd_c.engine import Value
from micrograd_c.nn import MLP
from micrograd_c.viz import draw_dot, nodes_and_edges, to_dot

BOX = re.compile(r'\t(n\d+) \[label="\{ (.*) \| data (\S+) \| grad (\S+) \}" shape=record\]')
UNLABELLED_BOX = re.compile(r'\t(n\d+) \[label="\{ data \S+ \| grad \S+ \}" shape=record\]')
OP = re.compile(r'\t(n\d+)_op \[label="(.*)"\]')
ARROW = re.compile(r"\t(n\d+)(_op|) -> (n\d+)(_op|)")
NASTY = [
    "{", "}", "|", "<", ">", '"', "\\", "\\n", "\\N", "a|b", "{x}", "<b>", '\\"', "&lt;", "&",
    "é ∂L/∂w 損失", "two  spaces", "->",
]


def chain(length, value=1.0):
    v = Value(value)
    for _ in range(length):
        v = v + 1
    return v


def neuron():
    x, w = Value(2.0), Value(-3)
    x.label, w.label = "x", "w"
    out = (x * w + x ** 2).relu()
    out.label = "out"
    out.backward()
    return out


def run(program):
    """The Values that a random program ends with."""
    runner = Run(Value)
    runner.execute(program)
    return runner.live


# --- nodes and edges ---

@given(programs)
def test_nodes_and_edges_are_all_there_are(program):
    for root in run(program):
        nodes, edges = nodes_and_edges(root)
        assert nodes == set(nodes_of(root))
        assert edges == {(operand, value) for value in nodes for operand in value._prev}


def test_a_chain_too_deep_for_recursion_has_nodes_and_edges():
    nodes, edges = nodes_and_edges(chain(100_000))
    assert (len(nodes), len(edges)) == (200_001, 200_000)


def test_the_lecture_s_name_is_there():
    assert viz.trace is nodes_and_edges


# --- counting and ordering ---

@given(programs)
def test_ops_are_counted_as_nodes_and_edges_finds_them(program):
    for root in run(program):
        counted = count_ops(root)       # first: nodes_and_edges makes Values, which carry what was assigned to _op
        assert counted == Counter(value._op for value in nodes_and_edges(root)[0])
        assert count_ops(root) == counted


def custom_without_name():
    return Value(3.0, (Value(1.0), Value(2.0))) * 2


def children_assigned():
    out = Value(5.0) * 1
    out._prev = (Value(2.0) ** 2, Value(3.0))
    return out + 1


def op_assigned():
    inner = Value(2.0) * 3
    inner._op = "mine"
    return inner + 1


def op_of_a_subclass():
    class Mine(Value):
        _op = property(lambda self: "own")

    return Mine(2.0) * 3


def computed_under_no_grad():
    a = Value(2.0)
    with no_grad():
        b = (a * 3 + 1) ** 2
        c = Value(1.0, (a, b), "mine")
    return b * c + a


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: Value(1.0), {"": 1}),
        (lambda: Value(1.0, (), "input"), {"input": 1}),
        (lambda: chain(3), {"": 4, "+": 3}),
        (lambda: Value(3.0) ** 2, {"": 1, "**2": 1}),
        (lambda: (Value(3.0) ** 2) ** 2, {"": 1, "**2": 2}),
        (lambda: Value(3.0) ** Value(2), {"": 2, "**": 1}),
        (lambda: 2 / Value(3.0), {"": 2, "**-1": 1, "*": 1}),
        (lambda: custom_sum(Value(1.0), Value(2.0).tanh()), {"": 2, "tanh": 1, "sum": 1}),
        (lambda: custom_sum(*[Value(1.0)] * 3), {"": 1, "sum": 1}),
        (custom_without_name, {"": 4, "*": 1}),
        (children_assigned, {"": 3, "**2": 1, "*": 1, "+": 1}),
        (op_assigned, {"": 3, "mine": 1, "+": 1}),
        (op_of_a_subclass, {"": 1, "own": 1, "*": 1}),
        (computed_under_no_grad, {"": 2, "mine": 1, "*": 1, "+": 1}),
        (lambda: MLP(2, [2, 1])([1.0, 2.0]), {"": 13, "*": 6, "+": 6, "ReLU": 2}),
    ],
)
def test_ops_of_every_kind_of_node_are_counted(build, expected):
    root = build()
    assert count_ops(root) == expected
    assert count_ops(root) == Counter(value._op for value in nodes_and_edges(root)[0])


@sanitized
def test_counting_makes_no_values():
    root = chain(100_000)
    tracemalloc.start()
    try:
        assert sum(count_ops(root).values()) == 200_001
        assert tracemalloc.get_traced_memory()[1] < 100_000     # bytes at the peak
    finally:
        tracemalloc.stop()


def test_nodes_of_other_graphs_are_not_counted():
    a = Value(2.0)
    between = a * 3
    root = a + 1
    assert count_ops(root) == {"": 2, "+": 1}
    assert between._op == "*"


def test_values_are_put_in_the_order_in_which_they_were_recorded():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    product = c * a
    tape.collect()
    assert in_order({product, c, b, a}) == [a, b, c, product]
    assert in_order(()) == []


@pytest.mark.parametrize("function", [count_ops, lambda thing: in_order([thing])])
@pytest.mark.parametrize("thing", [None, 3.0])
def test_only_values_can_be_counted_or_ordered(function, thing):
    with pytest.raises(TypeError):
        function(thing)


# --- the picture ---

@given(programs)
def test_a_picture_shows_every_value_op_and_edge(program):
    root = run(program)[-1]
    nodes, edges = nodes_and_edges(root)
    for k, value in enumerate(nodes):
        value.label = f"v{k}"
    lines = to_dot(root, limit=None).splitlines()[2:-1]
    boxes = {m[1]: m.groups()[1:] for m in map(BOX.fullmatch, lines) if m}
    ops = {boxes[m[1]][0]: m[2] for m in map(OP.fullmatch, lines) if m}
    arrows = [m.groups() for m in map(ARROW.fullmatch, lines) if m]
    assert sorted(boxes.values()) == sorted((v.label, f"{v.data:.4f}", f"{v.grad:.4f}") for v in nodes)
    assert ops == {v.label: v._op for v in nodes if v._op}
    into_values = [(tail, head) for tail, op, head, _ in arrows if op]
    from_values = {(boxes[tail][0], boxes[head][0], into) for tail, op, head, into in arrows if not op}
    assert sorted(into_values) == sorted((name, name) for name, (label, *_) in boxes.items() if label in ops)
    assert from_values == {(a.label, b.label, "_op" if b._op else "") for a, b in edges}
    assert len(lines) == len(boxes) + len(ops) + len(into_values) + len(edges)


def test_names_follow_the_order_of_recording_and_statements_the_names():
    a, b = Value(2.0), Value(-3)
    assert to_dot((b * a).relu(), rankdir="TB").replace("\t", "") == """digraph {
graph [rankdir=TB]
n0 [label="{ data 2.0000 | grad 0.0000 }" shape=record]
n1 [label="{ data -3.0000 | grad 0.0000 }" shape=record]
n2 [label="{ data -6.0000 | grad 0.0000 }" shape=record]
n2_op [label="*"]
n2_op -> n2
n0 -> n2_op
n1 -> n2_op
n3 [label="{ data 0.0000 | grad 0.0000 }" shape=record]
n3_op [label="ReLU"]
n3_op -> n3
n2 -> n3_op
}
"""


@given(programs)
def test_a_program_gives_the_same_text_each_time(program):
    kept, texts = [], set()
    for _ in range(3):
        kept.append([Value(0.0) for _ in range(7)])     # so that the next Values are elsewhere
        kept.append(run(program))
        texts.add("".join(to_dot(root, limit=4) + to_dot(root) for root in kept[-1]))
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("data", "grad", "text"),
    [
        (2, 0, "{ data 2.0000 | grad 0.0000 }"), (-1.23456, 3, "{ data -1.2346 | grad 3.0000 }"),
        (math.nan, math.inf, "{ data nan | grad inf }"), (-math.inf, -0.0, "{ data -inf | grad -0.0000 }"),
        (1e16, 1e-9, "{ data 10000000000000000.0000 | grad 0.0000 }"),
    ],
)
def test_numbers_have_four_digits(data, grad, text):
    value = Value(data)
    value.grad = grad
    assert f'label="{text}"' in to_dot(value)


@pytest.mark.parametrize(("label", "shown"), [("x", "x | "), ("", ""), (None, ""), (7, "7 | "), (0, "0 | ")])
def test_labels_are_shown_unless_empty(label, shown):
    value = Value(1.0)
    value.label = label
    assert f'label="{{ {shown}data 1.0000 | grad 0.0000 }}"' in to_dot(value)


def test_a_label_of_the_class_is_a_default(patch_value):
    patch_value("label", "")
    a, b = Value(1.0), Value(2.0)
    b.label = "b"
    text = to_dot(a * b)
    assert len(UNLABELLED_BOX.findall(text)) == 2
    assert "{ b | data 2.0000" in text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("{a|b}", r"\{a\|b\}"), ("<f0>", r"\<f0\>"), ('"x"', r"\"x\""), ("a\\b", r"a\\b"), ("\\n", r"\\n"),
        ("two\nlines", r"two\nlines"), ("&lt;", "&amp;lt;"), ("∂L/∂w", "∂L/∂w"),
    ],
)
def test_characters_that_mean_something_in_dot_are_escaped(text, escaped):
    value = Value(1.0, (Value(2.0),), text)
    value.label = text
    assert f'{{ {escaped} | data 1.0000' in to_dot(value)
    assert f'_op [label="{escaped}"]' in to_dot(value)


@pytest.mark.skipif(shutil.which("dot") is None, reason="wants Graphviz's program dot")
@pytest.mark.parametrize(("limit", "message"), [(None, 0), (2 * len(NASTY), 1)])
def test_graphviz_shows_labels_and_ops_as_they_are(limit, message):
    root = Value(0.0, [Value(float(k), (Value(k),), text) for k, text in enumerate(NASTY)], "last")
    for value, text in zip(in_order(root._prev), NASTY):
        value.label = text
    done = subprocess.run(["dot", "-Tsvg"], input=to_dot(root, limit=limit).encode(), capture_output=True, check=True)
    assert not done.stderr
    texts = [element.text or "" for element in xml.etree.ElementTree.fromstring(done.stdout).iter()]
    shown = Counter(text.replace("\N{NO-BREAK SPACE}", " ") for text in texts)
    assert [text for text in NASTY if shown[text] != 2] == []
    assert sum("limit=None draws all" in text for text in shown) == message


def test_spaces_in_a_box_are_kept_and_control_characters_become_spaces():
    value = Value(1.0, (Value(2.0),), "a\t b c\r\nd é")
    value.label = value._op
    assert r"{ a&#32; b c \nd&#32;é | data" in to_dot(value)
    assert r'_op [label="a  b c \nd é"]' in to_dot(value)


# --- graphs too large to draw ---

def names_in(text):
    return UNLABELLED_BOX.findall(text)


def cuts_in(text):
    return re.findall(r'(n\d+)_more \[label="\.\.\." shape=box style=dashed\]', text)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 20, 21])
def test_values_nearest_to_the_root_are_drawn(limit):
    root = chain(10, value=0.5)
    text = to_dot(root, limit=limit)
    assert len(names_in(text)) == limit
    drawn = sorted((float(data) for data in re.findall(r"data (\S+)", text)), reverse=True)
    sums = [data for data in drawn if data != 1.0]
    assert sums == [10.5 - k for k in range(len(sums))]     # none is left out between the root and the last
    assert bool(cuts_in(text)) is ("limit=None draws all" in text) is (limit < 21)


def test_each_value_whose_operands_are_not_all_drawn_is_marked():
    a, b = Value(1.0), Value(2.0)
    left, right = a * b, a + b
    text = to_dot(left - right, limit=5)        # the root, left, right * -1, and a and b
    names = names_in(text)
    assert names == [f"n{k}" for k in range(5)]
    assert cuts_in(text) == ["n3"]
    assert "\tn3_more -> n3_op [style=dashed]\n" in text
    assert re.search(r'label="5 of 7 Values, those nearest to the root; limit=None draws all\.\\n', text)
    assert r"\n3 without op, 2 *, 2 +" in text


def test_a_value_with_too_many_operands_shows_some_and_one_mark():
    root = custom_sum(*[Value(float(k)) for k in range(1000)])
    text = to_dot(root)
    assert len(names_in(text)) == 500
    assert cuts_in(text) == ["n499"]
    assert text.count("-> n499_op") == 500      # 499 operands and the mark


def test_a_graph_of_a_hundred_thousand_ops_is_drawn_in_part_without_being_walked():
    root = chain(100_000)
    nodes = len(names_in(to_dot(root)))
    assert nodes == 500
    assert "500 of 200,001 Values" in to_dot(root)
    assert r"\n100,001 without op, 100,000 +" in to_dot(root)


def test_no_limit_draws_all():
    text = to_dot(chain(2_000), limit=None)
    assert len(names_in(text)) == 4_001
    assert not cuts_in(text)
    assert "without op" not in text


def test_only_the_most_frequent_ops_are_named():
    root = sum((Value(1.0) ** k for k in range(15)), Value(0.0))
    text = to_dot(root, limit=3)
    assert "16 without op, 15 +, 1 **0, 1 **1, 1 **10, 1 **11, 1 **12, 1 **13, 1 **14, 1 **2, 7 of other ops" in text


def test_ops_in_the_message_are_escaped():
    text = to_dot(Value(1.0, (Value(2.0),), '{"}'), limit=1)
    assert r'1 without op, 1 \{\"\}"' in text


# --- what is refused ---

@pytest.mark.parametrize("draw", [nodes_and_edges, to_dot, draw_dot])
@pytest.mark.parametrize("thing", [None, 3.0, [Value(1.0)]])
def test_only_values_can_be_drawn(draw, thing):
    with pytest.raises(TypeError, match=f"must be a Value, not of type {type(thing).__name__}; for several outputs"):
        draw(thing)


@pytest.mark.parametrize("draw", [to_dot, draw_dot])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rankdir": "RL"}, "must be 'LR' .* or 'TB' .*, not 'RL'"), ({"rankdir": None}, "not None"),
        ({"limit": 0}, "limit must be at least 1, or None .*, not 0"), ({"limit": -5}, "not -5"),
    ],
)
def test_options_that_make_no_sense_are_refused(draw, options, message):
    with pytest.raises(ValueError, match=message):
        draw(Value(1.0), **options)


def test_without_graphviz_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=r"pip install 'micrograd_c\[viz\]'; to_dot gives"):
        draw_dot(Value(1.0))


# --- graphviz.Digraph ---

@pytest.mark.parametrize("options", [{}, {"rankdir": "TB"}, {"limit": 2}])
def test_draw_dot_and_to_dot_are_one_picture(options):
    graphviz = pytest.importorskip("graphviz")
    root = neuron()
    dot = draw_dot(root, **options)
    assert isinstance(dot, graphviz.Digraph)
    assert dot.source == to_dot(root, **options)
    assert dot.graph_attr == {"rankdir": options.get("rankdir", "LR")}


def test_the_format_is_graphviz_own():
    pytest.importorskip("graphviz")
    assert draw_dot(Value(1.0)).format == "svg"
    assert draw_dot(Value(1.0), "png").format == "png"
    with pytest.raises(ValueError, match="unknown format"):
        draw_dot(Value(1.0), format="picture")


def test_what_draw_dot_returns_can_be_added_to():
    pytest.importorskip("graphviz")
    dot = draw_dot(neuron())
    dot.node("note", label="mine")
    dot.attr(bgcolor="lightgrey")
    assert dot.source.endswith("\tnote [label=mine]\n\tbgcolor=lightgrey\n}\n")
