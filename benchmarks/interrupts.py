"""How soon Ctrl-C ends what runs for long: python benchmarks/interrupts.py [--quick]

A process of its own sends SIGINT at random times while this one sweeps, collects, or runs mapped code forward and
backward; the delay is from sending to the KeyboardInterrupt. After each the same is done once more without
interruption, and must be right, and the tape is looked at.
"""

import os
import random
import subprocess
import sys
import time

from micrograd_c import tape, vmap
from micrograd_c.engine import Value

NODES = 20_000_000
ROWS = 1_000_000


SENDER = """
import os, signal, sys, time
sys.stdin.readline()
time.sleep(float(sys.argv[1]))
print(time.monotonic(), flush=True)
os.kill(int(sys.argv[2]), signal.SIGINT)
"""


def start_sender(seconds):
    """A process that interrupts this one so long after it is told to, and says when. A fork would share pages."""
    command = [sys.executable, "-c", SENDER, str(seconds), str(os.getpid())]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def delay_of(action, seconds):
    """Of an interrupt so many seconds after the action began; None if the action was over by then."""
    with start_sender(seconds) as sender:
        try:
            time.sleep(0.1)     # for it to start
            sender.stdin.write("\n")
            sender.stdin.flush()
            action()
            over = True
            sender.wait()
            time.sleep(0.01)
        except KeyboardInterrupt:
            caught = time.monotonic()
            over = "over" in locals()
        sent = float(sender.stdout.readline())
    return None if over else caught - sent


def long_sweep():
    x = Value(1.0)
    y = x
    for _ in range(NODES // 2):
        y = y * 1.0
    return y.backward, lambda: y.backward() is None and x.grad > 0.0     # gradients of what is between add up


def long_collection():
    """Of nodes that all are alive but some."""
    y = Value(1.0)
    kept = []
    for k in range(NODES // 2):
        y = y * 1.0
        if k % 1000 == 0:
            kept.append(y + 1.0)
    return tape.collect, lambda: tape.collect() > NODES // 2 and kept[-1].data == 2.0


def mapped(x):
    for _ in range(100):
        x = (x * 0.99).sin()
    return x


def long_run():
    w = Value(1.0)
    function = vmap(lambda x: mapped(x * w), saved_bytes=0)
    rows = memoryview(bytes(8 * ROWS)).cast("d")
    function([0.0])
    return lambda: function(rows), lambda: function(rows)[0] == 0.0


def long_backward_run():
    w = Value(1.0)
    rows = memoryview(bytes(8 * ROWS)).cast("d")
    total = vmap(lambda x: mapped(x + w), saved_bytes=0)(rows).sum()
    total.backward()
    right, w.grad = w.grad, 0.0
    return total.backward, lambda: (setattr(w, "grad", 0.0), total.backward(), w.grad == right)[-1]


def main(arguments):
    random.seed(1337)
    rounds = 2 if "--quick" in arguments else 40
    print("| what runs | takes, ms | interrupts | over before | longest delay, ms |\n|---|---:|---:|---:|---:|")
    for name, prepare in {"backward() of 20,000,000 nodes": long_sweep, "collecting them": long_collection,
                          "a mapped run": long_run, "its backward pass": long_backward_run}.items():
        action, check = prepare()
        start = time.monotonic()
        assert check()
        takes = time.monotonic() - start
        delays = []
        for _ in range(rounds):
            delays.append(delay_of(action, random.uniform(0.1, 0.9) * takes))
            assert check()
        tape.verify()
        caught = [delay for delay in delays if delay is not None]
        longest = f"{max(caught) * 1e3:.1f}" if caught else "-"
        print(f"| {name} | {takes * 1e3:.0f} | {len(caught)} | {len(delays) - len(caught)} | {longest} |", flush=True)
        del action, check


if __name__ == "__main__":
    main(sys.argv[1:])
