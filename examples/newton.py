"""The lowest point of Rosenbrock's valley, by Newton's method and by BFGS.

    python examples/newton.py

Both want the slopes, `grad(rosenbrock)`. Newton's method wants the curvature in all directions, too,
`hessian(rosenbrock)`, and solves for the step after which a parabola would be at its lowest; BFGS learns the curvature
from how the slopes change. The function is plain scalar code, of any number of numbers.
"""

from micrograd_c import hessian, value_and_grad


def rosenbrock(x):
    """A curved valley whose lowest point is at (1, 1, ..., 1), where it is 0."""
    return sum(100 * (after - before ** 2) ** 2 + (1 - before) ** 2 for before, after in zip(x, x[1:]))


def solve(matrix, right):
    """The x of matrix x = right, by elimination with the largest pivot of each column."""
    rows = [[*row, number] for row, number in zip(matrix, right)]
    count = len(rows)
    for k in range(count):
        largest = max(range(k, count), key=lambda i: abs(rows[i][k]))
        rows[k], rows[largest] = rows[largest], rows[k]
        for i in range(k + 1, count):
            factor = rows[i][k] / rows[k][k]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k])]
    x = [0.0] * count
    for k in reversed(range(count)):
        x[k] = (rows[k][count] - dot(rows[k][k + 1:count], x[k + 1:])) / rows[k][k]
    return x


def dot(xs, ys):
    return sum(x * y for x, y in zip(xs, ys))


def shorten(value, x, step, slope):
    """The step, halved until the function falls as much as its slope promises, but for a small share."""
    size = 1.0
    while size > 1e-10:
        moved = [a + size * b for a, b in zip(x, step)]
        if rosenbrock(moved) <= value + 1e-4 * size * slope:
            return moved
        size /= 2
    return x


def newton(x, tolerance=1e-10):
    """The point, and how many steps it took."""
    slopes_of, curvature_of = value_and_grad(rosenbrock), hessian(rosenbrock)
    value, slopes = slopes_of(x)
    steps = 0
    while dot(slopes, slopes) > tolerance ** 2 and steps < 200:
        step = solve(curvature_of(x), [-slope for slope in slopes])
        if dot(step, slopes) > 0:       # towards the top of an arch
            step = [-slope for slope in slopes]
        x = shorten(value, x, step, dot(step, slopes))
        value, slopes = slopes_of(x)
        steps += 1
    return x, steps


def bfgs(x, tolerance=1e-8):
    """The same without second derivatives: `inverse` is what it believes of the inverse of the curvature."""
    slopes_of = value_and_grad(rosenbrock)
    count = len(x)
    inverse = [[float(i == j) for j in range(count)] for i in range(count)]
    value, slopes = slopes_of(x)
    steps = 0
    while dot(slopes, slopes) > tolerance ** 2 and steps < 500:
        step = [-dot(row, slopes) for row in inverse]
        moved = shorten(value, x, step, dot(step, slopes))
        value, after = slopes_of(moved)
        s = [a - b for a, b in zip(moved, x)]
        y = [a - b for a, b in zip(after, slopes)]
        x, slopes = moved, after
        if dot(s, y) > 1e-12:
            scale = 1 / dot(s, y)
            mixed = [dot(row, y) for row in inverse]
            twice = (1 + scale * dot(y, mixed)) * scale
            inverse = [[
                inverse[i][j] - scale * (s[i] * mixed[j] + mixed[i] * s[j]) + twice * s[i] * s[j] for j in range(count)
            ] for i in range(count)]
        steps += 1
    return x, steps


def main():
    for start in ([-1.2, 1.0], [2.0, 1.0, 2.0, 1.0, 2.0, 1.0]):
        print(f"from {start}, where it is {rosenbrock(start):.2f}:")
        for name, method in (("Newton", newton), ("BFGS", bfgs)):
            x, steps = method(start)
            print(f"  {name:6} {steps:3} steps, to {[round(number, 6) for number in x]}, where it is "
                  f"{rosenbrock(x):.0e}")


if __name__ == "__main__":
    main()
