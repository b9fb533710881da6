"""Pictures of training: where a model decides what, and how its loss falls. Needs the extra `plot`.

Knows a model by what it does with two numbers, and Values by `float()`. viz has these functions for everybody.
"""

from __future__ import annotations

import math

from micrograd_c._core.value.grad_mode import no_grad
from micrograd_c._listing import lister
from micrograd_c.extras import import_extra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

__all__ = ["Grid", "draw_regions", "plot_boundary", "plot_losses"]
__dir__ = lister(__all__)

EXTRA = "'micrograd_c[plot]'"
COLOURS = "Spectral"        # as in micrograd's notebook
SIDES = ["#9e0142", "#5e4fa2"]      # its ends: below 0, and above
FARTHEST = 1e9              # scores beyond are drawn as this one, infinite ones, too
MARGIN = 0.5                # of the picture beyond the outermost points, in their units
LINES = 100                 # of the grid, in each direction


def plot_boundary(model: Callable[[list[float]], Any], X: Any, y: Any, *, lines: int = LINES, axes: Any = None) -> Any:
    """Colour the plane by what the model says of each of its points, draw the points X over it in the colours of their
    labels y, and return matplotlib's Axes.

    The model takes a list of two numbers. If it returns one Value or number, the boundary is where that is 0; if it
    returns a list, it is where another of them becomes the largest. It is called lines * lines times, under no_grad().
    axes are drawn on if they are given; otherwise there is a new figure, which a notebook shows.

    Raises ValueError if the points are not of two finite numbers each, if there are none, or not as many labels as
    points, TypeError for what is no list of numbers, and ImportError if matplotlib is not installed.
    """
    points, labels = checked_points(X), [as_number(label, f"y[{k}]") for k, label in enumerate(entries(y, "y"))]
    if len(points) != len(labels):
        raise ValueError(f"there must be a label for each point, not {len(labels)} labels for {len(points)} points")
    if lines < 2:
        raise ValueError(f"lines must be at least 2, not {lines}")
    axes = axes if axes is not None else new_axes("plot_boundary")
    grid = Grid(points, lines)
    draw_regions(axes, grid, grid.scores(model), points, labels)
    return axes


def plot_losses(losses: Iterable[Any], *, axes: Any = None) -> Any:
    """Draw the losses of a training run, numbers or Values, against its steps, and return matplotlib's Axes.

    axes are drawn on if they are given; otherwise there is a new figure, which a notebook shows. Small losses are
    seen better after `axes.set_yscale("log")`.

    Raises ValueError if there are no losses, TypeError for what is no number, and ImportError if matplotlib is not
    installed.
    """
    numbers = [as_number(loss, f"losses[{k}]") for k, loss in enumerate(entries(losses, "losses"))]
    if not numbers:
        raise ValueError("there are no losses to plot")
    axes = axes if axes is not None else new_axes("plot_losses")
    axes.plot(numbers)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    return axes


def new_axes(user: str) -> Any:
    return import_extra("matplotlib.pyplot", user, EXTRA).subplots()[1]


def checked_points(X: Any) -> list[list[float]]:
    """X as lists of two floats."""
    points = [
        [as_number(number, f"X[{k}][{i}]") for i, number in enumerate(entries(row, f"X[{k}]"))]
        for k, row in enumerate(entries(X, "X"))
    ]
    if not points:
        raise ValueError("there are no points to plot")
    for k, point in enumerate(points):
        if len(point) != 2:
            raise ValueError(f"a point in the plane has two numbers, but X[{k}] has {len(point)}")
        if not all(map(math.isfinite, point)):
            raise ValueError(f"a point in the plane has two finite numbers, but X[{k}] is {point}")
    return points


def entries(given: Any, name: str) -> list[Any]:
    try:
        return list(given)
    except TypeError:
        raise TypeError(f"{name} must be a list of its entries, not {given!r}") from None


def as_number(given: Any, name: str) -> float:
    """A number or a Value as a float; a list, even of one number, is none."""
    if not isinstance(given, (str, bytes)) and not hasattr(given, "__len__"):
        try:
            return float(given)
        except TypeError:
            pass
    elif getattr(given, "shape", None) == ():
        return float(given)
    raise TypeError(f"{name} must be a number or a Value, not {given!r}")


class Grid:
    """Places all over the part of the plane that points are in."""

    def __init__(self, points: Sequence[Sequence[float]], lines: int = LINES) -> None:
        self.columns, self.rows = (evenly(min(xs) - MARGIN, max(xs) + MARGIN, lines) for xs in zip(*points))

    def scores(self, model: Callable[[list[float]], Any]) -> list[list[list[float]]]:
        """What the model says of each place, as lists of floats, row by row."""
        with no_grad():
            return [[as_floats(model([x, y])) for x in self.columns] for y in self.rows]


def as_floats(result: Any) -> list[float]:
    try:
        return [float(result)]
    except TypeError:
        return [float(score) for score in result]


def evenly(low: float, high: float, count: int) -> list[float]:
    """Numbers from low to high."""
    return [low + (high - low) * k / (count - 1) for k in range(count)]


def draw_regions(
    axes: Any, grid: Grid, scores: list[list[list[float]]], points: Sequence[Sequence[float]], labels: Sequence[float],
) -> None:
    """The regions in colours, and the points over them."""
    classes = max(2, len(scores[0][0]))
    if len(scores[0][0]) == 1:      # drawn by the scores themselves, so that the boundary is smooth
        heights = [[max(-FARTHEST, min(FARTHEST, score)) for score, in row] for row in scores]
        axes.contourf(
            grid.columns, grid.rows, heights, levels=[-FARTHEST, 0, FARTHEST], colors=SIDES, alpha=0.8,
        )
    else:
        largest = [[max(range(classes), key=numbers.__getitem__) for numbers in row] for row in scores]
        axes.pcolormesh(grid.columns, grid.rows, largest, cmap=COLOURS, alpha=0.8, vmin=0, vmax=classes - 1)
    xs, ys = zip(*points)
    axes.scatter(xs, ys, c=labels, s=40, cmap=COLOURS, edgecolors="black", linewidths=0.5)
    axes.set_xlim(grid.columns[0], grid.columns[-1])
    axes.set_ylim(grid.rows[0], grid.rows[-1])
