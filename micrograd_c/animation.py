"""`micrograd-c demo --animate FILE`: the decision boundary and the loss while the demo trains.

Needs matplotlib and Pillow, the extra `plot`.
"""

from __future__ import annotations

from micrograd_c._listing import lister
from micrograd_c.options import demand_format, import_extra
from micrograd_c.plotting import EXTRA, Grid, draw_regions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["Animation"]
__dir__ = lister(__all__)

EVERY = 2               # steps between two frames
LINES = 40              # of the grid: the picture is small
SHOWN, HELD = 80, 2500  # milliseconds: a frame, and the last one
COLOURS = 64            # few: they are surfaces and lines
INCHES, DOTS = (6.4, 3.2), 80


class Animation:
    """Remembers what a model says while it learns, and draws that afterwards."""

    def __init__(self, file: str, points: Sequence[Sequence[float]], labels: Sequence[float]) -> None:
        self.figure = import_extra("matplotlib.figure", "--animate", EXTRA).Figure
        self.image = import_extra("PIL.Image", "--animate", EXTRA)
        demand_format(file, ["gif"], "micrograd-c demo")
        self.file, self.points, self.labels = file, points, labels
        self.grid = Grid(points, LINES)
        self.losses: list[float] = []
        self.frames: list[tuple[str, list[list[list[float]]], int]] = []     # title, scores, number of losses

    def see(self, k: int, model: Callable[[list[float]], Any], loss: float, accuracy: float) -> None:
        """After step k, whose loss and accuracy were those."""
        self.losses.append(loss)
        if k % EVERY == EVERY - 1:
            title = f"step {k + 1}: loss {loss:.3f}, accuracy {accuracy:.0%}"
            self.frames.append((title, self.grid.scores(model), len(self.losses)))

    def write(self) -> None:
        """Draw all frames."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        figure = self.figure(figsize=INCHES, dpi=DOTS, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        plane, curve = figure.subplots(1, 2)
        pictures = []
        for title, scores, steps in self.frames:
            self.draw(plane, curve, title, scores, steps)
            canvas.draw()
            size = canvas.get_width_height()
            picture = self.image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1).convert("RGB")
            pictures.append(picture.quantize(COLOURS, dither=self.image.Dither.NONE))
        first, *others = pictures
        first.save(
            self.file, save_all=True, append_images=others, loop=0, duration=[SHOWN] * len(others) + [HELD],
        )

    def draw(self, plane: Any, curve: Any, title: str, scores: list[list[list[float]]], steps: int) -> None:
        """One frame: the plane on the left, losses on the right."""
        plane.clear()
        draw_regions(plane, self.grid, scores, self.points, self.labels)
        plane.set_title(title, fontsize=9)
        curve.clear()
        curve.semilogy(self.losses[:steps])
        curve.set_xlim(0, len(self.losses))
        curve.set_ylim(min(self.losses) / 1.5, max(self.losses) * 1.5)
        curve.set_title("loss", fontsize=9)
        curve.set_xlabel("step", fontsize=9)
        for axes in (plane, curve):
            axes.tick_params(labelsize=8)
