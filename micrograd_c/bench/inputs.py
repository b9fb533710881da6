"""The numbers that every side computes with, as plain floats and lists. Knows nothing of who computes what."""

from __future__ import annotations

import random
from dataclasses import dataclass

from micrograd_c.demo import load_moons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar

    _T = TypeVar("_T")
    _Matrix = list[list[_T]]
    _Layers = list[tuple[_Matrix[_T], list[_T]]]

__all__ = ["FULL", "QUICK", "Sizes"]


@dataclass(frozen=True)
class Sizes:
    """How much of each workload one run does."""

    turns: int              # of the loop with two ops
    deep_turns: int         # of the same loop as one deep graph
    terms: int              # of the wide sum
    steps: int              # of the demo's training in a row
    names: int              # steps of the GPT in a row
    nodes: int              # recorded to see what a node takes
    loop_steps: int         # of the demo's training whose peak memory is measured


FULL = Sizes(turns=250, deep_turns=500_000, terms=100_000, steps=5, names=3, nodes=1_000_000, loop_steps=10)
QUICK = Sizes(turns=250, deep_turns=2_500, terms=10_000, steps=1, names=1, nodes=100_000, loop_steps=2)

START, ADDEND, FACTOR = 2.0, 0.001, 0.999       # x, a and b of `x = x*b + a`, which stays between 1 and 2
EXPRESSION = -4.0, 2.0                          # a and b of micrograd's README expression

SHAPE = (2, 16, 16, 1)
DECAY = 1e-4                                    # the demo's factor of the squares of the weights


def wide_numbers(count: int) -> list[float]:
    """Numbers to add the squares of."""
    return [(k % 7 - 3) / 4 for k in range(count)]


def layers() -> _Layers[float]:
    """The demo's first weights, as micrograd draws them: for each layer (rows of weights, biases)."""
    generator = random.Random(1337)
    return [
        ([[generator.uniform(-1, 1) for _ in range(width)] for _ in range(height)], [0.0] * height)
        for width, height in zip(SHAPE, SHAPE[1:])
    ]


def flat(layers: Iterable[tuple[Iterable[Iterable[_T]], Iterable[_T]]]) -> list[_T]:
    """Weights, or gradients, of layers in the order of micrograd's parameters()."""
    return [number for rows, biases in layers for row, bias in zip(rows, biases) for number in (*row, bias)]


def layered(numbers: Iterable[_T]) -> _Layers[_T]:
    """Layers of numbers that are in that order."""
    numbers = iter(numbers)
    layers = []
    for width, height in zip(SHAPE, SHAPE[1:]):
        rows, biases = [], []
        for _ in range(height):
            rows.append([next(numbers) for _ in range(width)])
            biases.append(next(numbers))
        layers.append((rows, biases))
    return layers


def own_layers() -> list[_Matrix[float]]:
    """Weights of a network that sees 16 numbers: two layers of 16 rows."""
    generator = random.Random(1337)
    return [[[generator.uniform(-0.25, 0.25) for _ in range(16)] for _ in range(16)] for _ in range(2)]


def own_point() -> list[float]:
    """What that network sees."""
    return [(k % 5 - 2) / 2 for k in range(16)]


def learning_rate(k: int) -> float:
    """The demo's, in step k."""
    return 1.0 - 0.9 * k / 100


def moons() -> tuple[list[list[float]], list[int]]:
    """The demo's points and labels."""
    return load_moons()


def point() -> list[float]:
    """The one sample."""
    return load_moons()[0][0]


# --- the GPT: see gpt.py ---

NAMES = ("nestor", "adam", "ethel", "kathleen", "gwen")
CHARACTERS = "abcdefghijklmnopqrstuvwxyz"
BOUNDARY = len(CHARACTERS)      # the token before a name's first character, and after its last
VOCABULARY = BOUNDARY + 1
WIDTH, HEADS, POSITIONS = 16, 4, 16
HEAD_WIDTH = WIDTH // HEADS
LEARNING_RATE, BETAS, EPSILON = 0.005, (0.9, 0.999), 1e-8      # Adam's
SHAPES = [
    (VOCABULARY, WIDTH), (POSITIONS, WIDTH), *[(HEAD_WIDTH, WIDTH)] * 3 * HEADS,
    (WIDTH, WIDTH), (4 * WIDTH, WIDTH), (WIDTH, 4 * WIDTH), (VOCABULARY, WIDTH),
]


def token_lists(count: int) -> list[list[int]]:
    """The tokens of the first names."""
    return [[BOUNDARY, *map(CHARACTERS.index, name), BOUNDARY] for name in NAMES[:count]]


def matrices() -> list[_Matrix[float]]:
    """The GPT's first weights, a list of rows for each of SHAPES.

    They are the embeddings of characters and of positions; query, key and value of each head; what brings the heads
    together; the two layers of the small network; the prediction.
    """
    generator = random.Random(1337)
    return [[[generator.gauss(0, 0.08) for _ in range(columns)] for _ in range(rows)] for rows, columns in SHAPES]


def flat_matrices(matrices: Iterable[Iterable[Iterable[_T]]]) -> list[_T]:
    """Their numbers as one list."""
    return [number for matrix in matrices for row in matrix for number in row]


def shaped(numbers: Iterable[_T]) -> list[_Matrix[_T]]:
    """Matrices of numbers that are in that order."""
    numbers = iter(numbers)
    return [[[next(numbers) for _ in range(columns)] for _ in range(rows)] for rows, columns in SHAPES]
