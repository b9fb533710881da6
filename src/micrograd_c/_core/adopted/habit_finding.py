"""What somebody's class does a little otherwise than Value, so that Value can do the same: see habits.pyx.

Guesses from few numbers; whether they are right is seen on the grid.
"""

from __future__ import annotations

from micrograd_c._core.adopted import grid
from micrograd_c._core.adopted.observing import Subject
from micrograd_c._core.adopted.trials import actions_of
from micrograd_c._core.adopted.verdicts import Habits
from micrograd_c._core.value.value import Value

__all__ = ["find_habits"]


def find_habits(theirs: Subject, candidates: dict[str, str]) -> Habits:
    habits = Habits()
    find_relu(theirs, candidates, habits)
    find_seed(theirs, candidates, habits)
    find_old_slopes(theirs, habits)
    find_op_names(theirs, candidates, habits)
    return habits


def find_relu(theirs: Subject, candidates: dict[str, str], habits: Habits) -> None:
    """What theirs gives in the place of 0, if it is of another type than ours or for other numbers."""
    for name, of_value in candidates.items():
        if of_value != "relu":
            continue
        try:
            given = [theirs.data(getattr(theirs.kind(x), name)()) for x in (-2.5, 0.0, -0.0, float("nan"))]
            slope = theirs.kind(2)
            getattr(slope, name)().backward()
        except Exception:
            return
        zeros = [
            {int: "int", float: "float"}[type(y)] if y == 0 and str(y)[0] != "-" else "as it is" for y in given
        ]
        zero = zeros[1] if zeros[1] == zeros[2] else "as it is"
        habits.relu = (zeros[0], zero, zeros[3])
        if habits.relu == ("int", "as it is", "as it is"):
            habits.relu = None


def find_seed(theirs: Subject, candidates: dict[str, str], habits: Habits) -> None:
    """Whether backward() begins with an int, and whether gradients stay ints where slopes are."""
    root, x, y = theirs.kind(2), theirs.kind(2), theirs.kind(2)
    root.backward()
    (x + 1).backward()
    if type(theirs.grad(root)) is float:
        habits.seed = "float"
    elif type(theirs.grad(x)) is float:
        habits.seed = "shown"
    else:
        for name, of_value in candidates.items():
            if of_value == "relu":
                getattr(y, name)().backward()
                habits.float_slopes = type(theirs.grad(y)) is float


def find_old_slopes(theirs: Subject, habits: Habits) -> None:
    """Whether a product's slopes are made of data as it was when it was computed."""
    x, y = theirs.kind(0.7), theirs.kind(1.3)
    out = x * y
    theirs.set_data(x, 2.5)
    out.backward()
    habits.old_slopes = theirs.grad(y) == 0.7


def find_op_names(theirs: Subject, candidates: dict[str, str], habits: Habits) -> None:
    """Theirs for our ops, where they are always the same."""
    if not theirs.roles.op:
        return
    for name, action, count in actions_of(candidates):
        if name not in grid.COMPOSED:
            operands = (0.7, 1.3)[:count]
            try:
                name_there = getattr(action(*map(theirs.kind, operands)), theirs.roles.op)
                ours = action(*map(Value, operands))._op
            except Exception:
                continue
            if ours[:2] == "**" and name_there[:2] != "**":
                ours = "**"
            if type(name_there) is str and name_there != ours:
                habits.op_names[ours] = name_there
