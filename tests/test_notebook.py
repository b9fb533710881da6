"""The well-known lecture on micrograd, cell by cell: a learner's own tanh, pictures, backward by hand and by sorting.

Tests that take a Value run on both classes, so that what they expect is what micrograd does.
"""

import importlib
import math
import re
from collections import Counter
from types import SimpleNamespace

import pytest

from micrograd_c.viz import draw_dot, to_dot

DOT_NAME = r'"?([\w.*+ /-]+?)"?'
DOT_NODE = re.compile(rf'\t{DOT_NAME} \[label="?([^"]+?)"?(?: shape=record)?\]')
DOT_ARROW = re.compile(rf"\t{DOT_NAME} -> {DOT_NAME}")
GRADS = {
    "o": 1.0, "n": 0.5, "x1w1x2w2": 0.5, "b": 0.5, "x1w1": 0.5, "x2w2": 0.5,
    "x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0,
}


def value_class(package):
    pytest.importorskip(package)
    return importlib.import_module(f"{package}.engine").Value


@pytest.fixture(params=["micrograd_c", "micrograd"])
def Value(request):
    return value_class(request.param)


@pytest.fixture
def learn(monkeypatch):
    """Put the lecture's own tanh and exp on a class."""

    def learn(Value):
        def tanh(self):
            x = self.data
            t = (math.exp(2 * x) - 1) / (math.exp(2 * x) + 1)
            out = Value(t, (self,), "tanh")

            def _backward():
                self.grad += (1 - t**2) * out.grad

            out._backward = _backward
            return out

        def exp(self):
            x = self.data
            out = Value(math.exp(x), (self,), "exp")

            def _backward():
                self.grad += out.data * out.grad

            out._backward = _backward
            return out

        monkeypatch.setattr(Value, "tanh", tanh, raising=False)
        monkeypatch.setattr(Value, "exp", exp, raising=False)

    return learn


def neuron(Value, activation):
    """The lecture's neuron of two inputs, every Value of it labelled."""
    x1, x2 = Value(2.0), Value(0.0)
    w1, w2 = Value(-3.0), Value(1.0)
    b = Value(6.8813735870195432)
    x1w1 = x1 * w1
    x2w2 = x2 * w2
    x1w1x2w2 = x1w1 + x2w2
    n = x1w1x2w2 + b
    o = activation(n)
    graph = SimpleNamespace(x1=x1, x2=x2, w1=w1, w2=w2, b=b, x1w1=x1w1, x2w2=x2w2, x1w1x2w2=x1w1x2w2, n=n, o=o)
    for name, value in vars(graph).items():
        value.label = name
    return graph


def by_tanh(n):
    return n.tanh()


def by_exp(n):
    e = (2 * n).exp()
    return (e - 1) / (e + 1)


def grads(graph):
    return {name: value.grad for name, value in vars(graph).items()}


def sweep(root):
    """The lecture's backward, before it becomes a method."""
    topo = []
    visited = set()

    def build_topo(v):
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build_topo(child)
            topo.append(v)

    build_topo(root)
    root.grad = 1.0
    for node in reversed(topo):
        node._backward()
    return topo


# --- gradients ---

@pytest.mark.parametrize("activation", [by_tanh, by_exp])
def test_the_neuron_gives_the_lectures_numbers(Value, learn, activation):
    learn(Value)
    graph = neuron(Value, activation)
    assert graph.o.data == pytest.approx(0.7071067811865476, rel=1e-14)
    assert set(grads(graph).values()) == {0}
    graph.o.backward()
    assert grads(graph) == pytest.approx(GRADS, rel=1e-14)


@pytest.mark.parametrize("activation", [by_tanh, by_exp])
def test_compiled_functions_give_the_lectures_numbers(activation):
    graph = neuron(value_class("micrograd_c"), activation)
    graph.o.backward()
    assert graph.o.data == pytest.approx(0.7071067811865476, rel=1e-14)
    assert grads(graph) == pytest.approx(GRADS, rel=1e-14)


def test_backward_by_hand_node_by_node(Value, learn):
    learn(Value)
    graph = neuron(Value, by_tanh)
    graph.o.grad = 1.0
    graph.o._backward()
    assert (graph.n.grad, graph.b.grad) == (pytest.approx(0.5), 0)
    graph.n._backward()
    assert (graph.b.grad, graph.x1w1x2w2.grad) == (graph.n.grad, graph.n.grad)
    graph.b._backward()
    graph.x1w1x2w2._backward()
    graph.x2w2._backward()
    assert (graph.x2.grad, graph.w2.grad, graph.x1.grad, graph.w1.grad) == (pytest.approx(0.5), 0.0, 0, 0)
    graph.x1w1._backward()
    assert grads(graph) == pytest.approx(GRADS, rel=1e-14)


@pytest.mark.parametrize("activation", [by_tanh, by_exp])
def test_backward_by_hand_by_sorting_and_by_method_agree(Value, learn, activation):
    learn(Value)
    method, sorting = neuron(Value, activation), neuron(Value, activation)
    method.o.backward()
    topo = sweep(sorting.o)
    assert grads(sorting) == grads(method)
    assert all(topo.index(child) < topo.index(node) for node in topo for child in node._prev)
    if activation is by_tanh:
        hand = neuron(Value, activation)
        hand.o.grad = 1.0
        for value in reversed(vars(hand).values()):
            value._backward()
        assert grads(hand) == grads(method)


@pytest.mark.parametrize("activation", [by_tanh, by_exp])
@pytest.mark.parametrize("backward", [lambda o: o.backward(), sweep])
def test_all_numbers_are_micrograds_to_the_last_bit(learn, activation, backward):
    texts = []
    for package in ("micrograd_c", "micrograd"):
        Value = value_class(package)
        learn(Value)
        graph = neuron(Value, activation)
        backward(graph.o)
        texts.append({name: (repr(value), value._op, len(value._prev)) for name, value in vars(graph).items()})
    assert texts[0] == texts[1]


def test_a_value_used_twice_gathers_both_gradients(Value):
    a = Value(3.0)
    sweep(a + a)
    assert a.grad == 2.0
    a, b = Value(-2.0), Value(3.0)
    sweep((a * b) * (a + b))
    assert (a.grad, b.grad) == (-3.0, -8.0)


def test_nudging_the_leaves_along_their_gradients_raises_the_output(Value):
    a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
    e = a * b
    d = e + c
    L = d * f
    L.backward()
    assert (L.data, [v.grad for v in (a, b, c, d, e, f, L)]) == (-8.0, [6.0, -4.0, -2.0, -2.0, -2.0, 4.0, 1])
    for leaf in (a, b, c, f):
        leaf.data += 0.01 * leaf.grad
    assert ((a * b + c) * f).data == pytest.approx(-7.286496, abs=1e-12)


# --- pictures: the notebook's own code, as it is pasted everywhere ---

def notebook_trace(root):
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


def notebook_draw_dot(root, describe, format="svg", rankdir="LR"):
    Digraph = pytest.importorskip("graphviz").Digraph
    assert rankdir in ["LR", "TB"]
    nodes, edges = notebook_trace(root)
    dot = Digraph(format=format, graph_attr={"rankdir": rankdir})
    for n in nodes:
        dot.node(name=str(id(n)), label=describe(n), shape="record")
        if n._op:
            dot.node(name=str(id(n)) + n._op, label=n._op)
            dot.edge(str(id(n)) + n._op, str(id(n)))
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    return dot


def labelled(n):
    return "{ %s | data %.4f | grad %.4f }" % (n.label, n.data, n.grad)      # noqa: UP031


def unlabelled(n):
    return "{ data %.4f | grad %.4f }" % (n.data, n.grad)       # noqa: UP031


def shown(source):
    """What a picture shows: its texts, and which text an arrow goes from and to."""
    texts, arrows = {}, []
    opening, attributes, *statements, closing = source.splitlines()
    for statement in statements:
        node, arrow = DOT_NODE.fullmatch(statement), DOT_ARROW.fullmatch(statement)
        if node:
            texts[node[1]] = node[2]
        else:
            arrows.append((arrow[1], arrow[2]))
    return opening, attributes, Counter(texts.values()), Counter((texts[a], texts[b]) for a, b in arrows), closing


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
@pytest.mark.parametrize("swept", [False, True])
def test_the_neuron_is_drawn_as_the_notebook_draws_it(learn, rankdir, swept):
    Value = value_class("micrograd_c")
    learn(Value)
    graph = neuron(Value, by_tanh)
    if swept:
        graph.o.backward()
    notebook = shown(notebook_draw_dot(graph.o, labelled, rankdir=rankdir).source)
    assert shown(to_dot(graph.o, rankdir=rankdir)) == notebook
    assert shown(draw_dot(graph.o, rankdir=rankdir).source) == notebook
    assert notebook[3][f"{{ b | data 6.8814 | grad {'0.5000' if swept else '0.0000'} }}", "+"] == 1


def test_without_labels_a_graph_is_drawn_as_the_first_notebook_draws_it():
    Value = value_class("micrograd_c")
    a, b = Value(-4.0), Value(2)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert shown(to_dot(g)) == shown(notebook_draw_dot(g, unlabelled).source)


def test_notebook_code_draws_both_classes_alike(learn):
    pictures = []
    for package in ("micrograd_c", "micrograd"):
        Value = value_class(package)
        learn(Value)
        graph = neuron(Value, by_tanh)
        graph.o.backward()
        pictures.append(shown(notebook_draw_dot(graph.o, labelled).source))
    assert pictures[0] == pictures[1]
