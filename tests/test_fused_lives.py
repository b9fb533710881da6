"""How long nodes that a layer recorded live, and that each is one object while it does."""

import copy
import gc
import pickle
import weakref

import pytest
from spelled import COMPILED, agree, agree_with_original, run

from micrograd_c import nn, optim, tape
from micrograd_c._core.value import copying
from micrograd_c.engine import Value
from micrograd_c.nn import ACTIVATIONS


def test_operands_are_the_very_objects_each_time():
    layer, x = nn.Layer(2, 2), [Value(1.5), Value(-0.5)]
    for i, out in enumerate(layer(x)):
        (total,) = out._prev
        first, product = copying.in_order(total._prev)
        assert product._prev == {layer.neurons[i].w[1], x[1]}
        assert {id(v) for v in product._prev} == {id(layer.neurons[i].w[1]), id(x[1])}
        names = {product: "product", first: "first"}
        del first, product
        gc.collect()
        tape.collect()
        assert [names[v] for v in copying.in_order(total._prev)] == ["first", "product"]
        assert next(iter(out._prev)) is total


def test_hidden_outputs_are_the_same_objects_from_every_neuron_above():
    outputs = nn.MLP(2, [2, 3])([1.0, 2.0])
    hidden = [[v for v in COMPILED.order(out) if v._op == "ReLU"] for out in outputs]
    assert len(hidden[0]) == 2
    assert [[id(v) for v in one] for one in hidden] == [[id(v) for v in hidden[0]]] * 3


def test_a_graph_lives_as_long_as_its_output():
    """Parameters and inputs too, with what was written on them."""
    def program(way):
        def build():
            model, x = way.MLP(2, [3, 2]), [way.Value(1.0), way.Value(2) * 3]
            model.parameters()[0].label, x[1].label = "weight", "input"
            hidden = model.layers[0](x)
            hidden[1].label = "hidden"
            hidden[2]._backward = lambda: heard.append("called")
            return sum(model.layers[1](hidden))

        heard = []
        loss = build()
        gc.collect()
        tape.collect()
        loss.backward()
        yield heard, way.graph(loss)

    agree(program)
    agree_with_original(program)


def test_nodes_taken_from_a_graph_outlive_its_outputs():
    def program(way):
        out = way.MLP(2, [3, 1])([way.Value(1.0), 2])
        product = way.operands(out)[1]
        watched = weakref.ref(out)
        del out
        tape.collect()
        yield watched() is None, way.graph(product)
        product.backward()
        yield way.graph(product)

    agree(program)


def test_a_node_is_let_go_when_nothing_holds_it():
    out = COMPILED.neuron([Value(2.0)], Value(1.0))([3.0])
    (total,) = out._prev
    watched = [weakref.ref(v) for v in (*total._prev, total)]
    assert all(v() is not None for v in watched)
    del total, out
    gc.collect()
    assert [v() for v in watched] == [None] * 3


def test_nodes_let_go_come_back_with_their_numbers():
    out = COMPILED.neuron([Value(2.0)], Value(1.0))([3.0])
    first = COMPILED.graph(copy.copy(out))
    gc.collect()
    assert COMPILED.graph(out)[1:] == first[1:]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_long_recurrence(activation):
    """Thousands of layers on each other: swept, walked and dropped without recursion, which ends at 1,000 in Python."""
    steps = 3_000 if activation == "relu" else 400      # of six nodes and more on each other

    def program(way):
        cell = way.Layer(3, 2, activation=activation)
        cell.neurons[0].b.data = 0.75
        state = [way.Value(0.5), way.Value(0)]
        for step in range(steps):
            state = cell([*state, step % 3])
        loss = state[0] + state[1] * 0.5
        loss.backward()
        yield loss.data, [p.grad for p in cell.parameters()]
        yield hash(repr(way.graph(loss)))
        loss.backward()
        yield loss.data, [p.grad for p in cell.parameters()]
        yield hash(repr(way.graph(loss)))

    agree(program)


def test_graphs_that_are_alive_while_the_tape_grows_and_moves():
    def program(way):
        model, old = way.MLP(3, [8, 4, 1]), []
        for step in range(120):     # some 24,000 nodes
            old.append(model([step / 7, way.Value(step), -1.5]))
            if step % 10 == 3:
                old[step // 2].backward()
            if step == 60:
                yield way.graph(old[5], old[44])
            if step % 40 == 20:
                del old[::3]
                tape.collect()
        sum(old).backward()
        yield [p.grad for p in model.parameters()]
        yield hash(repr(way.graph(*old)))

    agree(program)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("looks", [False, True])
def test_training_takes_the_same_path_and_no_more_memory(optimizer, looks):
    def program(way):
        model = way.MLP(2, [4, 4, 1])
        rule = getattr(optim, optimizer)(model.parameters(), lr=0.05)
        sizes = set()
        for step in range(600):
            losses = [(model([x, way.Value(y)]) - x * y) ** 2 for x, y in ((0.5, -1), (1.0, 2.0), (-1, 0.25))]
            loss = sum(losses) * (1 / 3)
            rule.zero_grad()
            loss.backward()
            rule.step()
            if looks and step % 7 == 0:
                way.graph(loss if step % 2 else losses[1])
            if step % 50 == 49:
                del losses, loss
                gc.collect()        # also what other tests have left
                tape.collect()
                sizes.add((tape.stats()["bytes_used"], tape.stats()["functions"]))
                yield [p.data for p in model.parameters()]
        yield len(sizes)

    assert run(program, COMPILED)[-1] == 1
    agree(program)


def test_copies_of_model_and_graph_together_share_their_parameters():
    def program(way):
        model = way.MLP(2, [3, 1])
        out = model([1.0, way.Value(2)])
        twin, twin_out = copy.deepcopy((model, out))
        twin_out.backward()
        yield [p.grad for p in model.parameters()], [p.grad for p in twin.parameters()]
        out.backward()
        yield way.graph(out, twin_out)
        again = pickle.loads(pickle.dumps(model))
        yield way.graph(again([1.0, way.Value(2)]))

    agree(program)
