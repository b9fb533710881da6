"""Errors, users' functions, other ops and threads between layers leave what their spelling leaves."""

import threading

import pytest
from networks import custom
from spelled import COMPILED, agree, agree_with_original

from micrograd_c import no_grad, tape, viz
from micrograd_c._core.value import copying


def test_an_error_in_a_slope_below_a_layer_changes_no_more_than_in_the_spelling():
    def program(way):
        model, base = way.MLP(2, [3, 2]), way.Value(2.0)
        outputs = model([base**-1, base * 3])
        loss = outputs[0] + outputs[1]
        base.data = 0.0
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                loss.backward()
            yield [p.grad for p in [*model.parameters(), base, *outputs]]
        base.data = 4.0
        loss.backward()
        yield way.graph(loss)
        base.data = 0.0
        with pytest.raises(ZeroDivisionError):
            loss.backward()
        yield way.graph(loss)

    agree(program)


def test_an_error_in_a_users_function_between_layers_leaves_the_graph_usable():
    def program(way):
        below, above, x = way.Layer(2, 3), way.Layer(3, 2), [way.Value(1), way.Value(2.5)]
        hidden = below(x)
        loss = sum(above(hidden))

        def fail():
            raise KeyError("mine")

        native, hidden[1]._backward = hidden[1]._backward, fail
        with pytest.raises(KeyError):
            loss.backward()
        yield [p.grad for p in below.parameters() + above.parameters()]
        hidden[1]._backward = native
        loss.backward()
        yield way.graph(loss)

    agree(program)


def test_a_call_that_fails_leaves_graphs_as_they_were():
    def program(way):
        model = way.MLP(2, [3, 2])
        loss = sum(model([1.0, way.Value(2)]))
        before = repr(way.graph(loss))
        for wrong in ([1.0, "x"], [None, 2.0], [[1.0], 2.0]):
            with pytest.raises(TypeError):
                model(wrong)
        if way is COMPILED:     # which alone wants the right length
            with pytest.raises(ValueError, match="2 weights was given 1 input"):
                model([1.0])
        loss.backward()
        yield before, way.graph(loss)

    agree(program)


def test_a_users_function_may_fill_the_tape_and_train_another_network():
    def program(way):
        model = way.MLP(2, [3, 2])
        outputs = model([1.0, way.Value(2)])
        hidden = next(v for v in way.order(outputs[0]) if v._op == "ReLU")
        native, seen = hidden._backward, []

        def inner():
            other = way.MLP(2, [3, 1])
            out = sum((other([0.5, hidden.data]) for _ in range(700)), way.Value(0))
            out.backward()
            seen.append((out.data, hidden.grad, [p.grad for p in other.parameters()]))
            seen.append(len(way.order(outputs[1])))
            native()

        hidden._backward = inner
        sum(outputs).backward()
        yield seen, way.graph(*outputs)

    agree(program)


def test_a_function_of_a_layer_output_is_heard_once_a_sweep():
    def program(way):
        heard = []
        hidden = way.Layer(2, 2)([0.5, way.Value(3)])
        hidden[0]._backward = lambda: heard.append((0, hidden[0].grad))
        hidden[1]._backward = lambda: heard.append((1, hidden[1].grad))
        for out in way.Layer(2, 2)(hidden):
            out.backward()
            yield heard, [v.grad for v in hidden]

    agree(program)


def test_an_op_of_ones_own_and_a_plain_sum_may_stand_between_layers():
    def program(way):
        x = way.Value(2)
        hidden = way.Layer(2, 3)([x, x])
        mixed = [custom(way, hidden[:2]), hidden[1] + hidden[2] * x, hidden[0] ** 2]
        first, second = way.Layer(3, 2)(mixed)
        (first * second + hidden[0]).backward()
        yield way.graph(first, second)
        second.backward()
        yield way.graph(first, second)

    agree(program)
    agree_with_original(program)


def test_no_grad_around_part_of_a_network():
    def program(way):
        below, above, x = way.Layer(2, 3), way.Layer(3, 2), [way.Value(1), 2.5]
        with no_grad():
            hidden = below(x)
        outputs = above(hidden)
        sum(outputs).backward()
        yield way.graph(*outputs), [p.grad for p in below.parameters()]
        hidden = below(x)
        with no_grad():
            yield way.graph(*above(hidden))
            hidden[0].backward()
            yield way.graph(*hidden)

    agree(program)


def test_drawings_are_the_same_text():
    def program(way):
        outputs = way.MLP(2, [2, 2])([way.Value(1), 2.5])
        outputs[0].label = "first"
        yield [(viz.to_dot(out, limit=limit), copying.count_ops(out)) for out in outputs for limit in (None, 3, 10)]
        outputs[0].backward()
        nodes, edges = viz.nodes_and_edges(outputs[0])
        yield len(nodes), len(edges), viz.to_dot(outputs[1], limit=None)

    agree(program)


def test_threads_call_and_sweep_one_network_at_once():
    def program(way):
        model, seen = way.MLP(2, [4, 2]), {}

        def work(k):
            for step in range(12):
                x = [way.Value(k), step / 3]
                outputs = model(x)
                inner = way.graph(outputs[0]) if step % 3 else None
                outputs[step % 2].backward()
                seen[k, step] = [v.data for v in outputs], x[0].grad, len(way.graph(*outputs)), inner is None
                if step % 6 == 5:
                    tape.collect()

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        yield sorted(seen.items())

    agree(program)
