from collections.abc import Iterable, Sequence
from typing import Any

from micrograd_c.engine import Value, _Operand

__all__ = ["Layer", "MLP", "Module", "Neuron"]

class Module:
    def zero_grad(self) -> None: ...
    def parameters(self) -> list[Value]: ...

class Neuron(Module):
    w: list[Value]
    b: Value
    nonlin: bool
    def __init__(self, nin: int, nonlin: bool = True) -> None: ...
    def __call__(self, x: Iterable[_Operand]) -> Value: ...

class Layer(Module):
    neurons: list[Any]
    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None: ...
    # one output comes as it is
    def __call__(self, x: Iterable[_Operand]) -> Any: ...

class MLP(Module):
    layers: list[Any]
    def __init__(self, nin: int, nouts: Sequence[int]) -> None: ...
    # one output comes as it is
    def __call__(self, x: Iterable[_Operand]) -> Any: ...
