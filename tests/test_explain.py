"""explain: what it says, beside backward(), finite differences and micrograd's own gates; and what it refuses."""

import copy
import math
import pickle
import re
import threading
import xml.etree.ElementTree

import pytest
from conftest import custom_sum, nodes_of
from hypothesis import given
from hypothesis import strategies as st
from programs import Run, programs

import micrograd_c
from micrograd_c import Value, explain, maximum, minimum, no_grad, stop_gradient, vmap, where
from micrograd_c._core.explained.circuit import read_circuit
from micrograd_c._core.explained.expressions import build
from micrograd_c._core.value.copying import in_order
from micrograd_c.nn import MLP

GATES = """\
Forward: each gate computes its value from its operands.
  x = -2
  y = 5
  z = -4
  q = x + y = -2 + 5 = 3
  f = q * z = 3 * (-4) = -12

Backward: each gate multiplies the arriving gradient by its local derivatives and passes it on.
  df/df = 1
  f = q * z
    df/dq = z = -4
    df/dz = q = 3
  q = x + y
    dq/dx = 1
    dq/dy = 1
    df/dx = df/dq * dq/dx = -4 * 1 = -4
    df/dy = df/dq * dq/dy = -4 * 1 = -4

backward() adds to the gradients that are there: set them to zero before each round.
"""
SMOOTH = ["exp", "tanh", "sigmoid", "softplus", "log_sigmoid", "silu", "gelu", "gelu_tanh", "sin", "cos", "expm1"]
leaves = st.one_of(st.sampled_from(["x", "y", "z"]), st.integers(-3, 3).map(lambda n: f"({n})"),
                   st.floats(-2, 2).map(lambda n: f"({round(n, 3)})"))
expressions = st.recursive(leaves, lambda inner: st.one_of(
    st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({' '.join(parts)})"),
    st.tuples(inner, st.sampled_from([2, 3, -1, 0, 1])).map(lambda parts: f"({parts[0]})**{parts[1]}"),
    st.tuples(st.sampled_from([*SMOOTH, "relu", "leaky_relu", "abs"]), inner).map(lambda two: f"{two[0]}({two[1]})"),
    st.tuples(st.sampled_from(["max", "min"]), inner, inner).map(lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"),
), max_leaves=12)
REFUSED = (ArithmeticError, ValueError)
OF_TWO = {"ADD": lambda x, y: x + y, "MUL": lambda x, y: x * y, "POW": lambda x, y: x ** y, "MAXIMUM": maximum,
          "MINIMUM": minimum}


def circuit_of(root):
    return read_circuit(root, None)[0]


def built(text, **numbers):
    used = {name: number for name, number in numbers.items() if re.search(rf"\b{name}\b", text)}
    return build(text, used)


# --- what it says ---

def test_the_two_gates_as_text():
    assert explain("(x + y) * z", x=-2, y=5, z=-4).text() == GATES


def test_a_graph_is_explained_as_its_expression():
    x, y, z = Value(-2), Value(5), Value(-4)
    q = x + y
    f = q * z
    assert str(explain(f)) == GATES


def test_contributions_that_are_added_are_all_shown():
    text = explain("x * y + 4 * x", x=2.0, y=3.0).text()
    assert "df/dx += df/dr * dr/dx = 1 * 4 = 4" in text
    assert "df/dx += df/dq * dq/dx = 1 * 3 = 3" in text
    assert "df/dx = 4 + 3 = 7" in text
    assert "is added (+=)" in text


def test_an_operand_used_twice_by_one_gate_has_a_place_in_each():
    text = explain("x * x", x=3).text()
    assert "∂f/∂x[1] = x = 3" in text
    assert "∂f/∂x[2] = x = 3" in text
    assert "df/dx = 3 + 3 = 6" in text


def test_d_is_for_one_way_and_the_round_one_for_several():
    text = explain("q = x + 1\nf = q * x", x=2).text()
    assert "∂f/∂x = q = 3" in text
    assert "df/dq = x = 2" in text
    assert "df/dx = 3 + 2 = 5" in text


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        ("x.tanh()", "df/dx = 1 - f**2 = 1 - 0.761594**2 = 0.419974"),
        ("x**3", "df/dx = 3 * x**2 = 3 * 1**2 = 3"),
        ("x**0", "df/dx = 0"),
        ("2**x", "df/dx = f * log(2) = 2 * log(2) = 1.38629"),
        ("relu(x)", "df/dx = (1 if x > 0 else 0) = (1 if 1 > 0 else 0) = 1"),
        ("max(x, 1)", "df/dx = (1 if x > 1 else 0.5 if x == 1 else 0) = (1 if 1 > 1 else 0.5 if 1 == 1 else 0) = 0.5"),
        ("stop_gradient(x)", "df/dx = 0"),
        ("1 / x", "dq/dx = -1 * x**(-2) = -1 * 1**(-2) = -1"),
        ("x.leaky_relu(0.2) + gelu(x, 'tanh')", "f = u + v = 1 + 0.841192 = 1.84119"),
    ],
)
def test_local_derivatives_are_written_with_symbols_and_numbers(expression, line):
    assert line in explain(expression, x=1).text()


def test_statements_name_their_gates():
    text = explain("# two gates\nx = -2\ny = Value(5)\nq = x + y\nq += 1\nf = q * z", z=-4).text()
    assert "  q_2 = q + 1 = 3 + 1 = 4\n  f = q_2 * z = 4 * (-4) = -16\n" in text


# --- names ---

def test_names_are_keywords_then_labels_then_variables():
    a, b, c = Value(2.0, label="a label"), Value(3.0, label="b"), Value(4.0)
    total = (a + b) * c
    lines = explain(total, beta=b).text().splitlines()[1:6]
    assert lines == ["  a label = 2", "  beta = 3", "  c = 4", "  q = (a label) + beta = 2 + 3 = 5",
                     "  total = q * c = 5 * 4 = 20"]
    assert "dq/d(a label) = 1" in explain(total).text()


def test_names_are_found_in_lists_and_models():
    weights = [Value(2.0), Value(3.0)]
    model = MLP(1, [1])
    text = explain(weights[0] * model([weights[1]])).text()
    assert "weights[0] = 2" in text
    assert "model.layers.0.neurons.0.w.0 = " in text


def test_no_two_nodes_have_one_name():
    a, b = Value(2.0, label="w"), Value(3.0, label="w")
    assert "f = w * w_2 = 2 * 3 = 6" in explain(a * b).text()


def test_leaves_without_names_are_constants_unless_there_are_no_others():
    x = Value(2.0)
    assert "f = x * 3 = 2 * 3 = 6" in explain(x * Value(3.0)).text()
    assert "f = x1 * x2 = 2 * 3 = 6" in explain(Value(2.0) * Value(3.0)).text()


def test_a_leaf_alone_is_explained_too():
    x = Value(2.0)
    assert "x = 2" in explain(x).text()
    assert "dx/dx = 1" in explain(x).text()


# --- the numbers ---

@given(expressions, st.floats(-2, 2), st.floats(-2, 2), st.floats(0.1, 2))
def test_gradients_are_those_of_backward_to_the_bit(expression, x, y, z):
    try:
        root, _ = built(expression + " + x", x=x, y=y, z=z)
        root.backward()
    except REFUSED:
        return
    circuit, values = read_circuit(root, None)
    expected = [value.grad for value in values]
    assert [node.data for node in circuit.nodes] == [value.data for value in values]
    for node, grad in zip(circuit.nodes, expected):
        assert node.grad == grad or (math.isnan(node.grad) and math.isnan(grad)), expression


def is_at_kink(node, operands):
    """Where the derivative is a choice between two."""
    return (node.rule in ("MAXIMUM", "MINIMUM") and operands[0] == operands[1]) or (
        node.rule in ("relu", "leaky_relu", "abs") and operands[0] == 0)


@given(expressions, st.floats(-2, 2), st.floats(-2, 2), st.floats(0.1, 2))
def test_derivatives_are_those_of_finite_differences(expression, x, y, z):
    numbers = {"x": x, "y": y, "z": z}
    expression += " + x"
    try:
        root, named = built(expression, **numbers)
        circuit, values = read_circuit(root, None)
    except REFUSED:
        return
    numbers_in_it = [number for node in circuit.nodes for number in (node.data, node.grad, *node.locals)]
    if not all(abs(number) < 1e3 for number in numbers_in_it):      # their rounding is more than what is looked for
        return
    if any(is_at_kink(node, [circuit.nodes[place].data for place in node.operands]) for node in circuit.gates()):
        return
    places = {id(value): node for node, value in zip(circuit.nodes, values)}
    for name, leaf in named:
        around = []
        for h in (1e-4, -1e-4, 5e-5, -5e-5):
            try:
                around.append(built(expression, **{**numbers, name: numbers[name] + h})[0].data)
            except REFUSED:
                return
        rough, fine = (around[0] - around[1]) / 2e-4, (around[2] - around[3]) / 1e-4
        left, right = (root.data - around[3]) / 5e-5, (around[2] - root.data) / 5e-5
        if all(map(math.isfinite, around)) and max(map(abs, around)) < 1e3 and abs(rough - fine) < 1e-5 and (
                abs(left - right) < 1e-2):
            assert places[id(leaf)].grad == pytest.approx(fine, rel=1e-3, abs=1e-3)


def again(node, operands):
    """The value of a gate for other operands."""
    if node.rule == "POWER":
        return (Value(operands[0]) ** node.number).data
    if node.rule in OF_TWO:
        return OF_TWO[node.rule](*map(Value, operands)).data
    return getattr(Value(operands[0]), node.rule)().data


@given(expressions, st.floats(-2, 2), st.floats(-2, 2), st.floats(0.1, 2))
def test_local_derivatives_are_those_of_finite_differences(expression, x, y, z):
    try:
        circuit = circuit_of(built(expression + " + x", x=x, y=y, z=z)[0])
    except REFUSED:
        return
    h = 1e-5
    for node in circuit.gates():
        operands = [circuit.nodes[place].data for place in node.operands]
        for slot, local in enumerate(node.locals):
            values = []
            for step in (-h, 0, h):
                moved = [data + step * (k == slot) for k, data in enumerate(operands)]
                try:
                    values.append(again(node, moved))
                except REFUSED:
                    break
            if len(values) < 3 or not all(abs(value) < 1e3 for value in [*values, *operands]):
                continue
            left, right = (values[1] - values[0]) / h, (values[2] - values[1]) / h
            if abs(left - right) < 1e-2 * max(1, abs(left)):    # no kink there
                assert local == pytest.approx((left + right) / 2, rel=1e-2, abs=1e-3), (node.op, operands)


@pytest.mark.parametrize(
    ("expression", "numbers"),
    [("sqrt(where(0, x, y))", {"x": 2.0, "y": 0.0}), ("sqrt(where(1, y, x))", {"x": 2.0, "y": 0.0}),
     ("sqrt(max(x, y))", {"x": -2.0, "y": 0.0}), ("sqrt(min(x, y))", {"x": 2.0, "y": 0.0})],
)
def test_what_is_not_chosen_gets_nothing_even_of_an_infinite_gradient(expression, numbers):
    root, named = built(expression, **numbers)
    circuit, values = read_circuit(root, None)
    grads = {id(value): node.grad for node, value in zip(circuit.nodes, values)}
    assert {name: grads[id(leaf)] for name, leaf in named} == {"x": 0.0, "y": math.inf}


@given(programs)
def test_any_graph_is_explained_with_its_own_gradients(program):
    runner = Run(Value)
    runner.execute([step for step in program if step[0] not in ("custom", "override")])
    for root in runner.live:
        nodes = in_order(nodes_of(root))
        before = [(node.data, node.grad) for node in nodes]
        try:
            circuit, values = read_circuit(root, None)
        except REFUSED:
            continue        # a power's slope that raises in backward(), too
        assert [id(value) for value in values] == [id(node) for node in nodes]
        assert repr([(node.data, node.grad) for node in nodes]) == repr(before)
        for node in nodes:
            node.grad = 0
        root.backward()
        for node, value in zip(circuit.nodes, values):
            assert node.grad == value.grad or math.isnan(node.grad), (node.name, node.op)
        assert explain(root, limit=None).text()


def test_nothing_of_the_graph_changes():
    x = Value(2.0, label="x")
    y = x * 3 + x
    y.backward()
    before = [(v.data, v.grad, v._op, v._prev) for v in in_order(nodes_of(y))]
    explanation = explain(y)
    for form in ("text", "html", "svg", "latex"):
        getattr(explanation, form)()
    assert [(v.data, v.grad, v._op, v._prev) for v in in_order(nodes_of(y))] == before


def test_a_neuron_is_its_products_and_sums():
    model = MLP(2, [2, 1])
    out = model([1.0, -2.0])
    circuit = circuit_of(out)
    out.backward()
    leaves = {(node.data, node.grad) for node in circuit.nodes if not node.operands}
    assert {(p.data, p.grad) for p in model.parameters()} <= leaves


def test_data_that_was_changed_since_is_told():
    x, y = Value(2.0), Value(3.0)
    f = x * y
    x.data = 5.0
    assert "f = x * y = 5 * 3; it was computed as 6, before an operand was changed" in explain(f).text()
    assert "df/dy = x = 5" in explain(f).text()


# --- ops of users ---

def test_an_op_with_local_gradients_is_explained_by_its_numbers():
    x = Value(2.0)
    f = Value(7.0, (x,), (1.5,)) * 2
    text = explain(f).text()
    assert "q = op(x) = 7" in text
    assert "dq/dx = 1.5 (given by the author of the op)" in text
    assert "df/dx = df/dq * dq/dx = 2 * 1.5 = 3" in text


def test_a_name_of_an_op_that_says_something_else_is_not_believed():
    x = Value(2.0)
    f = Value(7.0, (x,), (1.5,)) * 2
    (operand,) = (v for v in f._children if v._prev)
    operand._op = "tanh"
    assert "operand = tanh(x) = 7" in explain(f).text()
    assert "doperand/dx = 1.5 (given" in explain(f).text()


def test_functions_of_users_are_not_called():
    x = Value(2.0)
    out = custom_sum(x, x)
    out._backward = lambda: pytest.fail("it was called")
    with pytest.raises(ValueError, match=r"'sum': the local gradients .*; make it as Value\(data, children, local_gr"):
        explain(out * 2)


def test_an_op_whose_operands_were_replaced_is_refused():
    x = Value(2.0)
    f = x * 3
    f._prev = (x,)
    with pytest.raises(ValueError, match=r"cannot explain the node '\*': .* known to its _backward only"):
        explain(f)


def test_a_value_that_was_initialised_again_is_not_looked_for_below():
    a, b = Value(1.0), Value(2.0)
    y = a * b
    assert len(y._prev) == 2
    a.__init__(5.0)
    assert "y = " in explain(y).text()


def test_a_run_of_vmap_is_refused():
    w = Value(3.0)
    losses = vmap(lambda x: x * w)([1.0, 2.0])
    with pytest.raises(ValueError, match=r"a run of vmap has no local gradients.*; explain one row, without vmap"):
        explain(losses.mean())


# --- with the rest of the package ---

def test_a_value_of_a_trace_cannot_be_explained():
    with pytest.raises(micrograd_c.TraceError):
        vmap(lambda x: [explain(x * x), x][1])([1.0, 2.0])


def test_what_no_grad_has_left_is_a_leaf():
    x = Value(2.0)
    with no_grad():
        y = x * 3
        with pytest.raises(ValueError, match="under no_grad nothing is recorded"):
            explain("x * y", x=1, y=2)
    assert "f = x * y = 2 * 6 = 12" in explain(x * y).text()


def test_copies_and_subclasses_are_explained_alike():
    class Mine(Value):
        pass

    x, y = Mine(2.0, label="x"), Mine(5.0, label="y")
    f = (x + y) * x
    assert explain(copy.deepcopy(f)).text() == explain(f).text()
    assert "q = x + y = 2 + 5 = 7" in explain(f).text()


def test_an_explanation_is_plain_data():
    explanation = explain("x * y", x=2, y=3)
    for same in (copy.deepcopy(explanation), pickle.loads(pickle.dumps(explanation))):
        assert same.text() == explanation.text()
    assert repr(explanation) == "<Explanation of f, 1 gates>"


def test_threads_explain_at_the_same_time():
    texts = []
    threads = [threading.Thread(target=lambda: texts.append(explain("(x + y) * z", x=-2, y=5, z=-4).text()))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [GATES] * 8


def test_choices_are_explained():
    a, b = Value(2.0), Value(3.0)
    text = explain(where(a, maximum(a, b), stop_gradient(b))).text()
    assert "s = (q if a != 0 else 0) = (3 if 2 != 0 else 0) = 3" in text


# --- graphs too large ---

def test_the_values_computed_last_are_explained_with_whole_gradients():
    x = Value(1.0)
    v = x
    for _ in range(1000):
        v = v + x
    text = explain(v, limit=5).text()
    assert text.startswith("5 of 1,001 Values, those computed last; limit=None explains all. "
                           "The graph has 1,000 +, 1 without op.")
    assert len(re.findall(r"^  \S+ = \S+ \+ x", text.partition("Backward")[0], re.MULTILINE)) == 5
    assert "dv/dx += dv/dv * " in text
    assert not re.search(r"dv/dx = ", text)       # a part of the sum only


def test_a_graph_of_a_hundred_thousand_gates_is_explained_in_part():
    v = Value(1.0)
    for _ in range(100_000):
        v = v * 1.0
    assert explain(v).text().startswith("500 of 200,001 Values")


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 30])
def test_what_is_explained_in_part_is_what_is_explained_in_full(limit):
    model = MLP(3, [4, 1])
    loss = (model([1.0, 2.0, -1.0]) - 1) ** 2
    part, whole = explain(loss, limit=limit).text(), explain(loss).text()
    assert part.startswith(f"{limit} of ")
    numbers, theirs = (
        [line.rpartition(" = ")[2] for line in re.findall(r"^ {4}.*$", text.partition("Backward")[2], re.MULTILINE)]
        for text in (part, whole)
    )
    assert numbers == theirs[:len(numbers)]


def test_a_deep_graph_is_explained_in_full_without_recursion():
    v = Value(1.0, label="x")
    for _ in range(2000):
        v = v * 0.999 + 0.001
    explanation = explain(v, limit=None)
    assert explanation.text().count("\n    d") == 2 * 4000 - 1
    xml.etree.ElementTree.fromstring(explanation.svg())


# --- what is refused ---

@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("x +", SyntaxError, "the expression is not Python: invalid syntax"),
        ("", ValueError, "the expression is empty"),
        ("# nothing", ValueError, "the expression is empty"),
        ("x\0y", (ValueError, SyntaxError), "null bytes"),
        ("__import__('os').system('echo')", ValueError, "calls system, which is none of abs, acos, asin, "),
        ("open('x')", ValueError, r"`open\('x'\)` calls open, which is none of"),
        ("x.__class__", ValueError, "`x.__class__` is not an operator or function of Value"),
        ("x.data", ValueError, "`x.data` is not an operator"),
        ("x.backward()", ValueError, "calls backward, which is none of"),
        ("[x]", ValueError, r"`\[x\]` is not an operator"), ("x if x else 1", ValueError, "is not an operator"),
        ("lambda: x", ValueError, "`lambda ?: x` is not an operator"), ("x // 2", ValueError, "`x // 2` is not an op"),
        ("x @ x", ValueError, "is not an operator"), ("x < 1", ValueError, "is not an operator"),
        ("~x", ValueError, "is not an operator"), ("not x", ValueError, "is not an operator"),
        ("'x' + x", ValueError, "`'x'` is not a number"), ("True + x", ValueError, "`True` is not a number"),
        ("x + 1j", ValueError, "`1j` is not a number"), ("x + (-8)**0.5", ValueError, "is not a real number"),
        ("x * (y := 2)", ValueError, "is not an operator"), ("f'{x}'", ValueError, "is not an operator"),
        ("tanh(x, 1)", ValueError, "wants 1 operand, not 2"), ("max(x)", ValueError, "wants 2 operands, not 1"),
        ("tanh(*x)", ValueError, "arguments by keyword or by"), ("x.gelu(approximate=1)", ValueError, "by keyword"),
        ("(lambda: x)()", ValueError, "is not a function's name"),
        ("import os", ValueError, "`import os` is neither an expression nor"),
        ("for i in x: pass", ValueError, "is neither an expression nor"),
        ("x\ny = x", ValueError, "`x` is not used: only the last line"),
        ("y = x\nz.a = y", ValueError, "`z.a` cannot be assigned to: only names can, in line 2"),
        ("y = x\ny +", SyntaxError, "invalid syntax, in line 2"),
        ("x = 3", ValueError, "gives x another number than it was given"),
        ("x + y", NameError, "y has no number: give it one, y=1.0"),
        ("3 + 4", ValueError, "x is given a number, but the expression does not use it"),
        ("y = 3", ValueError, "x is given a number"),
        ("(" * 500 + "x" + ")" * 500, (ValueError, SyntaxError), "nested"),
        pytest.param("-" * 100_000 + "x", ValueError, "nested too deeply", id="deep to the right"),
        pytest.param("x" + " + x" * 100_000, ValueError, "nested too deeply", id="deep to the left"),
        ("x / 0", ZeroDivisionError, "`x / 0` divides by 0"), ("1 / 0 * x", ZeroDivisionError, "`1 / 0` divides by 0"),
        ("1 + 2 / (x - 2)", ZeroDivisionError, r"`2 / \(x - 2\)` divides by 0"), ("log(x - x)", ValueError, "log"),
        ("x * 9**9**9**9", OverflowError, r"`9 \*\* 9 \*\* 9` is too large for a float"),
        ("(x * 1e200) ** 2", OverflowError, "is too large for a float"), ("exp(x * 1e3)", OverflowError, "exp"),
    ],
)
def test_what_is_not_an_expression_is_refused_in_one_sentence(text, error, message):
    with pytest.raises(error, match=message) as raised:
        explain(text, x=2)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("x ^ 2", r"`x \^ 2` is not an operator or function of Value: a power is written \*\*"),
        ("2x + 1", r"a product is written with \*, as in 2 \* x"), ("x + 2.5x", r"as in 2.5 \* x"),
        ("x(x + 1)", r"`x\(x \+ 1\)` is not a function of Value: a product is written with \*"),
        ("(x + 1)(x - 1)", r"a product is written with \*"), ("2(x + 1)", r"a product is written with \*"),
        ("math.exp(x)", r"`math.exp\(x\)` calls math.exp: write exp"), ("np.tanh(x)", "calls np.tanh: write tanh"),
        ("np.maximum(x, 1)", "calls np.maximum: write maximum"), ("ln(x)", "calls ln: the natural logarithm is log"),
        ("where(x > 0, x, 1)", "`x > 0` is not an operator .*: a condition is a number, true unless 0"),
        ("e**x", "e has no number: give it one, e=2.718281828459045"), ("pi * x", "give it one, pi=3.14159265358979"),
    ],
)
def test_a_slip_that_many_make_is_refused_with_what_to_write(text, advice):
    with pytest.raises((ValueError, NameError, SyntaxError), match=advice) as raised:
        explain(text, x=2)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "same"),
    [("x \N{MULTIPLICATION SIGN} y", "x * y"), ("x·y", "x * y"), ("x ÷ y", "x / y"), ("x \N{MINUS SIGN} y", "x - y"),
     ("x² + y³", "x**2 + y**3"), ("\ufeffx * y", "x * y"), ("（x＋y）＊２", "(x + y) * 2"),     # noqa: RUF001
     ("max（x，y）", "max(x, y)"), ("ｘ／y－x", "x / y - x")],      # noqa: RUF001
)
def test_signs_of_books_and_of_full_width_keyboards_are_read(text, same):
    assert explain(text, x=2, y=3).text() == explain(same, x=2, y=3).text()


def test_a_statement_that_does_not_lead_to_the_result_is_left_out():
    assert explain("unused = x * 3\nf = x * 4", x=2).text() == explain("f = x * 4", x=2).text()


def test_a_last_line_that_nothing_leads_to_is_refused():
    with pytest.raises(ValueError, match="the last line computes nothing: end with the expression to explain"):
        explain("x = 2\nf = x * 4\nz = 3")


def test_numbers_without_a_variable_have_no_derivative():
    with pytest.raises(ValueError, match="has no variable: there is nothing to take a derivative with respect to"):
        explain("3 + 4")


@pytest.mark.parametrize("number", ["2", None, True, [1.0], 1j])
def test_only_numbers_are_given(number):
    with pytest.raises(TypeError, match="x must be a number, not of type"):
        explain("x * x", x=number)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="x is nan"):
        explain("x * x", x=math.nan)


@pytest.mark.parametrize("thing", [None, 3.0, [Value(1.0)]])
def test_only_values_and_texts_are_explained(thing):
    with pytest.raises(TypeError, match=f"explain wants a Value, or an expression as text, not {type(thing).__name__}"):
        explain(thing)


def test_a_keyword_names_a_value():
    with pytest.raises(TypeError, match="w must be a Value of the graph, whose name it is to be, not float"):
        explain(Value(1.0), w=2.0)
    with pytest.raises(ValueError, match="w is not a Value of this graph"):
        explain(Value(1.0) * 2, w=Value(2.0))


def test_of_a_part_of_a_graph_it_is_said_which_gradients_are_not_whole():
    x = v = Value(2.0)
    for _ in range(100):
        v = v * x
    note = "A gradient with += but without a sum gets more from gates that are left out."
    assert note in explain(v, limit=5).text()
    assert note not in explain(v).text()


def test_a_keyword_may_name_what_a_limit_leaves_out():
    x = v = Value(1.0)
    for _ in range(100):
        v = v + 1
    assert "x = " not in explain(v, limit=5, x=x).text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lang": "xx"}, "lang must be one of en, zh-TW, not 'xx'"), ({"lang": None}, "not None"),
        ({"lang": "../en"}, "must be one of"), ({"digits": 0}, "digits must be"), ({"digits": 2.0}, "digits must be"),
        ({"limit": 0}, "limit must be"), ({"limit": "5"}, "limit must be"), ({"digits": True}, "digits must be"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        explain("x * x", x=1.0, **options)


def test_variables_may_be_named_as_options_are():
    assert "f = html * digits = 2 * 3 = 6" in explain("html * digits", names={"html": 2, "digits": 3}).text()


def test_digits_are_those_asked_for():
    assert "f = x / 1" not in explain("x * 3", x=1 / 3, digits=3).text()
    assert "x = 0.333\n" in explain("x * 3", x=1 / 3, digits=3).text()
    assert "x = 0.33333333333333331\n" in explain("x * 3", x=1 / 3, digits=17).text()
