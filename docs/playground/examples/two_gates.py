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

# The derivative with respect to x says what a small step does.
print("with x larger by 0.001, f =", (x.data + 0.001 + y.data) * z.data)
