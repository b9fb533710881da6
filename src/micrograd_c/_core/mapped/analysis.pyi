from typing_extensions import disjoint_base

from micrograd_c._core.value.value import Value

__all__ = ["Untraceable"]

class Untraceable(Exception): ...

@disjoint_base
class Analysis:
    def __init__(self, outputs: list[Value], inputs: list[int], shared: list[int]) -> None: ...
