"""A net that solves u'' = -u, u(0) = 0, u'(0) = 1, knowing nothing but the equation; the solution is the sine.

    python examples/physics_informed.py

The loss is how far u'' is from -u at some points: it has second derivatives with respect to x inside, `grad(grad(u))`,
and its own derivatives with respect to the weights come from backward() as of any loss. `vmap` runs one point's code
for all points at once. What u and u' are at 0 is built in: u(x) = x + x^2 net(x).
"""

import math
import random

from micrograd_c import grad, vmap
from micrograd_c.nn import MLP
from micrograd_c.optim import Adam

POINTS = [3.0 * k / 31 for k in range(32)]


def solver(net):
    """u as a function of one number."""
    return lambda x: x + x * x * net([x])


def train(steps=3000, lr=0.02, seed=0):
    """A trained u, and the loss at each step."""
    random.seed(seed)
    net = MLP(1, [12, 12, 1], activation="tanh")
    u = solver(net)
    residual = vmap(lambda x: (grad(grad(u))(x) + u(x)) ** 2)
    optimizer = Adam(net.parameters(), lr=lr)
    losses = []
    for step in range(steps):
        optimizer.lr = lr * (1 - step / steps) + 1e-4
        loss = residual(POINTS).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
    return u, losses


def main():
    u, losses = train()
    for step in range(0, len(losses), 500):
        print(f"step {step:4}: {losses[step]:.2e}")
    xs = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    for x, y in zip(xs, vmap(u)(xs)):
        print(f"u({x}) = {y:.4f}, sin({x}) = {math.sin(x):.4f}")


if __name__ == "__main__":
    main()
