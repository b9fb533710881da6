"""The former name of micrograd_c.functional."""

from micrograd_c._listing import lister
from micrograd_c.functional import cross_entropy, linear, log_softmax, logsumexp, mean, softmax, sumprod

__all__ = ["cross_entropy", "linear", "log_softmax", "logsumexp", "mean", "softmax", "sumprod"]
__dir__ = lister(__all__)
