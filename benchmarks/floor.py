"""What the lines of micrograd's demo cost in Python by themselves: a floor for any engine that they are run on.

    python benchmarks/floor.py [--quick]

The same lines run on plain floats: the cheapest objects there are with operators. A call of the model returns a number
that is there already, backward() and relu() are methods of floats that do nothing, and parameters are objects with
slots. Both sides take turns; prints minima and medians.
"""

import argparse
import statistics
import time

from micrograd_c.demo import Training, load_moons

POINTS, LABELS = load_moons()
COUNT = 337     # parameters
SCORE = 0.5     # of any point


class Parameter:
    """`data` and `grad` cost less here than anything with a say in them."""

    __slots__ = ("data", "grad")

    def __init__(self):
        self.data, self.grad = 0.5, 0.25


class Model:
    """Computes nothing."""

    def __init__(self):
        self.numbers, self.kept = [0.5] * COUNT, [Parameter() for _ in range(COUNT)]

    def parameters(self):
        return self.numbers[:]

    zero_grad = parameters


model = Model()
score = {1: SCORE}.get      # a function that looks at its argument, and does nothing else


def lines(k):
    """Those of Training.loss and Training.step, with other names where there are no Values."""
    inputs = [list(map(float, xrow)) for xrow in POINTS]
    scores = [score(1) for _ in inputs]
    losses = [(1 + -yi * scorei).conjugate() for yi, scorei in zip(LABELS, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    alpha = 1e-4
    reg_loss = alpha * sum(p * p for p in model.parameters())
    total_loss = data_loss + reg_loss
    accuracy = [(yi > 0) == (scorei.real > 0) for yi, scorei in zip(LABELS, scores)]
    accuracy = sum(accuracy) / len(accuracy)
    model.zero_grad()
    total_loss.conjugate()
    learning_rate = 1.0 - 0.9 * k / 100
    for p in model.kept:
        p.data -= learning_rate * p.grad
    return total_loss, accuracy


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures mean little")
    rounds = 3 if parser.parse_args().quick else 60
    training = Training("micrograd_c")
    sides = {"the lines alone": lambda: lines(training.k), "a step of micrograd_c": training.step}
    times = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            for _ in range(30):
                training.k %= 90
                start = time.perf_counter()
                side()
                times[name].append(time.perf_counter() - start)
    print("| a training step of the demo | minimum | median |\n| --- | ---: | ---: |")
    for name, found in times.items():
        print(f"| {name} | {min(found) * 1e6:.1f} us | {statistics.median(found) * 1e6:.1f} us |")


if __name__ == "__main__":
    main()
