"""What a program learns, read from what it prints and from its variables, in numbers for the page to draw."""

import re

LOSS = re.compile(r"\bloss\b\D*?(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)")
NAMES = re.compile(r"\s*names: (.*)")


def names_in(line):
    """What follows the word names at the beginning of a line, or None."""
    found = NAMES.match(line)
    return found[1] if found else None


def loss_in(line):
    """The number that follows the word loss, or None."""
    found = LOSS.search(line)
    return float(found[1]) if found else None


def network(model):
    """An MLP of two inputs, as [{"rows": [[bias, weight, ...], ...], "activation": name}, ...]; None if it is none."""
    try:
        layers = [layer_of(layer.neurons) for layer in model.layers]
    except (AttributeError, IndexError, TypeError):
        return None
    is_of_points = layers and all(len(row) == 3 for row in layers[0]["rows"]) and len(layers[-1]["rows"]) == 1
    return layers if is_of_points else None


def layer_of(neurons):
    rows = [[float(neuron.b.data), *(float(weight.data) for weight in neuron.w)] for neuron in neurons]
    first = neurons[0]
    return {"rows": rows, "activation": getattr(first, "activation", "relu") if first.nonlin else "linear"}


def points(rows, labels):
    """[[x, y, label], ...] of as many points as labels, or None."""
    try:
        return [[float(x), float(y), float(label)] for (x, y), label in zip(rows, labels)] or None
    except (TypeError, ValueError):
        return None
