"""A GPT that learns to make up names, with micrograd_c's helpers: each records many nodes in one call.

    pip install 'micrograd_c[examples]'
    python examples/gpt.py

This is gpt_plain.py, number for number: the same weights, the same graph, the same losses. The functions at its top and
its Adam are gone, since they are micrograd_c's now; the rest is the same except for norm, loss and generate.
Names are made up under no_grad(): without a graph that nobody goes back through.
"""

import random

from names import BOUNDARY, VOCABULARY, main

from micrograd_c import cross_entropy, linear, mean, no_grad, softmax, sumprod
from micrograd_c.engine import Value
from micrograd_c.optim import Adam

WIDTH = 16              # numbers that stand for a character
HEADS = 4
LAYERS = 1
POSITIONS = 16          # the longest name has one character less
HEAD_WIDTH = WIDTH // HEADS


def norm(xs):
    """xs scaled so that the mean of their squares is 1 (RMSNorm)."""
    scale = (sumprod(xs, xs) / len(xs) + 1e-5) ** -0.5
    return [x * scale for x in xs]


class Head:
    """One head of attention: it looks back for keys that fit its query, and reads the values that go with them."""

    def __init__(self, matrix):
        self.query, self.key, self.value = (matrix(HEAD_WIDTH, WIDTH) for _ in range(3))

    def __call__(self, x, keys, values):
        """What it reads, seen from the position of x. Adds to the keys and values of the positions before."""
        keys.append(linear(self.key, x))
        values.append(linear(self.value, x))
        query = [q * HEAD_WIDTH**-0.5 for q in linear(self.query, x)]
        weights = softmax(linear(keys, query))
        return linear(list(zip(*values)), weights)


class Layer:
    """Attention gathers from the positions before, a small MLP works on that; each adds its result to x."""

    def __init__(self, matrix):
        self.heads = [Head(matrix) for _ in range(HEADS)]
        self.output = matrix(WIDTH, WIDTH)
        self.expand = matrix(4 * WIDTH, WIDTH)
        self.contract = matrix(WIDTH, 4 * WIDTH)

    def __call__(self, x, past):
        """x after this layer; past has the keys and the values of each head."""
        normed = norm(x)
        found = [y for head, (keys, values) in zip(self.heads, past) for y in head(normed, keys, values)]
        x = linear(self.output, found, x)       # the sums start from x, which adds them to it
        hidden = [h.relu() for h in linear(self.expand, norm(x))]
        return linear(self.contract, hidden, x)


class GPT:
    """All weights, drawn at random."""

    def __init__(self, seed):
        generator = random.Random(seed)
        self.matrices = []

        def matrix(rows, columns):
            weights = [[Value(generator.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
            self.matrices.append(weights)
            return weights

        self.characters = matrix(VOCABULARY, WIDTH)
        self.positions = matrix(POSITIONS, WIDTH)
        self.layers = [Layer(matrix) for _ in range(LAYERS)]
        self.predict = matrix(VOCABULARY, WIDTH)

    def parameters(self):
        """All weights in one list."""
        return [p for matrix in self.matrices for row in matrix for p in row]

    def start(self):
        """The past before the first character: for each layer and head no keys, no values."""
        return [[([], []) for _ in range(HEADS)] for _ in range(LAYERS)]

    def logits(self, token, position, past):
        """How likely each token is to come next, as logits. Adds this position to the past."""
        x = [c + p for c, p in zip(self.characters[token], self.positions[position])]
        for layer, its_past in zip(self.layers, past):
            x = layer(x, its_past)
        return linear(self.predict, norm(x))

    def loss(self, tokens):
        """The mean, over the name, of how surprising each next token is."""
        past = self.start()
        losses = [
            cross_entropy(self.logits(token, position, past), target)
            for position, (token, target) in enumerate(zip(tokens, tokens[1:]))
        ]
        return mean(losses)

    @no_grad
    def generate(self, generator, temperature):
        """The tokens of a name drawn by chance; at temperature 0 the likeliest of each position."""
        past = self.start()
        tokens = [BOUNDARY]
        for position in range(POSITIONS):
            logits = self.logits(tokens[-1], position, past)
            if temperature == 0:
                tokens.append(max(range(VOCABULARY), key=lambda token: logits[token].data))
            else:
                chances = softmax([logit / temperature for logit in logits])
                tokens += generator.choices(range(VOCABULARY), [chance.data for chance in chances])
            if tokens[-1] == BOUNDARY:
                break
        return [token for token in tokens if token != BOUNDARY]


if __name__ == "__main__":
    main(GPT, Adam)
