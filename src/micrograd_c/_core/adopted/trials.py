"""The grid for one class: which expressions are tried of the methods that it has. Knows the grid, and runs nothing."""

from __future__ import annotations

from micrograd_c._core.adopted import grid
from micrograd_c._core.adopted.roles import Roles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # method or methods, numbers, an expression over Values of them, other arguments of the constructor
    _Trials = list[tuple[str, tuple[Any, ...], Callable[..., Any], dict[str, Any]]]

__all__ = ["actions_of", "list_trials"]


def list_trials(candidates: dict[str, str], roles: Roles) -> tuple[_Trials, int]:
    """All that is tried of methods, by what ours are called; and how many of these are of an op by itself."""
    trials: _Trials = []
    for name, numbers, expression in grid.single(set(candidates), functions(candidates)):
        trials.append((name, numbers, expression, {}))
    strict = len(trials)
    for name, numbers, expression in grid.of_other_types(set(candidates)):
        trials.append((name, numbers, expression, {}))
    for name, action, count in actions_of(candidates):
        trials.append((name, *grid.preset(action, count), {}))
    for name, action, count in actions_of(candidates):
        for numbers, expression in grid.graphs(action, count):
            trials.append((name, numbers, expression, {}))
        for extra in extras_to_try(roles):
            trials.append((name, (0.7, 1.3)[:count], lambda V, *v, action=action: action(*v), extra))
        trials.append((name, (0.7, 1.3)[:count], lambda V, *v, action=action: of_subclass(V, action, v), {}))
    for numbers, expression in grid.programs():
        trials.append(("backward", numbers, expression, {}))
    actions = [(name, action) for name, action, count in actions_of(candidates) if count == 1]
    actions += [
        (name, lambda v, action=action: action(v, 0.5)) for name, action, count in actions_of(candidates) if count == 2
    ]
    for k, (one, first) in enumerate(actions):
        for other, second in actions[k:]:
            trials.append((f"{one} {other}", (0.7,), grid.paired(first, second), {}))
    return trials, strict


def functions(candidates: dict[str, str]) -> set[str]:
    """Methods of one operand."""
    return {name for name, of_value in candidates.items() if of_value in grid.FUNCTIONS}


def actions_of(candidates: dict[str, str]) -> list[tuple[str, Callable[..., Any], int]]:
    """(method, function of operands, how many) for those that give Values."""
    found: list[tuple[str, Callable[..., Any], int]] = []
    for name in candidates:
        if name == "__pow__":
            found += [(name, lambda v, n=n: v ** n, 1) for n in (2, -1)]
        elif name in grid.ARITHMETIC:
            found.append((name, grid.BINARY[name][1], 2))
        elif name == "__neg__":
            found.append((name, grid.PREFIX[name][1], 1))
        elif name in functions(candidates):
            found.append((name, lambda v, name=name: getattr(v, name)(), 1))
    return found


def extras_to_try(roles: Roles) -> list[dict[str, Any]]:
    """Arguments for the constructor's other parameters: a method may ask for them."""
    found = []
    for parameter, role in roles.parameters:
        if role.startswith("extra:"):
            usual = roles.extras[role[6:]]
            other: Any = "zz"
            if isinstance(usual, bool):
                other = not usual
            elif isinstance(usual, (int, float)):
                other = usual + 1
            found.append({parameter: other})
    return found


def of_subclass(V: Any, action: Any, values: Any) -> Any:
    """Whether instances of a subclass give what others do."""
    kind = type("Sub", (V.kind,), {})
    result = action(*[kind(V.data(value)) for value in values])
    return [type(result).__name__, result]
