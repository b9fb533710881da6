"""Optimizers at the edges: parameters and gradients at each number of a grid, two steps with each of some settings."""

import itertools

from edges import inf, nan

from micrograd_c import optim
from micrograd_c.engine import Value

NUMBERS = [0.0, -0.0, 1.5, -2.0, 5e-324, 1e-308, 1e308, -1e308, inf, -inf, nan]
CELLS = list(itertools.product(NUMBERS, NUMBERS, [0.5, inf]))   # data, gradient of the first step, of the second
STEPS = 2
SETTINGS = [
    ("SGD", {}),
    ("SGD", {"lr": 0.0}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.3, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.4}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.3, 0.5), "weight_decay": 0.2}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "maximize": True}),
    ("Adam", {"betas": (0.0, 0.0), "eps": 0.0}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}),
]
NAMED = {f"{kind} {options}": (kind, options) for kind, options in SETTINGS}


def here(kind, options):
    """The parameters after each step, all cells at once."""
    parameters = [Value(data) for data, _, _ in CELLS]
    optimizer = getattr(optim, kind)(parameters, **options)
    seen = []
    for step in range(STEPS):
        for parameter, cell in zip(parameters, CELLS):
            parameter.grad = cell[1 + step]
        optimizer.step()
        seen.append([parameter.data for parameter in parameters])
    return seen


def torch_numbers(kind, options):
    import torch

    parameters = torch.tensor([data for data, _, _ in CELLS], dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, kind)([parameters], foreach=False, **options)
    seen = []
    for step in range(STEPS):
        parameters.grad = torch.tensor([cell[1 + step] for cell in CELLS], dtype=torch.float64)
        optimizer.step()
        seen.append(parameters.tolist())
    return seen
