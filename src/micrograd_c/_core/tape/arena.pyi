def stats() -> dict[str, int]:
    """The tape's size in nodes, and in bytes of memory in use and reserved; and how many nodes have a user's function.

    >>> sorted(stats())
    ['base', 'bytes_reserved', 'bytes_used', 'capacity', 'edges', 'functions', 'nodes', 'young_handles']
    """
def collect() -> int:
    """Drop all nodes that no live Value reaches, give spare memory back, and return how many nodes are left.

    Never needed: the tape does this itself when it is full.
    """
def verify() -> None:
    """Raise AssertionError if the tape is not as it must be. For tests: looks at all nodes."""
def forget_other_threads() -> None:
    """After a fork: forget the indexes that other threads held, and the blocks that they had open."""

__pyx_capi__: dict[str, object]
