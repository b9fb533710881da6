from dataclasses import dataclass

from micrograd_c.bench.inputs import Sizes
from micrograd_c.bench.peers.base import Cannot, Peer, Program

__all__ = ["OURS", "SIDES", "Cannot", "Peer", "Program", "Side", "families"]

@dataclass(frozen=True)
class Side:
    name: str
    family: str
    title: str
    peer: str
    package: str | None = None
    collector: bool = True
    collected: bool = False
    needs: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    def installed(self) -> bool: ...
    def create(self, sizes: Sizes) -> Peer: ...

OURS: str
MEMORY: tuple[str, ...]
SIDES: list[Side]

def families() -> list[str]: ...
