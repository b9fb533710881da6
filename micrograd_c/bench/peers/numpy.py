"""NumPy without any library for derivatives: what somebody who knows the model writes by hand."""

import numpy as np

from micrograd_c.bench import inputs
from micrograd_c.bench.peers import arrays
from micrograd_c.bench.peers.base import Peer, Program, Training, Trainings

__all__ = ["NumPy"]

SCALARS = "single numbers are no arrays: see plain Python floats"


class NumPy(Trainings, Peer):
    """Arrays, and backward passes by hand."""

    cannot = {"op": SCALARS, "op-backward": SCALARS, "expression": SCALARS, "deep": SCALARS,
              "node": "by hand there is no graph"}

    def wide(self):
        xs = np.array(inputs.wide_numbers(self.sizes.terms))

        def run():
            return xs @ xs, 2 * xs

        def results():
            total, gradient = run()
            return [float(total), *gradient.tolist()]

        return Program(run, results, operations=len(xs), note="one array of all terms")

    def mlp(self):
        layers, point = arrays.as_arrays(np.array), np.array(inputs.point())[None]

        def run():
            output, seen = forward(layers, point)
            return output[0], backward(layers, seen, np.ones(1))

        def results():
            output, gradients = run()
            return [float(output), *flat(gradients)]

        return Program(run, results)

    def demo_training(self):
        return DemoTraining()

    def gpt_training(self, names):
        return GPTTraining(names)


def flat(layers):
    return inputs.flat([(rows.tolist(), biases.tolist()) for rows, biases in layers])


def forward(layers, x):
    """All scores, and what went into each layer."""
    seen = []
    for weights, biases in layers:
        seen.append(x)
        x = x @ weights.T + biases
        if len(seen) < len(layers):
            x = np.maximum(x, 0)
    return x[:, 0], seen


def backward(layers, seen, slopes):
    """The gradients of layers for these slopes of the scores."""
    gradients, slopes = [], slopes[:, None]
    for (weights, _), x in zip(reversed(layers), reversed(seen)):
        gradients.append((slopes.T @ x, slopes.sum(0)))
        slopes = slopes @ weights * (x > 0)
    return gradients[::-1]


class DemoTraining(Training):
    """The demo's training."""

    def __init__(self):
        self.points, self.labels = map(np.array, inputs.moons())

    def reset(self):
        self.layers = arrays.as_arrays(np.array)

    def step(self, k):
        scores, seen = forward(self.layers, self.points)
        margins = 1 - self.labels * scores
        regularisation = sum((p * p).sum() for layer in self.layers for p in layer)
        loss = np.maximum(margins, 0).mean() + inputs.DECAY * regularisation
        self.last = backward(self.layers, seen, -self.labels * (margins > 0) / len(scores))
        rate = inputs.learning_rate(k)
        for layer, gradients in zip(self.layers, self.last):
            for p, gradient in zip(layer, gradients):
                gradient += 2 * inputs.DECAY * p
                p -= rate * gradient
        self.accuracy = float(((self.labels > 0) == (scores > 0)).mean())
        return float(loss)

    def gradients(self):
        return flat(self.last)


class GPTTraining(Training):
    """The GPT's training, with Adam by hand."""

    def __init__(self, names):
        self.names = inputs.token_lists(names)

    def reset(self):
        self.parameters = {name: np.array(numbers) for name, numbers in arrays.stacked().items()}
        self.means, self.squares = (
            {name: np.zeros_like(p) for name, p in self.parameters.items()} for _ in range(2)
        )

    def step(self, k):
        loss, self.last = loss_and_gradients(self.parameters, self.names[k])
        arrays.adam(self.parameters, self.last, self.means, self.squares, k + 1)
        return float(loss)

    def gradients(self):
        return arrays.in_order(self.last)


def norm(x):
    """x scaled so that its squares' mean is 1, and by how much."""
    scale = ((x * x).mean(-1, keepdims=True) + 1e-5) ** -0.5
    return x * scale, scale


def back_through_norm(slopes, normed, scale):
    return scale * (slopes - normed * (slopes * normed).mean(-1, keepdims=True))


def softmax(x):
    exps = np.exp(x - x.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)


def loss_and_gradients(p, tokens):
    """The loss of a name, and its gradients by name: arrays.gpt_loss, and the same lines backwards."""
    tokens, targets = np.array(tokens[:-1]), np.array(tokens[1:])
    length, turned = len(tokens), inputs.HEAD_WIDTH**-0.5

    embedded = p["characters"][tokens] + p["positions"][:length]
    seen, seen_scale = norm(embedded)
    query, key, value = (seen @ p[name].swapaxes(1, 2) for name in ("query", "key", "value"))
    weights = softmax(query @ key.swapaxes(1, 2) * turned + np.triu(np.full((length, length), -np.inf), 1))
    found = (weights @ value).swapaxes(0, 1).reshape(length, -1)
    middle = embedded + found @ p["output"].T
    middle_normed, middle_scale = norm(middle)
    hidden = np.maximum(middle_normed @ p["expand"].T, 0)
    end, end_scale = norm(middle + hidden @ p["contract"].T)
    chances = softmax(end @ p["predict"].T)
    rows = np.arange(length)
    loss = -np.log(chances[rows, targets]).mean()

    g = {}
    chances[rows, targets] -= 1
    slopes = chances / length
    g["predict"] = slopes.T @ end
    slopes = back_through_norm(slopes @ p["predict"], end, end_scale)
    g["contract"] = slopes.T @ hidden
    hidden_slopes = slopes @ p["contract"] * (hidden > 0)
    g["expand"] = hidden_slopes.T @ middle_normed
    slopes = slopes + back_through_norm(hidden_slopes @ p["expand"], middle_normed, middle_scale)
    g["output"] = slopes.T @ found
    heads = (slopes @ p["output"]).reshape(length, inputs.HEADS, -1).swapaxes(0, 1)
    weight_slopes = heads @ value.swapaxes(1, 2)
    scores = weights * (weight_slopes - (weight_slopes * weights).sum(-1, keepdims=True)) * turned
    seen_slopes = 0
    for name, part in [
        ("query", scores @ key), ("key", scores.swapaxes(1, 2) @ query), ("value", weights.swapaxes(1, 2) @ heads)
    ]:
        g[name] = part.swapaxes(1, 2) @ seen
        seen_slopes = seen_slopes + (part @ p[name]).sum(0)
    slopes = slopes + back_through_norm(seen_slopes, seen, seen_scale)
    g["positions"] = np.zeros_like(p["positions"])
    g["positions"][:length] = slopes
    g["characters"] = np.zeros_like(p["characters"])
    np.add.at(g["characters"], tokens, slopes)
    return loss, g
