"""What the parts of vmap.py share: which other sides there are, each in one thread, and how sides are timed in turn."""

import os
import statistics
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

from micrograd_c.bench.report import aligned  # noqa: E402 (after the variables)


def optional(module):
    try:
        return __import__(module)
    except ImportError:
        return None


jax, torch = optional("jax"), optional("torch")
if jax:
    jax.config.update("jax_enable_x64", True)
if torch:
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)


def compare(title, sides, rounds, seconds=0.3):
    """Print a table of {name: function}; each returns a loss, which is compared first."""
    losses = {name: float(side()) for name, side in sides.items()}
    first = next(iter(losses.values()))
    for name, loss in losses.items():
        if abs(loss - first) > 1e-9 * abs(first):
            raise SystemExit(f"{title}: {name} has {loss}, not {first}")
    timings = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                start = time.perf_counter()
                side()
                timings[name].append(time.perf_counter() - start)
    rows = [["", "minimum", "median", "vmap by it, minima", "medians"]]
    ours = timings["vmap"]
    for name, values in timings.items():
        least, middle = min(values), statistics.median(values)
        rows.append([name, f"{least * 1e6:.1f} us", f"{middle * 1e6:.1f} us", f"{min(ours) / least:.2f}",
                     f"{statistics.median(ours) / middle:.2f}"])
    show(title, rows)


def show(title, rows):
    print(f"{title}\n\n" + "\n".join(aligned(rows)) + "\n", flush=True)


def seconds(action, *arguments):
    """How long a call takes, and what it returns."""
    start = time.perf_counter()
    result = action(*arguments)
    return time.perf_counter() - start, result
