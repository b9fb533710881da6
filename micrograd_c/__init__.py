"""micrograd, compiled: the same Value, the same nn, the same numbers.

    from micrograd_c.engine import Value
    from micrograd_c.nn import MLP
"""

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

from micrograd_c.batch import Batch
from micrograd_c.batching import TraceError, vmap
from micrograd_c.choosing import maximum, minimum, stop_gradient, where
from micrograd_c.grad_mode import no_grad
from micrograd_c.substitute import (  # noqa: F401 (IPython and pytest look for their hooks here)
    install,
    load_ipython_extension,
    pytest_addoption,
    pytest_report_header,
    pytest_unconfigure,
    uninstall,
    unload_ipython_extension,
)
from micrograd_c.vector import cross_entropy, linear, logsumexp, mean, softmax, sumprod
