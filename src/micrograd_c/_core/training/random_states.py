"""The states of random number generators as JSON: Python's, and NumPy's old and new ones. Knows nothing of checkpoints.

They are never pickled, so a file from anywhere cannot run code.
"""

from __future__ import annotations

import random as python_random
import sys
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["generators", "set_state", "state_of"]


def generators(random: Any, saved: Any = None) -> list[Any]:
    """What is meant by `random`: a generator, a list of them, or True for those of the modules random and numpy.random.

    With True NumPy's counts if NumPy is loaded, or if its state was `saved`.
    """
    if random is None or random is False:
        return []
    if random is not True:
        return list(random) if isinstance(random, (list, tuple)) else [random]
    if saved is not None and len(saved) > 1:
        import numpy  # noqa: F401 (its state was saved)
    loaded = "numpy" in sys.modules if saved is None else len(saved) > 1
    return [python_random, sys.modules["numpy"].random] if loaded else [python_random]


def state_of(generator: Any) -> dict[str, Any]:
    """Its state as dicts and lists of numbers. Raises TypeError for what is no generator that can be saved.

    >>> state_of(python_random.Random(1))["kind"]
    'random'
    """
    try:
        if hasattr(generator, "getstate"):
            return {"kind": "random", "state": generator.getstate()}
        if hasattr(generator, "get_state"):     # the module numpy.random, too
            return {"kind": "numpy.random.RandomState", "state": plain(generator.get_state(legacy=False))}
        if hasattr(generator, "bit_generator"):
            return {"kind": "numpy.random.Generator", "state": plain(generator.bit_generator.state)}
    except (NotImplementedError, TypeError) as error:
        raise TypeError(f"the state of {generator!r} cannot be saved: {error}") from None
    raise TypeError(f"random must be True, random.Random, a Generator or RandomState of NumPy, or a list of these, not "
                    f"{generator!r}")


def set_state(generator: Any, saved: dict[str, Any]) -> None:
    """Raises ValueError if it is of another kind than the one whose state was saved; then it is as it was."""
    kind, state = saved["kind"], saved["state"]
    own = state_of(generator)
    if own["kind"] != kind:
        raise ValueError(f"the state of a {kind} was saved, and a {own['kind']} was given")
    if kind == "random":
        generator.setstate(tuple(tuple(part) if isinstance(part, list) else part for part in state))
        return
    if own["state"]["bit_generator"] != state["bit_generator"]:
        raise ValueError(f"the state of {state['bit_generator']} was saved, and {own['state']['bit_generator']} given")
    if kind == "numpy.random.Generator":
        generator.bit_generator.state = arrays(state)
    else:
        generator.set_state(arrays(state))


def plain(state: Any) -> Any:
    """Arrays as lists, with their type."""
    if isinstance(state, Mapping):
        return {key: plain(part) for key, part in state.items()}
    if hasattr(state, "dtype"):
        return {"dtype": str(state.dtype), "values": state.tolist()} if state.shape else state.item()
    return state


def arrays(state: Any) -> Any:
    if not isinstance(state, dict):
        return state
    if state.keys() == {"dtype", "values"}:
        import numpy

        return numpy.array(state["values"], state["dtype"])
    return {key: arrays(part) for key, part in state.items()}
