"""A Gaussian mixture's log-likelihood, in scalar code: the objective GMM of ADBench.

    sum over points x of log sum over k of exp(alpha_k + log |Q_k| - |Q_k (x - mean_k)|^2 / 2)
        - n log sum of exp(alpha) + log of Wishart's prior of each Q_k, with constants

Q_k is a lower triangle, given as the logarithms of its diagonal, whose sum is log |Q_k|, and the numbers below, column
by column. Source: Srajer, Kukelova, Fitzgibbon, A Benchmark of Selected Algorithmic Differentiation Tools on Some
Problems in Computer Vision and Machine Learning, 2018; microsoft/ADBench, src/cpp/shared/gmm.h.
"""

import math

import numpy as np

from micrograd_c import Value, flat, jit, logsumexp, no_grad, sumprod, vmap


def triangle(factor, d):
    """Its rows."""
    below = iter(factor[d:])
    columns = [[factor[k].exp(), *[next(below) for _ in range(d - 1 - k)]] for k in range(d)]
    return [[columns[k][row - k] for k in range(row + 1)] for row in range(d)]


def of_point(x, alphas, means, factors):
    """log sum over k of exp(alpha_k + log |Q_k| - |Q_k (x - mean_k)|^2 / 2)"""
    d = len(x)
    terms = []
    for alpha, mean, factor in zip(alphas, means, factors):
        # Q x - Q mean, as the latter is the same for all points
        turned = [sumprod(row, x[:len(row)], -sumprod(row, mean[:len(row)])) for row in triangle(factor, d)]
        terms.append(alpha + sum(factor[:d]) - 0.5 * sumprod(turned, turned))
    return logsumexp(terms)


def constants(n, d, count, gamma, m):
    """What no parameter changes."""
    freedom = d + m + 1
    gammas = d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma((freedom - j) / 2) for j in range(d))
    prior = freedom * d * (math.log(gamma) - math.log(2) / 2) - gammas
    return -n * d / 2 * math.log(2 * math.pi) - count * prior


def of_parameters(alphas, factors, n, d, gamma, m):
    """What no point changes: how alphas are normalized, and the prior."""
    diagonals = [number for factor in factors for number in factor[:d]]
    numbers = [number.exp() for number in diagonals] + [number for factor in factors for number in factor[d:]]
    return gamma ** 2 / 2 * sumprod(numbers, numbers) - m * sum(diagonals) - n * logsumexp(alphas)


class Ours:
    """The objective of a Mixture, and its gradient in the order of alphas, means and factors."""

    def __init__(self, mixture):
        self.mixture = mixture
        self.alphas = [Value(number) for number in mixture.alphas.tolist()]
        self.means, self.factors = ([[Value(number) for number in row] for row in rows.tolist()]
                                    for rows in (mixture.means, mixture.factors))
        self.parameters = [*self.alphas, *(p for row in (*self.means, *self.factors) for p in row)]
        # the Values could be shared arguments, too, but these are looked through at each call
        self.of_points = vmap(lambda x: of_point(x, self.alphas, self.means, self.factors))
        points, gamma, m = mixture[3:]
        n, d = points.shape
        self.of_parameters = jit(lambda: of_parameters(self.alphas, self.factors, n, d, gamma, m))
        self.constants = constants(n, d, len(self.alphas), gamma, m)
        self.zeros = np.zeros(len(self.parameters))

    def total(self):
        return self.of_points(self.mixture.points).sum() + self.of_parameters() + self.constants

    def objective(self):
        with no_grad():
            return [np.array(self.total().data)]

    def gradient(self):
        flat(self.parameters, "grad").copy_(self.zeros)
        self.total().backward()
        return [np.asarray(flat(self.parameters, "grad"))]
