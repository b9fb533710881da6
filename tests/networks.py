"""Networks: functions of a way of spelled.py that return what is called, its parameters and its inputs."""

import math


def mlp(activation="relu", kind="values", nouts=(2, 3, 2), whole=False):
    def build(way):
        options = {} if activation == "relu" else {"activation": activation}
        model = way.MLP(2, list(nouts), **options)
        for p in model.parameters() if whole else []:
            p.data = round(3 * p.data)
        first = {"values": [way.Value(0.75), way.Value(-1.5)], "numbers": [0.75, -1.5], "ints": [3, -2],
                 "mixed": [way.Value(2), -1.5], "computed": [way.Value(0.5) * 3 + 1, way.Value(2.0).relu()],
                 "dead": [way.Value(math.inf), way.Value(-0.0)], "huge": [way.Value(1e308), way.Value(-3e307)]}[kind]
        return model, model.parameters(), first
    return build


def layer(**options):
    def build(way):
        model = way.Layer(3, 3, **options)
        return model, model.parameters(), [way.Value(1), 2.5, way.Value(-0.25)]
    return build


def shared(way):
    """A weight twice in a neuron, in the next neuron and layer; an input twice, as a weight, as a bias."""
    v, w, x = way.Value(0.5), way.Value(-2), way.Value(1.5)
    hidden = [way.neuron([v, v, x], x), way.neuron([w, x, v], way.Value(0)), way.neuron([x, w, v], v, nonlin=False)]
    top = [way.neuron([v, w, w], hidden[1].b), way.neuron([v, x, v], v, nonlin=False)]
    return (lambda inputs: [n(h) for h in [[n(inputs) for n in hidden]] for n in top]), [v, w, hidden[1].b], [x, x, v]


def single(**options):
    def build(way):
        neuron = way.neuron([way.Value(2), way.Value(-3)], way.Value(0), **options)
        return neuron, neuron.parameters(), [way.Value(4), way.Value(1)]
    return build


def with_custom_between(way):
    """A custom op, and a label, between two layers."""
    below, above = way.Layer(2, 3), way.Layer(3, 2, nonlin=False)

    def model(x):
        hidden = below(x)
        hidden[0].label = "hidden"
        hidden[2] = custom(way, hidden[1:])
        return above(hidden)

    return model, below.parameters() + above.parameters(), [way.Value(1.25), 2]


def custom(way, children):
    out = way.Value(sum(3 * child.data for child in children), tuple(children), "mix")

    def _backward():
        for child in children:
            child.grad += 3 * out.grad

    out._backward = _backward
    return out


NETWORKS = {    # these also micrograd has
    "mlp": mlp(), "mlp of numbers": mlp(kind="numbers"), "mlp of mixed inputs": mlp(kind="mixed", nouts=(2, 2)),
    "mlp of ints": mlp(kind="ints", whole=True), "mlp of computed inputs": mlp(kind="computed", nouts=(4, 1)),
    "infinite inputs": mlp(kind="dead", nouts=(4, 2)), "huge inputs": mlp(kind="huge"), "layer": layer(),
    "linear layer": layer(nonlin=False), "shared": shared, "neuron": single(), "linear neuron": single(nonlin=False),
    "custom op between": with_custom_between, "one layer": mlp(nouts=(1,)),
}
OURS = {
    "mlp of tanh": mlp(activation="tanh"), "mlp of sigmoid": mlp(activation="sigmoid", kind="numbers"),
    "callable": mlp(activation=lambda v: v.relu() * 2), "layers of one neuron": mlp(nouts=(1, 1, 1)),
    "tanh neuron": single(activation="tanh"), "sigmoid layer": layer(activation="sigmoid"),
}
