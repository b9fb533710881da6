"""What is compared: all that variables show, and now and then whole graphs.

A difference is raised with a claim: an expression in terms of the program's variables, and what it should be.
"""

import gc
import math

import model

LOOSE = 1e-12       # relative, of numbers that carry a slack


class Difference(Exception):
    """`kind` tells one from another while a program is made smaller; `check` is a line of Python that shows it."""

    def __init__(self, kind, check):
        super().__init__(f"{kind}: {check}")
        self.kind, self.check = kind, check


def compare_variables(worlds):
    real = worlds.real
    for name in worlds.variables():
        there = worlds.model[name]
        if name not in real:
            raise Difference(("missing", name[0]), name)
        here = real[name]
        kind = name[0]
        if kind == "v" or (kind == "l" and not isinstance(there, list)):
            compare_value(here, there, name)
        elif kind == "x":
            if repr(here) != repr(there):
                raise Difference(("observed",), f"assert repr({name}) == {repr(there)!r}, {name}")
        elif kind == "b" and not isinstance(there, list):
            compare_batch(here, there, name)
        elif kind == "l":
            compare_lists(here, there, name)
        elif kind == "m":
            compare_lists(here.parameters(), there.parameters(), f"{name}.parameters()")
        elif kind == "o":
            compare_lists(here.param_groups[0]["params"], there.params, f'{name}.param_groups[0]["params"]')
        elif kind == "r" and there() is not None:
            compare_reference(here, there, name)


def compare_reference(here, there, name):
    """One made late, see docs/design.md, is cleared with a cycle of garbage that holds its Value."""
    if here() is not None:
        there()._tracked = gc.is_tracked(here())
    elif not (there()._watched_late and there()._tracked):      # no variable: a traceback would keep it
        raise Difference(("weak reference",), f"assert {name}() is not None")


def compare_lists(here, there, name):
    if len(here) != len(there):
        raise Difference(("length",), f"assert len({name}) == {len(there)}, len({name})")
    for k, (a, b) in enumerate(zip(here, there)):
        compare_value(a, b, f"{name}[{k}]")


def compare_value(here, there, name):
    if type(here).__name__ != type(there).__name__:
        raise Difference(("type",), f"assert type({name}).__name__ == {type(there).__name__!r}, type({name})")
    if not isinstance(there, model.Value):
        compare_plain(here, there, name)
        return
    data, grad = here.data, here.grad
    if data != there._data or type(data) is not type(there._data) or data == 0:
        if there._blur and abs(data - there._data) <= there._blur:
            there._data = data
        elif not same(data, there._data):
            raise Difference(("data",), equal(f"{name}.data", there._data, there._blur))
    there._blur = 0.0
    if grad != there._grad or type(grad) is not type(there._grad) or grad == 0:
        if there._slack and type(grad) is float is type(there._grad):
            off = abs(grad - there._grad)
            if math.isfinite(off) and math.isfinite(there._slack) and off > there._slack + LOOSE * abs(grad):
                raise Difference(("grad",), equal(f"{name}.grad", there._grad, there._slack))
        elif not same(grad, there._grad):
            raise Difference(("grad",), equal(f"{name}.grad", there._grad, 0.0))
    if there._slack:
        there._grad, there._slack = grad, 0.0
    if here._op != there._name:
        raise Difference(("op",), f"assert {name}._op == {there._name!r}, {name}._op")
    if there.__dict__:
        compare_attributes(here, there, name)


def same(a, b):
    """To the bit, but for the sign of what is no number."""
    if type(a) is not type(b):
        return False
    if a != b:
        return a != a and b != b
    return a != 0 or type(a) is int or math.copysign(1.0, a) == math.copysign(1.0, b)


def equal(shown, expected, slack):
    if slack:
        return f"assert abs({shown} - {expected!r}) <= {slack!r}, {shown}"
    return f"assert repr({shown}) == {repr(expected)!r}, {shown}"


def compare_attributes(here, there, name):
    for attribute in there.__dict__:
        expected = getattr(there, attribute)
        try:
            found = getattr(here, attribute)
        except AttributeError:
            raise Difference(("attribute",), f"assert hasattr({name}, {attribute!r})") from None
        compare_plain(found, expected, f"{name}.{attribute}")


def compare_plain(here, there, name):
    """An attribute: text, numbers, lists, functions, and Values, of which only numbers are looked at."""
    if isinstance(there, model.Value):
        if type(here).__name__ != type(there).__name__ or not same(here.data, there._data):
            raise Difference(("attribute",), equal(f"{name}.data", there._data, 0.0))
    elif isinstance(there, (list, tuple)):
        if type(here) is not type(there) or len(here) != len(there):
            raise Difference(("attribute",), f"assert len({name}) == {len(there)}, {name}")
        for k, (a, b) in enumerate(zip(here, there)):
            compare_plain(a, b, f"{name}[{k}]")
    elif callable(there):
        if not callable(here):
            raise Difference(("attribute",), f"assert callable({name}), {name}")
    elif repr(here) != repr(there):
        raise Difference(("attribute",), f"assert repr({name}) == {repr(there)!r}, {name}")


def compare_batch(here, there, name):
    numbers = list(here)
    if len(numbers) != len(there):
        raise Difference(("length",), f"assert len({name}) == {len(there)}, len({name})")
    for k, (a, b) in enumerate(zip(numbers, there.values)):
        if not same(a, b) and not abs(a - b) <= there.blur * (1.0 + abs(b)):
            raise Difference(("batch",), equal(f"{name}[{k}]", b, there.blur * (1.0 + abs(b))))


def compare_graphs(worlds, name):
    """All below a Value, side by side."""
    operands_here, operands_there = worlds.real["operands"], worlds.model["operands"]
    here, there = worlds.real[name], worlds.model[name]
    pairs, todo = {here: there}, [(here, there, name)]
    while todo:
        here, there, path = todo.pop()
        compare_value(here, there, path)
        for attribute in ("label", "tag", "other"):
            if hasattr(here, attribute) != hasattr(there, attribute):
                raise Difference(
                    ("attribute",), f"assert hasattr({path}, {attribute!r}) is {hasattr(there, attribute)}")
        operands, expected = operands_here(here), operands_there(there)
        if len(operands) != len(expected):
            raise Difference(("_prev",), f"assert len({path}._prev) == {len(expected)}, {path}._prev")
        for k, (a, b) in enumerate(zip(operands, expected)):
            step = f"operands({path})[{k}]"
            if a not in pairs:
                pairs[a] = b
                todo.append((a, b, step))
            elif pairs[a] is not b:
                raise Difference(("identity",), f"assert False, 'another Value than expected: {step}'")
    if len({id(node) for node in pairs.values()}) != len(pairs):
        raise Difference(("identity",), f"assert False, 'a Value twice below {name}'")
