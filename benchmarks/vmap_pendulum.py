"""A pendulum of 200 steps over 1,000 rows, with derivatives for two parameters, beside JAX: part of vmap.py.

A scalar function with no matrix product in it. JAX gets the loop as lax.scan: as it is, it would be compiled for
minutes, which a table of few steps shows.
"""

import numpy as np
from vmap_sides import compare, jax, seconds, show

from micrograd_c import vmap
from micrograd_c.engine import Value

if jax:
    import jax.numpy as jnp

PENDULUM_STEPS, PENDULUM_ROWS = 200, 1000
SHORT_STEPS = 20        # as many as JAX compiles within seconds as a loop of Python's


def swing(angle, damping, gravity, sin, steps):
    """The angle after some steps of Euler's method."""
    speed = 0.0
    for _ in range(steps):
        speed = speed + 0.01 * (-damping * speed - gravity * sin(angle))
        angle = angle + 0.01 * speed
    return angle


def looped(parameters, angles):
    """The mean angle after a few steps, by the same loop."""
    return jax.vmap(lambda angle: swing(angle, *parameters, jnp.sin, SHORT_STEPS))(angles).mean()


def scanned(parameters, angles):
    """The mean angle after all steps, the loop given to JAX as such."""
    def step(state, _):
        speed, angle = state
        speed = speed + 0.01 * (-parameters[0] * speed - parameters[1] * jnp.sin(angle))
        return (speed, angle + 0.01 * speed), None

    def last(angle):
        return jax.lax.scan(step, (0.0, angle), None, length=PENDULUM_STEPS)[0][1]

    return jax.vmap(last)(angles).mean()


def compiled_by_jax(function, *arguments):
    return jax.jit(jax.value_and_grad(function)).lower(*arguments).compile()


def traced(steps, damping, gravity, angles):
    """A vmapped pendulum that has been traced, and run for one row."""
    mapped = vmap(lambda angle: swing(angle, damping, gravity, Value.sin, steps))
    mapped(angles[:1])
    return mapped


def pendulum(rounds):
    angles = np.linspace(0.1, 1.5, PENDULUM_ROWS)
    damping, gravity = Value(0.3), Value(9.81)
    mapped = traced(PENDULUM_STEPS, damping, gravity, angles)

    def ours():
        damping.grad = gravity.grad = 0
        loss = mapped(angles).mean()
        loss.backward()
        return loss.data + damping.grad + gravity.grad

    sides = {"vmap": ours}
    if jax:
        at, on = jnp.array([0.3, 9.81]), jnp.array(angles)
        rows = [["", "steps", "vmap traces, ms", "JAX compiles, ms", "JAX divided by vmap"]]
        for name, steps, function in (
            ("the loop as it is", SHORT_STEPS, looped), ("JAX's as lax.scan", PENDULUM_STEPS, scanned),
        ):
            least = min(seconds(traced, steps, damping, gravity, angles)[0] for _ in range(10))
            took, compiled = seconds(compiled_by_jax, function, at, on)
            rows.append([name, str(steps), f"{least * 1e3:.2f}", f"{took * 1e3:.0f}", f"{took / least:.0f}"])
        show("A pendulum, traced and run once for one row, or compiled", rows)

        def theirs():
            value, gradients = compiled(at, on)
            return float(value) + float(gradients[0]) + float(gradients[1])
        sides["JAX, jit of lax.scan"] = theirs
    compare(f"A pendulum of {PENDULUM_STEPS} steps, {PENDULUM_ROWS:,} rows, value and two derivatives", sides, rounds)
