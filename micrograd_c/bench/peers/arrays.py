"""The demo's network and the GPT on whole arrays: for PyTorch, JAX, autograd and tinygrad, which differentiate those.

`library` is what they do not spell alike: relu, swap (two axes of an array), softmax, norm and cross_entropy. All
else is operators. Parameters are in dicts, whose order is the order of NAMES.
"""

from micrograd_c.bench import inputs

__all__ = ["NAMES", "adam", "as_arrays", "demo_loss", "gpt_loss", "in_order", "mask", "network", "stacked"]

NAMES = ["characters", "positions", "query", "key", "value", "output", "expand", "contract", "predict"]


def network(layers, x, relu):
    """The output of the demo's network for one point, or all scores for many; layers as in inputs."""
    *hidden, (weights, biases) = layers
    for its_weights, its_biases in hidden:
        x = relu(x @ its_weights.T + its_biases)
    return (x @ weights.T + biases)[..., 0]


def demo_loss(layers, points, labels, relu):
    """The demo's loss and all scores."""
    scores = network(layers, points, relu)
    regularisation = sum((p * p).sum() for layer in layers for p in layer)
    return relu(1 - labels * scores).mean() + inputs.DECAY * regularisation, scores


def gpt_loss(parameters, tokens, targets, mask, library):
    """The loss of gpt.GPT, all positions at once. The mask is added to what each position sees of the others."""
    p, length = parameters, len(mask)
    x = p["characters"][tokens] + p["positions"][:length]
    normed = library.norm(x)
    query, key, value = (normed @ library.swap(p[name], 1, 2) for name in ("query", "key", "value"))
    weights = library.softmax(query @ library.swap(key, 1, 2) * inputs.HEAD_WIDTH**-0.5 + mask)
    found = library.swap(weights @ value, 0, 1).reshape(length, inputs.WIDTH)
    x = x + found @ p["output"].T
    x = x + library.relu(library.norm(x) @ p["expand"].T) @ p["contract"].T
    return library.cross_entropy(library.norm(x) @ p["predict"].T, targets)


def mask(length):
    """Each position sees itself and those before."""
    return [[0.0 if j <= i else float("-inf") for j in range(length)] for i in range(length)]


def stacked():
    """The GPT's first weights by name; the heads' matrices as lists of three dimensions."""
    characters, positions, *heads, output, expand, contract, predict = inputs.matrices()
    return dict(zip(NAMES, [
        characters, positions, heads[0::3], heads[1::3], heads[2::3], output, expand, contract, predict
    ]))


def in_order(arrays):
    """Weights or gradients by name as one list, in the order of inputs.matrices(). Wants NumPy arrays."""
    matrices = [arrays["characters"], arrays["positions"]]
    for head in zip(arrays["query"], arrays["key"], arrays["value"]):
        matrices += head
    matrices += [arrays[name] for name in ("output", "expand", "contract", "predict")]
    return [number for matrix in matrices for number in matrix.ravel().tolist()]


def as_arrays(make):
    """The demo's first weights, each matrix and list made an array."""
    return [(make(rows), make(biases)) for rows, biases in inputs.layers()]


def adam(parameters, gradients, means, squares, count):
    """A step of Adam on NumPy arrays by name, in place."""
    beta, beta_of_squares = inputs.BETAS
    size = inputs.LEARNING_RATE / (1 - beta**count)
    correction = (1 - beta_of_squares**count) ** 0.5
    for name, gradient in gradients.items():
        mean, square = means[name], squares[name]
        mean += (1 - beta) * (gradient - mean)
        square += (1 - beta_of_squares) * (gradient * gradient - square)
        parameters[name] -= size * mean / (square**0.5 / correction + inputs.EPSILON)
