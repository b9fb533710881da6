from micrograd_c.batch import Batch
from micrograd_c.batching import TraceError, vmap
from micrograd_c.choosing import maximum, minimum, stop_gradient, where
from micrograd_c.engine import Value
from micrograd_c.grad_mode import no_grad
from micrograd_c.substitute import install, uninstall
from micrograd_c.vector import cross_entropy, linear, logsumexp, mean, softmax, sumprod

__version__: str
__all__ = [
    "Batch", "TraceError", "Value", "cross_entropy", "install", "linear", "logsumexp", "maximum", "mean", "minimum",
    "no_grad", "softmax", "stop_gradient", "sumprod", "uninstall", "vmap", "where",
]
