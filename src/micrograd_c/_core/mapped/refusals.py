"""What is often tried with a result of vmap and cannot be: errors that say what to do instead.

Knows how long a result is, and its class's name.
"""

__all__ = ["OPERATORS", "refuse_arithmetic", "refuse_order", "refuse_truth", "refuse_use_as_number"]

OPERATORS = [f"__{side}{name}__" for name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul") for side in ("", "r")]


def name_of(batch):
    return f"a {type(batch).__name__} of {len(batch)} rows"


def refuse_arithmetic(batch, other):
    """For an operator with another object. NumPy's arrays may answer themselves: they compute with its numbers."""
    if hasattr(other, "__array_ufunc__"):
        return NotImplemented
    raise TypeError(
        f"{name_of(batch)} takes no part in arithmetic: have the function given to vmap compute it, row by row, or use "
        "sum() or mean(), which are Values; np.asarray(batch) has its numbers, without gradient"
    )


def refuse_order(batch, other):
    """For <, <=, > and >=."""
    if hasattr(other, "__array_ufunc__"):
        return NotImplemented
    raise TypeError(f"{name_of(batch)} cannot be compared: compare its numbers, np.asarray(batch)")


def refuse_use_as_number(batch):
    """For float() and int()."""
    raise TypeError(f"{name_of(batch)} is not one number: batch[0] is a row's, and sum() and mean() are Values")


def refuse_truth(batch):
    """For bool()."""
    raise ValueError(f"{name_of(batch)} is neither true nor false: ask any() or all() of its numbers, or len(batch)")
