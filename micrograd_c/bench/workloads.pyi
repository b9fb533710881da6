from dataclasses import dataclass

from micrograd_c.bench.inputs import Sizes

__all__ = ["WORKLOADS", "Workload", "titled"]

@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    per: str = ""
    unit: str = "seconds"

WORKLOADS: list[Workload]

def titled(workload: Workload, sizes: Sizes) -> str: ...
