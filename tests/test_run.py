"""`micrograd-c run`: programs written for micrograd run on micrograd_c, and in all else as with `python`."""

import multiprocessing
import os
import py_compile
import re
import signal
import subprocess
import sys
import zipfile

import pytest
from own_values import LOCAL
from test_habits import ROUNDED, SCRIPTS, same

RUN = ("-m", "micrograd_c", "run")
HABITS = {path.stem: path for path in SCRIPTS}


def start(*arguments, folder, **environment):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=folder, env=environment,
    )


def outcome(process, typed=""):
    """Exit status, standard output, standard error."""
    output, errors = process.communicate(typed, timeout=300)
    return process.returncode, output, errors


def run(*program, folder, **environment):
    return outcome(start(*RUN, *program, folder=folder, **environment))


def same_as_python(*program, folder, options=(), typed=""):
    """What the program does with micrograd-c run, which must be what it does with python, to the last byte."""
    here, there = start(*options, *RUN, *program, folder=folder), start(*options, *program, folder=folder)
    here, there = outcome(here, typed), outcome(there, typed)
    assert here == there
    return here


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# --- programs written for micrograd ---

@pytest.mark.parametrize(
    "name",
    [
        "attributes", "custom_modules", "finalizers", "labelled_subclass", "lecture_neuron", "mistakes", "nary_ops",
        "replaced_methods", "threads",
    ],
)
def test_scripts_print_what_they_print_with_micrograd(name, tmp_path):
    pytest.importorskip("micrograd")
    script = str(HABITS[name])
    here, there = start(*RUN, script, folder=tmp_path), start(script, folder=tmp_path)
    (status, here, errors), (expected, there, no_errors) = outcome(here), outcome(there)
    assert (status, errors) == (expected, no_errors) == (0, "")
    here, there = here.replace("micrograd_c", "micrograd").splitlines(), there.splitlines()
    assert len(here) == len(there) >= 5
    assert all(same(*lines, name in ROUNDED) for lines in zip(here, there))


def test_a_folder_micrograd_beside_the_script_is_not_looked_at(tmp_path):
    write(tmp_path, "micrograd/__init__.py", "raise ImportError('the wrong one')")
    write(tmp_path, "train.py", "from micrograd.engine import Value\nprint(Value(2) * 3, Value.__module__)")
    expected = (0, "Value(data=6, grad=0) micrograd_c.engine\n", "")
    assert run("train.py", folder=tmp_path) == expected
    assert run("-m", "train", folder=tmp_path) == expected


def test_micrograd_imported_before_the_program_is_one_clear_sentence(tmp_path):
    write(tmp_path, "sitecustomize.py", "import sys, types\nsys.modules['micrograd'] = types.ModuleType('micrograd')")
    write(tmp_path, "train.py", "print('not reached')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    status, output, errors = run("train.py", folder=tmp_path, PYTHONPATH=path)
    assert (status, output) == (1, "")
    (line,) = errors.splitlines()
    assert line.startswith("micrograd-c run: error: micrograd is already imported, from ")


forkserver = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="there is no fork server here",
)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_child_processes_run_on_micrograd_c_too(method, tmp_path):
    write(tmp_path, "train.py", """
import multiprocessing
import sys
from micrograd.engine import Value

def work(queue):
    queue.put((str(Value(2) * 3), Value.__module__, sys.argv[1:]))

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    queue = context.SimpleQueue()
    process = context.Process(target=work, args=(queue,))
    process.start()
    print(queue.get())
    process.join()
""")
    expected = (0, f"('Value(data=6, grad=0)', 'micrograd_c.engine', ['{method}'])\n", "")
    assert run("train.py", method, folder=tmp_path) == expected
    assert run("-m", "train", method, folder=tmp_path) == expected


FORK_SERVER = """
import multiprocessing, multiprocessing.forkserver
print("imported", __name__)

def work(x):
    import micrograd.engine
    return micrograd.engine.Value.__module__, __name__

if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    {}
    with context.Pool(1) as pool:
        for _ in range(2):
            print(*pool.map(work, [1, 2]))
"""


@forkserver
@pytest.mark.parametrize("names", [None, ["micrograd.engine"], ["__main__", "micrograd.nn"], []], ids=str)
def test_a_fork_server_imports_micrograd_c_and_is_as_with_python(names, tmp_path):
    pytest.importorskip("micrograd")
    before = "" if names is None else f"context.set_forkserver_preload({names})"
    write(tmp_path, "train.py", FORK_SERVER.format(before))
    here, there = outcome(start(*RUN, "train.py", folder=tmp_path)), outcome(start("train.py", folder=tmp_path))
    assert here == (0, there[1].replace("micrograd.engine", "micrograd_c.engine"), "")
    assert there[::2] == (0, "")
    assert here[1].count("('micrograd_c.engine', '__mp_main__')") == 4


@forkserver
def test_a_fork_server_that_has_imported_micrograd_is_a_warning_and_no_endless_loop(tmp_path):
    pytest.importorskip("micrograd")
    before = "context.set_forkserver_preload(['micrograd.engine']); multiprocessing.forkserver.ensure_running()"
    write(tmp_path, "train.py", FORK_SERVER.format(before))
    status, output, errors = run("train.py", folder=tmp_path)
    assert status == 0
    assert output.count("('micrograd.engine', '__mp_main__')") == 4
    assert "RuntimeWarning: micrograd is already imported, from " in errors


# --- the same as python does ---

DELETED = """
import sys
class Noisy:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        print("deleted", self.name, __name__)
first, second = Noisy("first"), Noisy("second")
def work(third):
    {}
work(Noisy("third"))
"""
PROGRAMS = {
    "it ends": (0, "print('done')"),
    "nothing at all": (0, ""),
    "an exception in a function": (1, "def f(n):\n    return f(n - 1) if n else 1 / 0\nf(5)"),
    "an exception while handling one": (1, "def f():\n    {}['key']\ntry:\n    f()\nexcept KeyError:\n    f()"),
    "an exception from another": (
        1, "def f():\n    {}['key']\ntry:\n    f()\nexcept KeyError as e:\n    raise ValueError('text') from e"
    ),
    "an exception that cannot be changed": (
        1, "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass Wrong(Exception):\n    x: int\n"
        "raise Wrong(1)"
    ),
    "a group of exceptions": (
        1, "def f():\n    {}['key']\ntry:\n    f()\nexcept KeyError as e:\n    kept = e\n"
        "raise ExceptionGroup('all', [kept, ValueError('text')])"
    ),
    "an exception in a thread": (
        0, "import threading\ndef f():\n    1 / 0\nthread = threading.Thread(target=f, name='one')\nthread.start()\n"
        "thread.join()\nprint('done')"
    ),
    "a thread that goes on": (
        1, "import threading\ndef f():\n    threading.main_thread().join()\n    print('thread', __name__)\n    1 / 0\n"
        "threading.Thread(target=f, name='one').start()\nraise ValueError"
    ),
    "an exception in what is imported": (1, "import imported"),
    "a module that is missing": (1, "import nothing_of_that_name"),
    "functions at exit": (
        1, "import atexit, sys\natexit.register(lambda: print(sys.modules['__main__'].x, sys.excepthook))\nx = 3\n1 / 0"
    ),
    "a hook for exceptions": (
        1, "import sys, traceback\ndef hook(kind, value, entries):\n    print(kind, value, sys.excepthook is hook)\n"
        "    traceback.print_tb(entries)\n    assert entries is value.__traceback__\nsys.excepthook = hook\n"
        "def f():\n    1 / 0\nf()"
    ),
    "exit 3": (3, "import sys\nsys.exit(3)"),
    "exit with a text": (1, "import sys\nsys.exit('text')"),
    "exit from a function": (5, "def f():\n    quit(5)\nf()"),
    "an interrupt": (-signal.SIGINT, "def f():\n    raise KeyboardInterrupt\nf()"),
    "no grammar": (1, "print(1)\ndef f(:\n    pass"),
    "no indentation": (1, "if 1:\nprint(2)"),
    "a string without end": (1, "x = 'abc\nprint(1)"),
    "an encoding": (1, "# -*- coding: latin-1 -*-\nprint(ascii('\u00e9'))\nx = '\u00e9'; 1 / 0".encode("latin-1")),
    "a byte order mark": (0, "\ufeffprint(1)"),
    "carriage returns": (1, "x = 1\r\nprint(x)\r\n1 / 0\r\n"),
    "warnings": (
        0, "import warnings\nwarnings.warn('text')\ndef f():\n    warnings.warn('old', DeprecationWarning)\nf()\n"
        "print(warnings is 1)"
    ),
    "annotations": (
        0, "import typing, __main__\nx: int = 1\nclass A:\n    y: 'A'\nprint(typing.get_type_hints(A))\n"
        "print(__main__.__annotations__)"
    ),
    "what it left behind at its end": (0, DELETED.format("return")),
    "what it left behind at an exit": (0, DELETED.format("sys.exit(0)")),
    "what it left behind at an exception": (1, DELETED.format("1 / 0")),
    "an error in a custom _backward": (
        1, "from micrograd_c.engine import Value\nx = Value(2.0)\nout = Value(4.0, (x,), 'square')\ndef backward():\n"
        "    raise ValueError('text')\nout._backward = backward\n(out * 3).backward()"
    ),
    "an error of an op": (1, "from micrograd_c.engine import Value\ndef f(x):\n    return x / 0\nf(Value(1.0))"),
}
VARIABLES = """
import os, pickle, sys
class Parameter:
    pass
assert type(pickle.loads(pickle.dumps(Parameter()))) is Parameter
assert vars(sys.modules["__main__"]) is globals()
for name in sorted(name for name in globals() if name.startswith("__")):
    print(name, repr(globals()[name]).partition(" at 0x")[0])
print(type(__builtins__), __import__("__main__").Parameter is Parameter)
print(sys.argv, os.getcwd(), sys.path, __debug__, sep="\\n")
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_output_errors_and_status_are_pythons(name, tmp_path):
    status, program = PROGRAMS[name]
    write(tmp_path, "imported.py", "def f():\n    1 / 0\nf()")
    write(tmp_path, "program.py", program)
    assert same_as_python("program.py", folder=tmp_path)[0] == status


@pytest.mark.parametrize("module", ["__main__", "program"])
def test_warnings_about_a_programs_text_are_filtered_as_with_python(module, tmp_path):
    write(tmp_path, "program.py", "print(1 is 1)")
    same_as_python("program.py", folder=tmp_path, options=("-W", f"ignore::SyntaxWarning:{module}"))


@pytest.mark.parametrize("name", ["an exception in a function", "a hook for exceptions", "an interrupt", "no grammar"])
def test_output_errors_and_status_of_a_module_are_pythons(name, tmp_path):
    status, program = PROGRAMS[name]
    write(tmp_path, "program.py", program)
    assert same_as_python("-m", "program", folder=tmp_path)[0] == status


def test_a_recursion_without_end_differs_in_its_depth_only(tmp_path):
    write(tmp_path, "program.py", "def f(n):\n    return f(n + 1)\nf(0)")
    here, there = (outcome(start(*options, "program.py", folder=tmp_path)) for options in (RUN, ()))
    repeated = re.compile(r"repeated (\d+) more times")
    assert repeated.sub("", here[2]) == repeated.sub("", there[2])
    assert 0 <= int(repeated.search(there[2])[1]) - int(repeated.search(here[2])[1]) < 10


@pytest.mark.parametrize("options", [(), ("-O",), ("-X", "dev"), ("-P",)], ids=" ".join)
@pytest.mark.parametrize(
    "program",
    [
        "program.py", "./folder/../program.py", "{}/program.py", "links/to_file.py", "links/to_folder/program.py",
        "program.pyc", "compiled", "folder", "program.zip", "-m program", "-m folder", "-m folder.part",
    ],
)
def test_a_program_finds_its_name_and_place_as_with_python(program, options, tmp_path):
    if "-P" in options and sys.version_info < (3, 11):
        pytest.skip("-P came with Python 3.11")
    path = write(tmp_path, "program.py", VARIABLES)
    write(tmp_path, "folder/__main__.py", VARIABLES)
    write(tmp_path, "folder/part.py", VARIABLES)
    with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
        archive.write(path, "__main__.py")
    for compiled in ("program.pyc", "compiled"):
        py_compile.compile(str(path), str(tmp_path / compiled))
    if program.startswith("links/"):
        (tmp_path / "links").mkdir()
        try:
            (tmp_path / "links" / "to_file.py").symlink_to(path)
            (tmp_path / "links" / "to_folder").symlink_to(tmp_path)
        except OSError:
            pytest.skip("no links on this file system")
    arguments = program.format(tmp_path).split()
    rest = ["--help", "-m", "x y", "--", "-h", ""]
    status, output, errors = same_as_python(*arguments, *rest, folder=tmp_path, options=options)
    if "-P" in options and arguments[0] == "-m":    # the current folder is not looked in
        assert (status, output) == (1, "")
    else:
        assert (status, errors) == (0, "")
        assert repr(rest)[1:] in output


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("missing.py", 2), ("folder/missing.py", 2), ("folder", 1), ("broken.pyc", 1), ("-m missing", 1),
        ("-m missing.part", 1), ("-m folder", 1), ("-m folder.missing", 1), ("-m program.part", 1),
    ],
)
def test_what_cannot_be_run_is_said_as_python_says_it(program, status, tmp_path):
    (tmp_path / "folder").mkdir()
    write(tmp_path, "broken.pyc", "what a .pyc file never begins with")
    write(tmp_path, "program.py", "")
    ended, output, errors = same_as_python(*program.split(), folder=tmp_path)
    assert (ended, output) == (status, "")
    assert len(errors.splitlines()) == 1


def test_the_variables_are_there_after_the_program_with_pythons_option_i(tmp_path):
    write(tmp_path, "program.py", "x = 42\n1 / 0")
    status, output, _ = same_as_python("program.py", folder=tmp_path, options=("-i",), typed="print(x, __name__)\n")
    assert (status, output) == (0, "42 __main__\n")


@pytest.mark.parametrize("program", [["program.py"], ["-m", "program"]], ids=" ".join)
def test_the_console_script_runs_a_program_as_python_does(program, tmp_path):
    write(tmp_path, "bin/micrograd-c", "import sys\nfrom micrograd_c.__main__ import main\nsys.exit(main())")
    write(tmp_path, "program.py", VARIABLES + "1 / 0")
    there = outcome(start(*program, "-m", folder=tmp_path))
    assert outcome(start("bin/micrograd-c", "run", *program, "-m", folder=tmp_path)) == there
    assert there[0] == 1


def test_two_dashes_end_the_options(tmp_path):
    write(tmp_path, "-m", "import sys; print(sys.argv)")
    assert run("--", "-m", "--", folder=tmp_path) == (0, "['-m', '--']\n", "")


# --- within a program ---

def test_run_script_gives_its_variables_and_leaves_everything_as_it_was(run_python, tmp_path):
    write(tmp_path, "scripts/part.py", "three = 3")
    write(tmp_path, "scripts/train.py", """
import sys
from micrograd.engine import Value
from part import three
assert __name__ == "__main__"
x = Value(2) * three
def arguments():
    return sys.argv, x
if "fail" in sys.argv:
    sys.exit(5)
""")
    assert run_python("""
import pathlib, sys
import micrograd_c
from micrograd_c.run import run_script

def state():
    names = "__main__", "micrograd", "micrograd.engine", "micrograd.nn"
    return sys.argv, sys.path[:], [sys.modules.get(name) for name in names]

before = state()
variables = run_script("scripts/train.py", ["a", "b"])
assert state() == before
print(variables["arguments"]())
print(run_script(pathlib.Path("scripts/train.py"))["__file__"] == str(pathlib.Path.cwd() / "scripts" / "train.py"))
try:
    run_script("scripts/train.py", ["fail"])
except SystemExit as error:
    print(repr(error))
assert state() == before
try:
    run_script("scripts/missing.py")
except FileNotFoundError as error:
    print(error.filename)
assert state() == before
micrograd_c.install()
before = state()
run_script("scripts/train.py")
assert state() == before
""").splitlines()[1:] == ["True", "SystemExit(5)", str(tmp_path / "scripts" / "missing.py")]


# --- programs that bring their own class Value: see test_own_value_programs.py ---

OWN = LOCAL + """
x = Value(2.0)
y = x.exp() * 3
y.backward()
print(y.data, x.grad, type(y) is Value, Value.__module__)
"""
OWN_OUTPUT = "22.16716829679195 22.16716829679195 True __main__\n"


def test_as_is_leaves_classes_alone(tmp_path):
    write(tmp_path, "own.py", OWN)
    write(tmp_path, "who.py", OWN.replace("Value.__module__", "isinstance(x, __import__('micrograd_c').Value)"))
    assert run("--as-is", "own.py", folder=tmp_path) == (0, OWN_OUTPUT, "")
    assert run("own.py", folder=tmp_path)[1] == OWN_OUTPUT
    assert run("--as-is", "who.py", folder=tmp_path)[1].endswith("True False\n")
    assert run("who.py", folder=tmp_path)[1].endswith("True True\n")
    assert run("--as-is", "-m", "own", folder=tmp_path) == (0, OWN_OUTPUT, "")


def test_explain_says_what_was_compared(tmp_path):
    write(tmp_path, "own.py", OWN.replace("max(0, self.data)", "max(0.5, self.data)"))
    status, output, errors = run("--explain", "own.py", folder=tmp_path)
    assert (status, output) == (0, OWN_OUTPUT)
    first, *lines = errors.splitlines()
    assert first == "micrograd-c: Value (own.py:4) runs compiled; 13 methods ours, 1 its own (relu)"
    assert any(line.startswith("  its own: relu: relu of ") and " gives data 0.5, ours data " in line for line in lines)
    assert all(line.startswith("  ") for line in lines)


@pytest.mark.parametrize("options", [(), ("-W", "error"), ("-X", "dev"), ("-O",), ("-OO",)], ids=" ".join)
def test_nothing_else_is_printed(options, tmp_path):
    write(tmp_path, "own.py", OWN + "print(Value.__doc__)\nx = '\\w'" * ("error" not in options) or OWN)
    here, there = (outcome(start(*options, *way, "own.py", folder=tmp_path)) for way in (RUN, ()))
    line = "micrograd-c: Value (own.py:4) runs compiled; 14 methods ours\n"
    assert here[2].count(line) == 1
    assert (*here[:2], here[2].replace(line, "")) == there


@pytest.mark.parametrize(
    "error", ["class Other:\n    1 / 0", "Value(1.0) / 0", "def f(:", "Value('x') + 1", "raise SystemExit(3)",
              "class Value(Value):\n    def backward(self): {}[1]\nValue(1.0).backward()"],
)
def test_errors_are_told_as_by_python(error, tmp_path):
    write(tmp_path, "own.py", OWN + error)
    here, there = (outcome(start(*way, "own.py", folder=tmp_path)) for way in (RUN, ()))
    ours = here[2].split("\n", 1)[1] if here[2].startswith("micrograd-c: ") else here[2]
    if "Value(" in error and "class" not in error:      # our operators have no frames, and texts of their own
        assert ours.splitlines()[-1].split(":")[0] == there[2].splitlines()[-1].split(":")[0]
        assert here[:2] == there[:2]
    else:
        assert (*here[:2], ours) == there


def test_a_syntax_error_in_a_module_beside_is_told_as_by_python(tmp_path):
    write(tmp_path, "own.py", "import broken")
    write(tmp_path, "broken.py", OWN + "def f(:")
    assert same_as_python("own.py", folder=tmp_path)[0] == 1


def test_a_module_elsewhere_is_not_looked_at(tmp_path):
    write(tmp_path, "library/own_values_of_others.py", LOCAL)
    write(tmp_path, "program/own.py", "from own_values_of_others import Value\nprint((Value(1) + 1).data)")
    path = os.pathsep.join([str(tmp_path / "library"), os.environ.get("PYTHONPATH", "")])
    assert run("program/own.py", folder=tmp_path, PYTHONPATH=path) == (0, "2\n", "")


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("from micrograd.engine import Value as Other", "assert Other(2).relu().data == 2",
         "its module imports micrograd, too; with @micrograd_c.accelerate above the class it is compiled there"),
        ("from micrograd_c import linear", "assert linear([[2]], [3]) == [6]",
         "its module imports micrograd, too; with @micrograd_c.accelerate above the class it is compiled there"),
        ("kept = []\ndef keep(cls):\n    kept.append(cls)\n    return cls", "assert kept == [Value]",
         "something refers to it already"),
    ],
)
def test_a_class_that_others_know_stays(before, after, line, tmp_path):
    source = OWN.replace("class Value:", "@keep\nclass Value:") if "keep" in before else OWN
    write(tmp_path, "own.py", f"{before}\n{source}{after}")
    status, output, errors = run("own.py", folder=tmp_path)
    assert (status, output) == (0, OWN_OUTPUT)
    assert errors.endswith(f") stays as it is: {line}\n")


def test_the_files_that_python_keeps_are_kept(tmp_path):
    write(tmp_path, "own.py", "from part import Value\nprint(Value(2).data)")
    write(tmp_path, "part.py", LOCAL)
    done = subprocess.run(
        [sys.executable, *RUN, "own.py"], capture_output=True, text=True, cwd=tmp_path, check=False,
        env={key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
    )
    assert done.stdout == "2\n"
    assert [path.name.partition(".")[0] for path in (tmp_path / "__pycache__").iterdir()] == ["part"]
    assert outcome(start("own.py", folder=tmp_path)) == (0, "2\n", "")


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_own_values_go_to_child_processes_and_back(method, tmp_path):
    write(tmp_path, "own.py", LOCAL + """
import multiprocessing, sys

def work(x):
    y = x * 3
    y.backward()
    return y, x.grad, type(x) is Value, isinstance(x, __import__("micrograd_c").Value)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        for y, *rest in pool.map(work, [Value(2), Value(0.5)]):
            print(type(y) is Value, y.data, y.grad, [child.data for child in y._children], *rest)
""")
    status, output, errors = run("own.py", method, folder=tmp_path)
    assert (status, output) == (0, "True 6 1 [2, 3] 3 True True\nTrue 1.5 1 [0.5, 3] 3 True True\n"), errors
    assert errors == "micrograd-c: Value (own.py:4) runs compiled; 14 methods ours\n"
