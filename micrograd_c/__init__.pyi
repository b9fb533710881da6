from micrograd_c._core.drop_in.names import install, uninstall
from micrograd_c._core.mapped.batch import Batch
from micrograd_c._core.mapped.vmap import TraceError, vmap
from micrograd_c._core.value.grad_mode import no_grad
from micrograd_c._core.value.selecting import maximum, minimum, stop_gradient, where
from micrograd_c.engine import Value
from micrograd_c.vector import cross_entropy, linear, logsumexp, mean, softmax, sumprod

__version__: str
__all__ = [
    "Batch", "TraceError", "Value", "cross_entropy", "install", "linear", "logsumexp", "maximum", "mean", "minimum",
    "no_grad", "softmax", "stop_gradient", "sumprod", "uninstall", "vmap", "where",
]
