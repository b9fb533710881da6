"""Value, as in micrograd.engine."""

from micrograd_c._core.value.value import Value
from micrograd_c._listing import lister

__all__ = ["Value"]
__dir__ = lister(__all__)
