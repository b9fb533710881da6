"""The sides that can be measured, by name. Knows nothing of how: a library's file is imported when it is its turn."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass

from micrograd_c.bench.peers.base import Cannot, Peer, Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from micrograd_c.bench.inputs import Sizes

__all__ = ["OURS", "SIDES", "Cannot", "Peer", "Program", "Side", "families"]


@dataclass(frozen=True)
class Side:
    """One row of the tables.

    Sides of one family are chosen together: whoever compares with micrograd sees it as it comes and with the collector
    off.
    """

    name: str
    family: str
    title: str
    peer: str                           # "module.Class" in this folder
    package: str | None = None          # what must be importable, and what pip installs
    collector: bool = True              # Python's cyclic collector, while it is measured
    collected: bool = False             # garbage is collected before each single step, untimed
    needs: tuple = ()                   # more packages that must be importable
    only: tuple = ()                    # the workloads it is a row of, if not all
    slow: tuple = ()                    # the workloads that --quick leaves out

    def installed(self) -> bool:
        """Whether its packages can be imported, without importing them."""
        return all(importlib.util.find_spec(name) for name in (self.package, *self.needs) if name)

    def create(self, sizes: Sizes) -> Peer:
        """Import its library; a Peer."""
        module, _, name = self.peer.partition(".")
        return getattr(importlib.import_module(f"{__name__}.{module}"), name)(sizes)


OURS = "micrograd_c"
MEMORY = ("node", "training")
SIDES = [
    Side(OURS, OURS, "micrograd_c", "values.Ours"),
    Side("helpers", OURS, "micrograd_c, helpers", "values.Helpers", only=("wide", "gpt")),
    Side("vmap", OURS, "micrograd_c, vmap", "mapped.Mapped", only=("demo", "wide", "gpt")),
    Side("numbers", OURS, "micrograd_c, local gradients as numbers", "values.LocalGradients", only=("own-ops",)),
    Side("floats", "floats", "plain Python floats", "floats.Floats"),
    Side("python", "python", "a Value in pure Python, as it comes", "values.PurePython"),
    Side("python-uncollected", "python", "a Value in pure Python, gc.disable()", "values.PurePython", collector=False),
    Side("micrograd", "micrograd", "micrograd, as it comes", "values.Micrograd", "micrograd", slow=("training",)),
    Side("micrograd-collected", "micrograd", "micrograd, gc.collect() before each step, untimed",
         "values.MicrogradCollected", "micrograd", collected=True, only=("demo",), slow=("demo",)),
    Side("micrograd-uncollected", "micrograd", "micrograd, gc.disable()", "values.Micrograd", "micrograd",
         collector=False, slow=("training",)),
    Side("torch", "torch", "PyTorch", "pytorch.PyTorch", "torch", slow=("gpt", *MEMORY)),
    Side("jax", "jax", "JAX, jit", "jax.JAX", "jax", slow=("gpt", *MEMORY)),
    Side("numpy", "numpy", "NumPy by hand", "numpy.NumPy", "numpy", slow=MEMORY),
    Side("casadi", "casadi", "CasADi SX, replayed", "casadi.Replayed", "casadi", needs=("numpy",),
         slow=("demo", "gpt", *MEMORY)),
    Side("casadi-eager", "casadi", "CasADi SX, eager", "casadi.Eager", "casadi", needs=("numpy",),
         slow=("demo", "gpt", *MEMORY)),
    Side("xad", "xad", "XAD", "xad.XAD", "xad", slow=MEMORY),
    Side("autograd", "autograd", "HIPS autograd", "autograd.Autograd", "autograd", slow=MEMORY),
    Side("tinygrad", "tinygrad", "tinygrad, TinyJit", "tinygrad.Tinygrad", "tinygrad", needs=("numpy",),
         slow=("expression", "mlp", "demo", "gpt", *MEMORY)),
]


def families() -> list[str]:
    """The names by which sides are chosen."""
    return list(dict.fromkeys(side.family for side in SIDES))
