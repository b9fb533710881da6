"""install(), %load_ext and `pytest -p`: programs that import micrograd get micrograd_c."""

import os
import subprocess
import sys

import pytest

import micrograd_c

NUMBERS = """
from micrograd.engine import Value

def test_sanity_check():
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)

def test_more_ops():
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    numbers = (24.70408163265306, 138.8338192419825, 645.5772594752186)
    assert all(abs(here - there) < 1e-6 for here, there in zip((g.data, a.grad, b.grad), numbers))
"""


@pytest.fixture
def clone(tmp_path):
    """A folder like micrograd's clone: its package, which is never to be imported, and tests that import it."""
    (tmp_path / "micrograd").mkdir()
    (tmp_path / "micrograd" / "__init__.py").write_text("raise ImportError('the wrong micrograd')")
    (tmp_path / "conftest.py").write_text(
        "import pytest\nfrom micrograd.nn import MLP\n\n@pytest.fixture\ndef model():\n    return MLP(2, [3, 1])\n"
    )
    (tmp_path / "test_engine.py").write_text(
        NUMBERS + "\ndef test_model(model):\n    assert len(model.parameters()) == 13\n"
        "    assert isinstance(model([1, 2]), Value)\n"
    )
    return tmp_path


def run_pytest(*arguments, folder):
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        capture_output=True, text=True, cwd=folder, env=environment, check=False,
    )


# --- install and uninstall ---

@pytest.mark.parametrize(
    "statement",
    [
        "from micrograd import engine, nn",
        "import micrograd.engine as engine, micrograd.nn as nn",
        "import micrograd.engine, micrograd.nn; engine, nn = micrograd.engine, micrograd.nn",
        "import importlib; engine, nn = map(importlib.import_module, ['micrograd.engine', 'micrograd.nn'])",
        "import micrograd; engine, nn = micrograd.engine, micrograd.nn",
    ],
)
def test_every_way_to_import_micrograd_gives_micrograd_c(run_python, statement):
    run_python(f"""
import micrograd_c
micrograd_c.install()
micrograd_c.install()
{statement}
import micrograd_c.engine, micrograd_c.nn
assert engine is micrograd_c.engine
assert nn is micrograd_c.nn
""")


def test_the_package_is_empty_but_for_its_two_modules(run_python):
    run_python("""
import importlib.util, sys
import micrograd_c
micrograd_c.install()
import micrograd
assert [name for name in vars(micrograd) if not name.startswith("__")] == ["engine", "nn"]
names = {}
exec("from micrograd import *", names)
assert sorted(name for name in names if name != "__builtins__") == ["engine", "nn"]
assert micrograd.__name__ == micrograd.__package__ == micrograd.__spec__.name == "micrograd"
assert repr(micrograd).startswith("<module 'micrograd' (")
for name in ("micrograd.tape", "micrograd.other", "micrograd.engine.other"):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        assert error.name == name
    else:
        raise AssertionError(name)
assert not [name for name in sys.modules if name.startswith("micrograd.") and name[10:] not in ("engine", "nn")]
assert importlib.util.find_spec("micrograd").name == "micrograd"
assert importlib.util.find_spec("micrograd.engine").origin == micrograd.engine.__file__
assert importlib.util.find_spec("micrograd.other") is None
""")


PROGRAM = """
from micrograd import MLP, Layer, Module, Neuron, Value
import micrograd, micrograd.engine, micrograd.nn
assert Value is micrograd.Value is micrograd.engine.Value
assert [MLP, Layer, Module, Neuron] == [getattr(micrograd.nn, name) for name in ("MLP", "Layer", "Module", "Neuron")]
try:
    from micrograd import Tensor
except ImportError as error:
    assert "cannot import name 'Tensor' from 'micrograd'" in str(error)
else:
    raise AssertionError("there is no Tensor")
assert not hasattr(micrograd, "tanh")
print(Value(2) * 3)
"""


def test_many_import_classes_from_the_package(run_python, tmp_path):
    assert run_python("import micrograd_c\nmicrograd_c.install()\n" + PROGRAM) == "Value(data=6, grad=0)\n"
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    done = subprocess.run([sys.executable, "-m", "micrograd_c", "run", str(path)], capture_output=True, text=True,
                          cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Value(data=6, grad=0)\n", "")
    (tmp_path / "test_program.py").write_text(PROGRAM + "def test(): assert Value(1.0).data == 1.0\n")
    done = run_pytest("-p", "micrograd_c", folder=tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_folder_micrograd_in_the_current_directory_is_not_looked_at(run_python, clone):
    assert run_python("""
import micrograd_c
micrograd_c.install()
from micrograd.engine import Value
print(Value(2) * 3)
""") == "Value(data=6, grad=0)\n"


@pytest.mark.parametrize("name", ["micrograd", "micrograd.engine", "micrograd.nn"])
def test_micrograd_itself_already_imported_is_an_error_and_nothing_changes(run_python, name):
    pytest.importorskip("micrograd")
    run_python(f"""
import sys
import {name}
import micrograd_c
names = ["micrograd", "micrograd.engine", "micrograd.nn"]
for other in names:
    if other != {name!r}:
        sys.modules.pop(other, None)
before = [sys.modules.get(one) for one in names]
for again in range(2):
    try:
        micrograd_c.install()
    except RuntimeError as error:
        message = str(error)
    assert repr(sys.modules[{name!r}].__file__)[1:-1] in message
    assert "cannot be mixed" in message
    assert "micrograd_c.install()" in message
    assert "python -m micrograd_c run" in message
micrograd_c.uninstall()
assert [sys.modules.get(one) for one in names] == before
""")


def test_a_package_without_a_file_is_named_by_its_folder(run_python, tmp_path):
    (tmp_path / "micrograd").mkdir()
    (tmp_path / "micrograd" / "nn.py").touch()
    run_python("""
import os, sys
import micrograd_c      # may lie beside the micrograd that is not to be found
sys.path = ["", *(folder for folder in sys.path if not os.path.exists(os.path.join(folder, "micrograd")))]
import micrograd
try:
    micrograd_c.install()
except RuntimeError as error:
    assert os.path.join(os.getcwd(), "micrograd") in str(error)
else:
    raise AssertionError
""")


def test_micrograd_itself_is_importable_after_uninstall(run_python):
    pytest.importorskip("micrograd")
    run_python("""
import sys
import micrograd_c
micrograd_c.uninstall()
micrograd_c.install()
from micrograd.engine import Value as ours
micrograd_c.uninstall()
from micrograd.engine import Value as theirs
assert ours is micrograd_c.Value is not theirs
assert theirs.__module__ == "micrograd.engine"
""")


def test_uninstall_removes_only_what_install_put_there(run_python):
    run_python("""
import sys, types
import micrograd_c
micrograd_c.install()
theirs = sys.modules["micrograd.nn"] = types.ModuleType("micrograd.nn")
micrograd_c.uninstall()
assert [name for name in sys.modules if name.partition(".")[0] == "micrograd"] == ["micrograd.nn"]
assert sys.modules["micrograd.nn"] is theirs
assert "micrograd_c.nn" in sys.modules
""")


def test_importing_the_package_imports_nothing_that_only_install_needs(run_python):
    assert run_python("""
import sys
import micrograd_c
unneeded = "micrograd", "micrograd_c.nn", "micrograd_c.run", "pytest", "IPython", "argparse", "multiprocessing"
print([name for name in unneeded if name in sys.modules])
""") == "[]\n"


def test_examples_in_docstrings_run(run_python):
    assert run_python("""
import doctest
from micrograd_c import run
from micrograd_c._core.drop_in import names
for module in (run, names):
    result = doctest.testmod(module)
    print(result.failed, result.attempted > 0)
""") == "0 True\n0 True\n"


# --- IPython ---

def test_an_ipython_extension_installs_and_uninstalls(run_python):
    run_python("""
import sys
import micrograd_c
shell = object()
micrograd_c.load_ipython_extension(shell)
import micrograd.nn
assert micrograd.nn.Value is micrograd_c.Value
micrograd_c.unload_ipython_extension(shell)
assert "micrograd" not in sys.modules
""")


def test_load_ext_in_ipython(run_python, monkeypatch, tmp_path):
    pytest.importorskip("IPython")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    assert run_python("""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("%load_ext micrograd_c")
shell.run_cell("from micrograd.engine import Value\\nprint(Value(2) * 3, Value.__module__)")
shell.run_cell("%reload_ext micrograd_c")
shell.run_cell("from micrograd.nn import MLP\\nprint(MLP.__module__)")
shell.run_cell("%unload_ext micrograd_c")
shell.run_cell("import sys\\nprint('micrograd' in sys.modules)")
""") == "Value(data=6, grad=0) micrograd_c.engine\nmicrograd_c.nn\nFalse\n"


# --- pytest ---

def test_a_suite_written_for_micrograd_passes_with_the_plugin(clone):
    done = run_pytest("-p", "micrograd_c", "-W", "error", folder=clone)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f"\nmicrograd: micrograd_c {micrograd_c.__version__} (compiled)\n" in done.stdout
    assert " 3 passed in " in done.stdout


def test_without_the_plugin_that_suite_gets_its_own_micrograd(clone):
    done = run_pytest(folder=clone)
    assert done.returncode != 0
    assert "the wrong micrograd" in done.stdout + done.stderr


def test_pytest_stops_with_a_usage_error_if_micrograd_is_already_imported(clone):
    (clone / "early.py").write_text("import sys, types\nsys.modules['micrograd'] = types.ModuleType('micrograd')\n")
    done = run_pytest("-p", "early", "-p", "micrograd_c", folder=clone)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "INTERNALERROR" not in done.stdout + done.stderr
    assert done.stderr.startswith("ERROR: micrograd is already imported, from ")
    assert "Traceback" not in done.stderr


def test_the_plugin_uninstalls_when_pytest_ends(run_python, clone):
    output = run_python("""
import sys
import pytest
status = pytest.main(["-q", "-p", "micrograd_c", "-p", "no:cacheprovider"])
assert status == 0
assert "micrograd" not in sys.modules
""")
    assert "3 passed in " in output


def test_classes_in_cells_are_compiled_where_that_is_asked_for(run_python, monkeypatch, tmp_path, request):
    pytest.importorskip("IPython")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    output = run_python(f"""
import sys
sys.path.insert(0, {str(request.path.parent)!r})
import micrograd_c
from own_values import CLOSURES, LOCAL
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()

def cell(text):
    result = shell.run_cell(text, store_history=True)
    assert result.success, result.error_in_exec

cell("%load_ext micrograd_c")
cell(CLOSURES)
assert shell.user_ns["Value"] is not micrograd_c.Value
cell("%micrograd_c accelerate")
for source in (CLOSURES, CLOSURES, LOCAL):
    cell(source)
    Value = shell.user_ns["Value"]
    assert Value is micrograd_c.Value
    assert Value.__doc__ in source
    cell("x = Value(2.0); y = (x * 3).exp() + x; y.backward(); z = [x.grad, type(y) is Value, isinstance(x, Value)]")
    assert shell.user_ns["z"] == [1 + 3 * 403.4287934927351, True, True]
assert not hasattr(Value, "_op_") and "tanh" in dir(Value)
cell("%micrograd_c as-is")
cell(LOCAL)
assert shell.user_ns["Value"] is not micrograd_c.Value
assert not shell.run_cell("%micrograd_c faster").success
cell("%unload_ext micrograd_c")
assert not shell.run_cell("%micrograd_c accelerate").success
print("done")
""")
    assert output.splitlines()[-1] == "done"
