from typing import Any

__all__ = ["take"]

def take(table: Any, index: Any) -> Any:
    """Row `index` of a table: `table[index]`, also where the index is a number of a row that vmap or jit runs over.

    The table is a list of Values or numbers, or of nested lists of these, all alike, such as an embedding for each
    token; the index is a whole number, also as a Value, that counts from the end if it is negative. Gradients go to the
    Values of that row. No gradient goes to the index.

    Where it can be told, an index that is not whole is a TypeError, and one that is too large an IndexError. In what
    vmap and jit run, numbers of such a row are nan, and get no gradient.

    >>> from micrograd_c import vmap
    >>> from micrograd_c.engine import Value
    >>> table = [Value(10.0), Value(20.0), Value(30.0)]
    >>> vmap(lambda k: take(table, k))([2, 0, -1]).tolist()
    [30.0, 10.0, 30.0]
    """
