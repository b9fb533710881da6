"""Optimizers with PyTorch's names, defaults and update rules: SGD, Adam, AdamW. The rules are in optimizer_steps."""

from __future__ import annotations

from array import array

from micrograd_c._core.bulk import optimizer_steps
from micrograd_c._core.modules.optimizer_options import (
    check_betas,
    check_options,
    frozen,
    read_memory,
    read_state,
)
from micrograd_c._core.modules.parameter_names import check_all_named, check_names, with_names_apart
from micrograd_c._listing import lister

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar, overload

    from micrograd_c.engine import Value

    _Params = Iterable[Value] | Iterable[tuple[str, Value]] | Iterable[dict[str, Any]]
    _T = TypeVar("_T")

__all__ = ["Adam", "AdamW", "Optimizer", "SGD"]
__dir__ = lister(__all__)


class Optimizer:
    """Parameters in groups, each with options of its own. Subclasses bring options and the rule.

    params is a list of Values, or of pairs (name, Value) as from named_parameters(), or of dicts such as
    {"params": values, "lr": 0.01} that set options for a group. Names are kept as the group's "param_names". A Value
    that is listed twice in a group is updated once per step; one whose grad is None, see zero_grad, is left as it is,
    with all that is remembered about it.

    Raises ValueError if there are no parameters, if one is in two groups, if only some have names, or for options out
    of range, and TypeError for parameters that are not Values and options that are not numbers.
    """

    # names of the lists that the rule may keep, with a number per parameter; None: any
    _memory: tuple[str, ...] | None = None

    def __init__(self, params: _Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._states: list[dict[str, Any]] = []
        try:
            groups: list[Any] = list(params)
        except TypeError:
            raise TypeError(f"params must be a list of Values, as model.parameters() is, not {params!r}") from None
        if not groups:
            raise ValueError("an optimizer wants at least one parameter; was it given model.parameters()?")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @property
    def lr(self) -> float:
        """The learning rate, of the first group if they differ. Assigning sets it for all groups."""
        return self.param_groups[0]["lr"]

    @lr.setter
    def lr(self, lr: float) -> None:
        for group in self.param_groups:
            self._check({**group, "lr": lr})
        for group in self.param_groups:
            group["lr"] = lr

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Optimize more parameters: a dict with "params" and any options that differ from the defaults."""
        if not isinstance(group, dict):
            raise TypeError(f"a group of parameters is a dict with the key 'params', not {group!r}")
        unknown = sorted(set(group) - set(self.defaults) - {"params", "param_names"})
        if unknown:
            raise ValueError(f"{type(self).__name__} has no option {unknown[0]!r}; it has {', '.join(self.defaults)}")
        if "params" not in group:
            raise ValueError("a group of parameters is a dict with the key 'params', and options if they differ")
        group = with_names_apart(group)
        params = group["params"]
        optimizer_steps.check_parameters(params)
        known = {id(p) for other in self.param_groups for p in other["params"]}
        if any(id(p) in known for p in params):
            raise ValueError("a parameter is in two groups; it can have the options of one only")
        for other in self.param_groups:
            check_all_named(group, other)
        options = {**self.defaults, **group}
        self._check(options)
        self.param_groups.append(frozen(options))
        self._states.append({"step": 0})

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Set the gradient of every parameter to 0, or, as PyTorch does unless told otherwise, to None.

        A parameter that no backward() reaches before step() has a gradient of 0 or None: by 0 weight decay and momentum
        change it, by None nothing does.
        """
        for group in self.param_groups:
            optimizer_steps.zero_grad(group["params"], set_to_none)

    if TYPE_CHECKING:
        @overload
        def step(self, closure: None = None) -> None: ...
        @overload
        def step(self, closure: Callable[[], _T]) -> _T: ...

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter by its gradient. A closure is called first, and what it returns is returned."""
        result = None if closure is None else closure()
        for group, state in zip(self.param_groups, self._states):
            try:
                self._update(group, state)
            except TypeError:
                self._check(group)      # says which option is wrong, if one is that was assigned in param_groups
                raise
            state["step"] += 1
        return result

    def state_dict(self) -> dict[str, Any]:
        """Options and memory as plain dicts, lists and numbers, to be saved as JSON, say. "params" is only a count."""
        return {
            "param_groups": [frozen({**group, "params": len(group["params"])}) for group in self.param_groups],
            "state": [{k: list(v) if isinstance(v, array) else v for k, v in s.items()} for s in self._states],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what state_dict() returned, which is copied. Parameters are told by their order, not by names.

        Raises ValueError if it is from another kind of optimizer, or for groups of other sizes, and TypeError if it is
        not such a dict. Then nothing has changed.
        """
        saved_groups, saved_states = read_state(state)
        given = [saved.get("params") for saved in saved_groups]
        sizes = [len(group["params"]) for group in self.param_groups]
        if given != sizes or len(saved_states) != len(sizes):
            raise ValueError(f"this state is for groups of {given} parameters, and the optimizer has {sizes}")
        groups, states = [], []
        for group, saved, memory in zip(self.param_groups, saved_groups, saved_states):
            known = {*self.defaults, "params"}
            unknown = set(saved).difference(known, group, ["param_names"])
            differing = sorted([*known.difference(saved), *unknown], key=str)
            if differing:
                raise ValueError(
                    f"this state is of another kind of optimizer: {differing[0]!r} is an option of only one of the "
                    f"two; {type(self).__name__} has {', '.join(self.defaults)}")
            if "param_names" in saved:
                check_names(saved["param_names"], len(group["params"]))
            options = frozen({**group, **saved, "params": group["params"]})
            self._check(options)
            groups.append(options)
            states.append(read_memory(memory, len(group["params"]), self._memory, self._remembers(options)))
        self.param_groups, self._states = groups, states

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])

    def _check(self, options: dict[str, Any]) -> None:
        """Raise for options that this kind of optimizer cannot have."""
        check_options(options)

    def _remembers(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Names of the lists that the rule has kept after a step."""
        return ()

    def _update(self, group: dict[str, Any], state: dict[str, Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no rule: an Optimizer's subclass brings _update")


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov's momentum and weight decay: torch.optim.SGD.

    >>> from micrograd_c.engine import Value
    >>> x = Value(1.0)
    >>> optimizer = SGD([x], lr=0.25)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (x * x).backward()
    ...     optimizer.step()
    >>> x.data
    0.25
    """

    _memory = ("momentum_buffer", "updates")

    def __init__(
        self, params: _Params, lr: float = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
        nesterov: bool = False, *, maximize: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize,
        })

    def _check(self, options: dict[str, Any]) -> None:
        super()._check(options)
        if options["nesterov"] and (options["momentum"] <= 0 or options["dampening"] != 0):
            raise ValueError("nesterov wants a momentum above 0 and a dampening of 0")

    def _remembers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] != 0 else ()

    def _update(self, group: dict[str, Any], state: dict[str, Any]) -> None:
        first = "momentum_buffer" not in state
        buffer = None
        if group["momentum"] != 0:
            buffer = zeros(group) if first else state["momentum_buffer"]
            count_updates(group, state, 0 if first else state["step"])
        optimizer_steps.sgd(
            group["params"], buffer, group["lr"], group["momentum"], group["dampening"], group["weight_decay"],
            group["nesterov"], group["maximize"], first, None if buffer is None else state.get("updates"),
        )
        if buffer is not None:
            state["momentum_buffer"] = buffer


class Adam(Optimizer):
    """Adam: torch.optim.Adam. Its weight_decay is added to the gradient; see AdamW.

    >>> from micrograd_c.engine import Value
    >>> x = Value(1.0)
    >>> optimizer = Adam([x], lr=0.1)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> round(x.data, 6)
    0.9
    """

    _decoupled = False
    _memory = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq", "updates")

    def __init__(
        self, params: _Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, maximize: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize,
        })

    def _check(self, options: dict[str, Any]) -> None:
        super()._check(options)
        check_betas(options["betas"])

    def _remembers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return self._memory[:3] if group["amsgrad"] else self._memory[:2]

    def _update(self, group: dict[str, Any], state: dict[str, Any]) -> None:
        for name in self._remembers(group):
            if name not in state:
                state[name] = zeros(group)
        count_updates(group, state, state["step"])
        optimizer_steps.adam(
            group["params"], state["exp_avg"], state["exp_avg_sq"],
            state["max_exp_avg_sq"] if group["amsgrad"] else None, group["lr"], *group["betas"], group["eps"],
            group["weight_decay"], self._decoupled, group["maximize"], state["step"] + 1, state.get("updates"),
        )


class AdamW(Adam):
    """Adam with decoupled weight decay, which shrinks parameters and leaves gradients alone: torch.optim.AdamW."""

    _decoupled = True

    def __init__(
        self, params: _Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


def count_updates(group: dict[str, Any], state: dict[str, Any], before: int) -> None:
    """From the first step on that leaves a parameter out, remember how often each was updated: `before`, until now."""
    if "updates" not in state and optimizer_steps.any_without_grad(group["params"]):
        state["updates"] = array("d", [before] * len(group["params"]))


def zeros(group: dict[str, Any]) -> Any:
    """What a rule remembers about each parameter, at first."""
    return array("d", bytes(8 * len(group["params"])))
