"""Where cameras stood and what they saw, from their pictures alone: bundle adjustment of random cameras and points.

    python examples/bundle_adjustment.py        # needs NumPy

A picture of one point by one camera is scalar code. `vmap(jacrev(residuals), stacked=True)` makes of it the derivatives
of all pictures, in one array; the step is Levenberg and Marquardt's, with NumPy. All could be turned, moved and scaled
together without any picture changing, so what is compared with the truth are the pictures.
"""

import numpy as np

from micrograd_c import jacrev, vmap

CAMERAS, POINTS = 5, 40
OF_CAMERA, OF_POINT = 6, 3      # numbers: a turn about each axis, and a place; a place


def turned(x, turn):
    """The vector x turned about one axis after the other."""
    for k in range(3):
        cosine, sine = turn[k].cos(), turn[k].sin()
        a, b, c = (k + 1) % 3, (k + 2) % 3, k
        parts = {a: x[a] * cosine - x[b] * sine, b: x[a] * sine + x[b] * cosine, c: x[c]}
        x = [parts[0], parts[1], parts[2]]
    return x


def picture(camera, point):
    """Where a camera sees a point."""
    x, y, z = turned([a - b for a, b in zip(point, camera[3:])], camera[:3])
    return [x / z, y / z]


def residuals(camera, point, seen):
    return [a - b for a, b in zip(picture(camera, point), seen)]


off = vmap(residuals, stacked=True)                                 # an array: pictures, 2
by_camera = vmap(jacrev(residuals, argnums=0), stacked=True)        # pictures, 2, 6
by_point = vmap(jacrev(residuals, argnums=1), stacked=True)         # pictures, 2, 3


def scene(seed=1, noise=1e-3):
    """True cameras and points; which camera sees which point, and where; and a bad guess."""
    generator = np.random.RandomState(seed)
    cameras = np.hstack([generator.normal(0, 0.1, (CAMERAS, 3)), generator.normal(0, 0.5, (CAMERAS, 3))])
    points = generator.normal([0, 0, 6], 1, (POINTS, OF_POINT))
    pairs = np.array([(c, p) for c in range(CAMERAS) for p in range(POINTS) if generator.rand() < 0.8])
    seen = np.asarray(off(cameras[pairs[:, 0]], points[pairs[:, 1]], np.zeros((len(pairs), 2))))
    guess = cameras + generator.normal(0, 0.05, cameras.shape), points + generator.normal(0, 0.2, points.shape)
    return pairs, seen + generator.normal(0, noise, seen.shape), guess


def jacobian(pairs, seen, cameras, points):
    """All residuals, and their derivatives with respect to all numbers: cameras, then points."""
    rows = cameras[pairs[:, 0]], points[pairs[:, 1]], seen
    whole = np.zeros((len(pairs), 2, cameras.size + points.size))
    for part, which, first, size in (by_camera(*rows), pairs[:, 0], 0, OF_CAMERA), (
            by_point(*rows), pairs[:, 1], cameras.size, OF_POINT):
        columns = first + which[:, None] * size + np.arange(size)
        np.put_along_axis(whole, np.repeat(columns[:, None], 2, axis=1), np.asarray(part), axis=2)
    return np.asarray(off(*rows)).ravel(), whole.reshape(-1, whole.shape[2])


def adjust(pairs, seen, guess, steps=15):
    """Better cameras and points, and how far pictures were off, on average, before each step."""
    (cameras, points), damping, history = guess, 1e-3, []
    rest, slopes = jacobian(pairs, seen, cameras, points)
    for _ in range(steps):
        history.append(np.sqrt(np.mean(rest ** 2)))
        square = slopes.T @ slopes
        step = np.linalg.solve(square + damping * np.diag(np.diag(square) + 1e-9), -slopes.T @ rest)
        tried = (cameras + step[:cameras.size].reshape(cameras.shape),
                 points + step[cameras.size:].reshape(points.shape))
        now, then = jacobian(pairs, seen, *tried)
        if sum(now ** 2) < sum(rest ** 2):
            (cameras, points), rest, slopes, damping = tried, now, then, damping / 10
        else:
            damping *= 10
    return (cameras, points), history


def main():
    _, history = adjust(*scene())
    for k, left in enumerate(history):
        print(f"step {k:2}: pictures are off by {left:.6f}")


if __name__ == "__main__":
    main()
