from typing import Any, Literal

from micrograd_c.engine import Value

__all__ = ["trace", "draw_dot", "to_dot"]

def trace(root: Value) -> tuple[set[Value], set[tuple[Value, Value]]]: ...
# a graphviz.Digraph, which has no types
def draw_dot(root: Value, format: str = "svg", rankdir: Literal["LR", "TB"] = "LR", limit: int | None = 500) -> Any: ...
def to_dot(root: Value, rankdir: Literal["LR", "TB"] = "LR", limit: int | None = 500) -> str: ...
