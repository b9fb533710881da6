"""gradients(output, inputs): derivatives of a graph that is there, which leave it as it was."""

import copy
import gc
import threading
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_c import gradients, maximum, no_grad, stop_gradient, sumprod, tape, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import MLP
from micrograd_c.optim import Adam


def graph():
    x, y = Value(2.0), Value(-3.0)
    return (x ** 3 * y).exp() * 0.01 + x * y, x, y


def snapshot(root):
    """Everything that could tell of a sweep, of all nodes below."""
    seen, todo = {}, [root]
    while todo:
        node = todo.pop()
        if id(node) not in seen:
            seen[id(node)] = (node, node.data, node.grad, type(node.grad), node._op)
            todo += node._prev
    return {key: entry[1:] for key, entry in seen.items()}, [entry[0] for entry in seen.values()]


def test_they_are_those_of_backward():
    root, x, y = graph()
    found = gradients(root, [x, y])
    assert all(type(one) is float for one in found)
    root.backward()
    assert found == [x.grad, y.grad]


@pytest.mark.parametrize("create_graph", [False, True])
def test_no_grad_of_anything_changes(create_graph):
    root, x, y = graph()
    x.grad, y.grad = 5, None
    for node in root._prev:
        node.grad = -0.0
    before, kept = snapshot(root)
    gradients(root, [x, y], create_graph=create_graph)
    assert snapshot(root)[0] == before
    assert kept
    tape.verify()


def test_what_is_below_the_inputs_keeps_its_gradients_too():
    a = Value(2.0)
    b = a * 3
    c = b * b + a
    a.grad, b.grad = 7, 8.5
    assert gradients(c, [b]) == [12.0]
    assert (a.grad, b.grad, c.grad) == (7, 8.5, 0)


def test_an_input_may_be_anything_in_the_graph():
    a = Value(2.0)
    b = a * 3
    c = b * b * a
    assert gradients(c, [c, b, a]) == [1.0, 24.0, 108.0]
    assert [one.data for one in gradients(c, [c, b, a], create_graph=True)] == [1.0, 24.0, 108.0]


@pytest.mark.parametrize("create_graph", [False, True])
def test_what_does_not_lead_to_the_output_has_a_derivative_of_0(create_graph):
    x, other, later = Value(2.0), Value(1.0), None
    y = x * 3
    later = Value(1.0)
    found = gradients(y, [other, later, x, x], create_graph=create_graph)
    assert [float(one) for one in found] == [0.0, 0.0, 3.0, 3.0]
    assert gradients(y, [], create_graph=create_graph) == []


def test_a_slope_that_raises_is_not_asked_for_where_it_leads_nowhere():
    x, zero = Value(2.0), Value(0.0)
    y = x * (1 + zero ** 0.5)
    assert gradients(y, [x]) == [1.0]
    assert gradients(y, [x], create_graph=True)[0].data == 1.0
    for create_graph in (False, True):
        x.grad = 3
        with pytest.raises(ZeroDivisionError):
            gradients(y, [x, zero], create_graph=create_graph)
        assert (x.grad, zero.grad, y.grad) == (3, 0, 0)
    tape.verify()


def test_derivatives_of_any_order():
    x = Value(1.5)
    y = x ** 5
    for factor, power in ((5, 4), (20, 3), (60, 2), (120, 1), (120, 0), (0, 0)):
        (y,) = gradients(y, [x], create_graph=True)
        assert y.data == pytest.approx(factor * 1.5 ** power)
    assert x.grad == 0


def test_recorded_gradients_are_swept_by_backward_as_any_other_values():
    x, w = Value(2.0), Value(3.0)
    (slope,) = gradients((w * x) ** 2, [x], create_graph=True)     # 2 w^2 x
    assert slope.data == 36.0
    (slope ** 2).backward()
    assert (x.grad, w.grad) == (2 * 36.0 * 18.0, 2 * 36.0 * 24.0)


def test_a_gradient_is_a_value_of_its_own_although_it_equals_an_operand():
    x, w = Value(2.0), Value(3.0)
    one, other = gradients(x * w + x * w, [x, x], create_graph=True)
    assert one is not other
    (same,) = gradients(x * w, [x], create_graph=True)
    assert same is not w
    assert same.data == 3.0


def test_a_gradient_is_no_node_of_the_graph_whose_value_is_gone():
    x, w = Value(2.0), Value(1.5)
    y = x * (w + 1.5)
    (found,) = gradients(y, [x], create_graph=True)
    assert found.data == 3.0
    assert all(operand is not found for operand in y._prev)
    found.data = 100.0
    y.backward()
    assert x.grad == 3.0


def test_ops_are_told_apart_wherever_they_are_kept():
    """In a hash table: of so many, some are found beside others."""
    for count in range(300, 330):
        xs = [Value(k / count) for k in range(count)]
        total = sum(x.sin() + x.cos() + x.sinh() + x.cosh() for x in xs)
        numbers = gradients(total, xs)
        assert [one.data for one in gradients(total, xs, create_graph=True)] == pytest.approx(numbers, rel=1e-12)


def test_structural_zeros_leave_no_nodes():
    xs = [Value(float(k)) for k in range(50)]
    y = sumprod(xs[:2], xs[:2])
    before = tape.stats()["nodes"]
    gradients(y, xs, create_graph=True)
    assert tape.stats()["nodes"] - before < 60


def test_a_chain_of_a_million_ops():
    x = Value(1.0)
    y = x
    for _ in range(1_000_000):
        y = y * 1.0000001
    assert gradients(y, [x])[0] == pytest.approx(1.1051709)
    (slope,) = gradients(y, [x], create_graph=True)
    assert slope.data == pytest.approx(1.1051709)
    assert x.grad == 0


# --- ops of all kinds ---

def test_neurons_stay_dots_and_their_gradients_as_they_were():
    model = MLP(3, [8, 8, 1])
    parameters = model.parameters()
    loss = model([0.2, -0.5, 1.0]) ** 2
    found = gradients(loss, parameters)
    assert gradients(loss, parameters) == found
    assert not any(parameter.grad for parameter in parameters)
    loss.backward()
    assert [parameter.grad for parameter in parameters] == found
    assert gradients(loss, parameters) == found     # of dots that were swept
    assert [one.data for one in gradients(loss, parameters, create_graph=True)] == pytest.approx(found, rel=1e-13)
    assert [parameter.grad for parameter in parameters] == found
    tape.verify()


@pytest.mark.parametrize("inputs", ["numbers", "Values"])
@pytest.mark.parametrize("changed", [False, True])
def test_of_any_one_parameter_of_a_network(inputs, changed):
    """Those of the same neuron that are older than it are below the part of the tape that is swept."""
    model = MLP(2, [3, 1], activation="tanh")
    x = [0.5, -2] if inputs == "numbers" else [Value(0.5), Value(-2)]
    root = model(x)
    if changed:
        model.parameters()[4].data = 0.75
    before = [(p.data, p.grad) for p in model.parameters()]
    found = [gradients(root, [p])[0] for p in model.parameters()]
    assert [(p.data, p.grad) for p in model.parameters()] == before
    root.backward()
    assert [p.grad for p in model.parameters()] == pytest.approx(found, rel=1e-15)
    assert root.grad == 1


def test_backward_after_gradients_gives_hidden_nodes_what_it_would_without():
    def hidden(asks):
        model = MLP(1, [1, 1], activation="tanh")
        for k, parameter in enumerate(model.parameters()):
            parameter.data = 0.3 + k
        loss = model([0.5])
        if asks:
            gradients(loss, model.parameters())
        loss.backward()
        nodes, todo = [], [loss]
        while todo:
            node = todo.pop()
            nodes.append((node._op, node.data, node.grad))
            todo += node._children
        return nodes
    assert hidden(True) == hidden(False)


def test_local_gradients_are_constants():
    x = Value(2.0)
    y = Value(8.0, (x,), (12.0,))
    assert gradients(y * x, [x]) == [32.0]
    (slope,) = gradients(y * x, [x], create_graph=True)         # 12 x + y
    assert slope.data == 32.0
    assert gradients(slope, [x]) == [24.0]


def custom(x, calls):
    out = Value(x.data ** 2, (x,), "square")

    def backward():
        calls.append(out.grad)
        x.grad += 2 * x.data * out.grad
    out._backward = backward
    return out


def test_a_users_backward_is_called_and_leaves_nothing_behind():
    calls = []
    w = Value(4.0)
    x = Value(3.0)
    y = custom(x * w, calls) * 10
    x.grad, w.grad = 1.5, None
    assert gradients(y, [x, w]) == [960.0, 720.0]
    assert calls == [10.0]
    assert (x.grad, w.grad, y.grad) == (1.5, None, 0)
    tape.verify()


def test_what_a_users_backward_adds_to_below_the_inputs_is_put_back():
    bottom = Value(5.0)
    below = bottom * 2.0
    x = Value(3.0)
    y = Value(30.0, (x, below), "product")

    def backward():
        x.grad += below.data * y.grad
        below.grad += x.data * y.grad
    y._backward = backward
    bottom.grad, below.grad = 7, 8.5
    assert gradients(y * 2, [x]) == [20.0]
    assert (bottom.grad, below.grad, x.grad) == (7, 8.5, 0)


def own(children, backward):
    out = Value(6.0, children, "own")
    out._backward = lambda: backward(out)
    return out


def test_what_a_users_backward_does_besides_adding_to_gradients_stays():
    w, exact, near, operand = Value(3.0), Value(5), Value(5.0), Value(2.0)
    hooked = operand * 2
    tagged = [Value(float(k)) for k in range(3)]

    def add_100():
        operand.grad += 100

    def backward(out):
        w.grad += out.grad
        exact.data, near.data, hooked._backward, tagged[1].tag = 2.5, 7, add_100, [len]

    assert gradients(own((w, exact, near, hooked, *tagged), backward), [w]) == [1.0]
    tape.verify()
    assert [repr(one.data) for one in (exact, exact + 0, near, near + 0)] == ["2.5", "2.5", "7", "7"]
    total = sumprod(tagged, [1.0, 2.0, 3.0])
    reference = weakref.ref(tagged[1])
    tagged.clear()
    gc.collect()
    assert reference().tag == [len]
    total.backward()
    assert reference().grad == 2.0
    (hooked * 1).backward()
    assert operand.grad == 100


def test_a_users_backward_may_give_roots_and_inputs_other_nodes(run_python):
    run_python("""
from micrograd_c import Value, jacrev, tape
kept = []
def f(x):
    first, second = Value(x.data * 2, (x,), "own"), x * 3
    def backward():
        x.grad += 2 * first.grad
        kept.append([Value(0.0) for _ in range(100_000)])
        second.__init__(5.0)
        x.__init__(1.0)
    first._backward = backward
    return [first, second]
assert jacrev(f)(1.0) == [2.0, 3.0]
tape.verify()
""")


@pytest.mark.parametrize("children", [(), "others"])
def test_assigned_operands_do_not_hide_what_the_op_adds_to(children):
    x, w, other = Value(2.0), Value(3.0), Value(5.0)
    y = x * w
    y._prev = (other,) if children else ()
    z = y * 2
    assert gradients(z, [x, w, other]) == [6.0, 4.0, 0.0]
    with pytest.raises(TypeError, match="_backward of your own"):
        gradients(z, [x], create_graph=True)
    z.backward()
    assert (x.grad, w.grad, other.grad) == (6.0, 4.0, 0)


def test_nobody_goes_below_the_inputs_or_beside_them():
    def fail(out):
        raise LookupError("below")

    z = own((Value(2.0),), fail)
    beside = own((Value(1.0),), fail)

    def square(out):
        z.grad += 2 * z.data * out.grad

    assert gradients(own((z, beside), square), [z]) == [12.0]
    wall = Value(0.0) ** 0.5        # whose slope raises
    assert gradients(own((z,), square) * (wall + 1), [z]) == [12.0]


def test_a_users_backward_cannot_be_recorded_unless_it_leads_nowhere():
    x, other = Value(3.0), Value(1.0)
    y = custom(x, []) * other
    with pytest.raises(TypeError, match=r"the op 'square' has a _backward of your own.*local gradients"):
        gradients(y, [x], create_graph=True)
    assert gradients(y, [other], create_graph=True)[0].data == 9.0
    z = x * 2
    z._backward = lambda: None
    with pytest.raises(TypeError, match=r"the op '\*' has a _backward"):
        gradients(z + x, [x], create_graph=True)
    assert gradients(z + x, [x]) == [1.0]


def test_a_users_backward_that_raises_leaves_gradients_as_they_were():
    x = Value(3.0)
    y = Value(9.0, (x,), "fails")

    def backward():
        x.grad += 5
        raise LookupError("mine")
    y._backward = backward
    z = y * 2
    x.grad = 7
    with pytest.raises(LookupError, match="mine"):
        gradients(z, [x])
    assert (x.grad, y.grad, z.grad) == (7, 0, 0)
    tape.verify()


def test_a_run_of_vmap():
    w, v = Value(2.0), Value(5.0)
    total = vmap(lambda x: w * x * x)([1.0, 2.0]).sum() * v
    w.grad = 3
    assert gradients(total, [w, v]) == [25.0, 10.0]
    assert (w.grad, v.grad) == (3, 0)
    (of_w,) = gradients(total, [w], create_graph=True)
    assert of_w.data == 25.0
    assert gradients(of_w, [w, v]) == [0.0, 5.0]
    assert gradients(total, [v], create_graph=True)[0].data == 10.0
    total.backward()
    assert (w.grad, v.grad) == (28.0, 10.0)
    tape.verify()


def test_two_outputs_of_a_run_of_which_one_is_asked():
    w = Value(1.0)
    a, b = vmap(lambda x: (x * w, (x * w).sqrt()))([0.0, 1.0])
    first, second = a.sum(), b.sum()
    assert gradients(first, [w]) == [1.0]
    assert gradients(second, [w]) == [float("inf")] or gradients(second, [w])[0] != gradients(second, [w])[0]
    assert gradients(first, [w]) == [1.0]
    assert w.grad == 0


def test_stop_gradient_and_maximum():
    x = Value(3.0)
    y = maximum(x, 1.0) * stop_gradient(x * x)
    assert gradients(y, [x]) == [9.0]
    (slope,) = gradients(y, [x], create_graph=True)
    assert slope.data == 9.0
    assert gradients(slope, [x]) == [0.0]


# --- crossings ---

def test_no_grad_does_not_matter_to_the_graph_that_is_there():
    root, x, y = graph()
    with no_grad():
        numbers = gradients(root, [x, y])
        values = gradients(root, [x, y], create_graph=True)
        assert not (x * x)._prev
    assert [one.data for one in values] == pytest.approx(numbers)
    assert gradients(values[0], [x])[0] != 0.0
    assert gradients(Value(1.0) * x, [x]) == [1.0]


def test_results_keep_alive_what_they_are_computed_from():
    class Named(Value):
        pass
    x = Named(2.0)
    x.notes = ["mine"]
    (slope,) = gradients(x ** 3, [x], create_graph=True)
    del x
    gc.collect()
    todo, found = [slope], []
    while todo:
        node = todo.pop()
        found += getattr(node, "notes", [])
        todo += node._prev
    assert set(found) == {"mine"}


def test_a_recorded_gradient_can_be_copied_and_drawn():
    from micrograd_c.viz import to_dot
    x = Value(2.0)
    (slope,) = gradients(maximum(x, 1.0) ** 3, [x], create_graph=True)
    twin = copy.deepcopy(slope)
    assert twin.data == slope.data == 12.0
    assert "above" in to_dot(slope)
    (slope * 1).backward()
    assert x.grad == 12.0


def test_other_threads_may_compute_meanwhile():
    stop, failures = [], []

    def work():
        while not stop:
            root, x, y = graph()
            x.grad = 1
            if gradients(root, [x, y]) != gradients(root, [x, y]) or x.grad != 1:
                failures.append(x)
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    root, x, y = graph()
    wanted = gradients(root, [x, y])
    for _ in range(300):
        assert gradients(root, [x, y]) == wanted
        assert [one.data for one in gradients(root, [x, y], create_graph=True)] == pytest.approx(wanted, rel=1e-14)
    stop.append(True)
    for thread in threads:
        thread.join()
    assert not failures
    tape.verify()


def test_a_training_step_may_use_them_for_a_penalty():
    model = MLP(2, [4, 1], activation="tanh")
    optimizer = Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        x = [Value(0.3), Value(-0.4)]
        slopes = gradients(model(x), x, create_graph=True)
        loss = (slopes[0] - 1.0) ** 2 + (slopes[1] + 2.0) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize(("arguments", "error", "said"), [
    ((1.0, [Value(1.0)]), TypeError, "wants a Value to differentiate, not 1.0"),
    ((Value(1.0), [1.0]), TypeError, "wants Values to differentiate with respect to, not 1.0"),
    ((Value.__new__(Value), [Value(1.0)]), AttributeError, "no data yet"),
    ((Value(1.0), [Value.__new__(Value)]), AttributeError, "no data yet"),
])
def test_mistakes_are_told(arguments, error, said):
    with pytest.raises(error, match=said):
        gradients(*arguments)


steps = st.lists(st.tuples(st.sampled_from(["+", "*", "max", "exp", "tanh", "dot", "sin", "power"]), st.integers(0, 99),
                           st.integers(0, 99)), min_size=1, max_size=25)


@given(steps, st.lists(st.floats(-1.5, 1.5), min_size=2, max_size=4), st.integers(0, 5))
def test_random_graphs_are_backwards_and_recorded_sweeps_and_leave_everything_as_it_was(program, numbers, chosen):
    values = [Value(number) for number in numbers]
    for name, i, j in program:
        a, b = values[i % len(values)], values[j % len(values)]
        values.append({
            "+": lambda a=a, b=b: a + b, "*": lambda a=a, b=b: a * b, "max": lambda a=a, b=b: maximum(a, b),
            "exp": lambda a=a: (a * 0.1).tanh().exp(), "tanh": lambda a=a: a.tanh(), "sin": lambda a=a: a.sin(),
            "power": lambda a=a: a ** 2, "dot": lambda a=a, b=b: sumprod([a, b, a], [b, 0.5, a], 0.1),
        }[name]())
    if not all(abs(value.data) < 1e100 for value in values):
        return
    root, inputs = values[-1] * 1.0, [*values[:len(numbers)], values[chosen % len(values)]]
    for k, value in enumerate(values):
        value.grad = k
    found = gradients(root, inputs)
    recorded = gradients(root, inputs, create_graph=True)
    assert [value.grad for value in values] == list(range(len(values)))
    for value in values:
        value.grad = 0
    root.backward()
    assert found == [value.grad for value in inputs]
    assert [one.data for one in recorded] == pytest.approx(found, rel=1e-11, abs=1e-11)
    tape.verify()
