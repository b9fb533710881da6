"""What the compiled sources must not have, because of what Cython or a compiler makes of it. See docs/building.md."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "src").rglob("*.pyx"), *(ROOT / "src").rglob("*.pxd")])
WITH_C = sorted([*SOURCES, *(ROOT / "src").rglob("*.[ch]")])
COMPILERS = re.compile(r"__clang|__GNUC|_MSC_|__builtin_|__attribute__|__declspec|_Pragma|# *pragma|__thread\b")
EXCEPT = re.compile(r"^( *)except\b[^\n]*:\n((?:\1 +[^\n]*\n|\n)*)", re.MULTILINE)


def returns_in_except(text):
    """The except clauses with a return, but for those that do no more than return a constant."""
    bodies = [body.strip() for _, body in EXCEPT.findall(text)]
    return [
        body for body in bodies
        if re.search(r"^ *return\b", body, re.MULTILINE) and not re.fullmatch(r"return (True|False|None|-?\d+)", body)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_except_clause_returns_after_it_has_done_something(path):
    assert not returns_in_except(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_cython_finds_what_a_file_depends_on(path):
    """It does not see `from package cimport module`, so an edit of the module would not build what uses it."""
    assert not re.findall(r"^from micrograd_c\._core\.\w+ cimport", path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", WITH_C, ids=lambda path: path.name)
def test_one_header_knows_compilers(path):
    assert (path.name == "compiler.h") is bool(COMPILERS.search(path.read_text(encoding="utf-8")))


def test_such_a_clause_is_found():
    assert returns_in_except("    try:\n        f()\n    except E:\n        g()\n        return 1\n    h()\n")
    assert returns_in_except("    try:\n        f()\n    except E:\n        return g()\n    h()\n")
    assert not returns_in_except("    try:\n        f()\n    except E:\n        return 1\n    return 2\n")


def test_the_repair_of_list_comprehensions_is_applied():
    for path in (ROOT / "build").glob("*/src/micrograd_c/**/*.c"):
        assert "PyList_Append(list, x);\n    Py_DECREF(x);" not in path.read_text(encoding="utf-8"), path
