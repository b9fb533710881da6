"""What users write, with the types that it has. mypy --strict accepts it, and it runs."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import micrograd_c
from micrograd_c import (
    Batch,
    Value,
    cross_entropy,
    linear,
    log_softmax,
    logsumexp,
    maximum,
    mean,
    minimum,
    no_grad,
    softmax,
    stop_gradient,
    sumprod,
    tape,
    viz,
    vmap,
    where,
)
from micrograd_c.nn import MLP, Layer, Module, Neuron
from micrograd_c.optim import SGD, Adam, AdamW, Optimizer

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:
    def assert_type(value, kind):
        kind = getattr(kind, "__origin__", kind)
        assert isinstance(value, (int, float) if kind is float else kind), (value, kind)
        return value

# --- Value ---

a, b = Value(2.0), Value(-3)
assert_type(a + b, Value)
assert_type(1 + a * 2.5 - b / 3, Value)
assert_type(2 - a, Value)
assert_type(1 / a, Value)
assert_type(a**2 + 2**a, Value)
assert_type(-abs(a), Value)
assert_type((a * b).relu().exp().tanh(), Value)
assert_type(a < b, bool)
assert_type(float(a), float)
assert_type(a.data, float)
a.data -= 0.1 * a.grad
a.grad = 0
assert_type(a._prev, set[Value])
assert_type(Value(4.0, (a,), (4.0,), label="square"), Value)
assert_type(Value(4.0, children=[a, b], local_grads=[1, 2.0])._children, tuple[Value, ...])
assert_type(a._local_grads, tuple[float, ...])
for choice in (maximum(a, 1), minimum(2.0, b), where(a > b, a, 0.0), stop_gradient(a)):
    assert_type(choice, Value)
total = a * b
total += 1
total *= b
assert_type(total, Value)
total.backward()


class Squared(Value):
    """A custom op."""

    def squared(self) -> Value:
        out = Value(self.data**2, (self,), "squared")

        def backward() -> None:
            self.grad += 2 * self.data * out.grad

        out._backward = backward
        return out


assert_type(Squared(3.0).squared() + 1, Value)

# --- sums and losses ---

values = [a, b, a * b]
targets = [1.0, 0.0, -1]
assert_type(sum(values, Value(0)), Value)
assert_type(sum((v * v for v in values), start=Value(0.0)), Value)
losses = [(v - target) ** 2 for v, target in zip(values, targets)]
assert_type(mean(losses), Value)
regularisation = 1e-4 * sum(v * v for v in values)      # of which mypy takes the sum for an int, if there are none
assert_type(mean(losses) + regularisation, Value)
assert_type(sumprod(values, targets), Value)
assert_type(sumprod(targets, values, start=1), Value)
assert_type(sumprod([1.0, 2.0], [3, 4]), float)
assert_type(linear([[1.0, a], [b, 2]], values[:2])[0], Value)
assert_type(linear([values, values], targets, [0.0, 1.0]), list[Value])
assert_type(softmax(values), list[Value])
assert_type(log_softmax([a, 1.0]), list[Value])
assert_type(a.leaky_relu(0.2).gelu(approximate="tanh").softplus().silu().log_sigmoid(), Value)
assert_type(logsumexp([a, 1.0]), Value)
assert_type(cross_entropy(values, 1), Value)

# --- models ---

model = MLP(2, [4, 1], activation=["tanh", "linear"])
model = MLP(2, [4, 1], activation="tanh")
score = model([0.5, a])
assert_type((1 - score).relu(), Value)
assert_type(score.data, float)
assert_type([(1 - y * model(x)).relu() for x, y in [([1.0, 2.0], 1), ([0.0, 1.0], -1)]], list[Value])
assert_type(softmax(MLP(2, [3])([1, 2])), list[Value])
assert_type(Layer(2, 3, activation="relu")([a, 2.0])[0], Value)
assert_type(Neuron(2, activation=lambda x: x.sin())([1.0, 2.0]), Value)
assert_type(model.layers[0].neurons[0].w[0].grad, float)
assert_type(model.parameters(), list[Value])
for name, parameter in model.named_parameters():
    assert_type(name, str)
    assert_type(parameter, Value)
model.load_state_dict(model.state_dict())


def loss_of(model: MLP, x: list[float]) -> Value:
    return model(x)


def outputs_of(layer: Layer, x: list[float]) -> list[Value]:
    return layer(x)


assert_type(loss_of(model, [1.0, 2.0]) + sum(outputs_of(Layer(2, 2), [1.0, 2.0])), Value)


class Scale(Module):
    """A module of one's own."""

    def __init__(self) -> None:
        self.by = Value(1.0)

    def __call__(self, x: Value) -> Value:
        return x * self.by

    def parameters(self) -> list[Value]:
        return [self.by]


assert_type(Scale()(a).relu(), Value)

# --- optimizers ---

optimizers: list[Optimizer] = [
    SGD(model.parameters(), lr=0.1, momentum=0.9), Adam([a, b], betas=(0.9, 0.99)), AdamW([{"params": [a], "lr": 1}]),
]
for optimizer in optimizers:
    optimizer.zero_grad()
    optimizer.step()
    optimizer.lr = 0.5 * optimizer.lr
assert_type(optimizers[0].step(lambda: mean(losses)), Value)
assert_type(optimizers[0].state_dict(), dict[str, Any])

# --- no_grad ---

with no_grad():
    assert_type(model([1.0, 2.0]).data, float)


@no_grad
def predict(x: list[float]) -> bool:
    return model(x).data > 0


@no_grad()
def predict_all(rows: list[list[float]]) -> list[bool]:
    return [predict(row) for row in rows]


assert_type(predict([1.0, 2.0]), bool)
assert_type(predict_all([[1.0, 2.0]]), list[bool])

# --- vmap ---


@vmap
def hinge(x: list[Value], y: Value) -> Value:
    return (1 - y * model(x)).relu()


rows, labels = [[0.5, -1.0], [1.5, 2.0]], array("d", [1.0, -1.0])
batch = hinge(rows, labels)
assert_type(batch, Batch)
assert_type(batch.mean(), Value)
assert_type(batch.sum(weights=[1.0, 2.0]) + 1e-4 * sumprod(model.parameters(), model.parameters()), Value)
assert_type(batch[0], float)
assert_type(batch[:1], list[float])
assert_type(list(batch), list[float])


def two(x: Value) -> tuple[Value, Value]:
    return x * a, x * b


first, second = vmap(two, in_axes=0, threads=1)([1.0, 2.0])
assert_type(first, Batch)
losses_of_rows: Batch = vmap(lambda x: x * a)([1.0, 2.0])       # a lambda has no types of its own
assert_type(losses_of_rows.tolist(), list[float])


def several(x: list[Value], w: Value) -> list[Value]:
    return [one * w for one in x]


assert_type(vmap(several, in_axes=(0, None))([[1.0, 2.0]], a)[0], Batch)


def two_lists(x: list[Value]) -> list[list[Value]]:
    return [x, x]


stack: Batch = vmap(two_lists, 0, -1, stacked=True)([[1.0, 2.0]])
assert_type(stack.shape, tuple[int, ...])
assert_type(stack.std(ddof=1) + stack.max() - stack.min(), Value)


class Curve:
    """A method for all rows."""

    def __init__(self) -> None:
        self.w = Value(2.0)

    @vmap
    def at(self, x: Value) -> Value:
        return self.w * x


assert_type(Curve().at([1.0, 2.0]).sum(), Value)

# --- the rest ---

assert_type(tape.stats()["nodes"], int)
assert_type(tape.collect(), int)
assert_type(viz.nodes_and_edges(a * b)[0], set[Value])
assert_type(viz.to_dot(a * b, rankdir="TB", limit=None), str)
assert_type(micrograd_c.nn.MLP(1, (1,)).num_parameters(), int)
assert_type(micrograd_c.__version__, str)
