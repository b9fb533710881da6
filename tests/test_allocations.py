"""Without memory: each allocation that fails is a MemoryError, and leaves all as it was. See allocations/harness.py.

Here some of the allocations only; `python tests/allocations/harness.py` tries all, and looks for leaks.
"""

import importlib.util
import pathlib
import platform
import shutil
import sys

import pytest
from conftest import sanitized

HERE = pathlib.Path(__file__).with_name("allocations")


@pytest.fixture(scope="module")
def harness():
    spec = importlib.util.spec_from_file_location("harness", HERE / "harness.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@sanitized
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="preloads a library that knows glibc")
@pytest.mark.skipif(not shutil.which("gcc"), reason="compiles that library")
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="uses CPython's allocators")
@pytest.mark.parametrize(("mode", "every", "least"), [("compiled", 6, 300), ("plain", 2, 80)])
def test_an_allocation_that_fails_leaves_all_as_it_was(mode, every, least, harness):
    report = harness.run_all(harness.features(), [mode], every)
    assert not report.crashes
    assert not report.problems
    assert report.tried > least
