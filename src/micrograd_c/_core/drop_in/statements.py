"""Class statements of a program, with a call at their end: ours may take the place there of what looks like a Value.

A program is compiled with one more decorator above such a statement, outside of all others. Which statements get one is
seen from their text; whether a class is adopted is not. Knows syntax trees and importing, and whom to call.
"""

from __future__ import annotations

import ast
import os
import runpy
import sys
import warnings
from importlib.machinery import PathFinder, SourceFileLoader

from micrograd_c._core.adopted.required import REQUIRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType
    from typing import Any

__all__ = [
    "Transformer", "ended", "ended_beside_ours", "unwatch", "watch", "watch_in_child",
    "watched_folder", "with_calls",
]

OURS = {"micrograd", "micrograd_c"}

options = {"explain": False, "quiet": False}    # of `micrograd-c run`, or of a notebook


def ended(cls: Any) -> Any:
    """What a class statement's name becomes."""
    from micrograd_c._core.adopted.accelerating import accelerate_at_end

    return accelerate_at_end(cls, options["explain"], options["quiet"])


def ended_beside_ours(cls: Any) -> Any:
    """The same where the module imports micrograd, too: what its Value is must not change."""
    from micrograd_c._core.adopted.accelerating import leave_at_end

    why = "its module imports micrograd, too; with @micrograd_c.accelerate above the class it is compiled there"
    return leave_at_end(cls, why, options["quiet"])


# --- compiling ---

def with_calls(code: CodeType, content: bytes | str, path: str) -> CodeType:
    """What Python has compiled from content, or, if a class in it looks like a Value, code with the call at its end."""
    text = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    if not all(name.encode() in text for name in REQUIRED):     # without looking at its syntax
        return code
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # they have been given
        tree: Any = compile(content, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        if not add_calls(tree):
            return code
        return compile(tree, path, "exec", dont_inherit=True)


def add_calls(tree: ast.AST) -> bool:
    """Whether there is a class statement to which a decorator was added."""
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and is_like_value(node)]
    if statements:
        name = "ended_beside_ours" if any(map(imports_ours, ast.walk(tree))) else "ended"
        text = f"__import__({__name__!r}, None, None, ['*']).{name}"
        for node in statements:
            call = ast.parse(text, mode="eval").body
            first = node.decorator_list[0] if node.decorator_list else node
            for part in ast.walk(call):
                ast.copy_location(part, first)
            node.decorator_list.insert(0, call)
    return bool(statements)


def is_like_value(node: ast.ClassDef) -> bool:
    names = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    for part in node.body:
        if isinstance(part, ast.Assign):
            names.update(target.id for target in part.targets if isinstance(target, ast.Name))
    return names.issuperset(REQUIRED)


def imports_ours(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in OURS for alias in node.names)
    return isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] in OURS


class Transformer:
    """For IPython's ast_transformers: each cell goes through it."""

    def visit(self, node: ast.AST) -> ast.AST:
        add_calls(node)
        return node


# --- importing ---

class Finder:
    """Finds what PathFinder does, and compiles what is in a folder as above.

    The code is made here, and not by the loader: Python's own message is to be seen where there is no code to be made,
    and no frame of ours.
    """

    def __init__(self, folder: str) -> None:
        self.folder = os.path.join(os.path.realpath(folder), "")

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or not self.is_beside(spec.origin):
            return None
        try:
            code: Any = spec.loader.get_code(name)      # which writes the file for the next import, as ever
            with open(spec.loader.path, "rb") as file:
                code = with_calls(code, file.read(), spec.loader.path)
        except Exception:
            return None
        vars(spec.loader)["get_code"] = lambda name: code
        return spec

    def is_beside(self, origin: str | None) -> bool:
        file = os.path.realpath(origin or "")
        return file.startswith(self.folder) and "site-packages" not in file[len(self.folder):]


def watch(folder: str, explain: bool = False, quiet: bool = False) -> None:
    """From here on classes in modules of that folder are looked at."""
    options.update(explain=explain, quiet=quiet)
    unwatch()
    place = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
    sys.meta_path.insert(place, Finder(folder))     # type: ignore[arg-type]


def watched_folder() -> str:
    """The folder whose modules are looked at, or ''."""
    return next((finder.folder for finder in sys.meta_path if isinstance(finder, Finder)), "")


def unwatch() -> None:
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]


def watch_in_child(folder: str) -> None:
    """The same in a process that multiprocessing starts; it runs the main program by runpy, which imports nothing."""
    watch(folder, quiet=True)
    read = runpy._get_code_from_file    # type: ignore[attr-defined]
    if read.__module__ == __name__:     # in a process that a fork server has forked
        return
    place = read.__code__.co_varnames.index("fname")

    def code_from_file(*arguments: Any) -> Any:
        found = read(*arguments)
        path = os.fsdecode(arguments[place])
        code = found[0] if isinstance(found, tuple) else found
        try:
            with open(path, "rb") as file:
                code = with_calls(code, file.read(), path)
        except Exception:
            return found
        return (code, *found[1:]) if isinstance(found, tuple) else code

    runpy._get_code_from_file = code_from_file      # type: ignore[attr-defined]
