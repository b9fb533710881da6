"""What is installed: examples in docstrings, types, C declarations, one-way imports, and no dependencies."""

import doctest
import importlib
import importlib.metadata
import pathlib
import pkgutil

import pytest

import micrograd_c
import micrograd_c._core

PACKAGE = pathlib.Path(micrograd_c.__file__).parent
CORE = pathlib.Path(micrograd_c._core.__file__).parent
PUBLIC = ["checkpoints", "distributed", "engine", "functional", "nn", "optim", "tape", "viz"]
ALONE = ["micrograd_c._core.drop_in.names", "micrograd_c.run"]      # their examples want a process without micrograd
WITH_MPI = ["micrograd_c.distributed"]      # see test_distributed.py
MODULES = sorted({
    module.name for package in (micrograd_c, micrograd_c._core)     # which may lie in two folders
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    if not module.ispkg and not module.name.startswith("micrograd_c.bench.") and not module.name.endswith("__main__")
})


def test_modules_are_found():
    assert {"micrograd_c.engine", "micrograd_c._core.tape.arena", "micrograd_c._core.mapped.vmap"} <= set(MODULES)


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ALONE + WITH_MPI])
def test_examples_in_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


@pytest.mark.parametrize("name", [
    "engine", "_core.bulk.functional", "_core.bulk.linear", "_core.tape.arena", "nn", "optim", "viz",
])
def test_public_modules_have_examples(name):
    module = importlib.import_module(f"micrograd_c.{name}")
    assert any(test.examples for test in doctest.DocTestFinder().find(module))


@pytest.mark.parametrize("name", ALONE)
def test_examples_in_docstrings_run_in_a_fresh_process(name, run_python):
    assert run_python(f"""
import doctest, importlib
result = doctest.testmod(importlib.import_module({name!r}))
print(result.failed, result.attempted > 0)
""") == "0 True\n"


def test_types_and_c_declarations_are_shipped():
    assert (PACKAGE / "py.typed").is_file()
    for name in ("value/value.pyi", "value/value.pxd", "tape/arena.pxd", "ops/rules.pxd"):
        assert (CORE / name).is_file()


def test_the_top_level_has_what_it_promises():
    assert {"Value", "no_grad", "softmax", "sumprod"} <= set(micrograd_c.__all__)
    assert all(hasattr(micrograd_c, name) for name in micrograd_c.__all__)


def test_tab_completion_shows_the_public_names_only(run_python):
    assert run_python("""
import micrograd_c
print(*sorted(set(dir(micrograd_c)) - set(micrograd_c.__all__)))
""").split() == sorted([*PUBLIC, "vector", "__version__"])


@pytest.mark.parametrize("name", [
    module.name for module in pkgutil.iter_modules([str(PACKAGE)]) if not module.ispkg and module.name[0] != "_"
])
def test_tab_completion_shows_the_public_names_of_a_module_only(name):
    module = importlib.import_module(f"micrograd_c.{name}")
    assert dir(module) == sorted(module.__all__)
    assert all(hasattr(module, listed) and not listed.startswith("_") for listed in dir(module))


@pytest.mark.parametrize("name", PUBLIC)
def test_public_modules_load_when_they_are_asked_for(name, run_python):
    assert run_python(f"""
import micrograd_c
print(micrograd_c.{name}.__name__)
""") == f"micrograd_c.{name}\n"


def test_what_the_top_level_lacks_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'grid'"):
        _ = micrograd_c.grid


@pytest.mark.parametrize("name", ["Value", "Batch", "TraceError", "no_grad"])
def test_public_classes_name_the_place_where_they_are_found(name):
    kind = getattr(micrograd_c, name)
    assert getattr(importlib.import_module(kind.__module__), name) is kind
    assert "_core" not in kind.__module__


def test_there_are_no_runtime_dependencies():
    try:
        requirements = importlib.metadata.requires("micrograd_c") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("run from sources: there is no metadata to look at")
    assert [r for r in requirements if "extra ==" not in r] == []
    assert importlib.metadata.version("micrograd_c") == micrograd_c.__version__
