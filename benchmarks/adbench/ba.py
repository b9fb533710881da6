"""Bundle adjustment in scalar code: the objective BA of ADBench.

A camera's picture of a point: turned about its axis by Rodrigues' formula, divided by its depth, bent by the lens,
scaled and moved. The residuals are how far that is from where the point was seen, times a weight, and 1 - weight^2; the
Jacobian has 2 x 15 numbers for each observation. Source: as of gmm.py; src/cpp/shared/ba.h.
"""

import numpy as np

from micrograd_c import jacrev, sumprod, vmap


def turned(turn, x):
    """The vector x turned about `turn`, by as much as that is long, which must not be 0."""
    angle = sumprod(turn, turn).sqrt()
    cosine, sine = angle.cos(), angle.sin()
    axis = [one / angle for one in turn]
    crossed = [axis[k - 2] * x[k - 1] - axis[k - 1] * x[k - 2] for k in range(3)]
    along = sumprod(axis, x) * (1 - cosine)
    return [a * cosine + b * sine + c * along for a, b, c in zip(x, crossed, axis)]


def residuals(camera, point, weight, seen):
    turn, centre, focus, middle, bent = camera[:3], camera[3:6], camera[6], camera[7:9], camera[9:]
    x, y, z = turned(turn, [a - b for a, b in zip(point, centre)])
    flat = [x / z, y / z]
    square = sumprod(flat, flat)
    bend = 1 + bent[0] * square + bent[1] * square * square
    return [weight * (a * bend * focus + b - c) for a, b, c in zip(flat, middle, seen)]


class Ours:
    """The residuals of a Bundle, and their Jacobian, 15 columns of each."""

    def __init__(self, bundle):
        self.bundle = bundle
        self.residuals = vmap(residuals)
        self.derivatives = vmap(jacrev(residuals, argnums=(0, 1, 2)))

    def rows(self):
        cameras, points, weights, seen, camera_of, point_of = self.bundle
        return cameras.take(camera_of, axis=0), points.take(point_of, axis=0), weights, seen     # faster than by []

    def objective(self):
        weights = self.bundle.weights
        return [*map(np.asarray, self.residuals(*self.rows())), 1 - weights * weights]

    def columns(self):
        """Where they were computed: an array for each number of an observation's Jacobian."""
        return [np.asarray(column) for camera, point, weight in self.derivatives(*self.rows())
                for column in (*camera, *point, weight)]

    def jacobian(self):
        """One array, of observations, 2, 15."""
        return [np.array(self.columns()).T.copy().reshape(-1, 2, 15)]
