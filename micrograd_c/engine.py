"""Value, as in micrograd.engine."""

from micrograd_c._core.value.value import Value

__all__ = ["Value"]
