"""Three of the objectives in PyTorch: float64, one thread, eager. Methods are those of the files of scalar code."""

import numpy as np
import torch
from gmm import constants


class Side:
    """The gradient of `loss`, a function of tensors that are set at the beginning."""

    def objective(self):
        with torch.no_grad():
            return [self.loss(*self.parameters).numpy()]

    def gradient(self):
        for p in self.parameters:
            p.grad = None
        self.loss(*self.parameters).backward()
        return [np.concatenate([p.grad.numpy().ravel() for p in self.parameters])]


def parameters(arrays):
    return [torch.tensor(array, requires_grad=True) for array in arrays]


class GMM(Side):

    def __init__(self, mixture):
        self.parameters = parameters(mixture[:3])
        self.points, self.gamma, self.m = torch.tensor(mixture.points), mixture.gamma, mixture.m
        count, d = mixture.means.shape
        self.column, self.row = map(torch.from_numpy, np.triu_indices(d, 1))
        self.constant = constants(len(mixture.points), d, count, self.gamma, self.m)

    def loss(self, alphas, means, factors):
        count, d = means.shape
        diagonals, below = factors[:, :d], factors[:, d:]
        sizes = diagonals.sum(1)
        triangles = torch.diag_embed(diagonals.exp())
        triangles = triangles.index_put((torch.arange(count)[:, None], self.row, self.column), below)
        shifts = torch.einsum("kij,kj->ki", triangles, means)
        turned = (self.points @ triangles.reshape(-1, d).T).reshape(-1, count, d) - shifts
        terms = alphas + sizes - (turned * turned).sum(2) / 2
        prior = self.gamma ** 2 / 2 * ((diagonals.exp() ** 2).sum() + (below ** 2).sum()) - self.m * sizes.sum()
        normal = len(self.points) * torch.logsumexp(alphas, 0)
        return torch.logsumexp(terms, 1).sum() - normal + prior + self.constant


class BA:

    def __init__(self, bundle):
        *arrays, self.camera_of, self.point_of = map(torch.from_numpy, bundle)
        self.cameras, self.points, self.weights, self.seen = arrays
        self.mapped = torch.func.vmap(self.residuals)
        self.derivatives = torch.func.vmap(torch.func.jacrev(self.residuals, argnums=(0, 1, 2)))

    @staticmethod
    def residuals(camera, point, weight, seen):
        turn, away = camera[:3], point - camera[3:6]
        angle = (turn @ turn).sqrt()
        axis = turn / angle
        x = away * angle.cos() + torch.linalg.cross(axis, away) * angle.sin()
        x = x + axis * (axis @ away) * (1 - angle.cos())
        flat = x[:2] / x[2]
        square = flat @ flat
        bend = 1 + camera[9] * square + camera[10] * square ** 2
        return weight * (flat * bend * camera[6] + camera[7:9] - seen)

    def rows(self):
        return self.cameras[self.camera_of], self.points[self.point_of], self.weights, self.seen

    def objective(self):
        return [*self.mapped(*self.rows()).T.numpy(), (1 - self.weights ** 2).numpy()]

    def jacobian(self):
        cameras, points, weights = self.derivatives(*self.rows())
        return [torch.cat([cameras, points, weights[:, :, None]], dim=2).numpy()]


class LSTM(Side):

    def __init__(self, text):
        self.parameters = parameters([text.main, text.extra])
        self.state, self.characters = torch.tensor(text.state), torch.tensor(text.characters)

    def loss(self, main, extra):
        state, total = list(self.state), 0.0
        for character, following in zip(self.characters, self.characters[1:]):
            x = character * extra[0]
            for k in range(0, len(main), 2):
                hidden, cell = state[k:k + 2]
                forget, enter, leave, change = (torch.cat([x, hidden, x, hidden]) * main[k] + main[k + 1]).chunk(4)
                cell = cell * forget.sigmoid() + enter.sigmoid() * change.tanh()
                x = leave.sigmoid() * cell.tanh()
                state[k:k + 2] = x, cell
            scores = x * extra[1] + extra[2]
            total = total + following @ (scores - (2 + scores.exp().sum()).log())
        return -total / ((len(self.characters) - 1) * self.characters.shape[1])
