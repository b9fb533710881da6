"""Threads that share weights: graphs of their own, gradients under a lock."""
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

from micrograd.engine import Value
from micrograd.nn import MLP

lock = threading.Lock()
w = [Value(i - 2) for i in range(4)]
shared = sum(v * v for v in w)
shared.label = "shared"


def work(k):
    out = shared * k
    for i in range(20):
        out = (out + w[i % 4] * k).relu()
    with lock:
        out.backward()
    return k, out.data, out._op, len(out._prev)


with ThreadPoolExecutor(4) as pool:
    print(list(pool.map(work, [1, 2, -1, 3, 2, 0, 5, -2])))
print([type(v.grad).__name__ for v in w], shared.label)
for v in w:
    v.grad = shared.grad = 0
threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2, 3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(sorted(v.data for v in w), shared)
model = MLP(2, [3, 1])
for i, p in enumerate(model.parameters()):
    p.data = i % 5 - 2
results, inputs = {}, [[i, i * i % 7] for i in range(30)]


def evaluate(x):
    score = model(x)
    results[tuple(x)] = (score.data, score._op)
    return score


with ThreadPoolExecutor(3) as pool:
    scores = list(pool.map(evaluate, inputs))
loss = sum(scores)
loss.backward()
print(loss, sorted(results.items()), [p.grad for p in model.parameters()])
q, done = queue.Queue(), []


def consume():
    while (v := q.get()) is not None:
        done.append((v * 2 + 1).data)


consumer = threading.Thread(target=consume)
consumer.start()
for v in [*w, *scores[:5], shared]:
    q.put(v)
q.put(None)
consumer.join()
print(done)
