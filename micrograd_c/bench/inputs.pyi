from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["FULL", "QUICK", "Sizes"]

_T = TypeVar("_T")
_Matrix = list[list[_T]]
_Layers = list[tuple[_Matrix[_T], list[_T]]]

@dataclass(frozen=True)
class Sizes:
    turns: int
    deep_turns: int
    terms: int
    steps: int
    names: int
    nodes: int
    loop_steps: int

FULL: Sizes
QUICK: Sizes

START: float
ADDEND: float
FACTOR: float
EXPRESSION: tuple[float, float]

SHAPE: tuple[int, ...]
DECAY: float

def wide_numbers(count: int) -> list[float]: ...
def layers() -> _Layers[float]: ...
def flat(layers: Iterable[tuple[Iterable[Iterable[_T]], Iterable[_T]]]) -> list[_T]: ...
def layered(numbers: Iterable[_T]) -> _Layers[_T]: ...
def learning_rate(k: int) -> float: ...
def moons() -> tuple[list[list[float]], list[int]]: ...
def point() -> list[float]: ...

NAMES: tuple[str, ...]
CHARACTERS: str
BOUNDARY: int
VOCABULARY: int
WIDTH: int
HEADS: int
POSITIONS: int
HEAD_WIDTH: int
LEARNING_RATE: float
BETAS: tuple[float, float]
EPSILON: float
SHAPES: list[tuple[int, int]]

def token_lists(count: int) -> list[list[int]]: ...
def matrices() -> list[_Matrix[float]]: ...
def flat_matrices(matrices: Iterable[Iterable[Iterable[_T]]]) -> list[_T]: ...
def shaped(numbers: Iterable[_T]) -> list[_Matrix[_T]]: ...
