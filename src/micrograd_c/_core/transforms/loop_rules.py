"""The derivatives of a loop in a trace, recorded: loops again, backward and forward.

Knows loops of a trace, and derivatives of a graph.

Design
------
A step is recorded once more, with leaves of its own, and differentiated as any graph: its rule makes adjoints of what
it reads from those of its outputs. That is the step of another loop, which begins with the last step, gets what was
carried to each, carries adjoints, and adds up those of what is the same for all steps. Forward, tangents are carried.
Some steps have other rules: gradients come to one output of a single step, say, or to what is carried only from there
on. Steps that are alike are a loop; one that is alone is its rule, with that step's Values in the place of leaves.
"""

from __future__ import annotations

from micrograd_c._core.mapped import rolling  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.transforms import (  # type: ignore[attr-defined]  # compiled, without stubs
    derivatives,
    substituting,
)
from micrograd_c._core.transforms.structure import as_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from micrograd_c._core.value.value import Value

    _Found = Value | float | None

__all__ = ["pulled", "pushed"]

FEW = 4     # steps that are alike


class Loop:
    """A loop, and its step with leaves of its own. `own` says which of what is the same has leaves there, too."""

    def __init__(self, node: int, own: Iterable[int]) -> None:
        self.node, self.above = node, rolling.leaf()
        parts = substituting.parts_of(node, self.above)
        self.steps, self.starts, self.gets, self.same, leaves, same, outs = parts
        self.carried, self.got = len(self.starts), len(leaves) - len(self.starts)
        self.carried_on, self.given = outs[:self.carried], len(outs) - self.carried
        self.first = rolling.top()
        self.leaves = [rolling.leaf() for _ in leaves]
        self.own = {k: rolling.leaf() for k in own}
        others = dict(zip(leaves, self.leaves))
        others.update({one: self.own.get(k, self.same[k]) for k, one in enumerate(same)})
        self.dear: dict[int, Value] = {}    # by index here: a number that is dear to compute, in the step as it was
        self.outs = substituting.substituted(outs, others, self.above, self.dear)
        self.dear_leaves: dict[int, Value] = {}
        self.variants: dict[Any, Any] = {}

    def leaf(self, k: int) -> Value:
        """What a rule may read: a leaf of the step, or, below 0, ~the index of a number that is dear to compute."""
        if k >= 0:
            return self.leaves[k]
        if ~k not in self.dear_leaves:
            self.dear_leaves[~k] = rolling.leaf()
        return self.dear_leaves[~k]

    def read(self, k: int, step: int) -> Value:
        """What a leaf stands for in a step."""
        if k < 0:
            return substituting.end_at(self.node, substituting.with_out(self.node, self.dear[~k]), step, self.above)
        if k >= self.carried:
            return self.gets[step][k - self.carried]
        if step == 0:
            return self.starts[k]
        which = substituting.with_out(self.node, self.carried_on[k])
        return substituting.end_at(self.node, which, step - 1, self.above)

    def number(self, which: int, step: int) -> int:
        """Of what a step gives."""
        return self.carried + which * self.steps + step

    def place(self, k: int, step: int) -> int:
        """Of what a step gets, among all that the loop reads."""
        return self.carried + step * self.got + k

    def place_of_same(self, k: int) -> int:
        return self.carried + self.steps * self.got + k


class Rule:
    """What is made of leaves: `amounts` for adjoints or tangents, beside those of the loop's step."""

    def __init__(self, loop: Loop, amounts: dict[Any, Value], found: dict[Any, _Found]) -> None:
        self.loop, self.amounts = loop, amounts
        known = {key: one for key, one in found.items() if one is not None}
        dear = substituting.used(list(known.values()), list(loop.dear))
        others = {index: loop.leaf(~index) for index in dear}
        self.found = dict(zip(known, substituting.substituted(list(known.values()), others, loop.above)))
        indexes = {rolling.index_of(leaf): k for k, leaf in enumerate(loop.leaves)}
        indexes.update({rolling.index_of(loop.leaf(~index)): ~index for index in dear})
        self.reads = sorted(indexes[one] for one in substituting.used(list(self.found.values()), list(indexes)))

    def at(self, step: int, amounts: dict[Any, _Found]) -> dict[Any, _Found]:
        """What is found in a step."""
        loop = self.loop
        others = {rolling.index_of(loop.leaf(k)): loop.read(k, step) for k in self.reads}
        others.update({rolling.index_of(leaf): loop.same[k] for k, leaf in loop.own.items()})
        others.update({rolling.index_of(leaf): amounts[key] for key, leaf in self.amounts.items()})
        return dict(zip(self.found, substituting.substituted(list(self.found.values()), others, loop.above)))

    def over(
        self, steps: list[int], starts: dict[Any, _Found], amounts: list[dict[Any, _Found]],
        constant: dict[Any, _Found], added: list[Any],
    ) -> tuple[dict[Any, _Found], list[dict[Any, _Found]]]:
        """The loop over such steps: what is carried at last, with sums of what is `added`; and what each step gives.

        `starts` are carried, `amounts` are what each step has of its own, and `constant` what all have.
        """
        loop = self.loop
        sums = {key: rolling.leaf() for key in added}
        own = list(amounts[0])
        leaves = [*(self.amounts[key] for key in starts), *sums.values(), *(loop.leaf(k) for k in self.reads),
                  *(self.amounts[key] for key in own)]
        others = [key for key in self.found if key not in starts and key not in sums]
        outs = [*(as_value(self.found[key]) for key in starts),
                *(leaf + as_value(self.found[key]) for key, leaf in sums.items()),
                *(as_value(self.found[key]) for key in others)]
        gets = [[*(loop.read(k, step) for k in self.reads), *(as_value(mine[key]) for key in own)]
                for step, mine in zip(steps, amounts)]
        bound = {rolling.index_of(leaf): loop.same[k] for k, leaf in loop.own.items()}
        bound.update({rolling.index_of(self.amounts[key]): as_value(one) for key, one in constant.items()})
        begin = [*(as_value(one) for one in starts.values()), *(as_value(0.0) for _ in sums)]
        recorded = rolling.record_loop(begin, gets, leaves, outs, loop.first, bound)
        if recorded is None:
            raise rolling.WrittenOut
        ends, given = recorded
        return dict(zip([*starts, *sums], ends)), [dict(zip(others, one)) for one in given]


def pulled(node: int, adjoints: dict[int, Any], wanted: set[int]) -> dict[int, _Found]:
    """The shares of what a loop reads, by the place there, if wanted; adjoints are told by the numbers of ends."""
    steps, starts, gets, same, *_ = substituting.parts_of(node, rolling.leaf())
    first = len(starts) + steps * len(gets[0])
    loop = Loop(node, [k for k in range(len(same)) if first + k in wanted])
    inputs: dict[Any, Value] = {("carried", k): loop.leaves[k] for k in range(loop.carried)}
    inputs.update({("got", k): loop.leaves[loop.carried + k] for k in range(loop.got)
                   if any(loop.place(k, step) in wanted for step in range(loop.steps))})
    inputs.update({("same", k): leaf for k, leaf in loop.own.items()})
    now: dict[Any, _Found] = {("carried", k): adjoints[k] for k in range(loop.carried) if k in adjoints}
    mine = [{("given", which): adjoints[loop.number(which, step)] for which in range(loop.given)
             if loop.number(which, step) in adjoints} for step in range(loop.steps)]
    shares: dict[int, _Found] = {}
    step = loop.steps - 1

    def take(found: dict[Any, _Found], at: int) -> None:
        for (kind, k), one in found.items():
            if kind == "got":
                shares[loop.place(k, at)] = one
            elif kind == "same" and one is not None:
                place = loop.place_of_same(k)
                shares[place] = one if shares.get(place) is None else as_value(shares[place]) + as_value(one)

    while step >= 0:
        asked = (*now, *mine[step])
        if not asked:
            step -= 1
            continue
        rule = loop.variants.get(asked)
        if rule is None:
            rule = loop.variants[asked] = backward_rule(loop, asked, inputs)
        last = step
        while last > 0 and mine[last - 1].keys() == mine[step].keys():
            last -= 1
        if step - last + 1 >= FEW and {key for key in rule.found if key[0] == "carried"} == set(now):
            at = list(range(step, last - 1, -1))
            ends, given = rule.over(at, now, [mine[one] for one in at], {}, [k for k in rule.found if k[0] == "same"])
            now = {key: one for key, one in ends.items() if key[0] == "carried"}
            take({key: one for key, one in ends.items() if key[0] == "same"}, step)
            for one, found in zip(at, given):
                take(found, one)
            step = last - 1
        else:
            found = rule.at(step, {**now, **mine[step]})
            take(found, step)
            now = {key: one for key, one in found.items() if key[0] == "carried"}
            step -= 1
    shares.update({k: one for (_, k), one in now.items()})
    return shares


def backward_rule(loop: Loop, asked: tuple[Any, ...], inputs: dict[Any, Value]) -> Rule:
    amounts = {key: rolling.leaf() for key in asked}
    roots = [as_value(loop.outs[k if kind == "carried" else loop.carried + k]) for kind, k in asked]
    (row,) = derivatives.reverse(roots, [list(enumerate(amounts.values()))], list(inputs.values()))
    return Rule(loop, amounts, dict(zip(inputs, row)))


def pushed(node: int, tangents: dict[int, Any], wanted: set[int]) -> dict[int, _Found]:
    """What the ends of a loop change by, by their numbers, if wanted; tangents are told by places of what it reads."""
    steps, starts, gets, same, *_ = substituting.parts_of(node, rolling.leaf())
    first = len(starts) + steps * len(gets[0])
    constant: dict[Any, _Found] = {("same", k): tangents[first + k] for k in range(len(same)) if first + k in tangents}
    loop = Loop(node, [k for _, k in constant])
    outputs: dict[Any, Any] = {("carried", k): loop.outs[k] for k in range(loop.carried)}
    outputs.update({("given", which): loop.outs[loop.carried + which] for which in range(loop.given)
                    if any(loop.number(which, step) in wanted for step in range(loop.steps))})
    now: dict[Any, _Found] = {("carried", k): tangents[k] for k in range(loop.carried) if k in tangents}
    mine = [{("got", k): tangents[loop.place(k, step)] for k in range(loop.got) if loop.place(k, step) in tangents}
            for step in range(loop.steps)]
    changes: dict[int, _Found] = {}

    def take(found: dict[Any, _Found], at: int) -> None:
        for (kind, which), one in found.items():
            if kind == "given" and loop.number(which, at) in wanted:
                changes[loop.number(which, at)] = one

    step = 0
    while step < loop.steps:
        asked = (*now, *mine[step])
        if not asked and not constant:
            step += 1
            continue
        rule = loop.variants.get(asked)
        if rule is None:
            rule = loop.variants[asked] = forward_rule(loop, (*asked, *constant), outputs)
        end = step
        while end < loop.steps and mine[end].keys() == mine[step].keys():
            end += 1
        if end - step >= FEW and {key for key in rule.found if key[0] == "carried"} == set(now):
            ends, given = rule.over(list(range(step, end)), now, mine[step:end], constant, [])
            now = ends
            for at, found in zip(range(step, end), given):
                take(found, at)
            step = end
        else:
            found = rule.at(step, {**now, **mine[step], **constant})
            take(found, step)
            now = {key: one for key, one in found.items() if key[0] == "carried"}
            step += 1
    changes.update({k: one for (_, k), one in now.items() if k in wanted})
    return changes


def forward_rule(loop: Loop, asked: tuple[Any, ...], outputs: dict[Any, Any]) -> Rule:
    amounts = {key: rolling.leaf() for key in asked}
    inputs = [loop.own[k] if kind == "same" else loop.leaves[k if kind == "carried" else loop.carried + k]
              for kind, k in asked]
    (row,) = derivatives.forward(
        [as_value(one) for one in outputs.values()], [list(enumerate(amounts.values()))], inputs)
    return Rule(loop, amounts, dict(zip(outputs, row)))
