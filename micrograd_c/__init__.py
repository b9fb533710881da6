"""micrograd, compiled: the same Value, the same nn, the same numbers.

    from micrograd_c.engine import Value
    from micrograd_c.nn import MLP
"""

import importlib
import sys

__version__ = "0.1.0"
__all__ = [
    "Batch", "TraceError", "Value", "cross_entropy", "install", "linear", "logsumexp", "maximum", "mean", "minimum",
    "no_grad", "softmax", "stop_gradient", "sumprod", "uninstall", "vmap", "where",
]

try:
    from micrograd_c.engine import Value
except ModuleNotFoundError as error:
    if not (error.name or "").startswith("micrograd_c."):
        raise
    message = (
        "micrograd_c is not compiled in this folder, which holds its sources: "
        "run `pip install .` here, then start Python (or `micrograd-c demo`) from another folder."
    )
    if sys.argv[:1] == ["-m"]:      # `python -m micrograd_c` has come no further than looking for the module
        raise SystemExit(message) from None
    raise ImportError(message) from None

from micrograd_c._core.drop_in.names import (  # noqa: F401 (IPython and pytest look for their hooks here)
    install,
    load_ipython_extension,
    pytest_addoption,
    pytest_report_header,
    pytest_unconfigure,
    uninstall,
    unload_ipython_extension,
)
from micrograd_c._core.mapped.batch import Batch
from micrograd_c._core.mapped.vmap import TraceError, vmap
from micrograd_c._core.value.grad_mode import no_grad
from micrograd_c._core.value.selecting import maximum, minimum, stop_gradient, where
from micrograd_c.functional import cross_entropy, linear, logsumexp, mean, softmax, sumprod

MODULES = {"engine", "functional", "nn", "optim", "tape", "vector", "viz"}      # loaded when they are asked for


def __getattr__(name):
    if name in MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    """The public names; and for pytest, which looks for them here, its hooks."""
    hooks = [name for name in globals() if name.startswith("pytest_")] if "_pytest" in sys.modules else []
    return sorted({*__all__, *MODULES, "__version__", *hooks})
