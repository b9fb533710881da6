"""What is gone is gone: __del__, weakrefs and the collector."""
import gc
import weakref

from micrograd.engine import Value
from micrograd.nn import MLP

ended = []


class Noted(Value):
    def __init__(self, data, name):
        super().__init__(data)
        self.name = name

    def __del__(self):
        ended.append(self.name)


def build():
    a, b = Noted(2.0, "a"), Noted(3, "b")
    return a * b + a, weakref.ref(a), b


def tell(title, *references):
    gc.collect()
    print(title, sorted(ended), [r() is not None for r in references])


out, a, b = build()
tell("built", a, weakref.ref(out))
out.backward()
print(out, a(), b, a().name)
inner = next(p for p in out._prev if p is not a())
gone = weakref.ref(out, lambda r: ended.append("callback"))
del out
tell("root dropped", a, gone)
print(inner, inner._op, sorted(p.name for p in inner._prev))
inner.extra = Noted(1, "extra")
del b
tell("leaf dropped", a)
del inner
tell("all dropped", a)
x = Noted(5, "loop")
y = x * 2
x.child = y
alive = weakref.ref(y)
del x, y
tell("cycle through an attribute", alive)
model = MLP(2, [2, 1])
model.layers[0].neurons[0].w[0] = Noted(1, "weight")
result = weakref.WeakSet([model, *model.parameters()])
by_value = weakref.WeakKeyDictionary({p: i for i, p in enumerate(model.parameters())})
print(len(result), len(by_value), sorted(by_value.values()))
score = model([1, 2])
del model
tell("model dropped")
print(len(by_value), sum(isinstance(p, Noted) for p in by_value))
del score
tell("score dropped")
print(len(result), len(by_value))
data = [Noted(i, f"d{i}") for i in range(4)]
total = sum(d * d for d in data)
weakref.finalize(total, ended.append, "finalize")
data.pop(0)
data.clear()
tell("held by the sum only")
total = total.data
tell("a number is left")
print(total, isinstance(total, int), weakref.getweakrefcount(Value(1)))
