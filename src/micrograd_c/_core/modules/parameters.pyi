from collections.abc import Mapping
from typing import Any

from micrograd_c._core.value.value import Value
from micrograd_c.nn import Module

__all__ = ["load_state_dict", "named_parameters", "state_dict"]

def named_parameters(module: Module) -> list[tuple[str, Value]]: ...
def state_dict(module: Module) -> dict[str, Any]: ...
def load_state_dict(module: Module, state: Mapping[str, Any]) -> None: ...
