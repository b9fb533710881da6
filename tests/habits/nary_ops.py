"""Ops over a whole list with one closure: softmax, max, mean, dot."""
import math

from micrograd.engine import Value


def softmax(values):
    top = max(v.data for v in values)
    exps = [math.exp(v.data - top) for v in values]
    outs = []
    for i, e in enumerate(exps):
        p = e / sum(exps)
        out = Value(p, tuple(values), "softmax")

        def _backward(i=i, out=out):
            for j, v in enumerate(values):
                v.grad += out.data * ((i == j) - outs[j].data) * out.grad
        out._backward = _backward
        outs.append(out)
    return outs


def maximum(*values):
    best = max(values, key=lambda v: v.data)
    out = Value(best.data, values, "max")

    def _backward():
        best.grad += out.grad
    out._backward = _backward
    return out


def mean(values):
    out = Value(sum(v.data for v in values) / len(values), values, "mean")

    def _backward():
        for v in values:
            v.grad += out.grad / len(values)
    out._backward = _backward
    return out


def dot(xs, ys):
    out = Value(sum(x.data * y.data for x, y in zip(xs, ys)), (*xs, *ys), "dot")

    def _backward():
        for x, y in zip(xs, ys):
            x.grad, y.grad = x.grad + y.data * out.grad, y.grad + x.data * out.grad
    out._backward = _backward
    return out


logits = [Value(1.5), Value(-2), Value(0.25), Value(3)]
probs = softmax(logits)
print(probs, [len(p._prev) for p in probs], probs[0]._prev == set(logits))
probs[3].backward()
print(*logits, *probs, sep="\n")
xs = [Value(i) for i in (3, -1, 4, 8)]
for op in (mean, lambda v: maximum(*v), lambda v: dot(v, v[::-1]), lambda v: mean([*v, v[0], v[0]])):
    out = op(xs)
    loss = (out * 2 - 1) ** 2
    loss.backward()
    print(loss, out, repr(out._op), len(out._prev), [x.grad for x in xs])
print(sum(x.grad for x in xs), mean(iter_ := [Value(1), Value(2)]), iter_)
