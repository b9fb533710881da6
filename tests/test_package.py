"""What is installed: examples in docstrings, type stubs, C declarations, and no dependencies."""

import doctest
import importlib
import importlib.metadata
import pathlib

import pytest

import micrograd_c

PACKAGE = pathlib.Path(micrograd_c.__file__).parent
MODULES = [
    "engine", "rules", "tape", "nn", "layers", "vector", "spelling", "parameters", "summary", "updates", "optim", "viz",
    "copying", "grad_mode", "demo", "choosing", "tracing", "program", "analysis", "compiler", "columns", "runs",
    "batch", "arguments", "batching", "rowwise",
]
ALONE = ["substitute", "run"]       # their examples want a process that has not imported micrograd
BENCH = [
    "__init__", "chart", "command", "compare", "gpt", "inputs", "machine", "measure", "memory", "programs", "report",
    "workloads", "peers/__init__", "peers/base", "peers/python_value",
]
DECLARATIONS = [
    "engine", "tape", "rules", "ops", "numbers", "state", "graph", "recording", "products", "collecting", "dots",
    "versions", "program", "analysis", "columns", "runs",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(f"micrograd_c.{name}")
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0
    if name in {"engine", "tape", "nn", "vector", "optim", "summary", "viz", "grad_mode"}:
        assert result.attempted > 0


@pytest.mark.parametrize("name", ALONE)
def test_examples_in_docstrings_run_in_a_fresh_process(name, run_python):
    assert run_python(f"""
import doctest
from micrograd_c import {name}
result = doctest.testmod({name})
print(result.failed, result.attempted > 0)
""") == "0 True\n"


@pytest.mark.parametrize("name", ["__init__", *[name for name in MODULES if name != "demo"], *ALONE,
                                  *[f"bench/{name}" for name in BENCH]])
def test_stubs_are_shipped(name):
    assert (PACKAGE / f"{name}.pyi").is_file()
    assert (PACKAGE / "py.typed").is_file()


@pytest.mark.parametrize("name", DECLARATIONS)
def test_c_declarations_are_shipped(name):
    assert (PACKAGE / f"{name}.pxd").is_file()


def test_the_top_level_has_what_it_promises():
    assert {"Value", "no_grad", "softmax", "sumprod"} <= set(micrograd_c.__all__)
    assert all(hasattr(micrograd_c, name) for name in micrograd_c.__all__)


def test_there_are_no_runtime_dependencies():
    try:
        requirements = importlib.metadata.requires("micrograd_c") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("run from sources: there is no metadata to look at")
    assert [r for r in requirements if "extra ==" not in r] == []
    assert importlib.metadata.version("micrograd_c") == micrograd_c.__version__
