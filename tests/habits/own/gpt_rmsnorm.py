"""A short GPT over words, in one file: RMSNorm, attention with a cache, Adam over lists of floats, then samples."""
import math
import random

random.seed(42)
docs = ["anna", "bob", "carla", "dave", "emma", "finn", "gina", "hugo"]
uchars = sorted(set("".join(docs)))
BOS = len(uchars)
vocab_size = len(uchars) + 1


class Value:
    """a scalar and its gradient"""
    __slots__ = ("data", "grad", "_children", "_local_grads")

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other): return Value(self.data**other, (self,), (other * self.data**(other - 1),))
    def log(self): return Value(math.log(self.data), (self,), (1 / self.data,))
    def exp(self): return Value(math.exp(self.data), (self,), (math.exp(self.data),))
    def relu(self): return Value(max(0, self.data), (self,), (float(self.data > 0),))
    def __neg__(self): return self * -1
    def __radd__(self, other): return self + other
    def __sub__(self, other): return self + (-other)
    def __rsub__(self, other): return other + (-self)
    def __rmul__(self, other): return self * other
    def __truediv__(self, other): return self * other**-1
    def __rtruediv__(self, other): return other * self**-1

    def backward(self):
        topo = []
        visited = set()

        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build_topo(child)
                topo.append(v)
        build_topo(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local_grad in zip(v._children, v._local_grads):
                child.grad += local_grad * v.grad


n_embd, n_head, block_size = 4, 2, 8
head_dim = n_embd // n_head


def matrix(nout, nin, std=0.08):
    return [[Value(random.gauss(0, std)) for _ in range(nin)] for _ in range(nout)]


state = {"wte": matrix(vocab_size, n_embd), "wpe": matrix(block_size, n_embd), "lm_head": matrix(vocab_size, n_embd)}
for name in ("attn_wq", "attn_wk", "attn_wv", "attn_wo"):
    state[name] = matrix(n_embd, n_embd)
state["fc1"], state["fc2"] = matrix(2 * n_embd, n_embd), matrix(n_embd, 2 * n_embd)
params = [p for mat in state.values() for row in mat for p in row]
print("parameters", len(params))


def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(wo, x)) for wo in w]


def softmax(logits):
    max_val = max(val.data for val in logits)
    exps = [(val - max_val).exp() for val in logits]
    total = sum(exps)
    return [e / total for e in exps]


def rmsnorm(x):
    ms = sum(xi * xi for xi in x) / len(x)
    scale = (ms + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def gpt(token, pos, keys, values):
    x = rmsnorm([t + p for t, p in zip(state["wte"][token], state["wpe"][pos])])
    residual, x = x, rmsnorm(x)
    q = linear(x, state["attn_wq"])
    keys.append(linear(x, state["attn_wk"]))
    values.append(linear(x, state["attn_wv"]))
    out = []
    for h in range(0, n_embd, head_dim):
        q_h = q[h:h + head_dim]
        logits = [sum(q_h[j] * k[h + j] for j in range(head_dim)) / head_dim**0.5 for k in keys]
        weights = softmax(logits)
        out += [sum(w * v[h + j] for w, v in zip(weights, values)) for j in range(head_dim)]
    x = [a + b for a, b in zip(linear(out, state["attn_wo"]), residual)]
    residual, x = x, rmsnorm(x)
    x = linear([xi.relu() for xi in linear(x, state["fc1"])], state["fc2"])
    return linear([a + b for a, b in zip(x, residual)], state["lm_head"])


lr, b1, b2, eps = 0.02, 0.85, 0.99, 1e-8
m, v = [0.0] * len(params), [0.0] * len(params)
for step in range(6):
    doc = docs[step % len(docs)]
    tokens = [BOS] + [uchars.index(ch) for ch in doc] + [BOS]
    n = min(block_size, len(tokens) - 1)
    keys, values, losses = [], [], []
    for pos in range(n):
        probs = softmax(gpt(tokens[pos], pos, keys, values))
        losses.append(-probs[tokens[pos + 1]].log())
    loss = (1 / n) * sum(losses)
    loss.backward()
    for i, p in enumerate(params):
        m[i] = b1 * m[i] + (1 - b1) * p.grad
        v[i] = b2 * v[i] + (1 - b2) * p.grad**2
        p.data -= lr * (m[i] / (1 - b1**(step + 1))) / ((v[i] / (1 - b2**(step + 1)))**0.5 + eps)
        p.grad = 0
    print(f"step {step + 1} loss {loss.data:.10f} {len(loss._children)} {loss.grad}")

for _ in range(3):
    keys, values, token, sample = [], [], BOS, []
    for pos in range(block_size):
        probs = softmax([logit / 0.7 for logit in gpt(token, pos, keys, values)])
        token = random.choices(range(vocab_size), weights=[p.data for p in probs])[0]
        if token == BOS:
            break
        sample.append(uchars[token])
    print("sample", "".join(sample))
print(type(params[0] * 2) is Value, Value.__name__, Value.__module__, Value.__doc__)
