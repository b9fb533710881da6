"""Backpropagation through two gates, step by step: f = (x + y) * z with x = -2, y = 5, z = -4.

    python examples/two_gates.py

A gate knows two things only: how to compute its output from its inputs, and how fast its output changes with each of
its inputs. From these the chain rule computes how fast f changes with anything: a gate multiplies the gradient that
arrives at its output by its own local slope, and hands the product on. Here each gate does so by itself, called by hand
with `_backward()`; at the end `backward()` calls all of them in that order.
"""

from micrograd_c.engine import Value


def inputs():
    """x, y and z."""
    return Value(-2), Value(5), Value(-4)


def forward(x, y, z):
    """The two gates' outputs: q of the sum, f of the product."""
    q = x + y
    f = q * z
    return q, f


def backward_gate_by_gate(x, y, z, q, f):
    """The chain rule in words, and what the gates make of it."""
    f.grad = 1
    print(f"df/df = {f.grad}: f changes as fast as itself. This is where it starts.")

    print()
    print("The * gate, f = q * z. A factor's slope is the other factor, times what came down, df/df:")
    f._backward()
    print(f"  df/dq = z * df/df = {z.data} * {f.grad} = {q.grad}")
    print(f"  df/dz = q * df/df = {q.data} * {f.grad} = {z.grad}")

    print()
    print("The + gate, q = x + y. Its slopes are 1, so it hands on what came down, df/dq, to both:")
    q._backward()
    print(f"  df/dx = 1 * df/dq = 1 * {q.grad} = {x.grad}")
    print(f"  df/dy = 1 * df/dq = 1 * {q.grad} = {y.grad}")


def main():
    """Forward, backward by hand, backward at once."""
    x, y, z = inputs()
    q, f = forward(x, y, z)
    print("Forward, from the inputs to f:")
    print(f"  q = x + y = {x.data} + {y.data} = {q.data}")
    print(f"  f = q * z = {q.data} * {z.data} = {f.data}")

    print()
    print("Backward, from f to the inputs:")
    backward_gate_by_gate(x, y, z, q, f)
    by_hand = [v.grad for v in (x, y, z, q, f)]

    print()
    print("All at once, on a graph of its own: f.backward()")
    x, y, z = inputs()
    q, f = forward(x, y, z)
    f.backward()
    at_once = [v.grad for v in (x, y, z, q, f)]
    print(f"  df/dx = {x.grad}, df/dy = {y.grad}, df/dz = {z.grad}, df/dq = {q.grad}, df/df = {f.grad}")
    print(f"  the same as by hand: {at_once == by_hand}")


if __name__ == "__main__":
    main()
