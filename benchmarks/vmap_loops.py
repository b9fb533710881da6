"""Loops in a trace, part of vmap.py: scan, as it stays a loop, beside the loop written out, and JAX's lax.scan.

Two recurrences over 1,000 rows: of one number, and a long short-term memory of 16. How long it takes until a function
has been traced, compiled and run for one row, and how many instructions that gives, must not depend on the number of
steps, but for what they get.
"""

import numpy as np
from vmap_sides import compare, jax, seconds, show

from micrograd_c import scan, sumprod, vmap
from micrograd_c.engine import Value

if jax:
    import jax.numpy as jnp

LOOP_STEPS, LOOP_ROWS, UNITS, INPUTS = 100, 1000, 16, 3
LENGTHS = [10, 100, 1000, 10_000]


def written_out(fn, carry, xs):
    """The last carry, as scan has it."""
    for x in xs:
        carry, _ = fn(carry, x)
    return carry, None


def simple(weights, xs, loop, tanh):
    """A recurrence of one number."""
    return loop(lambda h, x: (tanh(h * weights[0] + x * weights[1] + weights[2]), None), 0.1, xs)[0]


def memory(weights, xs, loop):
    """A long short-term memory, in scalar code."""
    def step(carry, x):
        hidden, cells = carry
        sums = [sumprod(row[1:], [*x, *hidden], row[0]) for row in weights]
        enter, forget, leave, change = (sums[k * UNITS:(k + 1) * UNITS] for k in range(4))
        cells = [a.sigmoid() * b.tanh() + c.sigmoid() * d for a, b, c, d in zip(enter, change, forget, cells)]
        return ([a.sigmoid() * b.tanh() for a, b in zip(leave, cells)], cells), None

    return sum(loop(step, ([0.0] * UNITS, [0.0] * UNITS), xs)[0][0])


def memory_of_jax(weights, xs):
    def step(carry, x):
        hidden, cells = carry
        enter, forget, leave, change = jnp.split(weights[:, 1:] @ jnp.concatenate([x, hidden]) + weights[:, 0], 4)
        cells = jax.nn.sigmoid(enter) * jnp.tanh(change) + jax.nn.sigmoid(forget) * cells
        return (jax.nn.sigmoid(leave) * jnp.tanh(cells), cells), None

    zeros = jnp.zeros(UNITS)
    return jax.lax.scan(step, (zeros, zeros), xs)[0][0].sum()


def as_values(weights):
    return [as_values(one) if one.ndim else Value(one) for one in weights]


def flat(values):
    return [one for part in values for one in (flat(part) if isinstance(part, list) else [part])]


def step_of(mapped, parameters, data):
    """A mean and its gradient, as one number to be compared."""
    def ours():
        for parameter in parameters:
            parameter.grad = 0
        loss = mapped(data).mean()
        loss.backward()
        return loss.data + sum(parameter.grad for parameter in parameters)
    return ours


def lengths():
    rows = [["steps", "scan, ms", "instructions", "written out, ms", "instructions"]]
    for count in LENGTHS:
        row, data = [f"{count:,}"], np.zeros((1, count))
        for loop in scan, written_out:
            def compiled(loop=loop, data=data):
                weights = [Value(0.5), Value(0.3), Value(0.1)]
                mapped = vmap(lambda xs: simple(weights, xs, loop, Value.tanh))
                mapped(data)
                return mapped
            took, mapped = min((seconds(compiled) for _ in range(5)), key=lambda one: one[0])
            (found,) = mapped.specializations.values()
            row += [f"{took * 1e3:.2f}", f"{len(found.runner.program.describe()):,}"]
        rows.append(row)
    show("A recurrence of one number, traced, compiled, and run for one row", rows)


def loops(rounds):
    lengths()
    random = np.random.RandomState(0)
    for name, ours, theirs, weights, data in (
        ("of one number", lambda w, xs, loop: simple(w, xs, loop, Value.tanh),
         lambda w, xs: simple(w, xs, jax.lax.scan, jnp.tanh), np.array([0.5, 0.3, 0.1]),
         random.randn(LOOP_ROWS, LOOP_STEPS)),
        (f"long short-term memory of {UNITS}", memory, memory_of_jax,
         random.randn(4 * UNITS, 1 + INPUTS + UNITS) * 0.3, random.randn(LOOP_ROWS, LOOP_STEPS, INPUTS)),
    ):
        sides = {}
        for side, loop in ("vmap", scan), ("vmap, written out", written_out):
            values = as_values(weights)
            mapped = vmap(lambda xs, values=values, loop=loop, ours=ours: ours(values, xs, loop))
            sides[side] = step_of(mapped, flat(values), data)
        if jax:
            compiled = jax.jit(jax.value_and_grad(
                lambda w, xs, theirs=theirs: jax.vmap(lambda one: theirs(w, one))(xs).mean()))
            at, on = jnp.array(weights), jnp.array(data)

            def by_jax(compiled=compiled, at=at, on=on):
                value, gradient = compiled(at, on)
                return float(value) + float(gradient.sum())
            sides["JAX, jit of lax.scan"] = by_jax
        compare(f"A recurrence, {name}: {LOOP_STEPS} steps, {LOOP_ROWS:,} rows, value and gradient", sides, rounds)


if __name__ == "__main__":
    loops(3)
