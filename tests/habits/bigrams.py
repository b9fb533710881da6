"""A tiny character bigram model: exp and log as the user's own ops, negative log likelihood."""
import math
import random

from micrograd.engine import Value


def exp(self):
    out = Value(math.exp(self.data), (self,), "exp")

    def _backward():
        self.grad += out.data * out.grad
    out._backward = _backward
    return out


def log(self):
    out = Value(math.log(self.data), (self,), "log")

    def _backward():
        self.grad += 1 / self.data * out.grad
    out._backward = _backward
    return out


Value.exp, Value.log = exp, log
random.seed(4)
words = ["anna", "ada", "nadja", "dana"]
chars = [".", *sorted(set("".join(words)))]
stoi = {c: i for i, c in enumerate(chars)}
pairs = [(stoi[a], stoi[b]) for w in words for a, b in zip("." + w, w + ".")]
W = [[Value(random.gauss(0, 1)) for _ in chars] for _ in chars]
print(chars, len(pairs), W[0][0])
for step in range(12):
    nll = Value(0)
    for a, b in pairs:
        exps = [w.exp() for w in W[a]]
        total = sum(exps)
        nll += -(exps[b] / total).log()
    nll = nll / len(pairs) + 0.01 * sum(w**2 for row in W for w in row)
    for row in W:
        for w in row:
            w.grad = 0
    nll.backward()
    for row in W:
        for w in row:
            w.data += -5 * w.grad
    print(step, nll, [w.grad for w in W[step % len(W)]])
for _ in range(5):
    out, i = "", 0
    while len(out) < 12:
        weights = [w.exp().data for w in W[i]]
        i = random.choices(range(len(chars)), weights)[0]
        if i == 0:
            break
        out += chars[i]
    print(out)
