"""What all examples share: a sentence for a package that is missing, and numbers that options may have."""

import argparse
import contextlib
import math
import pathlib
import sys

DISTRIBUTIONS = {"sklearn": "scikit-learn"}     # where pip's name is not that of the module


@contextlib.contextmanager
def needs(extra):
    """Around imports: if a package is missing, end the program with a sentence that names the extra that has it."""
    try:
        yield
    except ModuleNotFoundError as error:
        script, package = pathlib.Path(sys.argv[0]).name, error.name.partition(".")[0]
        raise SystemExit(
            f"{script} needs {DISTRIBUTIONS.get(package, package)}, which is not installed: "
            f"pip install 'micrograd_c[{extra}]'"
        ) from None


def count(text):
    """An option's whole number, 0 or more."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, not {text}")
    return number


def temperature(text):
    """An option's number, 0 or more; 0 is for the likeliest choice."""
    number = float(text)
    if not (number >= 0 and math.isfinite(number)):
        raise argparse.ArgumentTypeError(f"must be a number, 0 or more, not {text}")
    return number
