"""Many Values in one call: sums of products, softmax and its like, each exactly as its plain spelling has it."""

from micrograd_c._core.bulk.functional import cross_entropy, linear, logsumexp, mean, softmax, sumprod

__all__ = ["cross_entropy", "linear", "logsumexp", "mean", "softmax", "sumprod"]
