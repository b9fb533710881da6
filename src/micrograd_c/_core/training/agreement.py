"""Whether all ranks have models of one shape. Knows names of parameters, and ranks."""

from __future__ import annotations

import hashlib

from micrograd_c._core.modules.parameters import named_parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from micrograd_c._core.training.ranks import Ranks
    from micrograd_c._core.value.value import Value

__all__ = ["check_agreement", "parameters_of"]


def parameters_of(model: Any) -> list[Value]:
    """A model's parameters, or the Values of a list."""
    return list(model.parameters() if hasattr(model, "parameters") else model)


def check_agreement(ranks: Ranks, model: Any, count: int, doing: str) -> None:
    """Raise ValueError on all ranks unless all have `count` parameters, of the same names in the same order."""
    named = named_parameters(model) if hasattr(model, "parameters") else [(f"[{i}]", None) for i in range(count)]
    names = "\n".join(name for name, _ in named)
    digests = ranks.gather(hashlib.sha256(names.encode()).hexdigest(), doing)
    if len(set(digests)) == 1:
        return
    everybody = [text.split("\n") for text in ranks.gather(names, doing)]
    other = next(i for i in range(ranks.size) if everybody[i] != everybody[0])
    raise ValueError(f"the ranks' models differ in shape: {difference(everybody[0], everybody[other], other)}")


def difference(first: list[str], second: list[str], other: int) -> str:
    """Two lists of names that differ, in words: rank 0's and another's.

    >>> difference(["w.0", "w.1", "b"], ["w.0", "b"], 3)
    'rank 0 has 3 parameters and rank 3 has 2; number 1 is w.1 on rank 0 and b on rank 3'
    """
    longest = max(len(first), len(second))
    padded = [names + ["none"] * (longest - len(names)) for names in (first, second)]
    place = next(i for i in range(longest) if padded[0][i] != padded[1][i])
    return (f"rank 0 has {len(first)} parameters and rank {other} has {len(second)}; number {place} is "
            f"{padded[0][place]} on rank 0 and {padded[1][place]} on rank {other}")
