"""A GPT that learns to make up names, spelled with nothing but Value, its operators, exp, log, relu and sum().

    pip install 'micrograd_c[examples]'
    python examples/gpt_plain.py --steps 1000

Every weight, and every number computed from weights, is one Value. The model reads a name character by character; at
each it computes how likely each character is to come next, from the character, its position, and what attention finds
in the characters before. gpt.py is the same model, number for number, with micrograd_c's helpers instead of the
functions that come first here.
"""

import math
import random

from names import BOUNDARY, VOCABULARY, main

from micrograd_c.engine import Value

WIDTH = 16              # numbers that stand for a character
HEADS = 4
LAYERS = 1
POSITIONS = 16          # the longest name has one character less
HEAD_WIDTH = WIDTH // HEADS


def linear(rows, xs, biases=None):
    """A layer: for each row of weights the sum of weight * x. The sums start from the biases, without any from 0."""
    if biases is None:
        biases = [0] * len(rows)
    return [sum((w * x for w, x in zip(row, xs)), b) for row, b in zip(rows, biases)]


def softmax(xs):
    """Positive numbers that add up to 1, in the proportions of exp(x). Large xs do not overflow."""
    highest = max(x.data for x in xs)
    exps = [(x - highest).exp() for x in xs]
    total = sum(exps)
    return [e / total for e in exps]


def cross_entropy(logits, target):
    """-log(softmax(logits)[target]), without the detour over a probability that may be too small for a float."""
    highest = max(x.data for x in logits)
    return sum((x - highest).exp() for x in logits).log() - (logits[target] - highest)


def norm(xs):
    """xs scaled so that the mean of their squares is 1 (RMSNorm)."""
    mean_square = sum(x * x for x in xs) / len(xs)
    scale = (mean_square + 1e-5) ** -0.5
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
    """All weights, drawn at random. Value may be any class with Value's operators."""

    def __init__(self, seed, Value=Value):
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
        return sum(losses) / len(losses)

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


class Adam:
    """Steps as long as a parameter's gradients of late agree with each other, whatever their size."""

    def __init__(self, parameters, lr, betas=(0.9, 0.999), eps=1e-8):
        self.parameters, self.lr, self.betas, self.eps = parameters, lr, betas, eps
        self.means = [0.0] * len(parameters)
        self.squares = [0.0] * len(parameters)
        self.steps = 0

    def zero_grad(self):
        """Forget the gradients."""
        for p in self.parameters:
            p.grad = 0

    def step(self):
        """Move all parameters, by running means of their gradients and of the squares of these."""
        self.steps += 1
        beta, beta_of_squares = self.betas
        rate, rate_of_squares = 1 - beta, 1 - beta_of_squares
        size = self.lr / (1 - beta**self.steps)
        correction = math.sqrt(1 - beta_of_squares**self.steps)
        means, squares, eps = self.means, self.squares, self.eps
        for i, p in enumerate(self.parameters):
            grad = p.grad
            means[i] = mean = means[i] + rate * (grad - means[i])
            squares[i] = square = squares[i] * beta_of_squares + rate_of_squares * grad * grad
            p.data -= size * mean / (math.sqrt(square) / correction + eps)


if __name__ == "__main__":
    main(GPT, Adam)
