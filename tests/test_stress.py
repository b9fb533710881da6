"""Random programs that mix everything Python can do to a Value, against a shadow of plain floats."""

import copy
import gc
import random
import weakref

import pytest

from micrograd_c import no_grad, tape
from micrograd_c.engine import Value
from micrograd_c.nn import MLP


class Finalized(Value):
    def __del__(self):
        assert self.data == 2.5


class Holder:
    """Refers to a Value that refers to it."""


class Program:
    """Values, and beside each the float it must hold."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.model = MLP(2, [3, 2])
        self.known = []
        self.watching = []

    def pick(self):
        value, number = self.random.choice(self.known)
        return (value, number) if abs(number) < 1e6 else (Value(1.5), 1.5)

    def custom(self, v, w, number):
        out = Value(number, (v, w), "custom")
        out._backward = lambda: setattr(v, "grad", v.grad + out.grad)
        return out

    def step(self, k):
        known, chance = self.known, self.random.random
        if len(known) < 3:
            known += [(Value(k % 7), k % 7), (Finalized(2.5), 2.5)]
            return
        (v, x), (w, y) = self.pick(), self.pick()
        actions = [
            lambda: known.append((v + w, x + y)),
            lambda: known.append((v * w, x * y)),
            lambda: known.append((v - w, x - y)),
            lambda: known.append((2 * v + 1.5, 2 * x + 1.5)),
            lambda: known.append((self.custom(v, w, x + y), x + y)),
            lambda: known.append((copy.copy(v), x)),
            lambda: known.append((self.without_graph(v, w), x * y)),
            lambda: known.append((self.assigned(x, v, w), x)),
            lambda: known.append((self.chain(v, self.random.randrange(1_000)), x)),
            lambda: chance() < 0.2 and known.append((copy.deepcopy(v), x)),
            lambda: chance() < 0.3 and v.backward(),
            lambda: chance() < 0.3 and tape.collect(),
            lambda: chance() < 0.1 and gc.collect(),
            lambda: setattr(v, f"label{k % 3}", k),
            lambda: setattr(v, "holder", self.cycle(v)),
            lambda: self.watching.append(weakref.ref(v, lambda _: w._prev)),
            lambda: [child.data for child in v._prev],
            lambda: self.model([v, w]),
            lambda: known.pop(self.random.randrange(len(known))),
            lambda: known.pop(self.random.randrange(len(known))),
        ]
        self.random.choice(actions)()
        if len(known) > 60:
            del known[:20]

    def without_graph(self, v, w):
        with no_grad():
            return v * w

    def assigned(self, number, v, w):
        out = Value(number)
        out._prev = (v, w)
        return out

    def chain(self, v, length):
        for _ in range(length):
            v = v * 1
        return v

    def cycle(self, v):
        holder = Holder()
        holder.value = v
        return holder

    def check(self):
        for value, number in self.known:
            assert value.data == number
        stats = tape.stats()
        assert 0 <= stats["base"] <= stats["nodes"] < stats["capacity"]
        assert stats["young_handles"] >= 0


@pytest.mark.parametrize("seed", range(4))
def test_random_programs_compute_what_floats_do_and_leave_nothing_behind(seed):
    gc.collect()
    before = tape.collect()
    program = Program(seed)
    for k in range(1_200):
        program.step(k)
        if k % 50 == 0:
            program.check()
    program.check()
    for value, _ in program.known:
        todo, seen = [value], set()
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo.extend(node._prev)
    del program, value, todo, seen, node
    gc.collect()
    assert tape.collect() == before
