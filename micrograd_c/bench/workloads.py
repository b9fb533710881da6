"""What is measured: the names, in the order of the tables. The numbers are in inputs, how it is done in peers."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from micrograd_c.bench.inputs import Sizes

__all__ = ["WORKLOADS", "Workload", "titled"]


@dataclass(frozen=True)
class Workload:
    """One table."""

    name: str
    title: str
    per: str = ""                   # of what the time of one is shown
    unit: str = "seconds"           # or bytes, measured in a process of its own


WORKLOADS = [
    Workload("op", "One op of `x = x*b + a` in a loop of 500 ops, forward", "op"),
    Workload("op-backward", "One op of `x = x*b + a` in a loop of 500 ops, forward and `x.backward()`", "op"),
    Workload("expression", "micrograd's README expression, forward and backward", "expression"),
    Workload("mlp", "MLP(2, [16, 16, 1]) on one sample, forward and backward", "sample"),
    Workload("own-ops", "A network of ops of one's own, on one sample, forward and backward: sums of products with 32 "
             "operands each, tanh with one", "sample"),
    Workload("demo", "A training step of micrograd's demo: 100 points, forward, backward, update", "step"),
    Workload("deep", "A deep chain: `x = x*b + a` as one graph of {deep_ops:,} ops, forward and backward", "op"),
    Workload("wide", "A wide sum: the squares of {terms:,} numbers, forward and backward", "term"),
    Workload("gpt", "A training step of a GPT over characters: one name, forward, backward, Adam", "step"),
    Workload("node", "Memory per node: growth of resident memory while a chain is recorded, by its ops",
             "op", unit="bytes"),
    Workload("training", "Peak memory of a training loop: growth over {loop_steps} steps of the demo", "loop",
             unit="bytes"),
]


def titled(workload: Workload, sizes: Sizes) -> str:
    """Its title with the sizes in it."""
    return workload.title.format(deep_ops=2 * sizes.deep_turns, terms=sizes.terms, loop_steps=sizes.loop_steps)
