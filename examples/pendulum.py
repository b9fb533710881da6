"""A pendulum's length, friction and first angle from a noisy film of it, by Gauss and Newton's method.

    python examples/pendulum.py

The pendulum is simulated in plain scalar code, sixty steps one after the other. What each of its angles, less the one
that was seen, changes by with each of the three numbers is `jacrev(residuals)`, through all the steps.
"""

import random

from newton import dot, solve

from micrograd_c import jacrev

STEPS, STEP = 60, 0.05
TRUE = [1.3, 0.25, 0.9]         # length in m, friction per s, first angle in radians


def sine(x):
    """Of a Value or a number."""
    from micrograd_c.engine import Value
    return (x if isinstance(x, Value) else Value(x)).sin()


def swing(numbers):
    """The angle after each step, from rest."""
    length, friction, angle = numbers
    speed, angles = 0.0, []
    for _ in range(STEPS):
        speed = speed - STEP * (9.81 / length * sine(angle) + friction * speed)
        angle = angle + STEP * speed
        angles.append(angle)
    return angles


def film(seed=1, noise=0.01):
    """What was seen."""
    generator = random.Random(seed)
    return [angle.data + generator.gauss(0, noise) for angle in swing(TRUE)]


def fit(seen, guess, steps=10):
    """The numbers that explain best what was seen, and what is left unexplained after each step."""
    def residuals(numbers):
        return [angle - one for angle, one in zip(swing(numbers), seen)]

    left = []
    for _ in range(steps):
        rest = [one.data for one in residuals(guess)]
        left.append(dot(rest, rest))
        columns = list(zip(*jacrev(residuals)(guess)))
        step = solve([[dot(a, b) for b in columns] for a in columns], [-dot(a, rest) for a in columns])
        guess = [number + change for number, change in zip(guess, step)]
    return guess, left


def main():
    numbers, left = fit(film(), [1.0, 0.1, 0.7])
    for k, rest in enumerate(left):
        print(f"step {k}: {rest:.6f} unexplained")
    for name, number, true in zip(["length", "friction", "first angle"], numbers, TRUE):
        print(f"{name:12} {number:.4f}, in truth {true}")


if __name__ == "__main__":
    main()
