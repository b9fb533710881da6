"""ADBench's four objectives as scalar code, beside JAX, PyTorch and C, whichever is there, in one run.

    python benchmarks/adbench [--quick] [gmm ba lstm hand]

First it compares objectives, gradients and Jacobians with the numbers that ADBench publishes; then, of larger inputs,
with those of the other sides to 1e-10; then it prints tables: times, sides in turn, and of first calls, which trace or
compile. One thread, float64.
"""

import argparse
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))       # for what benchmarks share

from running import OBJECTIVES, print_surroundings


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("objectives", nargs="*", metavar="gmm ba lstm hand", help="all of them, if none is named")
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures mean little")
    options = parser.parse_args()
    unknown = set(options.objectives) - set(OBJECTIVES)
    if unknown:
        parser.error(f"no objective is called {', '.join(sorted(unknown))}")
    options.rounds, options.seconds = (1, 0.0) if options.quick else (10, 0.1)
    for name in options.objectives or OBJECTIVES:
        OBJECTIVES[name](options)
    print_surroundings()


if __name__ == "__main__":
    main()
