"""A hand's pose in scalar code: the simple objective Hand of ADBench.

Each bone turns in its joint and takes those with it that grow from it; a vertex of the skin follows its bones by its
weights; then the hand turns and moves as a whole. The residuals are from where vertices should be to where they are.
Source: as of gmm.py; src/cpp/shared/hand_light_matrix.h.
"""

import numpy as np

from micrograd_c import jacfwd, sumprod, vmap

FINGERS, FINGER = 5, 4      # numbers of a pose for each finger, after three for turning and three for moving


def product(a, b):
    """Of two transforms, each three rows of four; the fourth row is 0, 0, 0, 1."""
    columns = list(zip(*b))
    return [[sumprod(row[:3], column) + (row[3] if k == 3 else 0) for k, column in enumerate(columns)] for row in a]


def joints(pose):
    """The angles about x and z by bone: two for a finger's second, one for its third and fourth."""
    found = {}
    for finger in range(FINGERS):
        first = 6 + FINGER * finger
        found[2 + FINGER * finger] = pose[first], pose[first + 1]
        found[3 + FINGER * finger] = pose[first + 2], 0.0
        found[4 + FINGER * finger] = pose[first + 3], 0.0
    return found


def bones(pose, model):
    """What each of them does to the skin."""
    angles, places = joints(pose), []
    for k, (parent, relative) in enumerate(zip(model.parents, model.relatives.tolist())):
        place = relative[:3]
        if k in angles:
            place = product(place, joint(*angles[k]))
        places.append(place if parent == -1 else product(places[parent], place))
    return [product(place, inverse[:3]) for place, inverse in zip(places, model.inverses.tolist())]


def joint(x, z):
    """Turns about x, then z."""
    cx, sx = x.cos(), x.sin()
    if isinstance(z, float):
        return [[1.0, 0.0, 0.0, 0.0], [0.0, cx, -sx, 0.0], [0.0, sx, cx, 0.0]]
    cz, sz = z.cos(), z.sin()
    return [[cz, -sz * cx, sz * sx, 0.0], [sz, cz * cx, -cz * sx, 0.0], [0.0, sx, cx, 0.0]]


def whole(turn):
    """The rotation about `turn`, by as much as that is long, which must not be 0."""
    angle = sumprod(turn, turn).sqrt()
    x, y, z = [one / angle for one in turn]
    s, c = angle.sin(), angle.cos()
    return [[x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
            [x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s],
            [x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c]]


def residuals(pose, vertex, weights, point, model):
    rotation = [[*row, 0.0] for row in whole(pose[:3])]
    moved = [product(rotation, bone) for bone in bones(pose, model)]
    mixed = [[sumprod(weights, [bone[row][k] for bone in moved]) for k in range(4)] for row in range(3)]
    return [a - sumprod(row, vertex) - b for a, row, b in zip(point, mixed, pose[3:6])]


class Ours:
    """The residuals of a Hand, and their Jacobian, 26 columns of each."""

    def __init__(self, hand):
        self.hand = hand
        axes = (None, 0, 0, 0)
        self.residuals = vmap(lambda *arguments: residuals(*arguments, hand), in_axes=axes, stacked=True)
        self.derivatives = vmap(jacfwd(lambda *arguments: residuals(*arguments, hand)), in_axes=axes, stacked=True)

    def arguments(self):
        return self.hand.pose, self.hand.vertices, self.hand.weights, self.hand.points

    def objective(self):
        return [np.asarray(self.residuals(*self.arguments()))]

    def jacobian(self):
        """One array, of points, 3, 26."""
        return [np.asarray(self.derivatives(*self.arguments()))]
