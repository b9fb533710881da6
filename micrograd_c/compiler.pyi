from typing_extensions import disjoint_base

from micrograd_c.analysis import Analysis
from micrograd_c.engine import Value
from micrograd_c.program import Program

__all__ = ["compile"]

@disjoint_base
class Compiler(Analysis): ...

def compile(outputs: list[Value], inputs: list[int], shared: list[int]) -> Program: ...
