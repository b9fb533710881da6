"""Attributes: set, asked for with defaults, defaults on the class, properties added to it."""
from micrograd.engine import Value
from micrograd.nn import MLP

Value.label = ""
Value.frozen = False
Value.registry = []
a, b = Value(2.0), Value(3)
c = a * b
c.label = "c"
setattr(a, "label", "a")  # noqa: B010
a.frozen = True
print([v.label for v in (a, b, c, a + b)], [v.frozen for v in (a, b, c)], a.registry is b.registry)
del a.label
print(repr(a.label), hasattr(a, "label"), hasattr(a, "color"), getattr(a, "color", "black"), getattr(b, "frozen", None))
for key, content in (("color", "red"), ("m", 0.5), ("history", []), ("fn", lambda: 7), ("parent", c), ("name", None)):
    setattr(b, key, content)
    print(key, hasattr(b, key), hasattr(a, key), getattr(b, key) is content)
b.history.append(b.fn() + b.m)
b.m += 1
b.m **= 2
print(b.history, b.m, b.parent is c, next(v for v in c._prev if hasattr(v, "color")).color)
delattr(b, "color")
for wrong in ("color", "nothing"):
    try:
        getattr(b, wrong)
    except AttributeError as error:
        print(type(error).__name__)
Value.value = property(lambda self: self.data, lambda self, x: setattr(self, "data", x))
Value.is_leaf = property(lambda self: not self._prev)
Value.T = Value.shape = ()
Value.item = lambda self: self.data
Value.depth = lambda self: 1 + max((p.depth() for p in self._prev), default=0)
Value.constant = staticmethod(lambda x: Value(x))
Value.zeros = classmethod(lambda cls, n: [cls(0) for _ in range(n)])
c.value = 10
print(c, c.value, c.is_leaf, a.is_leaf, a.T, c.item(), (c + a * c).depth(), Value.constant(4), Value.zeros(2))
Value.label = "none"
print(a.label, b.label, c.label, (c + 1).label, "label" in c.__dict__, "label" in a.__dict__, c.__dict__.get("label"))
c._op = "mul"
c.grad, c.data = 5, "7.5" and 7.5
print(c, c._op, c._backward(), a.grad, b.grad)
model = MLP(2, [2, 1])
model.name, model.layers[0].tag, model.layers[0].neurons[1].dropout = "net", "first", 0.5
for i, p in enumerate(model.parameters()):
    p.label = f"p{i}"
print(model.name, model.layers[0].tag, [getattr(n, "dropout", None) for n in model.layers[0].neurons])
print([p.label for p in model.parameters()], sorted(p.label for p in model([1, 2])._prev))
del Value.frozen
print(hasattr(b, "frozen"), a.frozen)
