"""Values in sets, dict keys, caches, defaultdicts, sorted by id."""
import collections
import copy
import functools

from micrograd.engine import Value

calls = []


@functools.cache
def square(v):
    calls.append(v.data)
    return v * v


a, b, c = Value(1), Value(1), Value(2.5)
print(a == b, a != b, a == 1, a != 1, a in [b, c], [b, a].index(a), [a, b, a].count(a), hash(a) == hash(b))
print(square(a), square(b), square(a), square(a) is square(a), calls)
names = {a: "a", b: "b", c: "c"}
d = a * b + c * a - a
print(sorted(names.get(v, v._op) for p in d._prev for v in p._prev), names[a], len({a, b, c, a}), d in names)
users = collections.defaultdict(list)
todo, seen = [d], set()
while todo:
    v = todo.pop()
    if v in seen:
        continue
    seen.add(v)
    for p in v._prev:
        users[p].append(v._op)
        todo.append(p)
print(sorted((names.get(p, p._op), sorted(ops)) for p, ops in users.items()), len(seen))
by_id = sorted(seen, key=id)
print([id(v) for v in by_id] == sorted(map(id, seen)), {id(v): v for v in seen}[id(a)] is a, len(by_id))
print(seen - {a, b, c} == seen.difference(names), d._prev <= seen, d._prev.isdisjoint({a}), d._prev & {a, b} == set())
print(collections.Counter(v._op for v in seen).most_common(1))
print((a, b) == (a, b), (a, b) == (b, a), (a, "x") in {(a, "x")})
shallow = copy.copy(names)
print(shallow == names, all(k in names for k in shallow), bool(a), bool(Value(0)))
print(not Value(0.0), list(filter(None, [Value(0), 0])))
queue = [a, b, c]
queue.remove(b)
print(queue, a is queue[0], max(queue, key=lambda v: v.data), sorted(queue, key=lambda v: -v.data))
print(list(c._prev), next(iter((a * a)._prev)) is a)
print([*(a * a)._prev][-1] is a, a in (a + 1)._prev, Value(3)._prev, {1: d}, [d], (d,), {"d": Value(7)})
