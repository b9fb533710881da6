# A GPT that learns to make up names, with a class Value of its own. It imports nothing but Python's own modules.

import itertools
import math
import pathlib
import random

STEPS = 60              # once through all names
BATCH = 16              # names in a step
WIDTH = 16              # numbers that stand for a character
HEADS = 4
HEAD_WIDTH = WIDTH // HEADS
POSITIONS = 16          # the longest name has one character less
LEARNING_RATE, BETA, BETA_OF_SQUARES, EPSILON = 0.005, 0.9, 0.999, 1e-8

names = pathlib.Path(__file__).with_name("names.txt").read_text(encoding="ascii").split()
random.Random(1337).shuffle(names)
CHARACTERS = "abcdefghijklmnopqrstuvwxyz"
BOUNDARY = len(CHARACTERS)      # the token before a name's first character, and after its last
VOCABULARY = len(CHARACTERS) + 1


class Value:
    """A number, the Values it was computed from, and its derivative with respect to each of them."""

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

    def __pow__(self, power):
        return Value(self.data**power, (self,), (power * self.data ** (power - 1),))

    def exp(self):
        e = math.exp(self.data)
        return Value(e, (self,), (e,))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def relu(self):
        return Value(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def backward(self):
        """Add to the grad of each Value below this one this one's derivative with respect to it."""
        order, seen, todo = [], set(), [(self, False)]
        while todo:
            node, children_are_done = todo.pop()
            if children_are_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                todo.append((node, True))
                todo.extend((child, False) for child in node._children)
        self.grad = 1
        for node in reversed(order):
            for child, local_grad in zip(node._children, node._local_grads):
                child.grad += local_grad * node.grad


# --- the model ---

generator = random.Random(1337)
parameters = []


def matrix(rows, columns):
    """Weights, drawn at random."""
    weights = [[Value(generator.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
    parameters.extend(itertools.chain.from_iterable(weights))
    return weights


characters = matrix(VOCABULARY, WIDTH)
positions = matrix(POSITIONS, WIDTH)
heads = [[matrix(HEAD_WIDTH, WIDTH) for _ in ("query", "key", "value")] for _ in range(HEADS)]
output = matrix(WIDTH, WIDTH)
expand = matrix(4 * WIDTH, WIDTH)
contract = matrix(WIDTH, 4 * WIDTH)
predict = matrix(VOCABULARY, WIDTH)


def linear(rows, xs):
    """For each row of weights the sum of weight * x."""
    return [sum(w * x for w, x in zip(row, xs)) for row in rows]


def softmax(xs):
    """Positive numbers that add up to 1, in the proportions of exp(x)."""
    highest = max(x.data for x in xs)
    exps = [(x - highest).exp() for x in xs]
    total = sum(exps)
    return [e / total for e in exps]


def norm(xs):
    """xs scaled so that the mean of their squares is 1."""
    scale = (sum(x * x for x in xs) / len(xs) + 1e-5) ** -0.5
    return [x * scale for x in xs]


def attend(head, x, keys, values):
    """What one head reads, looking back from x. Adds to the keys and values of the positions before."""
    query, key, value = head
    keys.append(linear(key, x))
    values.append(linear(value, x))
    scores = [score / HEAD_WIDTH**0.5 for score in linear(keys, linear(query, x))]
    return linear(list(zip(*values)), softmax(scores))


def gpt(token, position, past):
    """How likely each token is to come next, as logits. Adds to the past: keys and values of each head."""
    x = [c + p for c, p in zip(characters[token], positions[position])]
    normed = norm(x)
    found = [y for head, (keys, values) in zip(heads, past) for y in attend(head, normed, keys, values)]
    x = [a + b for a, b in zip(x, linear(output, found))]
    hidden = [h.relu() for h in linear(expand, norm(x))]
    x = [a + b for a, b in zip(x, linear(contract, hidden))]
    return linear(predict, norm(x))


def start():
    """The past before the first character: for each head no keys, no values."""
    return [([], []) for _ in range(HEADS)]


# --- learning, and made-up names ---

def loss_of(tokens):
    """The mean, over a name, of how surprising each next token is."""
    past, losses = start(), []
    for position, (token, target) in enumerate(zip(tokens, tokens[1:])):
        logits = gpt(token, position, past)
        losses.append(-softmax(logits)[target].log())
    return sum(losses) / len(losses)


def made_up():
    """A name."""
    past, token, name = start(), BOUNDARY, ""
    for position in range(POSITIONS):
        chances = softmax([logit / 0.5 for logit in gpt(token, position, past)])
        (token,) = generator.choices(range(VOCABULARY), [chance.data for chance in chances])
        if token == BOUNDARY:
            break
        name += CHARACTERS[token]
    return name


stream = itertools.cycle([BOUNDARY, *map(CHARACTERS.index, name), BOUNDARY] for name in names)
means = [0.0] * len(parameters)
squares = [0.0] * len(parameters)
losses = []
print(f"{len(parameters)} parameters")
for step in range(STEPS):
    losses.append(0.0)
    for tokens in itertools.islice(stream, BATCH):
        loss = loss_of(tokens) / BATCH
        loss.backward()
        losses[-1] += loss.data

    rate = LEARNING_RATE * (1 - step / STEPS)
    for i, p in enumerate(parameters):      # Adam
        means[i] = BETA * means[i] + (1 - BETA) * p.grad
        squares[i] = BETA_OF_SQUARES * squares[i] + (1 - BETA_OF_SQUARES) * p.grad**2
        mean = means[i] / (1 - BETA ** (step + 1))
        square = squares[i] / (1 - BETA_OF_SQUARES ** (step + 1))
        p.data -= rate * mean / (square**0.5 + EPSILON)
        p.grad = 0
    print(f"step {step + 1} of {STEPS}, loss {losses[-1]:.4f}")
    if (step + 1) % 10 == 0:
        print("  names:", ", ".join(made_up() for _ in range(6)))
