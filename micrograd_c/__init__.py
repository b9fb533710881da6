"""micrograd, compiled: the same Value, the same nn, the same numbers.

    from micrograd_c.engine import Value
    from micrograd_c.nn import MLP
"""

from __future__ import annotations

import importlib
import sys

__version__ = "0.1.0"
__all__ = [
    "Batch", "CheckpointError", "TraceError", "Value", "accelerate", "atan2", "cross_entropy", "explain", "flat",
    "grad", "gradients", "hessian", "install", "jacfwd", "jacobian", "jacrev", "jit", "jvp", "linear", "load",
    "log_softmax", "logsumexp", "maximum", "mean", "minimum", "no_grad", "save", "scan", "show_config", "softmax",
    "stop_gradient", "sumprod", "take", "uninstall", "value_and_grad", "vjp", "vmap", "where",
]

try:
    from micrograd_c._core.bulk.flat import flat
    from micrograd_c._core.drop_in.names import (  # noqa: F401 (IPython and pytest look for their hooks here)
        install,
        pytest_addoption,
        pytest_report_header,
        pytest_unconfigure,
        uninstall,
    )
    from micrograd_c._core.drop_in.notebooks import load_ipython_extension, unload_ipython_extension  # noqa: F401
    from micrograd_c._core.value.grad_mode import no_grad
    from micrograd_c._core.value.selecting import atan2, maximum, minimum, stop_gradient, where
    from micrograd_c.engine import Value
    from micrograd_c.functional import cross_entropy, linear, log_softmax, logsumexp, mean, softmax, sumprod
except Exception as _error:
    from micrograd_c._import_errors import reason

    _message = reason(_error)
    if _message is None:
        raise
    if sys.argv[:1] == ["-m"]:      # `python -m micrograd_c` has come no further than looking for the module
        raise SystemExit(_message) from None
    raise ImportError(_message) from _error

# a free-threaded Python turns it on for modules like these, unless it was told not to
if not getattr(sys, "_is_gil_enabled", lambda: True)():
    raise ImportError(
        "micrograd_c needs Python's lock (GIL), or threads break its tape: run without PYTHON_GIL=0 and -X gil=0."
    )

TYPE_CHECKING = False       # as type checkers know it, without importing typing
if TYPE_CHECKING:
    from micrograd_c import checkpoints as checkpoints
    from micrograd_c import distributed as distributed
    from micrograd_c import engine as engine
    from micrograd_c import functional as functional
    from micrograd_c import nn as nn
    from micrograd_c import optim as optim
    from micrograd_c import tape as tape
    from micrograd_c import vector as vector
    from micrograd_c import viz as viz
    from micrograd_c._core.adopted.accelerating import accelerate
    from micrograd_c._core.explained.explaining import explain
    from micrograd_c._core.mapped.batch import Batch
    from micrograd_c._core.mapped.taking import take
    from micrograd_c._core.mapped.vmap import TraceError, vmap
    from micrograd_c._core.transforms.functions import (
        grad,
        hessian,
        jacfwd,
        jacobian,
        jacrev,
        jvp,
        value_and_grad,
        vjp,
    )
    from micrograd_c._core.transforms.graphs import gradients
    from micrograd_c._core.transforms.jit import jit
    from micrograd_c._core.transforms.scanning import scan
    from micrograd_c.checkpoints import CheckpointError, load, save
    from micrograd_c.configuration import show_config

# loaded at their first use
MODULES = {"checkpoints", "distributed", "engine", "functional", "nn", "optim", "tape", "vector", "viz"}
NAMES = {
    **dict.fromkeys(["CheckpointError", "load", "save"], "checkpoints"),
    **dict.fromkeys(["TraceError", "vmap"], "_core.mapped.vmap"),
    **dict.fromkeys(
        ["grad", "hessian", "jacfwd", "jacobian", "jacrev", "jvp", "value_and_grad", "vjp"],
        "_core.transforms.functions"),
    "Batch": "_core.mapped.batch",
    "accelerate": "_core.adopted.accelerating",
    "explain": "_core.explained.explaining",
    "gradients": "_core.transforms.graphs",
    "jit": "_core.transforms.jit",
    "scan": "_core.transforms.scanning",
    "show_config": "configuration",
    "take": "_core.mapped.taking",
}


if not TYPE_CHECKING:       # or type checkers would take any name to be there
    def __getattr__(name: str) -> object:
        if name in MODULES:
            return importlib.import_module(f"{__name__}.{name}")
        if name in NAMES:
            found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{NAMES[name]}"), name)
            return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names; and pytest's hooks, if pytest is here to look for them."""
    hooks = [name for name in globals() if name.startswith("pytest_")] if "_pytest" in sys.modules else []
    return sorted({*__all__, *MODULES, "__version__", *hooks})
