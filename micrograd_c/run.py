"""`micrograd-c run`: a program written for micrograd runs on micrograd_c, and in all else as `python` would run it.

It runs in this process as the module __main__, and what it raises is left to the interpreter, so that exit statuses,
signals and the order of things at exit are Python's own. Knows drop_in, and nothing of Values.
"""

from __future__ import annotations

import builtins
import importlib.util
import io
import marshal
import os
import pkgutil
import runpy
import sys
import types
import warnings
from importlib.machinery import SourceFileLoader, SourcelessFileLoader

from micrograd_c._core.drop_in import statements
from micrograd_c._core.drop_in.names import install, installed, uninstall
from micrograd_c._listing import lister

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType
    from typing import Any

__all__ = ["run_script"]
__dir__ = lister(__all__)

# for compile(): what filters of warnings know the program by
IN_MAIN: dict[str, Any] = {"module": "__main__"} if sys.version_info >= (3, 15) else {}

USAGE = """\
usage: micrograd-c run [--as-is | --explain] SCRIPT [ARGUMENT ...]
       micrograd-c run [--as-is | --explain] -m MODULE [ARGUMENT ...]
"""
HELP = """
Run a program written for micrograd on micrograd_c, unchanged. To the program,
micrograd, micrograd.engine and micrograd.nn are micrograd_c. Everything else
is as with `python SCRIPT` and `python -m MODULE`. SCRIPT may also be a .pyc
file, or a folder or zip file with a __main__.py.

If a program defines a class Value of its own, its methods are first tried
beside ours, and those that do the same run compiled. A line on standard error
says so.
  --as-is    leave such classes as they are
  --explain  say what was compared, and why a method stays as it is
"""


def main(arguments: list[str]) -> int | None:
    """The command line; returns the exit status, or None when a program has run to its end.

    What a program raises passes through, for the interpreter to deal with, and nothing is put back: the program's
    threads and exit functions are still to run.
    """
    about_classes = {argument for argument in arguments[:1] if argument in ("--as-is", "--explain")}
    arguments = arguments[len(about_classes):]
    option = arguments[0] if arguments and arguments[0].startswith("-") else ""
    program = arguments[1:] if option else arguments
    if option in ("-h", "--help"):
        print(USAGE + HELP, end="")
        return 0
    if option not in ("", "-m", "--") or not program:
        problem = f"unknown option {option}" if program else "which program?"
        return fail(f"{USAGE}micrograd-c run: error: {problem}", 2)
    try:
        install()
    except RuntimeError as error:
        return fail(f"micrograd-c run: error: {error}", 1)
    try:
        path = absolute(program[0])
        if "--as-is" not in about_classes:
            folder = os.getcwd() if option == "-m" else path if os.path.isdir(path) else os.path.dirname(path)
            statements.watch(folder, explain="--explain" in about_classes)
        if option == "-m":
            run_module(program)
            return None
        try:
            content = read(path)
        except OSError as error:
            return fail(f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}", 2)
        run_file(path, content, program, "--as-is" not in about_classes)
        return None
    except SystemExit:
        raise
    except BaseException as error:
        leave_out_our_frames(error)
        raise


def fail(message: str, status: int) -> int:
    print(message, file=sys.stderr)
    return status


def run_script(path: str | os.PathLike[str], arguments: Iterable[str] = ()) -> dict[str, Any]:
    """Run a script as `micrograd-c run` does, within a program that goes on; returns the script's global variables.

    sys.argv, sys.path, sys.modules["__main__"] and what `import micrograd` gives are as before afterwards. Raises
    OSError if the script cannot be read, RuntimeError if micrograd itself is already imported, and what the script
    raises, SystemExit included.

    >>> import pathlib, tempfile
    >>> script = pathlib.Path(tempfile.mkdtemp(), "script.py")
    >>> _ = script.write_text("from micrograd.engine import Value; y = Value(2) * 3")
    >>> run_script(script)["y"]
    Value(data=6, grad=0)
    """
    argv = [os.fspath(path), *arguments]
    path = absolute(argv[0])
    content = read(path)
    before = sys.argv, sys.path[:], sys.modules["__main__"]
    was_installed = bool(installed)
    install()
    try:
        return vars(run_file(path, content, argv))
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"] = before
        if not was_installed:
            uninstall()


def absolute(path: str) -> str:
    """As the interpreter does it, and shows it in tracebacks: not normalised."""
    return path if os.path.isabs(path) else os.path.join(os.getcwd(), path)


def read(path: str) -> bytes | None:
    """A script's bytes, or None if path is a folder or zip file, whatever is in it."""
    if pkgutil.get_importer(path):
        return None
    with io.open_code(path) as file:
        return file.read()


def run_file(path: str, content: bytes | None, argv: list[str], watched: bool = False) -> ModuleType:
    """Run what read() gave; returns the module it became. Watched: class statements that look like a Value are."""
    sys.argv = Arguments(argv)
    if content is None:
        if safe_path():
            sys.path.insert(0, path)    # the interpreter looks for __main__ there whatever it was told
        else:
            sys.path[0] = path
        module = new_main()
        runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined]
        return module
    if not safe_path():
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    module = new_main()
    module.__file__ = path
    if sys.version_info < (3, 15):
        module.__cached__ = None
    is_compiled = path.endswith(".pyc") or content.startswith(importlib.util.MAGIC_NUMBER)
    module.__loader__ = (SourcelessFileLoader if is_compiled else SourceFileLoader)("__main__", path)
    code = code_of(content) if is_compiled else compile(content, path, "exec", dont_inherit=True, **IN_MAIN)
    if watched and not is_compiled:
        code = statements.with_calls(code, content, path)
    exec(code, vars(module))
    return module


def code_of(content: bytes) -> Any:
    """The code in the bytes of a .pyc file."""
    if not content.startswith(importlib.util.MAGIC_NUMBER):
        raise RuntimeError("Bad magic number in .pyc file")
    return marshal.loads(content[16:])


def run_module(argv: list[str]) -> None:
    """Run argv[0] as `python -m` does, by what Python runs for it."""
    name, *arguments = argv
    sys.argv = Arguments(["-m", *arguments])
    if not safe_path():
        sys.path[0] = os.getcwd()
    new_main()
    runpy._run_module_as_main(name)  # type: ignore[attr-defined]


def safe_path() -> bool:
    """Whether the interpreter was told not to put the program's folder on sys.path."""
    return bool(getattr(sys.flags, "safe_path", sys.flags.isolated))        # safe_path came with Python 3.11


def new_main() -> Any:
    """A fresh __main__ in sys.modules, like the one that the interpreter makes."""
    module: Any = types.ModuleType("__main__")
    module.__builtins__ = builtins
    if "__annotations__" in vars(sys.modules["__main__"]):      # not in every version of Python
        module.__annotations__ = {}
    sys.modules["__main__"] = module
    return module


class Arguments(list):
    """sys.argv. multiprocessing pickles it for the processes it spawns, which make it before they import the program.

    micrograd is micrograd_c there, too, because making it calls install(); and class statements are watched as here.
    So they are in a fork server, which may import the program sooner: it is started, if need be, right after this is
    pickled for its first process.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        watched = statements.watched_folder()
        server = getattr(sys.modules.get("multiprocessing.forkserver"), "_forkserver", None)
        imported_first = getattr(server, "_preload_modules", None)
        if server is not None and imported_first and not isinstance(imported_first, ImportedFirst):
            server._preload_modules = ImportedFirst(imported_first, watched)
        return arguments_of_child, (list(self), watched)


class ImportedFirst(list):
    """Names of modules that a fork server imports. It is told them as text, a Python expression: this one prepares it.

    Otherwise the server is as with `python`, and what it does with the names as well.
    """

    def __init__(self, names: Iterable[str], watched: str) -> None:
        super().__init__(names)
        self.watched = watched

    def __repr__(self) -> str:
        prepare = f"__import__({__name__!r}, None, None, ['*']).prepare_child"
        return f"{prepare}({self.watched!r}) or {list(self)!r}"


def arguments_of_child(argv: list[str], watched: str = "") -> Arguments:
    prepare_child(watched)
    return Arguments(argv)


def prepare_child(watched: str) -> None:
    """In a process that multiprocessing has started, before the program is imported there."""
    if watched:
        statements.watch_in_child(watched)
    try:
        install()
    except RuntimeError as error:   # a fork server has imported the program before; without its workers a pool hangs
        warnings.warn(str(error), RuntimeWarning, stacklevel=3)


def leave_out_our_frames(error: BaseException) -> None:
    """Let the traceback begin with the program's frames when the interpreter reports the error.

    The frames above this module are only added on the error's way up from here, so the traceback is put right at the
    last moment, by an excepthook.
    """
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_globals is globals():
        traceback = traceback.tb_next
    hook = getattr(sys, "excepthook", sys.__excepthook__)       # the program's own, if it has set one

    def excepthook(kind: type[BaseException], value: BaseException, _: object) -> None:
        sys.excepthook = hook
        error.with_traceback(traceback)
        hook(kind, value, value.__traceback__)

    sys.excepthook = excepthook
