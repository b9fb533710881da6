"""What a library brings to be measured: a Peer, which makes a Program for each workload it can do.

Knows nothing of clocks.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

from micrograd_c.bench.inputs import Sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Cannot", "Chains", "Peer", "Program", "Training", "Trainings", "trained"]


class Cannot(Exception):
    """A library does not do a workload; the text is the reason."""


@dataclass
class Program:
    """One workload on one side: what is timed, and what it must come to."""

    run: Callable[[], object]
    results: Callable[[], list]         # runs it once; value and gradients, as floats in the order of micrograd's
    prepare: Callable[[], object] | None = None         # called before each timing, outside of it
    operations: int = 1                 # in one run; times are shown per operation
    note: str = ""
    values: int | None = None           # how many of the results there are, if a side has no gradients
    sizes: Sizes | None = None          # what the results are to be compared for


class Peer:
    """One library. A subclass has a method for each workload it does, named after it, that returns a Program."""

    cannot: dict[str, str] = {}                     # reasons by workload
    limits: dict[str, tuple[str, int, str]] = {}    # by workload: which of the sizes is at most what, and why

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes

    def program(self, workload: str) -> Program:
        """Its Program for a workload. Raises Cannot."""
        method = workload.replace("-", "_")
        if workload in self.cannot or not hasattr(self, method):
            raise Cannot(self.cannot.get(workload, "not written for this side"))
        if workload not in self.limits:
            program = getattr(self, method)()
            program.sizes = self.sizes
            return program
        size, limit, reason = self.limits[workload]
        smaller = copy.copy(self)
        smaller.sizes = replace(self.sizes, **{size: min(limit, getattr(self.sizes, size))})
        program = getattr(smaller, method)()
        program.sizes = smaller.sizes
        program.note = "; ".join(filter(None, (reason, program.note)))
        return program


class Chains:
    """For a Peer: the workloads along `x = x*b + a`, from its chain(turns, backward), which makes a Program."""

    sizes: Sizes
    chain: Callable[..., Program]

    def op(self) -> Program:
        return self.chain(self.sizes.turns, backward=False)

    def op_backward(self) -> Program:
        return self.chain(self.sizes.turns, backward=True)

    def deep(self) -> Program:
        return self.chain(self.sizes.deep_turns, backward=True)


class Trainings:
    """For a Peer of whole arrays: the workloads of its demo_training() and gpt_training(names)."""

    sizes: Sizes
    demo_training: Callable[[], Training]
    gpt_training: Callable[[int], Training]
    notes = {"demo": "all points at once", "training": "", "gpt": "all positions of a name at once"}

    def demo(self) -> Program:
        return trained(self.demo_training(), self.sizes.steps, self.notes["demo"])

    def training(self) -> Program:
        return trained(self.demo_training(), self.sizes.loop_steps, self.notes["training"])

    def gpt(self) -> Program:
        return trained(self.gpt_training(self.sizes.names), self.sizes.names, self.notes["gpt"])


class Training:
    """Steps of training from the same weights each time.

    Subclasses have reset(), step(k), which returns the loss as a number, and gradients(), those of the last step.
    """

    reset: Callable[[], object]
    step: Callable[[int], float]
    gradients: Callable[[], list[float]]

    def run(self, steps: int) -> list[float]:
        """Their losses."""
        return [self.step(k) for k in range(steps)]


def trained(training: Training, steps: int, note: str = "") -> Program:
    """A Program of training steps in a row."""
    def results() -> list[float]:
        training.reset()
        return [*training.run(steps), *training.gradients()]

    return Program(lambda: training.run(steps), results, training.reset, operations=steps, note=note)
