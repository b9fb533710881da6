from micrograd_c.engine import Value
from micrograd_c.grad_mode import no_grad
from micrograd_c.substitute import install, uninstall
from micrograd_c.vector import cross_entropy, linear, logsumexp, mean, softmax, sumprod

__version__: str
__all__ = [
    "Value", "cross_entropy", "install", "linear", "logsumexp", "mean", "no_grad", "softmax", "sumprod", "uninstall",
]
