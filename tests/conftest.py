"""Fixtures that more than one file needs."""

import gc
import os
import subprocess
import sys
import sysconfig

import pytest
from forking import Forker
from hypothesis import HealthCheck, given, settings, strategies

from micrograd_c import tape
from micrograd_c.engine import Value

# how long an example takes depends on what else the machine does, and on sanitizers
settings.register_profile("unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
# pytest --hypothesis-profile=few, where another run has tried more; tests that want more ask for multiples of these
settings.register_profile("few", settings.get_profile("unhurried"), max_examples=20)
MOST_WORKERS = 8        # each imports and collects everything, which takes longer than what one more has to do


@pytest.hookimpl(tryfirst=True)     # before pytest-xdist's own, which reads the options
def pytest_cmdline_main(config):
    """The whole suite runs on all cores if pytest-xdist is there, unless another -n is asked for.

    Not under a tracer such as coverage's, which would not see what the other processes run.
    """
    option = config.option
    whole = config.args_source is config.ArgsSource.TESTPATHS and not hasattr(config, "workerinput")
    if whole and getattr(option, "numprocesses", 0) is None and option.capture != "no" and not sys.gettrace():
        option.numprocesses, option.maxprocesses = "auto", option.maxprocesses or MOST_WORKERS
        if option.dist == "no":
            option.dist = "worksteal"       # a file's tests mostly stay in one process, which has set up for them


def pytest_collection_modifyitems(items):
    """Names of tests are the same in each process, as running them in several at once wants."""
    changing = [item.nodeid for item in items if " at 0x" in item.nodeid]
    assert not changing, changing


@pytest.fixture(autouse=True)
def no_functions_of_other_tests():
    """A sweep looks for nodes whose functions are gone, and would drop some that a test has counted."""
    if tape.stats()["functions"]:
        gc.collect()
        tape.collect()


@pytest.fixture
def patch_value():
    """Assign to attributes of the class Value; undone afterwards, down to the operators' slots."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda name, replacement: patch.setattr(Value, name, replacement, raising=False)


@pytest.fixture
def uncollected():
    """Python's collector frees nothing of other tests while this one compares what there is before and after."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def others():
    """How many nodes there are of what other tests have left alive: the tape is as large as it must be for them."""
    gc.collect()
    return tape.collect()


@pytest.fixture
def run_python(tmp_path):
    """Run a program in a fresh interpreter, away from the sources, and return what it printed.

    Its failure is the test's.
    """

    def run(program):
        environment = dict(os.environ)
        # importing it leaks a little, which a sanitizer would blame on the program; and the detector of leaks itself
        # fails now and then in a process that has forked
        if "import numpy" in program or "os.fork" in program:
            environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", program],
            capture_output=True, text=True, cwd=tmp_path, env=environment, check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def forkers(tmp_path_factory):
    made = {}
    yield lambda beginning: made.get(beginning) or made.setdefault(
        beginning, Forker(beginning, tmp_path_factory.mktemp("forked")))
    for forker in made.values():
        forker.end()


@pytest.fixture
def run_forked(forkers, run_python):
    """As run_python, for programs of which many begin alike: the beginning runs once for all of them."""
    return lambda beginning, program: forkers(beginning).run(program, run_python)


@pytest.fixture(scope="session")
def hypothesis_has_begun():
    """It asks Python's collector once whether anything refers to its random numbers, which must not be frozen yet."""
    settings(max_examples=1, database=None)(given(strategies.none())(lambda nothing: None))()


@pytest.fixture(scope="module", autouse=True)
def everything_else_is_frozen(hypothesis_has_begun):
    """What was there before, Python's collector need not look at, which tests have run again and again."""
    gc.collect()
    gc.freeze()


# for programs of run_python: Python's collector, and so any code, runs where it can run at all
COLLECT_AT_NEXT_CHANCE = """
import gc
from micrograd_c import tape
from micrograd_c.engine import Value
gc.disable()
gc.collect()

class Garbage:      # whose finalizer runs as soon as anything is allocated that the collector counts
    def __init__(self, finalizer):
        self.me, self.finalizer = self, finalizer
    def __del__(self):
        self.finalizer()

def with_collector(action):
    gc.set_threshold(1, 1, 1)
    gc.enable()
    try:
        return action()
    finally:
        gc.disable()
"""



def is_sanitized():
    return "libasan" in os.environ.get("LD_PRELOAD", "")


sanitized = pytest.mark.skipif(is_sanitized(), reason="memory is the sanitizer's")
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
frees_functions = pytest.mark.skipif(
    FREE_THREADED and sys.version_info < (3, 14),
    reason="the free-threaded CPython 3.13 keeps functions and classes for good, once there has been a thread",
)
collects_when_told = pytest.mark.skipif(
    FREE_THREADED, reason="a free-threaded CPython's collector waits for more garbage than its threshold says",
)


def nodes_of(root):
    """All Values below root, itself first."""
    seen, todo = [], [root]
    while todo:
        v = todo.pop()
        if v not in seen:
            seen.append(v)
            todo.extend(v._prev)
    return seen


def custom_sum(*values):
    """micrograd's way to write an op of one's own."""
    out = Value(sum(v.data for v in values), values, "sum")

    def _backward():
        for v in values:
            v.grad += out.grad

    out._backward = _backward
    return out
