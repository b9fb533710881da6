"""What derivatives of functions cost: python benchmarks/derivatives.py

Rosenbrock's function and a small dense net of 20 numbers: gradient, product of the hessian with a vector, hessian; of
one point eagerly, and of 10,000 by vmap, beside JAX (jit of vmap, float64) if it is there. And bundle adjustment, as of
the benchmark ADBench, on random numbers: the 2 x 15 Jacobian of as many observations as its first file has. Numbers are
compared before they are timed; sides take turns, and the minimum counts.
"""

import argparse
import pathlib
import random
import sys
import time

import numpy as np

from micrograd_c import grad, hessian, jacrev, jvp, sumprod, vmap

sys.path.append(str(pathlib.Path(__file__).with_name("adbench")))        # for its residuals

from ba import residuals

COUNT = 20
WEIGHTS = (np.random.RandomState(2).randn(8, COUNT) / 4).tolist()


def rosenbrock(x):
    total = sum([100 * (b - a ** 2) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:])])
    return total + (x[0] * x[-1]).sin()


def dense(x):
    return sum([sumprod(row, x).tanh() ** 2 for row in WEIGHTS]) * (x[0] * x[1]).exp()


def product(fn):
    """The hessian times a vector."""
    return lambda x, v: jvp(grad(fn), (x,), (v,))[1]


def product_by_sweeps(fn):
    """The same as the gradient of the gradient times the vector, which is a number."""
    return lambda x, v: grad(lambda x: sumprod(grad(fn)(x), v))(x)


def sides_of_jax():
    """By function and what is asked of it, or nothing if there is no JAX."""
    try:
        import jax
    except ImportError:
        return {}
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    functions = {
        "rosenbrock": lambda x: jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2) + jnp.sin(x[0] * x[-1]),
        "dense": lambda x: jnp.sum(jnp.tanh(jnp.array(WEIGHTS) @ x) ** 2) * jnp.exp(x[0] * x[1]),
    }
    return {(name, asked): jax.jit(jax.vmap(make(fn))) for name, fn in functions.items() for asked, make in [
        ("gradient", jax.grad), ("product", lambda fn: lambda x, v: jax.jvp(jax.grad(fn), (x,), (v,))[1]),
        ("hessian", jax.hessian)]}


def minima(sides, repeats):
    """The shortest time of each, in seconds."""
    found = [float("inf")] * len(sides)
    for _ in range(repeats):
        for k, side in enumerate(sides):
            before = time.perf_counter()
            side()
            found[k] = min(found[k], time.perf_counter() - before)
    return found


def eagerly(repeats):
    generator = random.Random(1)
    point, direction = ([generator.uniform(-1, 1) for _ in range(COUNT)] for _ in range(2))
    print("| of one point | gradient | hessian times vector, jvp | by gradients | hessian |")
    print("|---|---:|---:|---:|---:|")
    for fn in (rosenbrock, dense):
        of_gradient, of_product, swept, of_hessian = grad(fn), product(fn), product_by_sweeps(fn), hessian(fn)
        found = minima([
            lambda g=of_gradient: g(point), lambda p=of_product: p(point, direction),
            lambda p=swept: p(point, direction), lambda h=of_hessian: h(point),
        ], repeats)
        cells = [f"{time * 1e6:.0f} us, {time / found[0]:.2f} gradients" for time in found[1:]]
        print(f"| {fn.__name__} | {found[0] * 1e6:.0f} us | {' | '.join(cells)} |")


def mapped(rows, repeats):
    points, directions = np.random.RandomState(0).randn(2, rows, COUNT)
    theirs = sides_of_jax()
    print(f"\n| of {rows:,} points | vmap | JAX | vmap by JAX |")
    print("|---|---:|---:|---:|")
    for fn in (rosenbrock, dense):
        for asked, ours, arguments in [
            ("gradient", vmap(grad(fn)), (points,)), ("product", vmap(product(fn)), (points, directions)),
            ("hessian", vmap(hessian(fn)), (points,)),
        ]:
            sides = [lambda f=ours, a=arguments: f(*a)]
            other = theirs.get((fn.__name__, asked))
            if other is not None:
                compare(ours(*arguments), np.asarray(other(*arguments)))
                sides.append(lambda f=other, a=arguments: f(*a).block_until_ready())
            show(f"{fn.__name__}, {asked}", minima(sides, repeats))


def bundle_adjustment(rows, repeats):
    random = np.random.RandomState(0)
    numbers = (random.randn(rows, 11) * 0.05 + 0.3, random.randn(rows, 3) * 0.3 + [0, 0, 20], random.rand(rows),
               random.randn(rows, 2))
    jacobian = jacrev(residuals, argnums=(0, 1, 2))
    stacked = vmap(lambda *numbers: [[*camera, *point, w] for camera, point, w in jacobian(*numbers)], stacked=True)
    ours = [vmap(residuals), vmap(jacobian), lambda *numbers: np.asarray(stacked(*numbers))]
    theirs = []
    try:
        import jax
    except ImportError:
        pass
    else:
        from jax_side import residuals as of_arrays

        parts = jax.jacrev(of_arrays, argnums=(0, 1, 2))

        def joined(*numbers):
            camera, point, w = parts(*numbers)
            return jax.numpy.concatenate([camera, point, w[:, None]], axis=1)

        theirs = [jax.jit(jax.vmap(one)) for one in (of_arrays, parts, joined)]
    for name, *both in zip(["objective", "jacobian", "jacobian, stacked"], ours, *([theirs] if theirs else [])):
        if len(both) > 1 and name == "jacobian":
            found, wanted = both[0](*numbers), both[1](*numbers)
            for k in range(2):
                np.testing.assert_allclose(np.array(found[k][0]), np.asarray(wanted[0][:, k]).T, rtol=1e-9, atol=1e-10)
                np.testing.assert_allclose(np.array(found[k][1]), np.asarray(wanted[1][:, k]).T, rtol=1e-9, atol=1e-10)
        elif len(both) > 1 and name == "jacobian, stacked":
            np.testing.assert_allclose(both[0](*numbers), both[1](*numbers), rtol=1e-9, atol=1e-10)
        sides = [lambda f=both[0]: f(*numbers)]
        if len(both) > 1:
            sides.append(lambda f=both[1]: jax.block_until_ready(f(*numbers)))
        show(f"bundle adjustment of {rows:,}, {name}", minima(sides, repeats))


def show(name, found):
    print(f"| {name} | {found[0] * 1e3:.2f} ms | "
          + (f"{found[1] * 1e3:.2f} ms | {found[0] / found[1]:.2f} |" if len(found) > 1 else "| |"))


def compare(ours, theirs):
    flat = [batch for line in ours for batch in (line if isinstance(line, list) else [line])]
    np.testing.assert_allclose(np.array(flat), theirs.reshape(len(theirs), -1).T, rtol=1e-10, atol=1e-10)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="only show that everything runs")
    options = parser.parse_args()
    eagerly(1 if options.quick else 10 * options.repeats)
    mapped(100 if options.quick else options.rows, 1 if options.quick else options.repeats)
    bundle_adjustment(100 if options.quick else 31_843, 1 if options.quick else options.repeats)


if __name__ == "__main__":
    main()
