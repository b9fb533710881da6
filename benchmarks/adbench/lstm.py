"""A long short-term memory in scalar code: the objective LSTM of ADBench.

Each gate of a layer has a weight and a bias for each bit, so there are no matrices: bits meet only in the loss. It is
minus the mean, over characters and bits, of the next character's bits times their scores less log(2 + sum of
exp(scores)). Source: as of gmm.py; src/cpp/shared/lstm.h.

That allows for two ways. `ByBits` maps over bits, and has the loss and its slopes by scores in NumPy. `Whole` leaves
all of it to jit, with half a million steps.
"""

import numpy as np

from micrograd_c import Value, grad, jit, no_grad, sumprod, vmap

LAYER = 8       # parameters of one, for a bit: weights of its four gates, then biases


def scores_of_bit(parameters, state, characters):
    """The scores of a bit from its own parameters, state and place in each character."""
    *layers, before, after, shift = parameters
    state = list(state)
    scores = []
    for character in characters:
        x = character * before
        for k in range(len(state) // 2):
            hidden, cell = state[2 * k:2 * k + 2]
            w, b = layers[LAYER * k:LAYER * k + 4], layers[LAYER * k + 4:LAYER * k + 8]
            forget, enter = (w[0] * x + b[0]).sigmoid(), (w[1] * hidden + b[1]).sigmoid()
            leave, change = (w[2] * x + b[2]).sigmoid(), (w[3] * hidden + b[3]).tanh()
            cell = forget * cell + enter * change
            x = leave * cell.tanh()
            state[2 * k:2 * k + 2] = x, cell
        scores.append(x * after + shift)
    return scores


def loss_of_bits(parameters, state, characters, following):
    """The whole loss. All arguments have a row for each bit."""
    of_bits = [scores_of_bit(*row) for row in zip(parameters, state, characters)]
    total = 0.0
    for scores, bits in zip(zip(*of_bits), zip(*following)):
        normal = (2 + sum([score.exp() for score in scores])).log()
        total = total + sumprod(bits, scores) - sum(bits) * normal
    return -total / (len(following) * len(following[0]))


class ByBit:
    """The arrays of a Text with a row for each bit."""

    def __init__(self, text):
        bits = text.characters.shape[1]
        self.parameters = np.concatenate([text.main.reshape(-1, bits), text.extra]).T.copy()
        self.state, self.characters, self.following = (
            array.T.copy() for array in (text.state, text.characters[:-1], text.characters[1:]))


class ByBits:
    """The loss, and its gradient in the order of main and extra parameters."""

    def __init__(self, text):
        self.arrays = ByBit(text)
        self.scores = vmap(scores_of_bit)
        # what pulls the slopes by scores back to parameters
        self.pulled = vmap(grad(lambda *arguments: sumprod(scores_of_bit(*arguments[:3]), arguments[3])))

    def scored(self):
        """Scores by character and bit, and log(2 + sum of exp(scores)) by character."""
        scores = np.array(self.scores(self.arrays.parameters, self.arrays.state, self.arrays.characters))
        return scores, np.log(2 + np.exp(scores).sum(axis=1, keepdims=True))

    def objective(self):
        scores, normal = self.scored()
        return [-(self.arrays.following.T * (scores - normal)).mean()]

    def gradient(self):
        scores, normal = self.scored()
        following = self.arrays.following.T
        slopes = (np.exp(scores - normal) * following.sum(axis=1, keepdims=True) - following) / following.size
        found = self.pulled(self.arrays.parameters, self.arrays.state, self.arrays.characters, slopes.T)
        return [np.concatenate(found)]


class Whole:
    """The same by jit of the whole loss."""

    def __init__(self, text):
        self.arrays = ByBit(text)
        self.parameters = [[Value(number) for number in row] for row in self.arrays.parameters.tolist()]
        self.in_order = [p for column in zip(*self.parameters) for p in column]
        self.loss = jit(loss_of_bits)

    def total(self):
        return self.loss(self.parameters, self.arrays.state, self.arrays.characters, self.arrays.following)

    def objective(self):
        with no_grad():
            return [np.array(self.total().data)]

    def gradient(self):
        for p in self.in_order:
            p.grad = 0.0
        self.total().backward()
        return [np.array([p.grad for p in self.in_order])]
