from array import array

from micrograd_c.engine import Value

def check_parameters(parameters: list[Value]) -> int: ...
def zero_grad(parameters: list[Value]) -> None: ...
def sgd(
    parameters: list[Value], buffer: array[float] | None, lr: float, momentum: float, dampening: float,
    weight_decay: float, nesterov: bool, maximize: bool, first: bool,
) -> None: ...
def adam(
    parameters: list[Value], mean: array[float], square: array[float], largest: array[float] | None, lr: float,
    beta1: float, beta2: float, eps: float, weight_decay: float, decoupled: bool, maximize: bool, step: int,
) -> None: ...
