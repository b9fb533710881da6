from collections.abc import Callable, Iterable
from typing import Any

from micrograd_c.engine import Value

__all__ = ["Adam", "AdamW", "Optimizer", "SGD"]

_Params = Iterable[Value] | Iterable[dict[str, Any]]

class Optimizer:
    defaults: dict[str, Any]
    param_groups: list[dict[str, Any]]
    lr: float
    def __init__(self, params: _Params, defaults: dict[str, Any]) -> None: ...
    def add_param_group(self, group: dict[str, Any]) -> None: ...
    def zero_grad(self) -> None: ...
    def step(self, closure: Callable[[], Any] | None = None) -> Any: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...

class SGD(Optimizer):
    def __init__(
        self, params: _Params, lr: float = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
        nesterov: bool = False, *, maximize: bool = False,
    ) -> None: ...

class Adam(Optimizer):
    def __init__(
        self, params: _Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, maximize: bool = False,
    ) -> None: ...

class AdamW(Adam):
    def __init__(
        self, params: _Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
    ) -> None: ...

def zeros(group: dict[str, Any]) -> Any: ...
