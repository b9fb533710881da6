"""Measures a training step of the examples' GPT against the same GPT on Values in pure Python, as a Markdown table.

A step is one name: forward, backward, Adam. Knows nothing of how micrograd_c works: the GPTs are the examples'. Holds
targets, never results. The exit status says whether losses and gradients were equal; how fast they came is for the
reader.
"""

import math
import pathlib
import sys

import micrograd.engine
import python_value
from interleaved import Candidate, measure, minimum, ratio
from programs import fresh_copy
from table import asked_for_quick, least, print_table, timed_row

# in front, since this file has the name of one of the examples
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "examples"))
from names import LEARNING_RATE, SEED, encode, load_names

HELPERS, PLAIN = "helpers", "plain spelling"
AS_IT_COMES, UNCOLLECTED = "pure Python as it comes", "pure Python, gc.disable()"
ORIGINAL, ORIGINAL_UNCOLLECTED = "micrograd as it comes", "micrograd, gc.disable()"
TOLERANCE = 1e-9
SMALLEST = 1e-12        # gradients are about 1e-3; of one that nearly cancels out only noise may be left
TARGETS = {
    (PLAIN, AS_IT_COMES): least(40),
    (PLAIN, UNCOLLECTED): least(8),
    (PLAIN, ORIGINAL): None,
    (PLAIN, ORIGINAL_UNCOLLECTED): None,
    (HELPERS, AS_IT_COMES): least(250),
    (HELPERS, UNCOLLECTED): least(50),
    (HELPERS, ORIGINAL): None,
    (HELPERS, ORIGINAL_UNCOLLECTED): None,
    (HELPERS, PLAIN): None,
}


def original_value():
    """micrograd's Value with the two functions that it lacks, added as its users add them."""
    Value = micrograd.engine.Value

    def exp(self):
        out = Value(math.exp(self.data), (self,), "exp")

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    def log(self):
        out = Value(math.log(self.data), (self,), "log")

        def _backward():
            self.grad += out.grad / self.data

        out._backward = _backward
        return out

    Value.exp, Value.log = exp, log
    return Value


class Training:
    """One of the examples' GPTs, with bytecode of its own, that learns the same few names again and again."""

    def __init__(self, example, names, *value):
        program = fresh_copy(example)
        self.model = program.GPT(SEED, *value)
        self.optimizer = program.Adam(self.model.parameters(), LEARNING_RATE)
        self.names = names

    def steps(self):
        """A step for each name; the losses. Each graph lives until the next one has replaced it, as in most scripts."""
        losses = []
        for name in self.names:
            loss = self.model.loss(encode(name))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.data)
        return losses

    def gradients(self):
        """What the last step left."""
        return [p.grad for p in self.model.parameters()]


def demand_equal(trainings):
    """Take the first steps. End the program with status 1 unless losses and gradients are equal on all sides."""
    results = {name: training.steps() + training.gradients() for name, training in trainings.items()}
    expected = results[AS_IT_COMES]
    for name, result in results.items():
        for a, b in zip(result, expected):
            if not math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=SMALLEST):
                raise SystemExit(f"{name}: {a!r} is not {b!r}; nothing was timed")


def graph_size(training):
    """Values below the losses of the names, on average."""
    graphs = [training.model.loss(encode(name)).sorted_graph() for name in training.names]
    return sum(map(len, graphs)) // len(graphs)


def measure_all(quick):
    """Check, measure; rows and remarks."""
    names = load_names()[: 2 if quick else 5]
    trainings = {
        HELPERS: Training("gpt", names),
        PLAIN: Training("gpt_plain", names),
        AS_IT_COMES: Training("gpt_plain", names, python_value.Value),
        ORIGINAL: Training("gpt_plain", names, original_value()),
    }
    demand_equal(trainings)
    size = graph_size(trainings[AS_IT_COMES])

    def candidate(name, training, **options):
        return Candidate(name, trainings[training].steps, len(names), **options)

    results = measure([
        candidate(HELPERS, HELPERS, repeats=20),
        candidate(PLAIN, PLAIN, repeats=5),
        candidate(AS_IT_COMES, AS_IT_COMES),
        candidate(UNCOLLECTED, AS_IT_COMES, collector=False),
        candidate(ORIGINAL, ORIGINAL),
        candidate(ORIGINAL_UNCOLLECTED, ORIGINAL, collector=False),
    ], rounds=1 if quick else 6, warmups=0 if quick else 1)
    rates = ", ".join(f"{name}: {1 / minimum(result):.1f}" for name, result in results.items())
    return [
        timed_row(f"a training step: {ours}", results[ours], other, results[other],
                  ratio(results[other], results[ours]), target)
        for (ours, other), target in TARGETS.items()
    ], [f"Steps a second, at best: {rates}. {size:,} nodes a step, on average."]


if __name__ == "__main__":
    quick = asked_for_quick(__doc__)
    print_table(lambda: measure_all(quick))
