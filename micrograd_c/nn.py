"""Module, Neuron, Layer, MLP, as in micrograd.nn, and activations to choose from.

Recording many nodes in one go is the business of bulk/neurons.pyx, and naming parameters that of modules/parameters.py.
"""

from __future__ import annotations

import random

from micrograd_c._core.bulk import activations, neurons  # type: ignore[attr-defined]  # compiled, without stubs
from micrograd_c._core.bulk.flat import flat
from micrograd_c._core.bulk.optimizer_steps import zero_plain
from micrograd_c._core.modules import parameters as names
from micrograd_c._listing import lister
from micrograd_c.engine import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from micrograd_c._core.bulk.flat import FlatVector
    from micrograd_c._core.value.value import _Operand

    _Activation = str | Callable[[Value], Value]

    class _Output(Value, list[Value]):  # type: ignore[misc]
        """What a layer returns: a Value if it has one neuron, else a list of them.

        Types cannot tell which one it is, as sizes are numbers. So it may be used as either.
        """

__all__ = ["Layer", "MLP", "Module", "Neuron"]
__dir__ = lister(__all__)

# what a repr() begins with, by name; those of neurons are recorded with the sum, the others are methods, or none
ACTIVATIONS = {**activations.ACTIVATIONS, "gelu": "GELU", "silu": "SiLU", "linear": "Linear"}


class Module:
    """Anything with parameters. Subclasses say which ones, by parameters()."""

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Set the gradient of every parameter to 0, or to None: optimizers then skip what no backward() reaches."""
        parameters = self.parameters()
        if not zero_plain(parameters, set_to_none):
            for p in parameters:
                p.grad = None if set_to_none else 0

    def parameters(self) -> list[Value]:
        """A fresh list of all parameters."""
        return []

    def num_parameters(self) -> int:
        """How many parameters there are, a shared one counted once.

        >>> MLP(2, [16, 16, 1]).num_parameters()
        337
        """
        return len(names.unique(self.parameters()))

    def named_parameters(self) -> list[tuple[str, Value]]:
        """A list of (name, Value) for all parameters in their order, a shared one under its first name only.

        A name is the way to the parameter through attributes, lists and dicts of the module.

        >>> [name for name, _ in MLP(2, [1]).named_parameters()]
        ['layers.0.neurons.0.w.0', 'layers.0.neurons.0.w.1', 'layers.0.neurons.0.b']
        """
        return names.named_parameters(self)

    def parameter_vector(self) -> FlatVector:
        """All parameters' data as one array of floats, a shared parameter once; `copy_` sets the parameters to it.

        A copy, which knows nothing of later steps; see micrograd_c.flat.

        >>> numbers = MLP(2, [1]).parameter_vector()
        >>> numbers.copy_([0.5, -0.5, 0.0])
        FlatVector('d', [0.5, -0.5, 0.0])
        """
        return flat(self.parameters())

    def gradient_vector(self) -> FlatVector:
        """All parameters' gradients in the same way, 0.0 where there is none; `copy_` sets the gradients to it."""
        return flat(self.parameters(), "grad")

    def state_dict(self) -> dict[str, Any]:
        """The parameters' data by name, as plain floats and lists of floats: to be saved as JSON, say.

        >>> sorted(MLP(2, [1]).state_dict())
        ['layers.0.neurons.0.b', 'layers.0.neurons.0.w']
        """
        return names.state_dict(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set the parameters' data to what state_dict() returned, for this model or another of the same shape.

        Raises ValueError for missing and unexpected names and other lengths, and TypeError for anything but numbers;
        then nothing has been changed. Gradients stay as they are.
        """
        names.load_state_dict(self, state)

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        """What copy and pickle call. Protocols 0 and 1 know no slots, which a Neuron has: they get protocol 2's."""
        return super().__reduce_ex__(max(protocol, 2))

    def _repr_html_(self) -> str:
        """What notebooks show; repr() is micrograd's."""
        from micrograd_c._core.modules.notebook import summary  # not at the top: few need it
        return summary(self)


class Neuron(Module):
    """activation(b + w[0] * x[0] + w[1] * x[1] + ...), or, if not nonlin, the sum without activation.

    The activation is a function from Value to Value, or the name of one: 'relu', 'tanh', 'sigmoid', 'leaky_relu',
    'gelu', 'silu', 'softplus', 'log_sigmoid', or 'linear' for none. Weights are drawn by random.uniform(-1, 1), in
    order; the bias is 0. They may be replaced and shared.

    >>> Neuron(3), Neuron(3, nonlin=False), Neuron(3, activation="tanh")
    (ReLUNeuron(3), LinearNeuron(3), TanhNeuron(3))

    Raises ValueError for an activation of another name.
    """

    # slots, so that a layer reads them without a lookup; other attributes go to __dict__ as ever
    __slots__ = {  # noqa: RUF023 (in reading order)
        "w": "The weights, a list of Values.",
        "b": "The bias, a Value.",
        "nonlin": "Whether there is an activation.",
        "_activation": "See activation.",
    }

    def __init__(self, nin: int, nonlin: bool = True, activation: _Activation = "relu") -> None:
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin
        # a subclass may mean something else by the name
        Neuron.activation.__set__(self, activation)  # type: ignore[attr-defined]

    @property
    def activation(self) -> _Activation:
        """What a nonlin neuron applies to its sum: a name or a function. A neuron given 'linear' is not nonlin."""
        return getattr(self, "_activation", "relu")     # a subclass may not have called __init__

    @activation.setter
    def activation(self, activation: _Activation) -> None:
        if not callable(activation) and not (isinstance(activation, str) and activation in ACTIVATIONS):
            known = ", ".join(map(repr, ACTIVATIONS))
            raise ValueError(f"activation must be one of {known}, or a function of a Value, not {activation!r}")
        before, self._activation = Neuron.activation.__get__(self), activation  # type: ignore[attr-defined]
        if is_linear(activation) or is_linear(before):
            self.nonlin = not is_linear(activation)

    def __call__(self, x: Iterable[_Operand]) -> Value:
        """The output for inputs x, nin numbers or Values. Raises ValueError if there are not nin."""
        return neurons.neuron(self, x)

    def parameters(self) -> list[Value]:
        """The weights, then the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{self._activation_name() if self.nonlin else 'Linear'}Neuron({len(self.w)})"

    def _activation_name(self) -> str:
        activation = Neuron.activation.__get__(self)
        if isinstance(activation, str):
            return ACTIVATIONS[activation]
        return getattr(activation, "__name__", type(activation).__name__)


class Layer(Module):
    """nout neurons that see the same nin inputs. Takes Neuron's nonlin and activation.

    >>> Layer(2, 3)([1.0, -2])[0].backward()
    >>> Layer(2, 2)
    Layer of [ReLUNeuron(2), ReLUNeuron(2)]
    """

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(self, x: Iterable[_Operand]) -> _Output:
        """The outputs as a list; a single one as it is. Raises ValueError if there are not nin inputs."""
        out = neurons.layer(self.neurons, x)
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Value]:
        """The neurons' parameters in order."""
        return neurons.parameters(self.neurons)

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(str(n) for n in self.neurons)}]"


class MLP(Module):
    """Layers of sizes nouts one after the other, all with the activation except the last, which is linear.

    Or each with its own, the last one too, of a list: activation=['tanh', 'relu', 'linear'].

    >>> model = MLP(3, [4, 4, 1])
    >>> len(model.parameters())
    41
    >>> type(model([2.0, 3.0, -1.0])).__name__
    'Value'
    >>> MLP(1, [1, 1], activation="tanh")
    MLP of [Layer of [TanhNeuron(1)], Layer of [LinearNeuron(1)]]
    >>> MLP(1, [1, 1], activation=["tanh", "sigmoid"])
    MLP of [Layer of [TanhNeuron(1)], Layer of [SigmoidNeuron(1)]]

    Raises ValueError for an activation of another name, and a list that is not as long as nouts.
    """

    def __init__(
        self, nin: int, nouts: Sequence[int],
        activation: _Activation | list[_Activation] | tuple[_Activation, ...] = "relu",
    ) -> None:
        sizes = [nin, *nouts]
        self.layers = [
            Layer(sizes[i], sizes[i + 1], **options) for i, options in enumerate(layer_options(activation, len(nouts)))
        ]

    def __call__(self, x: Iterable[_Operand]) -> _Output:
        """The last layer's outputs for inputs x: a list, or one Value if it has one neuron."""
        return neurons.network(self.layers, x)

    def parameters(self) -> list[Value]:
        """The layers' parameters in order."""
        parameters: list[Value] = []
        for one in self.layers:
            parameters += one.parameters()
        return parameters

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(str(one) for one in self.layers)}]"


def is_linear(activation: Any) -> bool:
    return isinstance(activation, str) and activation == "linear"


def layer_options(activation: Any, count: int) -> list[dict[str, Any]]:
    """What each layer is given besides sizes: micrograd's `nonlin`, and the activation only if that does not say it.

    Somebody may have replaced Layer or Neuron by one that knows micrograd's arguments.
    """
    if not isinstance(activation, (list, tuple)):
        chosen = [activation] * (count - 1) + ["linear"] * (count > 0)
    elif len(activation) == count:
        chosen = list(activation)
    else:
        raise ValueError(f"activation has {len(activation)} entries for {count} layers: a list wants one per layer, "
                         "'linear' for none")
    usual = {"relu": {"nonlin": True}, "linear": {"nonlin": False}}
    return [
        usual[one] if isinstance(one, str) and one in usual else {"nonlin": True, "activation": one} for one in chosen
    ]


neurons.recognise(Neuron, Layer)
