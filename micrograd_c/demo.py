"""micrograd's demo: a small MLP learns to tell two moons apart. Its code is the notebook's, and so are its numbers.

The 100 points are scikit-learn's make_moons(n_samples=100, noise=0.1) after np.random.seed(1337).
"""

from __future__ import annotations

import csv
import gc
import importlib
import pathlib
import random
import statistics
import time
from array import array

from micrograd_c._core.mapped.vmap import vmap
from micrograd_c._core.training.ranks import is_launched
from micrograd_c._listing import lister
from micrograd_c.optim import SGD
from micrograd_c.options import demand_format, demand_writable, import_extra
from micrograd_c.vector import sumprod

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from micrograd_c.engine import Value

COMMAND = "micrograd-c demo"
__all__ = ["Training", "VmapTraining", "add_arguments", "load_moons", "run"]
__dir__ = lister(__all__)

STEPS = 100
AGAINST_STEPS = 4       # of the original, which takes a second a step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `micrograd-c demo` accepts."""
    parser.add_argument("--plot", metavar="FILE", help="draw the decision boundary (needs the extra `plot`)")
    parser.add_argument(
        "--animate", metavar="FILE.gif",
        help="draw the boundary and the loss while the model learns, as a GIF (needs the extra `plot`)",
    )
    parser.add_argument("--vmap", action="store_true", help="compute all points at once, with micrograd_c.vmap")
    parser.add_argument(
        "--against", metavar="PACKAGE", choices=["micrograd"],
        help="afterwards run the first steps on the original, `micrograd`, and print how losses and times compare",
    )


def run(options: argparse.Namespace) -> int:
    """`micrograd-c demo`; returns the exit status."""
    kind = VmapTraining if options.vmap else Training
    figure = prepared(options.plot) if options.plot else None
    if options.against:
        import_extra("micrograd.engine", f"--against {options.against}", "micrograd==0.1.0")
    training = kind("micrograd_c", is_launched())
    animation = None
    if options.animate:
        from micrograd_c.animation import Animation

        animation = Animation(options.animate, *load_moons())
        demand_writable(options.animate, COMMAND)
    seconds = []
    for k in range(STEPS):
        start = time.perf_counter()
        loss, accuracy = training.step()
        seconds.append(time.perf_counter() - start)
        if training.rank == 0:
            print(f"step {k} loss {loss}, accuracy {accuracy * 100}%")
            if animation:
                animation.see(k, training.model, loss, accuracy)
    if training.rank != 0:
        return 0
    tracing = f"; the first, with tracing, {shown(seconds[0])}" if options.vmap else ""
    print(f"{STEPS} steps, median {shown(statistics.median(seconds))} a step{tracing}")
    if figure:
        from micrograd_c.plotting import plot_boundary

        plot_boundary(training.model, *load_moons(), axes=figure.subplots())
        figure.savefig(options.plot)
        print(f"decision boundary drawn to {options.plot}")
    if animation:
        animation.write()
        print(f"training drawn to {options.animate}")
    if options.against:
        compare(kind, options.against)
    return 0


def prepared(file: str) -> Any:
    """A figure that can be written to the file; no window is opened for it."""
    figure = import_extra("matplotlib.figure", "--plot", "'micrograd_c[plot]'").Figure()
    demand_format(file, figure.canvas.get_supported_filetypes(), COMMAND)
    demand_writable(file, COMMAND)
    return figure


def shown(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"


def load_moons() -> tuple[list[list[float]], list[int]]:
    """The points as [[x, y], ...] and their labels, -1 or 1."""
    with open(pathlib.Path(__file__).with_name("moons.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    return [[float(row["x"]), float(row["y"])] for row in rows], [int(row["label"]) for row in rows]


class Training:
    """The notebook's training run, on micrograd or any package that has its modules; if asked, on several MPI ranks.

    Each rank then has its share of the points, and the means over all of them are those of the means.
    """

    def __init__(self, package: str, distributed: bool = False) -> None:
        self.Value = importlib.import_module(f"{package}.engine").Value
        self.X, self.y = load_moons()
        self.ranks: Any = None
        self.rank, self.size = 0, len(self.y)
        if distributed:
            self.ranks = importlib.import_module("micrograd_c.distributed")
            self.rank = self.ranks.rank()
            self.X, self.y = self.ranks.shard(self.X), self.ranks.shard(self.y)
        random.seed(1337)
        self.model = importlib.import_module(f"{package}.nn").MLP(2, [16, 16, 1])
        self.k = 0

    def of_all_ranks(self, loss: float, accuracy: float) -> tuple[float, float]:
        """Loss, accuracy and gradients for all points."""
        if self.ranks:
            loss, accuracy = self.ranks.average_gradients(self.model, len(self.y), [loss, accuracy])
            accuracy = round(accuracy * self.size) / self.size      # as if counted at once
        return loss, accuracy

    def loss(self) -> tuple[Value, float]:
        """Max-margin loss with L2 regularisation over all points, and the accuracy from 0 to 1."""
        inputs = [list(map(self.Value, xrow)) for xrow in self.X]
        scores = list(map(self.model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(self.y, scores)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in self.model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(self.y, scores)]
        return total_loss, sum(accuracy) / len(accuracy)

    def step(self) -> tuple[float, float]:
        """One step of gradient descent; the loss as a number and the accuracy before it."""
        total_loss, accuracy = self.loss()
        self.model.zero_grad()
        total_loss.backward()
        loss, accuracy = self.of_all_ranks(total_loss.data, accuracy)
        learning_rate = 1.0 - 0.9 * self.k / 100
        for p in self.model.parameters():
            p.data -= learning_rate * p.grad
        self.k += 1
        return loss, accuracy


class VmapTraining(Training):
    """The same, with the score of one point as a function that vmap runs for all."""

    def __init__(self, package: str, distributed: bool = False) -> None:
        super().__init__(package, distributed)
        self.points, self.labels = numbers(self.X), array("d", self.y)
        self.both = vmap(self.margin_and_score)
        self.optimizer = SGD(self.model.parameters())

    def margin_and_score(self, x: list[Value], y: Value) -> tuple[Value, Value]:
        """The loss and the score of one point."""
        score = self.model(x)
        return (1 + -y * score).relu(), score

    def loss(self) -> tuple[Value, float]:
        losses, scores = self.both(self.points, self.labels)
        parameters = self.optimizer.param_groups[0]["params"]
        accuracy = [(yi > 0) == (score > 0) for yi, score in zip(self.y, scores)]
        return losses.mean() + 1e-4 * sumprod(parameters, parameters), sum(accuracy) / len(accuracy)

    def step(self) -> tuple[float, float]:
        total_loss, accuracy = self.loss()
        self.optimizer.zero_grad()
        total_loss.backward()
        loss, accuracy = self.of_all_ranks(total_loss.data, accuracy)
        self.optimizer.lr = 1.0 - 0.9 * self.k / 100
        self.optimizer.step()
        self.k += 1
        return loss, accuracy


def numbers(rows: list[list[float]]) -> Any:
    """Rows as a buffer of doubles."""
    flat = array("d", [number for row in rows for number in row])
    return memoryview(flat).cast("B").cast("d", (len(rows), len(rows[0])))


def timed_steps(training: Training, steps: int) -> tuple[list[float], float]:
    """The losses of the first steps, and the seconds of the median one."""
    losses, seconds = [], []
    for _ in range(steps):
        start = time.perf_counter()
        losses.append(training.step()[0])
        seconds.append(time.perf_counter() - start)
    return losses, statistics.median(seconds)


def compare(kind: type[Training], package: str) -> None:
    """Print how far from the original's losses ours are, and how much faster, with Python's collector on and off."""
    print(f"against {package}, whose first {AGAINST_STEPS} steps are run; median steps:")
    for collector in ("on", "off"):
        if collector == "off":
            gc.collect()
            gc.disable()
        try:
            losses, seconds = timed_steps(kind("micrograd_c"), STEPS)
            original_losses, original_seconds = timed_steps(Training(package), AGAINST_STEPS)
        finally:
            gc.enable()
        difference = max(abs(a - b) / abs(b) for a, b in zip(losses, original_losses))
        print(
            f"  gc {collector:3}: largest relative difference of a loss {difference:.1e}, "
            f"{shown(original_seconds)} against {shown(seconds)} a step, "
            f"{original_seconds / seconds:,.0f} times as fast"
        )
