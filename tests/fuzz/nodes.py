"""Nodes of the model: what a Value is made of, and a node's own step of a sweep.

A gradient that cannot agree to the bit, since it is a sum over rows, carries a `_slack`: by how much it may be off.
"""

import contextvars
import gc
import itertools

import rules
from rules import MOST, TooLarge

births = itertools.count()
paused = contextvars.ContextVar("paused", default=0)
sweeps = itertools.count(1)
sweep = 0       # the one that is going on
reads = 0.0     # the slacks of gradients that were read since a function of a user's was called
GROWTH = 8.0    # such a function multiplies them by less before it adds them to another gradient
SLOTS = (
    "__dict__", "__weakref__", "_birth", "_blur", "_children", "_constant", "_data", "_detached", "_function",
    "_grad", "_made_as", "_name", "_rule", "_set", "_slack", "_tracked", "_used", "_watched_late",
)


class Step:
    """The `_backward` of a node that has no function of its own."""

    def __init__(self, node):
        self.node = node

    def __deepcopy__(self, memo):
        return self

    def __call__(self):
        push(self.node)


class FormerStep:
    """The `_backward` of a node whose children were assigned: it goes on adding to those it had."""

    def __init__(self, node, former=None):
        self.node, self.former = node, former or object.__new__(type(node))
        if not former:
            for name in SLOTS[2:]:
                setattr(self.former, name, getattr(node, name))

    def __call__(self):
        for name in ("_data", "_grad", "_slack", "_blur"):
            setattr(self.former, name, getattr(self.node, name))
        push(self.former)


def set_up(node, data, children, name, rule, constant=None, detached=None):
    node._data, node._grad, node._slack, node._blur = data, 0, 0.0, 0.0
    node._detached = paused.get() > 0 if detached is None else detached
    if node._detached:
        children, name, rule, constant = (), "", rules.of_leaf, None
    node._made_as = name
    node._children, node._name, node._rule, node._constant = children, name, rule, constant
    node._function = node._set = None
    node._used = node._tracked = node._watched_late = False
    node._birth = next(births)
    for child in children:
        child._used, child._watched_late = True, False


def users_of(node):
    """The nodes that have it as a child."""
    tuples = [one for one in gc.get_referrers(node) if type(one) is tuple]
    return [user for one in tuples for user in gc.get_referrers(one)
            if hasattr(type(user), "_children") and user._children is one and user is not node]


def leave_behind(node):
    """Before a Value is initialised again: another node in place of its former one, for what was computed from it."""
    users = users_of(node)
    if not users:
        return
    former = node._base.__new__(node._base)
    set_up(former, node._data, node._children, node._made_as, node._rule, node._constant, node._detached)
    former._grad, former._slack, former._birth, former._used = node._grad, node._slack, node._birth, True
    for user in users:
        user._children = tuple([former if child is node else child for child in user._children])
        user._set = None
        for slopes in getattr(user._constant, "slopes", []):       # a run of vmap's
            for row in slopes:
                if node in row:
                    row[former] = row.pop(node)


def below(root, swept=False):
    """The root and all that it was computed from, or only what a sweep comes to."""
    found, todo = {root}, [root]
    while todo:
        node = todo.pop()
        if swept and node._rule is rules.of_stop:
            continue
        for child in node._children:
            if child not in found:
                found.add(child)
                todo.append(child)
    return found


def push(node):
    """A node's own step of a sweep."""
    slack = node._slack
    if node._rule.__name__ == "of_leaf":
        give_grads(node)
    elif node._grad is None and node._rule.__name__ != "of_stop":
        raise TypeError
    amounts = node._rule(node, node._grad)
    for child, amount in amounts:
        total = amount if child._grad is None else child._grad + amount
        if type(total) is int and not -MOST < total < MOST:
            raise TooLarge
        child._grad = total
    if slack and not is_native(node):
        for child, slope in node._rule(node, 1.0):
            child._slack += abs(slope) * slack


def give_grads(node):
    """Before a function of a user's adds to those of its children, which may be None."""
    for child in node._children:
        if child._grad is None:
            child._grad = 0


def is_native(node):
    """A run of vmap's or a sum of one, whose rule sees to slack itself."""
    return node._rule.__name__.startswith("of_native")
