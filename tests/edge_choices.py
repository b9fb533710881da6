"""What is right at each cell of tests/edges.py: what PyTorch and JAX agree on, or a choice, where they do not or where
this package goes another way. docs/numbers.md lists the choices by their names.

A choice is: the cases it is about, by name; the cells, by their numbers and the two libraries' answers; and whose
answer is right, or a function of the case's name, the cell, its seed and PyTorch's answer.
"""

import functools
import json
import math
import pathlib

from edges import CASES, inf, nan, same

FILE = pathlib.Path(__file__).parent / "data" / "edge_grid.json"


@functools.cache
def read_oracle():
    """By case, for each cell (PyTorch's answer, JAX's), each a list of value and gradients.

    A case that the two were not asked about yet is left out.
    """
    content = json.loads(FILE.read_text())
    numbers = [float(x) for x in content["numbers"]]
    found = {}
    for name in content["torch"]:
        case = CASES[name]
        flat, width = [numbers[k] for k in content["torch"][name]], 1 + len(case.variables())
        torchs = [flat[k:k + width] for k in range(0, len(flat), width)]
        others = {int(k): [numbers[i] for i in answer] for k, answer in content["jax"].get(name, {}).items()}
        found[name] = [(answer, others.get(k, answer)) for k, answer in enumerate(torchs)]
    return found


def division(case, cell, seed, torch):
    """a * b**-1, and the slopes of that."""
    a, b = cell
    inverse = math.copysign(inf, b) if abs(b) < 5e-309 else 1.0 / b
    of_a, of_b = inverse, -(inverse * inverse) * a
    return [a * inverse, *{"v / v": [of_a, of_b], "v / n": [of_a], "n / v": [of_b]}[case]]


def first(case, cell, seed, torch):
    return [cell[0], *torch[1:]]


def not_negative(case, cell, seed, torch):
    return [abs(torch[0]), *torch[1:]]


def slope_of_0(case, cell, seed, torch):
    return [torch[0], 0.0 * seed]


def by_square(case, cell, seed, torch):
    """The slopes of atan2, as C divides, where the square is 0."""
    slopes = [math.copysign(inf, number) if number else nan for number in (cell[1], -cell[0])]
    return [torch[0], *[slope for slope, kind in zip(slopes, (case[0], case[8])) if kind == "v"]]


def about(*names):
    return lambda case: case.startswith(names)


def anywhere(case):
    return True


def is_subnormal(x):
    return 0.0 < abs(x) < 2.0**-1022


extremes = about("v maximum ", "n maximum ", "v minimum ", "n minimum ")
powers = about("v ** ", "n ** ")
CHOICES = {
    "division": (about("v / ", "n / "), lambda cell, torch, jax: True, division),
    "zeros tie": (extremes, lambda cell, torch, jax: repr(cell) in ("(0.0, -0.0)", "(-0.0, 0.0)"), first),
    "extremes of nan": (extremes, lambda cell, torch, jax: nan in map(as_nan, cell), "torch"),
    "not the extreme": (extremes, lambda cell, torch, jax: nan in map(as_nan, jax[1:]), "torch"),
    "relu off": (about("relu"), lambda cell, torch, jax: not cell[0] > 0.0, slope_of_0),
    "floor and ceil": (about("floor", "ceil"), lambda cell, torch, jax: True, slope_of_0),
    "atan2 near 0": (
        about("v atan2 ", "n atan2 "), lambda cell, torch, jax: all(abs(x) < 1e-161 for x in cell), by_square),
    "abs at 0": (about("abs"), lambda cell, torch, jax: not abs(cell[0]) > 0.0, "torch"),
    "power of 0": (powers, lambda cell, torch, jax: cell[1] == 0.0, "torch"),
    "0 to a negative power": (powers, lambda cell, torch, jax: cell[0] == 0.0 and cell[1] < 0.0, "torch"),
    "tanh": (about("tanh, adjoint inf"), lambda cell, torch, jax: True, "torch"),
    "silu and gelu": (
        about("silu, adjoint inf", "gelu, adjoint inf", "gelu_tanh, adjoint inf"), lambda cell, torch, jax: True,
        "torch"),
    "leaky_relu at 0": (about("leaky_relu"), lambda cell, torch, jax: cell[0] == 0.0, "torch"),
    "log_sigmoid is not -0.0": (about("log_sigmoid"), lambda cell, torch, jax: torch[0] == 0.0, "torch"),
    "cross_entropy is not -0.0": (about("cross_entropy"), lambda cell, torch, jax: torch[0] == 0.0, not_negative),
    "logsumexp of inf": (about("logsumexp"), lambda cell, torch, jax: inf in cell, "torch"),
    "logsumexp of large numbers": (about("logsumexp"), lambda cell, torch, jax: abs(torch[0]) == 1e308, "jax"),
    "subnormal numbers": (
        anywhere, lambda cell, torch, jax: any(map(is_subnormal, [*cell, *torch])), "torch"),
}


def as_nan(x):
    """The nan that `in` finds, being the same object."""
    return nan if x != x else x


def choice(case, cell, torch, jax):
    """The name of the first choice that is about a cell, or None."""
    for name, (in_case, in_cell, _) in CHOICES.items():
        if in_case(case) and in_cell(cell, torch, jax):
            return name
    return None


def right(case, cell, torch, jax):
    name = choice(case, cell, torch, jax)
    if name is None:
        assert same(torch, jax), f"nobody has chosen: {case} of {cell}, {torch} or {jax}"
        return torch
    whose = CHOICES[name][2]
    if callable(whose):
        return whose(case, cell, CASES[case].seed, torch)
    return torch if whose == "torch" else jax


@functools.cache
def counts():
    """How many cells there are, in how many the two agree and are right, and how many each choice decides."""
    cells, chosen = 0, dict.fromkeys(CHOICES, 0)
    for case, answers in read_oracle().items():
        for cell, (torch, jax) in zip(CASES[case].cells, answers):
            cells += 1
            if not same(torch, jax) or not same(torch, right(case, cell, torch, jax)):
                chosen[choice(case, cell, torch, jax)] += 1
    return cells, cells - sum(chosen.values()), chosen
