"""Small programs, which together do all that the package can. Each returns what it computed, for comparison.

They run again and again while allocations fail, so none leaves anything behind.
"""

import array
import copy
import fractions
import itertools
import json
import pickle
import random
import weakref

from micrograd_c import (
    Value,
    cross_entropy,
    grad,
    gradients,
    hessian,
    jvp,
    linear,
    log_softmax,
    logsumexp,
    maximum,
    mean,
    minimum,
    nn,
    no_grad,
    optim,
    softmax,
    stop_gradient,
    sumprod,
    viz,
    vmap,
    where,
)
from micrograd_c._core.modules import notebook, parameters
from micrograd_c._core.ops import rules
from micrograd_c._core.value import copying


class Labelled(Value):
    __slots__ = ("label",)

    def __init__(self, data, label="none"):
        super().__init__(data)
        self.label = label


class Twice:
    """An activation that can be pickled."""

    def __call__(self, v):
        return v * 2


def square(x):
    return (WEIGHT * x + 1) ** 2


def own_op(*operands):
    total = 0
    for v in operands:      # no comprehension: vmap wants data to be read by who makes the Value
        total += v.data
    out = Value(total, operands, "own")

    def _backward():
        for v in operands:
            v.grad += out.grad

    out._backward = _backward
    return out


def local_op(*operands):
    total = 0
    for v in operands:
        total += v.data
    return Value(total, operands, [1.5 for _ in operands], label="own")


WEIGHT = Value(3.0)
LEAVES = [Value(0.5 * k - 1.0) for k in range(12)]
ROWS = [array.array("d", [1.0, 2.0, 3.0]), array.array("d", [0.5, -1.0, 2.0])]
MANY = [[Value(0.001 * k) for k in range(1_000)] for _ in range(20)]
MODEL = nn.MLP(3, [4, 4, 1])


def numbers(*values):
    return [(v.data, v.grad) for v in values]


def clear():
    for v in [WEIGHT, *LEAVES, *MODEL.parameters(), *itertools.chain(*MANY)]:
        v.grad = 0


# --- Values ---

def operators():
    a, b, c = LEAVES[3], Value(2.0), Value(-3)
    d = a + b * c - 1 / (b ** 2) + 2 ** b - (-a) + abs(c) / 3 + (1 - c) * 2 + b / a + b ** b
    d.backward()
    return numbers(a, b, c, d), repr(d), a < b, a >= 1, float(b), {a: 1}[a]


def functions():
    x = Value(0.5)
    y = sum(getattr(x, name)() for name in rules.functions())
    y = y + maximum(x, 0.3) * minimum(x, Value(2.0)) + where(x, y, 0.0) * stop_gradient(x)
    y.backward()
    return numbers(x, y)


def derivatives():
    def f(x):
        return (x[0] * x[1]).sin() + maximum(x[0], 0.3) ** x[1] + LEAVES[2] * x[0]
    x, y = Value(0.5), Value(2.0)
    z = f([x, y]) * local_op(x, y, x * y)
    return (grad(f)([0.5, 1.5]), hessian(f)([0.5, 1.5]), jvp(grad(f), ([0.5, 1.5],), ([1.0, 2.0],)),
            gradients(z, [x, y]), numbers(*gradients(z, [x, y], create_graph=True)),
            list(vmap(grad(lambda x: f([x, x])))([0.5, 1.0])), numbers(x, y, LEAVES[2]))


def errors():
    seen = []
    for action in (lambda: Value("x"), lambda: Value(-1.0).log(), lambda: Value(0.0) ** -1, lambda: Value(1) + "x",
                   lambda: Value(1.0, (3,)), lambda: nn.Neuron(2)([1.0]), lambda: linear([[1.0]], [Value(1.0), 2.0])):
        try:
            action()
        except (TypeError, ValueError, ZeroDivisionError) as error:
            seen.append(type(error).__name__)       # a message may be lost, as CPython loses some
    return seen


def local_gradients():
    a, b = LEAVES[2], Value(2)
    c = local_op(a, b, a * b)
    d = Value(c.data * 2, children=(c,), local_grads=(2,))
    e = copy.deepcopy(d)
    d.backward()
    e.backward()
    own = Value(1.0)
    own._children = a, b
    own._local_grads = 1.0, 2
    rows = vmap(lambda x: x * Value(2.0, (WEIGHT, x), (3.0, 1.0)))([1.0, 2.0])
    rows.sum().backward()
    shown = [v._local_grads for v in (c, own, a * b, b**2, (a + 1).relu(), sumprod([a, b], [b, a]))]
    return numbers(a, b, c, d, *e._children), own._children == (a, b), shown, viz.to_dot(d), WEIGHT.grad


def attributes():
    a, b = Value(1.0), Value(2.0)
    a.label = "a"
    c = a * b
    c.label, c.friend = "c", a
    d = c + 1
    a.note = [1, 2]
    d._op = "mine"
    return vars(a), c.label, c.friend is a, d._op, sorted(v.data for v in c._prev)


def subclasses():
    a, b = Labelled(1.0, "a"), Labelled(2.0, "b")
    c = (a * b + a) / b - 3
    c.backward()
    walked = viz.nodes_and_edges(c)[0]
    return numbers(a, b, c), sorted(v.label for v in walked if isinstance(v, Labelled)), type(c).__name__


def graphs():
    a, b = LEAVES[1], LEAVES[2]
    c = (a * b + a).tanh() + sumprod(LEAVES[:6], LEAVES[6:], a)
    nodes, edges = viz.nodes_and_edges(c)
    same = c._prev is c._prev
    d = Value(3.0)
    d._prev = (a, b)
    e, f = a * b, a * b
    e._prev, f._children = (a,), (b, Value(2.0))
    e.backward()
    f.backward()
    ordered = [v.data for v in copying.in_order([c, a, b])]
    return numbers(a, b), len(nodes), len(edges), same, copying.count_ops(c), ordered, d._op


def hooks():
    a, b = Value(1.0), Value(2.0)
    c = own_op(a, b, a * b)
    d = c * 2 + c
    e = d.tanh()
    step, heard = e._backward, []
    e._backward = lambda: (heard.append(e.grad), step())
    e.backward()
    d._backward()
    return numbers(a, b, c, d), heard


def copies():
    a = Value(1.0)
    a.label = ["a"]
    b = Labelled(2.0, "b")
    c = own_op(a, b) + a * b
    c.note = {"x": a}
    twin, whole = copy.copy(c), copy.deepcopy([c, a])
    whole[0].backward()
    return numbers(twin, *whole), whole[0].note["x"] is whole[1], whole[1].label, type(copy.copy(b)).__name__


def pickles():
    a, b = Value(1.0), Labelled(2.0, "b")
    a.label = "a"
    texts = [pickle.dumps([a, b, a], protocol) for protocol in range(6)]
    return [(v.data, v.label) for text in texts for v in pickle.loads(text)]


def weak_references():
    a = Value(1.0)
    reference = weakref.ref(a)
    b = a * 2
    del a
    alive = reference() is not None
    kept = [v.data for v in b._prev]
    c = Value(1.0)
    gone = weakref.ref(c)
    del c
    return alive, sorted(kept), gone() is None


def without_gradients():
    with no_grad():
        a = LEAVES[2] * 3 + 1
        b = MODEL([a, 2.0, 3.0])
    plain = no_grad()(lambda x: x * x)(a)
    return numbers(a, b, plain), a._prev, not (Value(1.0) * 2)._prev


# --- many nodes in one call ---

def sums_of_products():
    a = sumprod(LEAVES[:6], LEAVES[6:], 1.0)
    b = sumprod([v * 1 for v in LEAVES[:3]], [1.0, 2, LEAVES[1]])
    c = linear([LEAVES[:3], LEAVES[3:6]], [a, b, 2.0], LEAVES[6:8])
    # numbers of another kind: a list comprehension over these Values, which others refer to as well
    odd = [*LEAVES[:8], fractions.Fraction(1, 2)]
    d = a + b + mean(c) + sumprod(odd, [1.0] * 9)
    d.backward()
    return numbers(a, b, *c, d)


def softmaxes():
    xs = [v * 2 for v in LEAVES[:4]]
    ys = softmax(xs)
    z = log_softmax(xs)[0] + logsumexp(xs) + cross_entropy(xs, 2) + ys[0].log() + mean(ys)
    z.backward()
    return numbers(*xs, *ys, z)


def large_graphs():
    rows = linear(MANY, MANY[0])
    out = rows[0] + rows[1]
    out.backward()
    return numbers(out, MANY[0][3]), len(copy.copy(out)._prev)      # which has all dots replaced


# --- networks ---

def networks():
    random.seed(1)
    model = nn.MLP(3, [4, 3, 2], activation="tanh")
    model.layers[1].neurons[0].activation = Twice()
    x = [Value(1.0), 2.0, -1]
    out = model(x)
    loss = sum((y * y for y in out), Value(0))
    loss.backward()
    shared = nn.Layer(2, 2)
    shared.neurons[1].w = shared.neurons[0].w
    outs = shared([loss, 1.0])
    model.zero_grad()
    return numbers(loss, x[0], *outs), repr(model), len(shared.parameters()), shared.num_parameters()


def names_and_states():
    random.seed(2)
    model, other = nn.MLP(2, [2, 1]), nn.MLP(2, [2, 1])
    state = json.loads(json.dumps(model.state_dict()))
    other.load_state_dict(state)
    named = parameters.named_parameters(other)
    twin = copy.deepcopy(other)
    text = pickle.dumps(model)
    return [(n, v.data) for n, v in named], repr(twin), len(pickle.loads(text).parameters())


def pictures():
    a = Value(1.0)
    a.label = "a<b>"
    b = (a * 2 + LEAVES[1]).relu()
    return viz.to_dot(b), viz.to_dot(b, limit=2), notebook.summary(MODEL)


def optimizers():
    random.seed(3)
    model = nn.MLP(2, [3, 1])
    seen = []
    for kind, options in ((optim.SGD, {"lr": 0.1}), (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
                          (optim.Adam, {"amsgrad": True}), (optim.AdamW, {})):
        optimizer = kind(model.parameters(), **options)
        for _ in range(2):
            loss = model([1.0, 2.0]) ** 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        kind(model.parameters(), **options).load_state_dict(json.loads(json.dumps(optimizer.state_dict())))
        seen.append((loss.data, repr(optimizer)))
    return seen


# --- vmap ---

def mapped():
    rows = vmap(square)([1.0, 2.0, 3.0])
    loss = rows.mean()
    loss.backward()
    return rows.tolist(), rows[1:], repr(rows), bytes(memoryview(rows)), numbers(loss, WEIGHT)


def mapped_again():
    outs = AGAIN(*ROWS)
    loss = outs[0].sum([1.0, 2.0, 3.0]) + outs[1][0].mean() * LEAVES[1]
    loss.backward()
    return [float(x) for x in outs[0]], numbers(loss, WEIGHT, *MODEL.parameters()[:3])


def mapped_structures():
    @vmap
    def fn(x, y):
        hidden = [w.tanh() for w in linear([LEAVES[:2], LEAVES[2:4]], x, LEAVES[4:6])]
        chosen = where(y, maximum(hidden[0], 0.1), softmax(hidden)[1])
        return [chosen, [hidden[0].exp() / (y + 2), stop_gradient(x[0]) ** 2]]

    shared = vmap(lambda x, s: s[0] * x + s[1].sqrt() ** x, (0, None))
    outs = fn([[1.0, 2.0], [3.0, 4.0]], [0, 1])
    out = shared([1.0, 2.0], [2.0, LEAVES[6]])
    loss = outs[1][0].sum() + outs[0].mean([0.5, 0.25]) + out.sum(array.array("f", [1.0, 2.0]))
    loss.backward()
    loss.backward()
    return [out.tolist(), outs[0].tolist(), outs[1][1].tolist()], numbers(loss, *LEAVES[:7])


def mapped_row_by_row():
    rows = vmap(lambda x: own_op(x * 2, WEIGHT))([1.0, 2.0])
    loss = rows.mean([1.0, 2.0]) + rows.sum()
    loss.backward()
    return rows.tolist(), repr(rows), numbers(loss, WEIGHT)


def mapped_errors():
    seen = []
    for action in (lambda: vmap(lambda x: Value(x.data))([1.0]), lambda: vmap(square)([[1.0], [1.0, 2.0]]),
                   lambda: vmap(square)("x"), lambda: vmap(square)(1.0), lambda: AGAIN(ROWS[0], [1.0])):
        try:
            action()
        except (TypeError, ValueError) as error:
            seen.append(type(error).__name__)
    return seen


def mapped_large():
    batch = AGAIN(*LONG)
    loss = batch[0].sum()
    loss.backward()
    return numbers(loss, WEIGHT), batch[1][0][4_999]


def mapped_stacked():
    stack, same = vmap(lambda x: ([[WEIGHT * x, x], [x.sin(), WEIGHT]], WEIGHT * 2), out_axes=(-1, None), stacked=True)(
        [1.0, 2.0, 3.0])
    twin = pickle.loads(pickle.dumps(stack))
    loss = stack.sum([[[1.0, 2.0, 3.0]] * 2] * 2) + stack.max() * stack.std(1) + stack.min() + same + twin.mean()
    loss.backward()
    return stack.tolist(), stack[0], stack.shape, bytes(stack), copy.copy(twin).tolist(), numbers(loss, WEIGHT)


def mapped_linked():
    stack = STACK([1.0, 2.0, 3.0])
    batch = LINKED(stack, [0.5, 0.25, 2.0])
    again = LINKED(stack, batch)
    across = vmap(lambda row: row[0] * row[2], in_axes=1)(stack)
    # a run in a cycle of ops of one's own leaves its workspace to nobody, so it is of a function that goes with it
    by_rows = vmap(lambda x: own_op(x * 2, WEIGHT))(vmap(lambda x: x * WEIGHT)([1.0, 2.0]))
    loss = again.sum(batch) + across.max() + stack.mean() + by_rows.sum()
    loss.backward()
    loss.backward()
    return again.tolist(), across.tolist(), numbers(loss, WEIGHT, LEAVES[1])


class Method:
    def __init__(self):
        self.w = Value(2.0)

    @vmap
    def row(self, x):
        return self.w * x


def mapped_methods():
    one = Method()
    first = one.row([1.0, 2.0]).sum()
    twin = copy.deepcopy(one)
    twin.w.data = 3.0
    second = twin.row([1.0, 2.0]).sum()
    second.backward()
    return numbers(first, second, one.w, twin.w)


AGAIN = vmap(lambda x, y: [MODEL([x, y, WEIGHT]), [x.sin() * y + WEIGHT]], threads=2)
STACK = vmap(lambda x: [WEIGHT * x, x.sin()], stacked=True)
LINKED = vmap(lambda row, x: row[0] * row[1] + x * LEAVES[1])
LONG = [array.array("d", [0.001 * k for k in range(5_000)])] * 2
FEATURES = {
    feature.__name__: feature for feature in (
        operators, functions, derivatives, errors, local_gradients, attributes, subclasses, graphs, hooks, copies,
        pickles, weak_references, without_gradients, sums_of_products, softmaxes, large_graphs, networks,
        names_and_states, pictures, optimizers, mapped, mapped_again, mapped_structures, mapped_row_by_row,
        mapped_errors, mapped_large, mapped_stacked, mapped_linked,
        mapped_methods,
    )
}
PROBES = [Value, Labelled, *LEAVES, WEIGHT, *MODEL.parameters(), *ROWS]
