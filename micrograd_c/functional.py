"""Many Values in one call: sums of products, softmax and its like, each exactly as its plain spelling has it; and
functions of one number, of each in a list."""

from micrograd_c._core.bulk.elementwise import gelu, leaky_relu, log_sigmoid, silu, softplus
from micrograd_c._core.bulk.functional import cross_entropy, log_softmax, logsumexp, mean, softmax
from micrograd_c._core.bulk.linear import linear, sumprod
from micrograd_c._listing import lister

__all__ = [
    "cross_entropy", "gelu", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "logsumexp", "mean", "silu",
    "softmax", "softplus", "sumprod",
]
__dir__ = lister(__all__)
