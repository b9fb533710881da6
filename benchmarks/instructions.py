"""Counts the machine instructions of single operations with callgrind, which does not care how busy the machine is.

Knows nothing of time: instructions differ in what they cost. Every count is the difference of two runs of different
length, so that starting Python cancels out, and less what the empty loop takes.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

PREPARE = """
import sys
from micrograd_c import tape
from micrograd_c.engine import Value
from micrograd_c.nn import Layer

x, a, b = Value(1.0), Value(0.001), Value(0.999)
number, other = 1.0, 0.999
layer = Layer(16, 16)
inputs = [Value(0.5) for _ in range(16)]

def empty(turns):
    for _ in range(turns):
        pass

def float_add(turns):
    x, a = number, other
    for _ in range(turns):
        x = x + a

def float_multiply(turns):
    x, b = number, other
    for _ in range(turns):
        x = x * b

def value_add(turns, x=x, a=a):
    for _ in range(turns):
        x = x + a
    return x

def value_multiply(turns, x=x, b=b):
    for _ in range(turns):
        x = x * b
    return x

def chain(turns, x=x, a=a, b=b):
    for _ in range(turns):
        x = x * b + a
    return x

def chain_and_backward(turns):
    chain(turns).backward()

def layer_call(turns):
    for _ in range(turns):
        layer(inputs)

def nodes_of_a_layer_call(turns):
    before = tape.stats()["nodes"]
    outputs = layer(inputs)
    print(tape.stats()["nodes"] - before)

globals()[sys.argv[1]](int(sys.argv[2]))
"""
# all short enough for the tape's first arena: the counts hold no collection and no growth
SHORT, LONG = 1_000, 5_000
SHORT_CALLS, LONG_CALLS = 10, 50


def run(command, function, turns):
    """Run one function of PREPARE in a process of its own; returns what it and its command said."""
    program = [sys.executable, "-c", PREPARE, function, str(turns)]
    # hashes are random otherwise, and with them the number of instructions
    done = subprocess.run([*command, *program], capture_output=True, text=True,
                          env={**os.environ, "PYTHONHASHSEED": "0"})
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout, done.stderr


def per_turn(function, short=SHORT, long=LONG):
    """Instructions of one turn of a function's loop."""
    counts = []
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"]
        for turns in (short, long):
            counts.append(int(re.search(r"Collected : (\d+)", run(command, function, turns)[1]).group(1)))
    return (counts[1] - counts[0]) / (long - short)


def main():
    """Count, print."""
    if shutil.which("valgrind") is None:
        raise SystemExit("this needs valgrind, which is not installed: `apt install valgrind`, `dnf install valgrind`")
    empty = per_turn("empty")
    chain = per_turn("chain")
    nodes = int(run([], "nodes_of_a_layer_call", 1)[0])
    layer_call = per_turn("layer_call", SHORT_CALLS, LONG_CALLS) - empty
    print("| instructions for | |\n| --- | --- |")
    for label, count in [
        ("one addition of Python floats", per_turn("float_add") - empty),
        ("one addition of Values", per_turn("value_add") - empty),
        ("one multiplication of Python floats", per_turn("float_multiply") - empty),
        ("one multiplication of Values", per_turn("value_multiply") - empty),
        (f"one node of a call of Layer(16, 16), which records {nodes}", layer_call / nodes),
        ("one node of `backward()` along `x = x*b + a`", (per_turn("chain_and_backward") - chain) / 2),
    ]:
        print(f"| {label} | {count:.1f} |")


if __name__ == "__main__":
    main()
