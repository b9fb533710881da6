"""Functions made of functions, with JAX's names and meanings: grad, value_and_grad, jacobians, hessian, jvp, vjp."""

from __future__ import annotations

import functools

from micrograd_c._core.bulk.linear import sumprod
from micrograd_c._core.tape import pausing  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.transforms import own_values, plain_sweeps  # type: ignore[attr-defined]  # compiled
from micrograd_c._core.transforms.calling import Call, check_argnums, check_callable, is_inside
from micrograd_c._core.transforms.structure import SCALARS, as_number, described, is_number, leaves, rebuild
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    _Argnums = int | Sequence[int]

__all__ = ["grad", "hessian", "jacfwd", "jacobian", "jacrev", "jvp", "value_and_grad", "vjp"]


def differentiated(
    fn: Callable[..., Any], name: str, argnums: Any, has_aux: bool, finish: Callable[[Call], Any],
) -> Callable[..., Any]:
    """A function that calls `fn`, and then `finish` with that Call."""
    check_callable(fn, name)
    places = check_argnums(argnums)

    @functools.wraps(fn, updated=())
    def function(*arguments: Any, **keywords: Any) -> Any:
        return finish(Call(fn, arguments, keywords, places, has_aux, name == "hessian"))

    return function


def grad(fn: Callable[..., Any], argnums: _Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the derivatives of `fn`, which returns one Value, with respect to an argument.

    argnums is the argument's place, or a tuple of places: then there is a tuple of results. An argument is a number or
    Value, or nested lists, tuples and dicts of those, and its derivatives have the same structure. They are floats;
    inside of another transform, or of a function given to vmap, Values. With has_aux `fn` returns a pair, of which the
    second is handed on.

    >>> grad(lambda x: x ** 3)(2.0)
    12.0
    >>> grad(grad(lambda x: x ** 3))(2.0)
    12.0
    >>> grad(lambda p: p["w"] * 3 + p["b"][0])({"w": 1.0, "b": [2.0]})
    {'w': 3.0, 'b': [1.0]}
    """
    return differentiated(fn, "grad", argnums, has_aux, lambda call: call.with_aux(gradient(call, "grad"), has_aux))


def value_and_grad(fn: Callable[..., Any], argnums: _Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """As grad, and the value with it: a function that returns both. With has_aux the value is a pair, too.

    >>> value_and_grad(lambda x: x ** 3)(2.0)
    (8.0, 12.0)
    """
    def finish(call: Call) -> Any:
        found = gradient(call, "value_and_grad")
        return call.with_aux(call.values(), has_aux), found
    return differentiated(fn, "value_and_grad", argnums, has_aux, finish)


def gradient(call: Call, name: str) -> Any:
    call.check_scalar(name)
    return rebuild(call.structure, rows_of(call)[0])


def rows_of(call: Call) -> list[list[Any]]:
    """For each output the derivatives with respect to the inputs, by sweeps from the outputs down."""
    if call.inside:
        return call.reverse(call.outputs, one_by_one(call.outputs))
    return plain_sweeps.numbers(call.outputs, call.inputs)  # type: ignore[no-any-return]


def one_by_one(values: list[Value]) -> list[list[tuple[int, float]]]:
    """A way for each of them alone, see derivatives.reverse."""
    return [[(k, 1.0)] for k in range(len(values))]


def columns_of(call: Call, roots: list[Value], is_symmetric: bool = False) -> list[list[Any]]:
    """The same for each of some roots, from the inputs up."""
    columns = call.forward(roots, one_by_one(call.inputs), is_symmetric)
    return [list(row) for row in zip(*columns)] if columns else [[] for _ in roots]


def matrix(call: Call, rows: list[list[Any]]) -> Any:
    """For each output a tree like the arguments, in a tree like the outputs."""
    return rebuild(call.result, [rebuild(call.structure, row) for row in rows])


def jacrev(fn: Callable[..., Any], argnums: _Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """As grad, of a function that returns nested lists, tuples or dicts of Values: in each one's place its derivatives.

    By one sweep per result, from it down: for functions with few results. See jacfwd, and jacobian.

    >>> jacrev(lambda x: [x[0] * x[1], x[0] ** 2])([3.0, 5.0])
    [[5.0, 3.0], [6.0, 0.0]]
    """
    return differentiated(fn, "jacrev", argnums, has_aux, lambda call: call.with_aux(
        matrix(call, rows_of(call)), has_aux))


def jacfwd(fn: Callable[..., Any], argnums: _Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """As jacrev, by one pass per number of the arguments, upward: for functions of few numbers with many results.

    >>> jacfwd(lambda x: [x, x ** 2, x ** 3])(2.0)
    [1.0, 4.0, 12.0]
    """
    return differentiated(fn, "jacfwd", argnums, has_aux, lambda call: call.with_aux(
        matrix(call, columns_of(call, call.outputs)), has_aux))


def jacobian(fn: Callable[..., Any], argnums: _Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """jacrev, or, if there are more results than numbers in the arguments, jacfwd.

    >>> jacobian(lambda x: [x, x ** 2])(3.0)
    [1.0, 6.0]
    """
    def finish(call: Call) -> Any:
        is_tall = len(call.outputs) > len(call.inputs)
        return call.with_aux(matrix(call, columns_of(call, call.outputs) if is_tall else rows_of(call)), has_aux)
    return differentiated(fn, "jacobian", argnums, has_aux, finish)


def hessian(fn: Callable[..., Any], argnums: _Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Second derivatives: for each number of the arguments a tree like the arguments, in one like the arguments.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    def finish(call: Call) -> Any:
        found = call.reverse(call.outputs, one_by_one(call.outputs))
        slopes = [one for row in found for one in row]
        second = columns_of(call, slopes, is_symmetric=len(call.outputs) == 1) if call.inside else (
            plain_sweeps.numbers(slopes, call.inputs))
        width = len(call.inputs)
        rows = [rebuild(call.structure, row) for row in second]
        return call.with_aux(matrix(call, [rows[k * width:(k + 1) * width] for k in range(len(call.outputs))]), has_aux)
    return differentiated(fn, "hessian", argnums, has_aux, finish)


def jvp(fn: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """The value of `fn` at the arguments `primals`, and what it changes by if these change by `tangents`.

    Both are sequences with an entry for each argument. With has_aux there is a third result.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))
    (6.0, 23.0)
    """
    check_callable(fn, "jvp")
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise TypeError(f"jvp wants {name} as a tuple with an entry for each argument, not {described(given)}")
    call = Call(fn, primals, {}, tuple(range(len(primals))), has_aux)
    amounts = matching(tuple(tangents), call.structure, "tangents", "primals")
    (found,) = call.forward(call.outputs, [list(enumerate(amounts))])
    change = rebuild(call.result, found)
    return (call.values(), change, call.handed_on()) if has_aux else (call.values(), change)


def vjp(fn: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `fn` at the arguments `primals`, and a function from weights of its results to derivatives.

    That function takes a number or Value for each result, in the results' structure, and returns a tuple with an entry
    for each argument: the derivatives of the results' weighted sum. With has_aux there is a third result.

    >>> value, pull = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> value, pull(10.0)
    (6.0, (30.0, 20.0))
    """
    check_callable(fn, "vjp")
    call = Call(fn, primals, {}, tuple(range(len(primals))), has_aux)

    def pull(weights: Any) -> Any:
        amounts = matching(weights, call.result, "what the results are weighted by", "the results")
        if call.inside or is_inside():
            (found,) = call.reverse(call.outputs, [list(enumerate(amounts))])
            return rebuild(call.structure, found)
        total = pausing.recording(lambda: sumprod(call.outputs, amounts))
        return rebuild(call.structure, plain_sweeps.numbers([total], call.inputs)[0])

    return (call.values(), pull, call.handed_on()) if has_aux else (call.values(), pull)


def matching(tree: Any, like: Any, name: str, other: str) -> list[Any]:
    """The leaves of a tree of numbers that must have the structure of another one."""
    alike: list[Any] | None = own_values.leaves_alike(tree, like)
    if alike is not None:
        return alike
    found = leaves(tree, name)
    if not is_alike(tree, like):
        count = len(leaves(like, other))
        raise ValueError(f"{name} must have the structure of {other}"
                         + ("" if len(found) == count else f": {count} numbers, and here are {len(found)}"))
    for one in found:
        if type(one) not in SCALARS and not isinstance(one, Value) and not is_number(one):
            raise TypeError(f"{name} must be numbers or Values, not {described(one)}")
    return [one if type(one) in SCALARS or isinstance(one, Value) else as_number(one) for one in found]


def is_alike(tree: Any, like: Any) -> bool:
    """Whether two trees are of one structure. Lists and tuples are the same to it."""
    if isinstance(tree, (list, tuple)) and isinstance(like, (list, tuple)):
        return len(tree) == len(like) and all(
            (type(one) in SCALARS and type(two) in SCALARS) or is_alike(one, two) for one, two in zip(tree, like))
    if isinstance(tree, dict) and isinstance(like, dict):
        return tree.keys() == like.keys() and all(is_alike(one, like[key]) for key, one in tree.items())
    kinds = (list, tuple, dict)
    return (tree is None) == (like is None) and not isinstance(tree, kinds) and not isinstance(like, kinds)
