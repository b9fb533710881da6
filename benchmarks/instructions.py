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
from micrograd_c.bench.programs import expression
from micrograd_c.demo import Training
from micrograd_c.engine import Value
from micrograd_c.nn import Layer

x, a, b = Value(1.0), Value(0.001), Value(0.999)
number, other = 1.0, 0.999
layer = Layer(16, 16)
inputs = [Value(0.5) for _ in range(16)]
training = Training("micrograd_c")

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

def demo(turns):
    for _ in range(turns):
        training.step()

def readme(turns):
    for _ in range(turns):
        expression(Value(-4.0), Value(2.0), Value.relu).backward()

globals()[sys.argv[1]](int(sys.argv[2]))
"""
# all short enough for the tape's first arena: the counts hold no collection and no growth
SHORT, LONG = 1_000, 5_000
SHORT_CALLS, LONG_CALLS = 10, 50


def counted(function, turns, folder):
    """Instructions of a process that runs one function of PREPARE."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"]
    # hashes are random otherwise, and with them the number of instructions
    done = subprocess.run([*command, sys.executable, "-c", PREPARE, function, str(turns)], capture_output=True,
                          text=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    if done.returncode:
        raise SystemExit(done.stderr)
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def per_turn(function, short=SHORT, long=LONG):
    """Instructions of one turn of a function's loop."""
    with tempfile.TemporaryDirectory() as folder:
        return (counted(function, long, folder) - counted(function, short, folder)) / (long - short)


def main():
    """Count, print."""
    if shutil.which("valgrind") is None:
        raise SystemExit("this needs valgrind, which is not installed: `apt install valgrind`, `dnf install valgrind`")
    empty = per_turn("empty")
    chain = per_turn("chain")
    print("| instructions for | |\n| --- | --- |")
    for label, count in [
        ("one addition of Python floats", per_turn("float_add") - empty),
        ("one addition of Values", per_turn("value_add") - empty),
        ("one multiplication of Python floats", per_turn("float_multiply") - empty),
        ("one multiplication of Values", per_turn("value_multiply") - empty),
        ("one op of `backward()` along `x = x*b + a`", (per_turn("chain_and_backward") - chain) / 2),
        ("micrograd's README expression and its `backward()`", per_turn("readme") - empty),
        ("one neuron of a call of Layer(16, 16)", (per_turn("layer_call", SHORT_CALLS, LONG_CALLS) - empty) / 16),
        ("one step of the demo", per_turn("demo", SHORT_CALLS, LONG_CALLS)),
    ]:
        print(f"| {label} | {count:,.0f} |")


if __name__ == "__main__":
    main()
