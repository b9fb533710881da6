"""accelerate(cls): somebody's scalar autograd class, compiled where it does what ours does. And what is said about it.

Knows how to look at a class, to have it tried, and to adopt it. Loads what that needs when it is asked for: most
programs have no such class.
"""

from __future__ import annotations

import sys
import warnings

from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from micrograd_c._core.adopted.verdicts import Verdict

    _Class = TypeVar("_Class", bound=type)

__all__ = ["accelerate", "accelerate_at_end", "examine"]


def accelerate(cls: _Class, *, explain: bool = False) -> _Class:
    """A scalar autograd class of yours, such as a lecture's or a short GPT's Value, on compiled nodes.

    As a decorator, or `Value = accelerate(Value)` right after the class, whose name then means what is returned:
    a class of the same name, in which every method that was found to do what micrograd_c's does is micrograd_c's, and
    all others are yours. Which do so is found by trying them, in a process of its own: data must be the same to the
    bit, and so must types, exceptions and gradients be.

    Where operators or backward() differ, the class is returned as it was, with a RuntimeWarning that says what was
    seen; so are all but the first class of a process. explain=True prints to standard error what was compared.

    Raises TypeError for what is no class.
    """
    if not isinstance(cls, type):
        raise TypeError(f"accelerate wants a class, not {type(cls).__name__}")
    if cls is Value:
        return cls
    from micrograd_c._core.adopted.explaining import explained
    from micrograd_c._core.adopted.looking import place

    verdict = examine(cls)
    if explain:
        say(explained(cls, verdict))
    if verdict.refusal:
        warnings.warn(f"{place(cls)} stays as it is: {verdict.refusal}", RuntimeWarning, stacklevel=2)
    return in_its_place(cls, verdict)   # type: ignore[return-value]


def accelerate_at_end(cls: Any, explain: bool = False, quiet: bool = False) -> Any:
    """The same of what a class statement has made, whatever it is, with a line about it on standard error."""
    from micrograd_c._core.adopted.explaining import explained, summary
    from micrograd_c._core.adopted.looking import is_held_elsewhere, looks_like_value, place

    if cls is Value or not looks_like_value(cls):
        return cls
    where = place(cls)
    verdict = examine(cls, "something refers to it already" if is_held_elsewhere(cls) else "")
    if not quiet:
        say(explained(cls, verdict) if explain else f"micrograd-c: {summary(where, verdict)}")
    return in_its_place(cls, verdict)


def leave_at_end(cls: Any, why: str, quiet: bool = False) -> Any:
    """The line for a class that stays whatever it is like."""
    from micrograd_c._core.adopted.looking import looks_like_value, place

    if cls is not Value and looks_like_value(cls) and not quiet:
        say(f"micrograd-c: {place(cls)} stays as it is: {why}")
    return cls


def say(text: str) -> None:
    if sys.stderr is not None:      # as in a program without a console
        print(text, file=sys.stderr)


def examine(cls: type, refusal: str = "") -> Verdict:
    """Whether the class can be adopted, and which of its methods do what ours do. Not, if it is refused already."""
    from micrograd_c._core.adopted.adopting import adopted_class
    from micrograd_c._core.adopted.apart import CannotTry, run_apart
    from micrograd_c._core.adopted.looking import objection, place
    from micrograd_c._core.adopted.trying import verdict_about
    from micrograd_c._core.adopted.verdicts import Verdict

    refusal = refusal or objection(cls)
    if not refusal and adopted_class and not is_again(cls, adopted_class[0]):
        refusal = f"this process has a compiled class already, {place(adopted_class[0])}"
    if refusal:
        return Verdict(refusal=refusal)
    try:
        return Verdict.from_dict(run_apart(lambda: verdict_about(cls)))
    except CannotTry as error:
        return Verdict(refusal=str(error))


def is_again(cls: type, before: type) -> bool:
    """Whether it is the same class statement, in a cell of a notebook or at a prompt that was run again.

    Elsewhere a statement that runs twice makes two classes, and the first one's instances go on as they are.
    """
    import builtins

    if not (hasattr(builtins, "__IPYTHON__") or hasattr(sys, "ps1")) or "<locals>" in cls.__qualname__:
        return False
    if (cls.__module__, cls.__qualname__) != (before.__module__, before.__qualname__) or cls.__module__ != "__main__":
        return False
    now, then = (kind.backward.__code__ for kind in (cls, before))     # type: ignore[attr-defined]
    return now.co_filename != then.co_filename or now.co_firstlineno == then.co_firstlineno     # not two in one cell


def in_its_place(cls: type, verdict: Verdict) -> type:
    """The class as it is, or ours in its place."""
    if verdict.refusal:
        return cls
    from micrograd_c._core.adopted.adopting import adopt

    return adopt(cls, verdict, verdict.ours)
