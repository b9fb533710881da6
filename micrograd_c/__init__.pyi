from micrograd_c.engine import Value
from micrograd_c.grad_mode import no_grad

__version__: str
__all__ = ["Value", "no_grad"]
