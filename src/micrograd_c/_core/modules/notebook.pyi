from micrograd_c.nn import Module

__all__ = ["summary"]

WIDEST: int

def summary(module: Module) -> str: ...
