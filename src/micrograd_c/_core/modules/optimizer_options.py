"""What an optimizer may be given: options, and states that were saved. Errors say what is wrong with them."""

from __future__ import annotations

from array import array
from numbers import Real

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def check_options(options: dict[str, Any]) -> None:
    """Raise ValueError for those out of range, and TypeError for those that must be numbers, or True or False."""
    for name in ("lr", "weight_decay", "momentum", "eps", "dampening"):
        if name in options:
            check_number(name, options[name])
            if name == "dampening":
                if options[name] != options[name]:
                    raise ValueError(f"{name} must be a number, not {options[name]!r}")
            elif not options[name] >= 0:
                raise ValueError(f"{name} must be at least 0, not {options[name]!r}")
    for name in ("nesterov", "amsgrad", "maximize"):
        if name in options and options[name] not in (False, True):
            raise TypeError(f"{name} must be True or False, not {options[name]!r}")


def check_betas(betas: Any) -> None:
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise TypeError(f"betas must be two numbers, not {betas!r}")
    for beta in betas:
        check_number("betas", beta)
        if not 0 <= beta < 1:
            raise ValueError(f"betas must be at least 0 and below 1, not {betas!r}")


MOST_STEPS = 2**31      # a C long may be no longer


def check_number(name: str, value: Any) -> None:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, not {value!r} of type {type(value).__name__}")


def frozen(options: dict[str, Any]) -> dict[str, Any]:
    """A copy that shares nothing that can be changed, except the parameters."""
    copies = {name: tuple(option) if isinstance(option, list) and name != "params" else option
              for name, option in options.items()}
    if "param_names" in options:
        copies["param_names"] = list(options["param_names"])
    return copies


def read_state(state: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The groups and the memories of a state_dict()."""
    if not isinstance(state, dict) or not {"param_groups", "state"} <= set(state):
        raise TypeError(f"a state is a dict with 'param_groups' and 'state', as state_dict() returns it, not {state!r}")
    for name in ("param_groups", "state"):
        if not isinstance(state[name], list) or not all(isinstance(entry, dict) for entry in state[name]):
            raise TypeError(f"{name!r} of a state must be a list of dicts, not {state[name]!r}")
    return state["param_groups"], state["state"]


def read_memory(saved: dict[str, Any], size: int, known: Iterable[str] | None, needed: Iterable[str]) -> dict[str, Any]:
    """What a rule remembers about a group of `size` parameters: how many steps it did, and lists, copied to arrays.

    `known` has the names of the lists that there may be, or is None if any may; `needed` has those that there must be
    if there was a step.
    """
    step = saved.get("step")
    if not isinstance(step, int) or not 0 <= step < MOST_STEPS:
        raise ValueError(f"this state's 'step' must be how many steps were done, not {step!r}")
    names = [name for name in saved if name != "step"]
    unknown = [name for name in names if known is not None and name not in known]
    missing = [name for name in needed if step and name not in names]
    if unknown or missing:
        raise ValueError(
            "this state is of another kind of optimizer, or not whole: it "
            + (f"has {unknown[0]!r}, which is not known here" if unknown else f"lacks {missing[0]!r}"))
    memory: dict[str, Any] = {"step": step}
    for name in names:
        try:
            memory[name] = array("d", saved[name])
        except TypeError:
            raise TypeError(f"this state's {name!r} must be a list of numbers, not {saved[name]!r}") from None
        if len(memory[name]) != size:
            raise ValueError(f"this state's {name!r} is for {len(memory[name])} parameters, and there are {size}")
    return memory
