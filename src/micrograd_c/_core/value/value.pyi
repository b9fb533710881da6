from collections.abc import Callable, Iterable
from typing import Any, ClassVar, SupportsFloat, SupportsIndex

from typing_extensions import Self, TypeAlias, disjoint_base

from micrograd_c._core.value.grad_mode import no_grad

# a float or int, a subclass, or a scalar of another library that turns into one
_Number: TypeAlias = float | SupportsFloat | SupportsIndex
_Operand: TypeAlias = Value | _Number

@disjoint_base
class Value:
    """A number that remembers how it was computed.

    Value(data) starts a graph. Value(data, children, local_grads) adds a node of your own op to one, given the
    derivative with respect to each child: backward() does `child.grad += local_grad * out.grad`. Or
    Value(data, children, op): set its `_backward` to a function that adds to the children's `grad`.

    >>> a, b = Value(2.0), Value(-3)
    >>> c = (a * b + 10).relu()
    >>> c.backward()
    >>> c, a, b
    (Value(data=4.0, grad=1), Value(data=2.0, grad=-3), Value(data=-3, grad=2.0))

    Raises TypeError if data or a local gradient is not a number, or a child not a Value, and ValueError if there are
    more or fewer local gradients than children.
    """

    def __init__(
        self, data: _Number, _children: Iterable[Value] = (), _op: str | Iterable[_Number] = "",
        label: object = None, *, children: Iterable[Value] | None = None, local_grads: Iterable[_Number] | None = None,
    ) -> None: ...
    @property
    def data(self) -> float:
        """The number computed; assign to change it, as optimisers do."""
    @data.setter
    def data(self, number: _Number) -> None: ...
    @property
    def grad(self) -> float:
        """The derivative with respect to this Value of the one that backward() was called on.

        It adds up from one backward() to the next, until you set it to 0. Set to None, as zero_grad(set_to_none=True)
        does, it is None until a backward() reaches this Value, and optimizers leave the Value alone.
        """
    @grad.setter
    def grad(self, number: _Number | None) -> None: ...
    @property
    def _prev(self) -> set[Value]:
        """The set of operands; the same set, with the same Values, each time."""
    @_prev.setter
    def _prev(self, children: Iterable[Value]) -> None: ...
    @property
    def _children(self) -> tuple[Value, ...]:
        """The operands in order, a tuple. To be assigned as `_prev` is."""
    @_children.setter
    def _children(self, children: Iterable[Value]) -> None: ...
    @property
    def _local_grads(self) -> tuple[float, ...]:
        """The derivatives with respect to `_children`, a tuple of numbers, computed from data as it is now."""
    @_local_grads.setter
    def _local_grads(self, local_grads: Iterable[_Number]) -> None: ...
    @property
    def _op(self) -> str:
        """The name of the op that computed it, '' for a leaf. Assign one to rename a node."""
    @_op.setter
    def _op(self, name: str) -> None: ...
    @property
    def _backward(self) -> Callable[[], object]:
        """A function that does this node's step of backward(). Assign one to replace the step."""
    @_backward.setter
    def _backward(self, function: Callable[[], object]) -> None: ...
    def backward(self) -> None:
        """Add to the `grad` of each node that this Value was computed from its derivative with respect to that node.

        Sets this Value's own grad to 1 first. Raises what a `_backward` function of yours raises, and
        ZeroDivisionError or OverflowError where the slope of a power does.
        """
    def __add__(self, value: _Operand, /) -> Value: ...
    def __radd__(self, value: _Number, /) -> Value: ...
    def __sub__(self, value: _Operand, /) -> Value: ...
    def __rsub__(self, value: _Number, /) -> Value: ...
    def __mul__(self, value: _Operand, /) -> Value: ...
    def __rmul__(self, value: _Number, /) -> Value: ...
    def __truediv__(self, value: _Operand, /) -> Value: ...
    def __rtruediv__(self, value: _Number, /) -> Value: ...
    def __pow__(self, value: _Operand, mod: None = None, /) -> Value: ...
    def __rpow__(self, value: _Number, mod: None = None, /) -> Value: ...
    def __neg__(self) -> Value: ...
    def __abs__(self) -> Value: ...
    def __pos__(self) -> Value: ...
    def __float__(self) -> float: ...
    def __int__(self) -> int: ...
    def __round__(self, ndigits: SupportsIndex | None = None, /) -> float: ...
    def __format__(self, spec: str, /) -> str: ...
    def __bool__(self) -> bool: ...
    def __lt__(self, value: _Operand, /) -> bool: ...
    def __le__(self, value: _Operand, /) -> bool: ...
    def __gt__(self, value: _Operand, /) -> bool: ...
    def __ge__(self, value: _Operand, /) -> bool: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    # from the table of ops, by ops/write.py
    def relu(self) -> Value:
        """max(0, x); its slope at 0 is 0. A negative int or float gives the int 0, as in micrograd."""
    def exp(self) -> Value:
        """e ** x. Raises OverflowError above 709.78."""
    def log(self) -> Value:
        """The natural logarithm. Raises ValueError unless x > 0."""
    def expm1(self) -> Value:
        """e ** x - 1, to the last digits also where x is near 0. Raises OverflowError above 709.78."""
    def log1p(self) -> Value:
        """log(1 + x), to the last digits also where x is near 0. Raises ValueError unless x > -1."""
    def tanh(self) -> Value:
        """The hyperbolic tangent."""
    def sigmoid(self) -> Value:
        """1 / (1 + e ** -x), for any x without overflow."""
    def softplus(self) -> Value:
        """log(1 + e ** x), for any x without overflow."""
    def log_sigmoid(self) -> Value:
        """The logarithm of sigmoid(x), for any x without overflow."""
    def silu(self) -> Value:
        """x * sigmoid(x). Raises ValueError for -inf."""
    def gelu_tanh(self) -> Value:
        """gelu(x), nearly: 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3))). Raises ValueError for -inf."""
    def sqrt(self) -> Value:
        """The square root. Raises ValueError for x < 0; its slope at 0 is infinite."""
    def sin(self) -> Value:
        """The sine of x radians."""
    def cos(self) -> Value:
        """The cosine of x radians."""
    def tan(self) -> Value:
        """The tangent of x radians."""
    def asin(self) -> Value:
        """The angle in radians, from -pi / 2 to pi / 2, whose sine is x. Raises ValueError unless -1 <= x <= 1."""
    def acos(self) -> Value:
        """The angle in radians, from 0 to pi, whose cosine is x. Raises ValueError unless -1 <= x <= 1."""
    def atan(self) -> Value:
        """The angle in radians, from -pi / 2 to pi / 2, whose tangent is x."""
    def sinh(self) -> Value:
        """The hyperbolic sine. Raises OverflowError where |x| is above 710.47."""
    def cosh(self) -> Value:
        """The hyperbolic cosine. Raises OverflowError where |x| is above 710.47."""
    def erf(self) -> Value:
        """The error function."""
    def erfc(self) -> Value:
        """1 - erf(x), to the last digits also where that is near 0."""
    def floor(self) -> Value:
        """The largest whole number that is not above x. Its slope is 0 everywhere. An int stays one."""
    def ceil(self) -> Value:
        """The smallest whole number that is not below x. Its slope is 0 everywhere. An int stays one."""
    def abs(self) -> Value:
        """|x|, also as abs(v); its slope at 0 is 0. An int stays one."""
    # until here
    def leaky_relu(self, negative_slope: _Operand = 0.01) -> Value:
        """x where it is above 0, else 0.01 * x. Another slope below 0 than 0.01 may be given, a number or a Value."""
    def gelu(self, approximate: str = "none") -> Value:
        """x times the probability that a normally distributed number is below x. Raises ValueError for -inf.

        approximate='tanh' is for gelu_tanh(), as in PyTorch.
        """
    no_grad: ClassVar[type[no_grad]]
    def __setstate__(self, state: Any, /) -> None: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: dict[int, Any], /) -> Self: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...
    def __delattr__(self, name: str, /) -> None: ...

def operators_are_ours() -> bool:
    """False once somebody has assigned to Value.__add__, __mul__, __pow__ or __neg__ (or a reflected one)."""
def compositions_are_ours() -> bool:
    """The same for Value.__sub__ and __truediv__, which micrograd composes of those."""

# internal, but there to be seen: what a few Values carry

@disjoint_base
class Extra:
    """What few Values have; see value/value.pxd."""

__pyx_capi__: dict[str, object]
