"""The tape that all Values share: how full it is, and giving back what nothing reaches."""

from micrograd_c._core.tape.arena import collect, stats, verify

__all__ = ["collect", "stats", "verify"]
