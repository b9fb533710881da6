"""Random programs of all features, compared with a model of micrograd in plain Python: see tests/fuzz/__main__.py."""

import os
import pathlib
import subprocess
import sys

import pytest
from conftest import frees_functions

import micrograd_c

PROGRAMS = pathlib.Path(__file__).parent / "fuzz"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each program has a process of its own")


def fuzz(*arguments, program="__main__.py"):
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(micrograd_c.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, str(PROGRAMS / program), *arguments],
        capture_output=True, text=True, env=environment, check=False,
    )


@frees_functions
def test_random_programs_do_what_the_model_does():
    done = fuzz("--seeds", "40", "--seconds", "20")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differences" in done.stdout


@frees_functions
def test_a_difference_is_found_and_made_small():
    """A sine that is wrong is what the model cannot know of."""
    done = fuzz("--seeds", "20", "--failures", "1", "--planted")
    assert done.returncode == 1, done.stdout + done.stderr
    program = done.stdout[done.stdout.index("import gc"):]
    assert ".sin()" in program
    assert len([line for line in program.splitlines() if line.startswith("v")]) < 10


def test_random_programs_over_classes_of_others_do_what_these_do():
    done = fuzz("--seeds", "8", "--steps", "150", program="own_classes.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differences" in done.stdout
