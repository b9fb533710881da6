from typing_extensions import disjoint_base

from micrograd_c._core.mapped.analysis import Analysis
from micrograd_c._core.mapped.program import Program
from micrograd_c._core.value.value import Value

__all__ = ["compile"]

@disjoint_base
class Compiler(Analysis): ...

def compile(outputs: list[Value], inputs: list[int], shared: list[int]) -> Program: ...
