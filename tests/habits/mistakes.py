"""Exceptions a learner meets and catches, with their text, and what is left after them."""
from micrograd.engine import Value

a, b, zero = Value(2.0), Value(1e300), Value(0.0)


def attempt(name, f):
    try:
        print(name, f())
    except (ArithmeticError, AssertionError, RuntimeError) as error:
        print(name, type(error).__name__, error)
    except Exception as error:
        print(name, type(error).__name__)


attempt("divide by Value(0.0)", lambda: a / zero)
attempt("divide by Value(0)", lambda: a / Value(0))
attempt("divide by 0", lambda: a / 0)
attempt("divide by 0.0", lambda: a / 0.0)
attempt("one over zero", lambda: 1 / zero)
attempt("power of zero", lambda: zero ** -1)
attempt("overflow", lambda: b ** 2)
attempt("overflow of a product", lambda: b * b)
attempt("infinity less infinity", lambda: b * b - b * b)
attempt("power of text", lambda: a ** "2")
attempt("no attribute", lambda: a.lable)
attempt("no parameter", lambda: Value())
attempt("unknown keyword", lambda: type(Value(1, label="x")) if hasattr(Value, "label") else "skipped")
attempt("not callable", lambda: a(1))
attempt("no length", lambda: len(a))
attempt("no items", lambda: a[0])
attempt("no iteration", lambda: [*a])
attempt("sum with text", lambda: sum([a], ""))
attempt("text and Value", lambda: "loss " + a)
attempt("percent", lambda: f"{a.grad:.2f}")
attempt("missing from a set", lambda: {a}.remove(b))
root = zero ** 0.5
attempt("backward through a square root of zero", root.backward)
print(root, zero, a)


def broken():
    raise RuntimeError("stop here")


c = a * 3
d = c + 1
c._backward = broken
attempt("a _backward that raises", d.backward)
print(a, c, d)
attempt("again", d.backward)
c._backward = lambda: None
attempt("mended", d.backward)
print(a, c, d)
for x in (2.0, 0.0, 1, 0):
    v = Value(x)
    out = v ** 2 + v ** 1 + v ** 3.0
    attempt("powers", out.backward)
    print(out, v)
