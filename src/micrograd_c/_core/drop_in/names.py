"""install() and uninstall(): what `import micrograd` gives; and the same for `pytest -p`.

Knows micrograd's names and which modules stand in for them. pytest calls this; it need not be installed.
"""

from __future__ import annotations

import importlib
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["install", "uninstall"]

NAMES = ("micrograd", "micrograd.engine", "micrograd.nn")

installed: dict[str, ModuleType] = {}       # what we have put into sys.modules


def install() -> None:
    """Let `micrograd`, `micrograd.engine` and `micrograd.nn` be micrograd_c, wherever this process imports them.

    A second call is harmless. Raises RuntimeError, with nothing changed, if micrograd itself is already imported.

    >>> install()
    >>> from micrograd.engine import Value
    >>> Value
    <class 'micrograd_c.engine.Value'>
    >>> uninstall()
    """
    for name in NAMES:
        module = sys.modules.get(name)
        if module is not None and module is not installed.get(name):
            raise RuntimeError(
                f"{name} is already imported, from {origin(module)}, and its Value and micrograd_c's cannot be mixed. "
                "In a fresh process, call micrograd_c.install(), or start the program with "
                "`python -m micrograd_c run`, before anything imports micrograd."
            )
    if not installed:
        installed.update(substitutes())
    sys.modules.update(installed)


def uninstall() -> None:
    """Take back what install() did: the next `import micrograd` looks for micrograd itself.

    What was imported before keeps its meaning. Without an install() nothing happens.

    >>> uninstall()
    """
    for name, module in installed.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
    installed.clear()


def substitutes() -> dict[str, ModuleType]:
    """The modules by the names they stand in for.

    The package is empty, as micrograd's is, and belongs to no folder: with micrograd_c's, `import micrograd.tape` would
    load a compiled module a second time. But `from micrograd import Value`, which many write, gives what they mean.
    """
    from importlib.machinery import ModuleSpec
    from importlib.util import module_from_spec

    package = module_from_spec(
        ModuleSpec("micrograd", None, origin="micrograd_c", is_package=True)
    )
    engine, nn = (importlib.import_module(f"micrograd_c.{name}") for name in ("engine", "nn"))
    vars(package).update(engine=engine, nn=nn, __getattr__=exported)
    return dict(zip(NAMES, (package, engine, nn)))


def exported(name: str) -> object:
    """What the package has besides its modules: looked up, so that `import *` brings no more than before."""
    for place in ("engine", "nn"):
        module = importlib.import_module(f"micrograd_c.{place}")
        if name in module.__all__:
            return getattr(module, name)
    raise AttributeError(f"module 'micrograd' has no attribute {name!r}")


def origin(module: ModuleType) -> str:
    """The file, or for a package without one the folder, that a module came from."""
    return getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "no file")


# --- pytest: pytest -p micrograd_c ---

def pytest_addoption() -> None:
    """The first hook of all, which runs as soon as `-p` is read, before any conftest.py is imported."""
    try:
        install()
    except RuntimeError as error:
        import pytest

        raise pytest.UsageError(str(error)) from None


def pytest_report_header() -> str:
    from micrograd_c import __version__

    return f"micrograd: micrograd_c {__version__} (compiled)"


def pytest_unconfigure() -> None:
    uninstall()
