"""What `import micrograd_c` loads, and what it says if it cannot."""

import pathlib
import shutil
import subprocess
import sys

import pytest
from conftest import FREE_THREADED

import micrograd_c
import micrograd_c._core

PACKAGE = pathlib.Path(micrograd_c.__file__).parent
CORE = pathlib.Path(micrograd_c._core.__file__).parent
# each takes a good part of the 10 ms that an import may take, or loads one that does
HEAVY = [
    "argparse", "ast", "asyncio", "copy", "dataclasses", "dis", "enum", "importlib.util", "inspect", "json",
    "linecache", "multiprocessing", "numpy", "pathlib", "random", "re", "subprocess", "tempfile", "threading",
    "tokenize", "traceback", "typing", "unittest", "weakref",
]
LATER = ["_core.adopted", "_core.explained", "_core.mapped", "_core.modules", "_core.training", "nn", "optim", "viz"]


LOCKED = ("-X", "gil=1")    # else free-threaded builds print that they turn it on
BY_PATH = (*LOCKED, "-I", "-S")     # without what site-packages may load by themselves
INSTALLED = BY_PATH if CORE.parent == PACKAGE else (*LOCKED, "-I")      # an editable install is found by these only


free_threaded = pytest.mark.skipif(not FREE_THREADED, reason="of free-threaded builds")


def start(program, flags=BY_PATH, **options):
    """A fresh interpreter, in which the folder it runs in is not looked into."""
    return subprocess.run(
        [sys.executable, *flags, "-c", program], capture_output=True, text=True, check=False, **options,
    )


def loaded_by(statement):
    done = start(f"""
import sys
sys.path.append({str(PACKAGE.parent)!r})
before = set(sys.modules)
{statement}
print(*sorted(set(sys.modules) - before))
""", INSTALLED)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def loaded():
    return loaded_by("import micrograd_c")


@pytest.mark.parametrize("name", HEAVY)
def test_heavy_modules_are_loaded_where_they_are_used_only(loaded, name):
    assert "micrograd_c._core.value.value" in loaded
    assert name not in loaded


@pytest.mark.parametrize("name", LATER)
def test_what_few_programs_use_is_loaded_when_it_is_asked_for(loaded, name):
    assert f"micrograd_c.{name}" not in loaded


@pytest.mark.parametrize("name", [
    "Batch", "TraceError", "accelerate", "explain", "grad", "gradients", "hessian", "jacfwd", "jacobian", "jacrev",
    "jvp", "show_config", "value_and_grad", "vjp", "vmap",
])
def test_names_that_are_loaded_later_can_be_imported_as_others(name):
    assert loaded_by(f"from micrograd_c import {name} as first\nimport micrograd_c\nassert micrograd_c.{name} is first")


# --- free-threaded builds ---

IMPORT = f"import sys; sys.path.append({str(PACKAGE.parent)!r}); import micrograd_c; print(sys._is_gil_enabled())"
WARNING = "RuntimeWarning: The global interpreter lock (GIL) has been enabled to load module 'micrograd_c."


@free_threaded
def test_pythons_lock_is_turned_on():
    done = start(IMPORT, INSTALLED[2:])
    assert done.stdout == "True\n"
    assert WARNING in done.stderr


@free_threaded
def test_without_pythons_lock_it_is_not_imported():
    message = start(IMPORT, ("-X", "gil=0", *INSTALLED[2:])).stderr.splitlines()[-1]
    assert message.startswith("ImportError: micrograd_c needs Python's lock (GIL)")


# --- imports that fail ---

@pytest.fixture
def copied(tmp_path):
    """A copy of the package to damage, all in one folder."""
    copy = tmp_path / "installed" / "micrograd_c"
    ignored = shutil.ignore_patterns("_core", "bench", "__pycache__")
    shutil.copytree(PACKAGE, copy, ignore=ignored)
    shutil.copytree(CORE, copy / "_core", ignore=shutil.ignore_patterns("__pycache__", "*.pyx", "*.h", "*.c"))
    return copy


def message_of(copy):
    """The last line of what an import prints to standard error."""
    program = f"import sys; sys.path.insert(0, {str(copy.parent)!r}); import micrograd_c"
    done = start(program, cwd=copy.parent)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


def compiled(folder, name):
    """The file of a compiled module."""
    found, = (path for path in folder.glob(f"{name}.*") if path.suffix in (".so", ".pyd"))
    return found


def test_the_copy_can_be_imported(copied):
    assert start(f"import sys; sys.path.insert(0, {str(copied.parent)!r}); import micrograd_c").returncode == 0


def test_a_module_for_another_interpreter_is_named(copied):
    module = compiled(copied / "_core" / "value", "value")
    module.rename(module.with_name("value.cpython-38-riscv64-linux-gnu.so"))
    message = message_of(copied)
    assert message.startswith("ImportError: micrograd_c in ")
    assert "no compiled module micrograd_c._core.value.value for this interpreter" in message
    assert f"CPython {sys.version_info[0]}.{sys.version_info[1]} " in message
    assert "but value.cpython-38-riscv64-linux-gnu.so: install it with" in message


def test_modules_that_are_all_for_another_interpreter_are_named(copied):
    for path in copied.rglob("*"):
        if path.suffix in (".so", ".pyd"):
            path.rename(path.with_name(f"{path.name.partition('.')[0]}.cpython-38-riscv64-linux-gnu.so"))
    message = message_of(copied)
    assert "has no compiled module micrograd_c._core." in message
    assert ".cpython-38-riscv64-linux-gnu.so: install it with" in message


def test_a_module_that_nobody_compiled_is_named(copied):
    compiled(copied / "_core" / "tape", "arena").unlink()
    message = message_of(copied)
    assert "no compiled module micrograd_c._core.tape.arena for this interpreter" in message
    assert "nor for another: install it with" in message


@pytest.mark.parametrize(
    "text",
    [
        "raise ImportError('micrograd_c._core.tape.arena does not export expected C function record')",
        "raise ValueError('micrograd_c._core.tape.arena.Tape size changed, may indicate binary incompatibility')",
        "raise TypeError('C function micrograd_c._core.tape.arena.record has wrong signature')",
        "no_such_names_as_are_wanted = True",
    ],
)
def test_a_module_of_another_version_is_named(copied, text):
    compiled(copied / "_core" / "value", "selecting").unlink()
    (copied / "_core" / "value" / "selecting.py").write_text(text)
    message = message_of(copied)
    assert message.startswith("ImportError: a compiled module of micrograd_c in ")
    assert "is of another version than the rest" in message
    assert "_core." in message


def test_a_folder_with_the_sources_is_told_apart(copied):
    (copied.parent / "src" / "micrograd_c").mkdir(parents=True)
    (copied / "_core").rename(copied.parent / "src" / "micrograd_c" / "_core")
    message = message_of(copied)
    assert message.startswith("ImportError: micrograd_c is not compiled in this folder, which holds its sources: ")


def test_an_installation_without_its_core_is_no_folder_with_sources(copied):
    shutil.rmtree(copied / "_core")
    assert "no compiled module micrograd_c._core for this interpreter" in message_of(copied)


@pytest.mark.parametrize("text", ["import no_such_library", "raise ValueError('of its own')", "1 / 0"])
def test_other_errors_are_left_as_they_are(copied, text):
    (copied / "functional.py").write_text(text)
    message = message_of(copied)
    assert "micrograd_c in" not in message
    assert message.partition(":")[0] in ("ModuleNotFoundError", "ValueError", "ZeroDivisionError")
