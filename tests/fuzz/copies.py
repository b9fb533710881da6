"""The model's copies: copy, deepcopy, and pickle of leaves."""

import copy
import copyreg

import nodes
import rules
from nodes import SLOTS


def shallow(value):
    fresh = copied(value, value._children)
    copy_state(fresh, value, lambda state: state)
    return fresh


def deep(root, memo):
    """Nodes first, in order, then what was assigned to them."""
    originals = sorted(nodes.below(root), key=lambda node: node._birth)
    memo.setdefault(id(memo), []).append(originals)
    new = [original for original in originals if id(original) not in memo]
    for original in new:
        memo[id(original)] = copied(original, [memo[id(child)] for child in original._children])
    for original in new:
        copy_state(memo[id(original)], original, lambda state: copy.deepcopy(state, memo))
    return memo[id(root)]


def reduced(value):
    if value._rule is not rules.of_leaf or value._children or (value._function and not value._detached):
        raise TypeError
    attributes, slots = dict(value.__dict__) or None, slots_of(value)
    return restored, (type(value), value._data, value._grad, value._name), (attributes, slots) if slots else attributes


def copied(original, children):
    if nodes.is_native(original):
        raise TypeError
    fresh = type(original).__new__(type(original))
    nodes.set_up(fresh, original._data, tuple(children), original._made_as, original._rule, original._constant, False)
    fresh._name = original._name
    fresh._grad, fresh._slack = original._grad, original._slack
    return fresh


def slots_of(value):
    names = [name for name in copyreg._slotnames(type(value)) if name not in SLOTS]
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def copy_state(fresh, original, copied_state):
    if isinstance(original._function, nodes.FormerStep):
        fresh._function = nodes.FormerStep(fresh, original._function.former)
    elif original._function:
        fresh._function = copied_state(original._function)
    if original.__dict__:
        fresh.__dict__.update(copied_state(dict(original.__dict__)))
    for name, member in slots_of(original).items():
        setattr(fresh, name, copied_state(member))


def restored(cls, data, grad, op):
    value = cls.__new__(cls)
    nodes.set_up(value, data, (), op, rules.of_leaf)
    value._name, value._grad = op, grad
    return value
