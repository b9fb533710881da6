"""What was found out about a class, as plain data: which of its methods are ours, and why others are not."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from micrograd_c._core.adopted.roles import Roles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Habits", "Verdict"]


@dataclass
class Habits:
    """What it does a little otherwise than micrograd; see habits.pyx."""

    # backward() begins with 1; or 'float': with 1.0; or 'shown': with 1, but slopes are floats
    seed: str = "int"
    float_slopes: bool = False
    relu: tuple[str, str, str] | None = None    # what it gives below 0, at 0, for nan, where that is not Value's
    op_names: dict[str, str] = field(default_factory=dict)      # ours to theirs
    old_slopes: bool = False        # slopes are made of data as it was when a node was computed


@dataclass
class Verdict:
    """Of one class."""

    refusal: str = ""               # why it stays as it is, or ''
    roles: Roles = field(default_factory=Roles)
    habits: Habits = field(default_factory=Habits)
    ours: dict[str, str] = field(default_factory=dict)      # method to the name that ours has for it
    own: dict[str, str] = field(default_factory=dict)       # method to why it stays
    notes: list[str] = field(default_factory=list)          # what was compared

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Verdict:
        found = dict(found)
        roles, habits = Roles(**found.pop("roles")), Habits(**found.pop("habits"))
        if habits.relu is not None:
            habits.relu = tuple(habits.relu)    # type: ignore[assignment]
        return cls(roles=roles, habits=habits, **found)
