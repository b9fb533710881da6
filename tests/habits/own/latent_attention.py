"""Attention whose keys and values go through a few latent numbers; a module tree, a scheduler, Nesterov steps."""
import math
from random import Random

rng = Random(5)


class Value:
    """A node of the graph."""
    __slots__ = ("data", "grad", "_children", "_local_grads")

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0.0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        return Value(self.data + o.data, (self, o), (1.0, 1.0))

    def __mul__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        return Value(self.data * o.data, (self, o), (o.data, self.data))

    def __pow__(self, n):
        return Value(self.data**n, (self,), (n * self.data**(n - 1),))

    def exp(self):
        e = math.exp(self.data)
        return Value(e, (self,), (e,))

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.data))
        return Value(s, (self,), (s * (1 - s),))

    def silu(self): return self * self.sigmoid()
    def __neg__(self): return self * -1.0
    def __radd__(self, o): return self + o
    def __sub__(self, o): return self + (-o)
    def __rmul__(self, o): return self * o
    def __truediv__(self, o): return self * o**-1

    def backward(self):
        topo = []
        seen = set()

        def dfs(v):
            if v in seen:
                return
            seen.add(v)
            for c in v._children:
                dfs(c)
            topo.append(v)
        dfs(self)
        self.grad = 1.0
        while topo:
            v = topo.pop()
            for c, g in zip(v._children, v._local_grads):
                c.grad += g * v.grad


class Linear:
    def __init__(self, nout, nin):
        self.w = [[Value(rng.gauss(0, nin**-0.5)) for _ in range(nin)] for _ in range(nout)]

    def __call__(self, x):
        return [sum((w * xi for w, xi in zip(row, x)), Value(0.0)) for row in self.w]

    def parameters(self):
        return [w for row in self.w for w in row]


class LatentAttention:
    def __init__(self, width, latent):
        self.down, self.up_k, self.up_v = Linear(latent, width), Linear(width, latent), Linear(width, latent)
        self.query, self.gate = Linear(width, width), Linear(width, width)

    def __call__(self, xs):
        latents = [self.down(x) for x in xs]
        keys, values = [self.up_k(c) for c in latents], [self.up_v(c) for c in latents]
        q = self.query(xs[-1])
        scores = [sum(a * b for a, b in zip(q, k)) * len(q)**-0.5 for k in keys]
        top = max(s.data for s in scores)
        exps = [(s - top).exp() for s in scores]
        total = sum(exps)
        mixed = [sum(e * v[j] for e, v in zip(exps, values)) / total for j in range(len(q))]
        return [m * g.silu() for m, g in zip(mixed, self.gate(xs[-1]))]

    def parameters(self):
        return [p for part in vars(self).values() for p in part.parameters()]


model = LatentAttention(4, 2)
xs = [[rng.gauss(0, 1) for _ in range(4)] for _ in range(5)]
velocity = [0.0] * len(model.parameters())
for step in range(4):
    out = model(xs)
    loss = sum((o - t) ** 2 for o, t in zip(out, (1.0, -1.0, 0.5, 0.0)))
    loss.backward()
    rate = 0.01 * 0.5 * (1 + math.cos(math.pi * step / 4))
    for i, p in enumerate(model.parameters()):
        velocity[i] = 0.9 * velocity[i] + p.grad
        p.data -= rate * (p.grad + 0.9 * velocity[i])
        p.grad = 0.0
    print(step, loss.data, out[0].data, max(map(abs, velocity)))
print(Value(3.0).grad, (Value(2.0) * 3)._children[1].data, model.parameters()[0].data)
