"""A class and Value beside it, on the grid: which methods do the same, and whether both together do what it did.

Runs in a process of its own, see apart.py, where it puts Value in the place of the class to see what comes of it. Knows
the grid and how to observe; decides nothing by names or text but what to try.
"""

from __future__ import annotations

import inspect

from micrograd_c._core.adopted import grid
from micrograd_c._core.adopted.adopting import adopt, give_back, placed
from micrograd_c._core.adopted.code_reading import beyond_nodes
from micrograd_c._core.adopted.constructor_trials import constructed, differs, look_at_instances
from micrograd_c._core.adopted.habit_finding import find_habits
from micrograd_c._core.adopted.looking import bind, own_members
from micrograd_c._core.adopted.observing import Subject, difference, observe
from micrograd_c._core.adopted.own_methods import own_trials, seeded
from micrograd_c._core.adopted.required import REQUIRED
from micrograd_c._core.adopted.roles import NotAdopted, Roles, find_roles
from micrograd_c._core.adopted.surroundings import Surroundings, changed, others
from micrograd_c._core.adopted.trials import list_trials
from micrograd_c._core.adopted.verdicts import Verdict
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from micrograd_c._core.adopted.observing import _Facts
    from micrograd_c._core.adopted.trials import _Trials

__all__ = ["verdict_about"]


def verdict_about(kind: type) -> dict[str, Any]:
    """The Verdict about a class that looks like a Value, as a dict. Changes the process for good."""
    give_back()         # of a cell that is run again
    verdict = Verdict()
    surroundings = Surroundings(kind)
    bind(kind, kind.__name__, kind, everywhere=True)
    try:
        before = surroundings.state()
        verdict.roles = find_roles(kind)
        name = changed(before, surroundings.state())
        if name:
            raise NotAdopted(f"making one, adding or multiplying changes {name}")
        Comparison(kind, verdict, surroundings).decide()
    except NotAdopted as error:
        verdict.refusal = str(error)
    return verdict.as_dict()


class Comparison:
    """Of one class with Value."""

    def __init__(self, kind: type, verdict: Verdict, surroundings: Surroundings) -> None:
        self.kind, self.verdict, self.surroundings = kind, verdict, surroundings
        self.roles: Roles = verdict.roles
        self.theirs = Subject(kind, self.roles)
        self.members = own_members(kind)
        self.candidates = self.find_candidates()
        self.trials: _Trials = []
        self.strict = 0         # so many of them are of an op by itself
        self.expected: list[_Facts] = []

    def find_candidates(self) -> dict[str, str]:
        """Their methods to what Value has under that name, or another one that it goes by."""
        found = {}
        usual = {*grid.BINARY, *grid.REFLECTED, *grid.PREFIX, *grid.FUNCTIONS, "backward"}
        for name, member in self.members.items():
            of_value = grid.ALIASES.get(name, name)
            if of_value not in usual or of_value not in vars(Value) or not inspect.isfunction(member):
                continue
            wanted = 2 if name in grid.BINARY or name in grid.REFLECTED else 1
            parameters = inspect.signature(member).parameters.values()
            if len(parameters) == wanted and all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters):
                found[name] = of_value
            else:
                self.verdict.own[name] = "it takes other arguments than ours"
        return found

    def decide(self) -> None:
        """Fills the verdict in. Raises NotAdopted where the class has to stay."""
        for name in REQUIRED:
            if name not in self.candidates:
                raise NotAdopted(f"its {name} takes other arguments than ours")
        self.look_at_constructor()
        self.look_at_return()
        self.trials, self.strict = list_trials(self.candidates, self.roles)
        self.look_at_theirs()
        self.look_at_code()
        self.look_at_flags()
        self.verdict.habits = find_habits(self.theirs, self.candidates)
        found = self.differences(self.candidates, set(self.candidates))
        composed = {name for name in found if name in grid.COMPOSED}
        if composed and len(found) > len(composed):     # perhaps not by themselves, but by what they are composed of
            kept = {name: of_value for name, of_value in self.candidates.items() if name not in set(found) - composed}
            again = self.differences(kept, composed)
            found = {name: why for name, why in found.items() if name not in composed or name in again}
        own = {name: why for name, why in found.items() if name not in REQUIRED}
        self.verdict.own.update(own)
        self.verdict.ours = {name: of_value for name, of_value in self.candidates.items() if name not in own}
        for name in found:
            if name in REQUIRED:
                raise NotAdopted(found[name])
        self.try_together()

    # --- theirs ---

    def look_at_constructor(self) -> None:
        look_at_instances(self.theirs)
        made = constructed(self.theirs)
        adopt(self.kind, self.verdict, self.candidates, everywhere=True)
        try:
            found = differs(made, constructed(Subject(Value, self.roles)), self.roles.data_is_float)
        finally:
            self.back_to_theirs()
        if found:
            raise NotAdopted(found)

    def back_to_theirs(self) -> None:
        give_back()
        bind(self.kind, self.kind.__name__, self.kind, everywhere=True)

    def look_at_return(self) -> None:
        """What backward() returns: ours nothing. Trials would show it, but not name it."""
        for root in (self.kind(2.0), self.kind(2.0) * self.kind(3.0) + 1.0):
            returned = root.backward()
            if returned is not None:
                raise NotAdopted(f"its backward returns {type(returned).__name__}, ours nothing")

    def look_at_code(self) -> None:
        """What a method asks of a node that ours does not look at, or sets: it does so in no trial, perhaps."""
        for name in list(self.candidates):
            found = beyond_nodes(self.kind, self.members[name], placed(self.roles) - {""}, self.roles.attributes)
            if found and name in REQUIRED:
                raise NotAdopted(f"its {name} {found}")
            if found:
                del self.candidates[name]
                self.verdict.own[name] = f"it {found}"

    def look_at_theirs(self) -> None:
        """What their class does in each trial; and whether a method does anything besides."""
        before = self.surroundings.state()
        last = ""
        for name, numbers, expression, extras in [*self.trials, ("", (), None, {})]:
            if name != last:
                after = self.surroundings.state()
                what = changed(before, after)
                if what:
                    self.has_effect(last, what)
                last, before = name, after
            if expression is not None:
                self.expected.append(self.observed(self.theirs, numbers, expression, extras))

    def observed(self, subject: Subject, numbers: Any, expression: Any, extras: dict[str, Any]) -> _Facts:
        return observe(subject, numbers, expression, **extras)

    def has_effect(self, names: str, what: str) -> None:
        name = names.split()[-1] if names.split()[0] in REQUIRED else names.split()[0]
        if name in REQUIRED:
            raise NotAdopted(f"its {name} changes {what}")
        self.candidates.pop(name, None)
        self.verdict.own[name] = f"it changes {what}"

    def look_at_flags(self) -> None:
        """Variables that methods ask for: what is the same now need not be when they are others."""
        few = range(0, len(self.trials), 7)
        for what, put, held in list(self.surroundings.flags()):
            for other in others(held):
                put(other)
                try:
                    for k in few:
                        name, numbers, expression, extras = self.trials[k]
                        facts = self.observed(self.theirs, numbers, expression, extras)
                        if difference(self.expected[k], facts, k < self.strict):
                            self.depends(name, what)
                finally:
                    put(held)

    def depends(self, names: str, what: str) -> None:
        for name in names.split():
            if name in REQUIRED:
                raise NotAdopted(f"its {name} depends on {what}, which may change")
            if name in self.candidates:
                del self.candidates[name]
                self.verdict.own[name] = f"it depends on {what}, which may change"

    # --- ours beside theirs ---

    def differences(self, ours: dict[str, str], methods: set[str]) -> dict[str, str]:
        """Method, of these, to what Value does otherwise if the ones in `ours` are its."""
        adopt(self.kind, self.verdict, ours, everywhere=True)
        subject = Subject(Value, self.roles)
        found: dict[str, str] = {}
        try:
            for k, (names, numbers, expression, extras) in enumerate(self.trials):
                its = names.split()
                if any(name in found or name not in ours for name in its) or methods.isdisjoint(its):
                    continue
                facts = self.observed(subject, numbers, expression, extras)
                seen = difference(self.expected[k], facts, k < self.strict)
                if seen is not None:
                    blamed = next((name for name in its if name not in REQUIRED), its[-1])
                    found[blamed] = f"{told(names, numbers, expression)} gives {seen[0]}, ours {seen[1]}"
        finally:
            self.back_to_theirs()
        return found

    # --- ours in the place of theirs ---

    def try_together(self) -> None:
        """All once more with Value as it would be, their own methods included."""
        mine = own_trials(self.kind, self.members, self.verdict.ours, self.theirs)
        wanted = [seeded(self.theirs, trial) for trial in mine]
        again = [seeded(self.theirs, trial) for trial in mine]
        adopt(self.kind, self.verdict, self.verdict.ours, everywhere=True)
        ours = Subject(Value, self.roles)
        all_again = any(name[:2] == "__" for name in self.candidates if name not in self.verdict.ours)
        for k, (names, numbers, expression, extras) in enumerate(self.trials):
            if not all_again and all(name in self.verdict.ours for name in names.split()):
                continue        # as before: nothing calls a function that is theirs
            facts = self.observed(ours, numbers, expression, extras)
            seen = difference(self.expected[k], facts, k < self.strict)
            if seen is not None:
                raise NotAdopted(f"{told(names, numbers, expression)} would give {seen[1]} in the place of {seen[0]}")
        for (call, numbers, expression), expected, repeated in zip(mine, wanted, again):
            if expected == [("raises", "TypeError")] or difference(expected, repeated, False) is not None:
                continue        # arguments that it does not take; by chance, or by identities
            seen = difference(expected, seeded(ours, (call, numbers, expression)), False)
            if seen is not None:
                raise NotAdopted(f"its own {call} of {numbers[0]!r} would give {seen[1]} in the place of {seen[0]}; "
                                 "as a function outside of the class it would not keep the class from being compiled")
        held = {*placed(self.roles), "__replace__"}     # which dataclasses have from Python 3.13 on
        for name, member in self.members.items():
            is_method = isinstance(member, property) or callable(getattr(member, "__func__", member))
            if name not in self.verdict.ours and is_method and name not in held:
                self.verdict.own.setdefault(name, "")
        self.verdict.notes.append(f"{len(self.trials) + len(mine)} expressions and their gradients")


def told(names: str, numbers: Any, expression: Any) -> str:
    """A trial in a message."""
    other = getattr(expression, "other", "")
    operands = [*map(repr, numbers), *([f"an operand of type {other}"] if other else [])]
    return f"{' and '.join(dict.fromkeys(names.split()))} of {', '.join(operands)}"
