"""What N ranks cost, for docs/scaling.md: a model of a step and of an Allreduce, measured, checked, and carried on to
1,000 ranks by a simulation.

    pip install '.[mpi]' numpy
    python benchmarks/scaling.py            # runs itself by mpiexec on 1 and 2 ranks; --quick to see that it runs

A rank's step is `fixed + row * rows`, fitted to steps of one rank on batches of several sizes; with more ranks, also
what average_gradients takes besides the Allreduce: gradients into one array and back. An Allreduce of n bytes
among N ranks is simulated message by message, each taking `latency + n / bandwidth`: recursive doubling for few bytes,
a ring of pieces for many, as MPI libraries do. All ranks wait for the last, and a rank is late now and then: compute
times are drawn from those measured. This machine's latency and bandwidth are fitted to Allreduces of two ranks in
shared memory; those of networks are assumed, and marked so.

Times are the fastest of their kind, since others may use the machine, and two ranks need both of its cores at once.
"""

import argparse
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from array import array

SIZES = [(2, [16, 16, 1]), (64, [32, 10]), (64, [256, 128, 10])]      # of models
ROWS = [64, 256, 1024]
LENGTHS = [1, 64, 1024, 16384, 131072]       # doubles in an Allreduce
# latency in seconds, bytes a second
NETWORKS = {"10 Gbit/s Ethernet (assumed)": (30e-6, 1.1e9), "100 Gbit/s InfiniBand (assumed)": (2e-6, 1.1e10)}
RANKS = [1, 2, 4, 8, 16, 64, 256, 1000]
RING_FROM = 65536       # bytes, from which an Allreduce is a ring
SEED = 1


# --- measured, on one rank and on two ---

def timed(action, repetitions):
    """The seconds of each call."""
    found = []
    for _ in range(repetitions):
        begun = time.perf_counter()
        action()
        found.append(time.perf_counter() - begun)
    return found


def stepping(shape, rows, average):
    """A training step of a model over rows, by vmap."""
    from micrograd_c import vmap
    from micrograd_c.nn import MLP
    from micrograd_c.optim import SGD

    random.seed(SEED)
    model = MLP(*shape)
    optimizer = SGD(model.parameters(), 1e-6)
    loss_of = vmap(lambda x: sum(out * out for out in outputs(model(x))))
    numbers = array("d", [random.uniform(-1, 1) for _ in range(rows * shape[0])])
    data = memoryview(numbers).cast("B").cast("d", (rows, shape[0]))

    def step():
        optimizer.zero_grad()
        loss = loss_of(data).mean()
        loss.backward()
        average(model, rows, [loss.data])
        optimizer.step()

    return step, model


def outputs(out):
    return out if isinstance(out, list) else [out]


def measure(repetitions):
    """What rank 0 prints: all times as JSON."""
    from micrograd_c import distributed
    from micrograd_c._core.training.ranks import join

    size, found = distributed.size(), {"steps": [], "allreduce": [], "averages": []}
    for shape in SIZES:
        for rows in ROWS:
            step, model = stepping(shape, rows // size, distributed.average_gradients)
            timed(step, 3)
            found["steps"].append([model.num_parameters(), rows, timed(step, repetitions)])
        found["averages"].append([model.num_parameters(), timed(
            lambda model=model: distributed.average_gradients(model, 1, [0.0]), repetitions)])
    if size > 1:
        for length in LENGTHS:
            numbers = array("d", bytes(8 * length))
            times = timed(lambda numbers=numbers: join().add(numbers, "measuring"), 4 * repetitions)
            found["allreduce"].append([8 * length, times])
    if distributed.rank() == 0:
        print(json.dumps(found))


# --- the model ---

def line(points):
    """(start, slope) of the least squares of relative errors through (x, y)."""
    weights = [1 / (y * y) for _, y in points]
    total = sum(weights)
    x_mean = sum(w * x for w, (x, _) in zip(weights, points)) / total
    y_mean = sum(w * y for w, (_, y) in zip(weights, points)) / total
    slope = (sum(w * (x - x_mean) * (y - y_mean) for w, (x, y) in zip(weights, points))
             / sum(w * (x - x_mean) ** 2 for w, (x, _) in zip(weights, points)))
    return y_mean - slope * x_mean, slope


def allreduce(ready, size, latency, bandwidth):
    """When each rank has the sums of `size` bytes, if rank i is ready at ready[i]."""
    count, now = len(ready), list(ready)
    if count == 1:
        return now
    if size < RING_FROM:        # recursive doubling; those beyond a power of two hand theirs to another first
        cost, power = latency + size / bandwidth, 2 ** int(math.log2(count))
        for extra in range(power, count):
            now[extra - power] = max(now[extra - power], now[extra] + cost)
        for bit in range(int(math.log2(power))):
            now[:power] = [max(now[i], now[i ^ (1 << bit)]) + cost for i in range(power)]
        for extra in range(power, count):
            now[extra] = now[extra - power] + cost
        return now
    cost = latency + size / count / bandwidth       # a ring: each piece goes round twice
    for _ in range(2 * (count - 1)):
        now = [max(now[i], now[i - 1]) + cost for i in range(count)]
    return now


def simulated_step(count, fixed, row, vectors, rows, size, network, slowness, steps, source):
    """Seconds per step of `count` ranks that share `rows`; compute times are drawn from relative slownesses."""
    times = [0.0] * count
    for _ in range(steps):
        share = fixed + row * rows / count + (vectors if count > 1 else 0.0)
        times = allreduce([t + share * source.choice(slowness) for t in times], size, *network)
    return max(times) / steps


# --- what is printed ---

def show(repetitions, steps, counts):
    one, two = (run_on(ranks, repetitions) for ranks in (1, 2))
    network = fit_network(two["allreduce"])
    print(f"This machine's shared memory, by Allreduces of two ranks: latency {network[0] * 1e6:.1f} us, bandwidth "
          f"{network[1] / 1e9:.2f} GB/s.\n")
    print("| Allreduce of two ranks, bytes | measured | by the model |\n|---|--:|--:|")
    for size, times in two["allreduce"]:
        print(f"| {size:,} | {fastest(times) * 1e6:.1f} us | "
              f"{allreduce([0.0, 0.0], size, *network)[0] * 1e6:.1f} us |")
    models = fit_steps(one["steps"], {
        parameters: max(0.0, fastest(times) - allreduce([0.0, 0.0], size_of(parameters), *network)[0])
        for parameters, times in two["averages"]
    })
    print("\n| parameters | bytes of a step's Allreduce | a step, fixed | per row | gradients to an array and back |\n"
          "|--:|--:|--:|--:|--:|")
    for parameters, (fixed, row, vectors) in models.items():
        print(f"| {parameters:,} | {size_of(parameters):,} | {fixed * 1e6:.0f} us | {row * 1e6:.2f} us | "
              f"{vectors * 1e6:.0f} us |")
    source = random.Random(SEED)
    print("\n| parameters | rows | 1 rank | 2 ranks | by the model | speedup | by the model |"
          "\n|--:|--:|--:|--:|--:|--:|--:|")
    for (parameters, rows, alone), (_, _, both) in zip(one["steps"], two["steps"]):
        first, second = fastest(alone), fastest(both)
        predicted = simulated_step(2, *models[parameters], rows, size_of(parameters), network, [1.0], 1, source)
        print(f"| {parameters:,} | {rows:,} | {first * 1e6:.0f} us | {second * 1e6:.0f} us | "
              f"{predicted * 1e6:.0f} us | {first / second:.2f} | {first / predicted:.2f} |")
    late = [x for _, _, times in one["steps"] for x in slowness(times)]
    for name, other in {"this machine's shared memory, if it had so many cores": network, **NETWORKS}.items():
        print(f"\nSpeedup over one rank, simulated, on {name}:\n")
        print("| parameters | rows | " + " | ".join(f"{count:,}" for count in counts) + " |")
        print("|--:|--:|" + "--:|" * len(counts))
        for parameters, model in models.items():
            for rows in (1024, 65536):
                alone = (model[0] + model[1] * rows) * statistics.mean(late)
                speedups = [alone / simulated_step(count, *model, rows, size_of(parameters), other, late, steps, source)
                            for count in counts]
                print(f"| {parameters:,} | {rows:,} | " + " | ".join(f"{one:.3g}" for one in speedups) + " |")


def run_on(ranks, repetitions):
    where = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    mpiexec = shutil.which("mpiexec", path=where)
    if mpiexec is None:
        raise SystemExit("there is no mpiexec: pip install 'micrograd_c[mpi]'")
    done = subprocess.run([mpiexec, "-n", str(ranks), sys.executable, __file__, "--measure", str(repetitions)],
                          stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def size_of(parameters):
    """Bytes of a step's Allreduce: the gradients, the loss, and two numbers for weights."""
    return 8 * (parameters + 3)


def fit_network(measured):
    """Latency and bandwidth: two ranks exchange once, what is long in a ring of two halves twice."""
    points = [(size, fastest(times)) for size, times in measured]
    start, slope = line([(size, seconds) for size, seconds in points if size < RING_FROM])
    _, long_slope = line([(size, seconds) for size, seconds in points if size >= RING_FROM // 2])
    return max(start, 1e-7), 1 / max(slope if long_slope <= 0 else long_slope, 1e-12)


def fit_steps(measured, vectors):
    """(fixed, per row, for vectors) by parameters."""
    models = {}
    for parameters in dict.fromkeys(parameters for parameters, _, _ in measured):
        fixed, row = line([(rows, fastest(times)) for p, rows, times in measured if p == parameters])
        models[parameters] = max(fixed, 0.0), row, vectors[parameters]
    return models


def fastest(times):
    return min(times)


def slowness(times):
    """Each time by the median. The slowest tenth, which is this machine's other work, is left out."""
    return [one / statistics.median(times) for one in sorted(times)[: max(1, len(times) * 9 // 10)]]


def main():
    parser = argparse.ArgumentParser(description="What N ranks cost.")
    parser.add_argument("--quick", action="store_true", help="few repetitions, to see that it runs")
    parser.add_argument("--measure", type=int, metavar="REPETITIONS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        measure(options.measure)
    else:
        show(*(5, 1, RANKS[:5]) if options.quick else (100, 20, RANKS))


if __name__ == "__main__":
    main()
