"""`micrograd-c explain`: an expression and numbers for its names, explained on the terminal or in files."""

from __future__ import annotations

import argparse
import pathlib
import re
import sys

from micrograd_c._core.explained.catalogues import languages
from micrograd_c._core.explained.explaining import explain
from micrograd_c._core.explained.slips import as_typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    from micrograd_c._core.explained.explaining import Explanation
    from micrograd_c._core.value.value import Value

    _Number = Union[int, float]

__all__ = ["main"]

FORMS = ("html", "svg", "latex")
MINUS = re.compile(r"-(?!-|h$)(?=.)")     # an expression such as -x, to which argparse is given a space before it
REFUSALS = (ArithmeticError, NameError, OSError, SyntaxError, TypeError, ValueError)


def parser() -> argparse.ArgumentParser:
    """What `micrograd-c explain` accepts."""
    made = argparse.ArgumentParser(
        prog="micrograd-c explain", usage="%(prog)s [options] (EXPRESSION | --file FILE) [NAME=NUMBER ...]",
        description="Explain an expression gate by gate: its value forward, its derivatives backward.",
    )
    made.add_argument("words", metavar="EXPRESSION NAME=NUMBER", nargs="*", help="such as '(x + y) * z' x=-2 y=5 z=-4")
    made.add_argument("--file", metavar="FILE",
                      help="read statements, such as q = x + y, from a file or - for standard input")
    made.add_argument("--text", action="store_true", help="print the text beside other forms; alone it is the default")
    made.add_argument("--html", metavar="FILE", help="write a page to step through; it needs no network")
    made.add_argument("--svg", metavar="FILE", help="write a picture of the circuit")
    made.add_argument("--latex", metavar="FILE", help="write formulas for LaTeX; for each form, - is standard output")
    made.add_argument("--lang", default="en", metavar="LANGUAGE", help=f"one of {', '.join(languages())}")
    made.add_argument("--digits", type=int, default=6, metavar="N", help="show numbers to N digits (default: 6)")
    made.add_argument("--limit", type=limit, default=500, metavar="N",
                      help="explain at most N values, those computed last, or `none` for all (default: 500)")
    return made


def limit(word: str) -> int | None:
    return None if word.lower() == "none" else int(word)


def main(arguments: list[str]) -> int:
    """Runs the command; returns the exit status: 2 where it refuses, with one sentence on standard error."""
    options = parser().parse_intermixed_args([" " + word if MINUS.match(word) else word for word in arguments])
    try:
        explanation = explanation_of(options)
        for form in FORMS:
            path = getattr(options, form)
            if path is not None:
                write(path, getattr(explanation, form)())
        if options.text or not any(getattr(options, form) for form in FORMS):
            write("-", explanation.text())
    except REFUSALS as error:
        print(f"micrograd-c explain: {error}", file=sys.stderr)
        return 2
    return 0


def explanation_of(options: argparse.Namespace) -> Explanation:
    words = list(options.words)
    if options.file is not None:
        text = read(options.file)
    elif words:
        text = words.pop(0)
    else:
        raise ValueError("which expression? For example: micrograd-c explain '(x + y) * z' x=-2 y=5 z=-4")
    names: dict[str, Value | float] = {}
    for name, number in map(name_and_number, words):
        if name in names:
            raise ValueError(f"{name} is given two numbers: {names[name]} and {number}")
        names[name] = number
    return explain(text, lang=options.lang, digits=options.digits, limit=options.limit, names=names)


def name_and_number(word: str) -> tuple[str, _Number]:
    name, equals, number = as_typed(word).partition("=")
    if not equals or not name.isidentifier():
        raise ValueError(f"{word!r} is not NAME=NUMBER, such as x=-2; an expression of several words stands in quotes")
    try:
        return name, int(number)
    except ValueError:
        pass
    try:
        return name, float(number)
    except ValueError:
        raise ValueError(f"{name} must be a number, not {number!r}") from None


def read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else pathlib.Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{'standard input' if path == '-' else path} is not text in UTF-8") from None


def write(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
    else:
        pathlib.Path(path).write_text(text, encoding="utf-8")
        print(f"written to {path}", file=sys.stderr)
