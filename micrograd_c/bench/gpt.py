"""A GPT over the characters of names, in scalars of any class: the model of the examples, number for number.

Knows nothing of libraries: the matrices hold what is to be computed with, and `functions` is micrograd_c.vector, whose
functions record many nodes in one call, or an instance of Plain, which spells them out.
"""

from __future__ import annotations

import math

from micrograd_c.bench.inputs import BETAS, EPSILON, HEAD_WIDTH, HEADS, LEARNING_RATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    _Vector = Sequence[Any]

__all__ = ["GPT", "Adam", "Plain"]


class Plain:
    """linear, softmax and the like in lines of plain Python.

    `highest(xs)` gives a number near the largest of xs, to be subtracted before exp().
    """

    def __init__(self, exp: Callable[[Any], Any], log: Callable[[Any], Any], highest: Callable[[_Vector], Any]) -> None:
        self.exp, self.log, self.highest = exp, log, highest

    def sumprod(self, ws: _Vector, xs: _Vector) -> Any:
        return sum(w * x for w, x in zip(ws, xs))

    def linear(self, rows: Sequence[_Vector], xs: _Vector, biases: _Vector | None = None) -> list[Any]:
        if biases is None:
            biases = [0] * len(rows)
        return [sum((w * x for w, x in zip(row, xs)), b) for row, b in zip(rows, biases)]

    def softmax(self, xs: _Vector) -> list[Any]:
        highest = self.highest(xs)
        exps = [self.exp(x - highest) for x in xs]
        total = sum(exps)
        return [e / total for e in exps]

    def cross_entropy(self, logits: _Vector, target: int) -> Any:
        highest = self.highest(logits)
        return self.log(sum(self.exp(x - highest) for x in logits)) - (logits[target] - highest)

    def mean(self, xs: _Vector) -> Any:
        return sum(xs) / len(xs)


def highest_data(xs: _Vector) -> float:
    """Plain's `highest` for Values."""
    return max(x.data for x in xs)


class GPT:
    """One layer of attention and one small network, with matrices as inputs.matrices() lists them."""

    def __init__(self, matrices: list[list[list[Any]]], functions: Any, relu: Callable[[Any], Any]) -> None:
        self.functions, self.relu = functions, relu
        self.characters, self.positions, *heads, self.output, self.expand, self.contract, self.predict = matrices
        self.heads = [heads[i : i + 3] for i in range(0, len(heads), 3)]

    def norm(self, xs: _Vector) -> list[Any]:
        """xs scaled so that the mean of their squares is 1."""
        scale = (self.functions.sumprod(xs, xs) / len(xs) + 1e-5) ** -0.5
        return [x * scale for x in xs]

    def attend(self, head: _Vector, x: _Vector, keys: list[Any], values: list[Any]) -> list[Any]:
        """What a head reads, seen from the position of x. Adds to the keys and values of the positions before."""
        linear = self.functions.linear
        query, key, value = head
        keys.append(linear(key, x))
        values.append(linear(value, x))
        query = [q * HEAD_WIDTH**-0.5 for q in linear(query, x)]
        weights = self.functions.softmax(linear(keys, query))
        return linear(list(zip(*values)), weights)

    def logits(self, token: int, position: int, past: Sequence[tuple[list[Any], list[Any]]]) -> list[Any]:
        """How likely each token is to come next. Adds this position to the past."""
        linear = self.functions.linear
        x = self.embedding(token, position)
        normed = self.norm(x)
        found = [y for head, its_past in zip(self.heads, past) for y in self.attend(head, normed, *its_past)]
        x = linear(self.output, found, x)       # the sums start from x, which adds them to it
        hidden = [self.relu(h) for h in linear(self.expand, self.norm(x))]
        return linear(self.predict, self.norm(linear(self.contract, hidden, x)))

    def embedding(self, token: int, position: int) -> list[Any]:
        """What stands for a token at a position."""
        return [c + p for c, p in zip(self.characters[token], self.positions[position])]

    def surprise(self, logits: _Vector, target: int) -> Any:
        """How little the next token was expected."""
        return self.functions.cross_entropy(logits, target)

    def loss(self, tokens: Sequence[int]) -> Any:
        """The mean, over a name, of how surprising each next token is."""
        past: list[tuple[list[Any], list[Any]]] = [([], []) for _ in range(HEADS)]
        return self.functions.mean([
            self.surprise(self.logits(token, position, past), target)
            for position, (token, target) in enumerate(zip(tokens, tokens[1:]))
        ])


class Adam:
    """Adam in plain Python, for parameters with `data` and `grad`."""

    def __init__(self, parameters: list[Any]) -> None:
        self.parameters = parameters
        self.reset()

    def reset(self) -> None:
        """Forget all steps."""
        self.means, self.squares = [0.0] * len(self.parameters), [0.0] * len(self.parameters)
        self.steps = 0

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self.parameters:
            p.grad = 0

    def step(self) -> None:
        """Move all parameters."""
        self.steps += 1
        beta, beta_of_squares = BETAS
        rate, rate_of_squares = 1 - beta, 1 - beta_of_squares
        size = LEARNING_RATE / (1 - beta**self.steps)
        correction = math.sqrt(1 - beta_of_squares**self.steps)
        means, squares = self.means, self.squares
        for i, p in enumerate(self.parameters):
            grad = p.grad
            means[i] = mean = means[i] + rate * (grad - means[i])
            squares[i] = square = squares[i] * beta_of_squares + rate_of_squares * grad * grad
            p.data -= size * mean / (math.sqrt(square) / correction + EPSILON)
