"""The tape that all Values share: how full it is, and giving back what nothing reaches."""

from micrograd_c._core.tape.arena import collect, stats, verify
from micrograd_c._listing import lister

__all__ = ["collect", "stats", "verify"]
__dir__ = lister(__all__)
