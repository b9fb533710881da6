"""Classes, methods and parts of a network that are replaced act as they do in its spelling."""

import gc

import pytest
from spelled import agree, agree_with_original

from micrograd_c import tape
from micrograd_c.engine import Value
from micrograd_c.nn import ACTIVATIONS


@pytest.mark.parametrize("replace", ["__mul__", "__add__", "__rmul__", "__radd__", "relu", "backward"])
def test_a_replaced_method_of_value_runs_as_it_does_in_the_spelling(replace, patch_value):
    calls, original = [], getattr(Value, replace)
    patch_value(replace, lambda *arguments: calls.append(repr(arguments)) or original(*arguments))

    def program(way):
        calls.clear()
        for x in ([1, way.Value(2.5)], [way.Value(-1), way.Value(2.0)]):
            for out in way.MLP(2, [3, 2])(x):
                out.backward()
                yield way.graph(out)
        yield list(calls)

    agree(program)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "linear"])
@pytest.mark.parametrize("options", [{"nonlin": False}, {}, {"activation": "tanh"}], ids=["linear", "relu", "tanh"])
def test_an_activation_deleted_from_value_is_missed_only_where_it_is_used(name, options):
    def program(way):
        layer = way.Layer(2, 3, **options)
        with pytest.MonkeyPatch.context() as patch:
            patch.delattr(Value, name)
            try:
                yield way.graph(*layer([1.0, way.Value(2.5)]))
            except AttributeError as error:
                yield str(error)
        yield way.graph(*layer([1.0, way.Value(2.5)]))

    agree(program)


def test_a_method_replaced_after_the_call_does_not_matter_to_the_graph(patch_value):
    def program(way):
        with pytest.MonkeyPatch.context() as patch:
            loss = sum(way.MLP(2, [3, 2])([1, way.Value(2.5)]))
            for name in ("__mul__", "__add__", "relu"):
                patch.setattr(Value, name, lambda *arguments: pytest.fail("this is no time to compute"))
            loss.backward()
            yield way.graph(loss)

    agree(program)


@pytest.mark.parametrize("walked", [False, True])
def test_a_network_taken_apart_after_the_call_does_not_matter_to_the_graph(walked):
    """Weights, biases, lists, activations and inputs that are replaced are no longer the model's, but the graph's."""
    def program(way):
        model, x = way.MLP(2, [3, 2]), [way.Value(1.5), 2]
        first, second = model.layers
        parameters = model.parameters()
        loss = sum(model(x))
        if walked:
            yield way.graph(loss)
        x[0] = 7.0
        x.append(3)
        first.neurons[0].w[1] = way.Value(100.0)
        first.neurons[1].w.clear()
        first.neurons[2].w = [way.Value(100.0)]
        second.neurons[0].b = way.Value(100.0)
        second.neurons[1].nonlin = not second.neurons[1].nonlin
        del second.neurons[0], first.neurons[1], model.layers[0]
        gc.collect()
        loss.backward()
        yield [p.grad for p in parameters]
        del model, first, second, parameters
        tape.collect()
        yield way.graph(loss)
        loss.backward()
        yield way.graph(loss)

    agree(program)
    agree_with_original(program)


@pytest.mark.parametrize("kind", ["Value", "Neuron", "Layer", "MLP"])
def test_subclasses(kind):
    def program(way):
        class Sub(getattr(way, kind)):
            if kind == "Value":
                def __mul__(self, other):
                    return super().__mul__(other) * 2
            else:
                def __call__(self, x):
                    return super().__call__([one * 2 for one in x])

        model, x = way.MLP(2, [3, 2]), [way.Value(0.5), 2]
        if kind == "Value":
            model.layers[0].neurons[1].w[0] = Sub(0.25)
            x[1] = Sub(2)
        elif kind == "Neuron":
            model.layers[0].neurons[1] = Sub(2)
        elif kind == "Layer":
            model.layers[1] = Sub(3, 2)
        else:
            model = Sub(2, [3, 2])
        first, second = model(x)
        first.backward()
        (first * second).backward()
        yield way.graph(first, second)

    agree(program)
    agree_with_original(program)
