"""The names that an optimizer's parameters may have: pairs (name, Value) in the place of Values, as in PyTorch 2.6.

Names are kept beside the parameters, as "param_names", saved and shown; nothing else depends on them.
"""

from __future__ import annotations

from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["check_all_named", "check_names", "with_names_apart"]


def with_names_apart(group: dict[str, Any]) -> dict[str, Any]:
    """The group with each parameter once, and, if they are pairs (name, Value), with their names as "param_names"."""
    given = group["params"]
    try:
        given = [given] if isinstance(given, Value) else list(given)
    except TypeError:
        raise TypeError(f"'params' of a group must be Values, as model.parameters() is, not {given!r}") from None
    named = sum(map(is_pair, given))
    if named:
        if named < len(given):
            raise ValueError(
                f"{named} of {len(given)} parameters of a group have names: give pairs (name, Value) only, as "
                "model.named_parameters() has them, or Values only")
        group = {**group, "param_names": [name for name, _ in given]}
        given = [parameter for _, parameter in given]
    places = sorted({id(p): i for i, p in reversed(list(enumerate(given)))}.values())   # each one's first
    apart = {**group, "params": [given[i] for i in places]}
    if "param_names" in group:
        names = check_names(group["param_names"], len(given))
        apart["param_names"] = [names[i] for i in places]
    return apart


def is_pair(parameter: Any) -> bool:
    return isinstance(parameter, tuple) and len(parameter) == 2 and isinstance(parameter[0], str)


def check_names(names: Any, size: int) -> Any:
    """Raise unless it is a list of as many names as there are parameters; else return it."""
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"'param_names' must be a list of texts, one per parameter, not {names!r}")
    if len(names) != size:
        raise ValueError(f"'param_names' has {len(names)} names, and there are {size} parameters")
    return names


def check_all_named(group: dict[str, Any], other: dict[str, Any]) -> None:
    """Raise if one of two groups has names and the other has not."""
    if ("param_names" in group) != ("param_names" in other):
        has = "with" if "param_names" in group else "without"
        wants = "with" if "param_names" in other else "without"
        raise ValueError(f"this group has parameters {has} names, and the optimizer has others {wants} them: "
                         "give all groups model.named_parameters(), or none")
