# Two gates, and how fast f changes with each input.

from micrograd.engine import Value

x = Value(-2.0)
y = Value(5.0)
z = Value(-4.0)

q = x + y
f = q * z
f.backward()

print("f =", f.data)
for name, value in [("q", q), ("z", z), ("x", x), ("y", y)]:
    print(f"df/d{name} = {value.grad}")

# A small step uphill: the derivatives say that f grows by about 0.01 * (their squares).
for value in (x, y, z):
    value.data += 0.01 * value.grad
print("after the step, f =", ((x + y) * z).data)
