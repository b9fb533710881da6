"""Why `import micrograd_c` failed, in one sentence. Nothing compiled can be imported here."""

from __future__ import annotations

import importlib.machinery
import pathlib
import sys
import sysconfig

PACKAGE = pathlib.Path(__file__).resolve().parent
# how Cython and Python say that a compiled module is not the one that the others were made for
OF_ANOTHER_VERSION = ("does not export expected", "has wrong signature", "size changed", "cannot import name")


def reason(error: Exception) -> str | None:
    """What to do about an error of importing the compiled modules; None if that is not known."""
    text = str(error)
    if isinstance(error, ModuleNotFoundError):
        if not (error.name or "").startswith("micrograd_c."):
            return None
        return source_folder() or missing_module(error.name or "")
    if isinstance(error, ImportError) and "cannot import name '" in text and not loadable(error):
        return missing_module(asked_for(error))
    if "micrograd_c._core" in text and any(sign in text for sign in OF_ANOTHER_VERSION):
        return (
            f"a compiled module of micrograd_c in {PACKAGE} is of another version than the rest ({text}): remove the "
            "package with `pip uninstall micrograd_c`, or build it again, then install it again."
        )
    return None


def asked_for(error: ImportError) -> str:
    """`ROOM.NAME` of `from ROOM import NAME`."""
    name = str(error).split("'")[1]
    return f"{error.name}.{name}"


def loadable(error: ImportError) -> bool:
    """Whether what was asked for is there, or is no module: a room's __init__.py has no names of its own."""
    room = pathlib.Path(error.path or "")
    name = asked_for(error).rpartition(".")[2]
    return room.name != "__init__.py" or any(
        room.with_name(name + end).exists() for end in ("", *importlib.machinery.all_suffixes()))


def source_folder() -> str | None:
    """The message if this is the folder that is installed from, not one that was installed."""
    if (PACKAGE / "_core").exists() or not (PACKAGE.parent / "src" / "micrograd_c" / "_core").is_dir():
        return None
    return (
        "micrograd_c is not compiled in this folder, which holds its sources: "
        "run `pip install .` here, then start Python (or `micrograd-c demo`) from another folder."
    )


def missing_module(name: str) -> str:
    """The message if the folder is there, but not what this interpreter can load from it."""
    stem = PACKAGE.parent.joinpath(*name.split("."))
    others = sorted(path.name for end in ("so", "pyd") for path in stem.parent.glob(f"{stem.name}.*{end}"))
    wanted = f"CPython {sys.version_info[0]}.{sys.version_info[1]} ({sysconfig.get_config_var('EXT_SUFFIX')})"
    return (
        f"micrograd_c in {PACKAGE.parent} has no compiled module {name} for this interpreter, {wanted}, "
        f"{'but ' + ', '.join(others) if others else 'nor for another'}: install it with `{sys.executable} -m pip "
        "install --force-reinstall micrograd_c`, or from its sources with `pip install .`."
    )
