"""Graphs of programs and expressions, drawn and explained by micrograd_c for the page."""

import contextlib
import io

from micrograd_c import Value, explain
from micrograd_c.__main__ import main as command

MOST = 60       # Values in a picture
shown = None    # the explanation of the graph that was drawn last


def graph(variables):
    """The last variable of a program that was computed: its name and its picture; None if there is none to draw."""
    global shown
    shown = None
    values = {name: value for name, value in variables.items() if isinstance(value, Value)}
    computed = [name for name, value in values.items() if value._prev]
    nodes = below(values[computed[-1]]) if computed else None
    if nodes is None:
        return None
    shown = explain(values[computed[-1]], names={name: value for name, value in values.items() if value in nodes})
    return {"name": computed[-1], "svg": shown.svg().partition("\n")[2]}        # without the line for files


def below(root):
    """The Values that one was computed from, itself included; None if there are more than in a picture."""
    nodes, todo = {root}, [root]
    while todo:
        for value in todo.pop()._prev:
            if value not in nodes:
                nodes.add(value)
                todo.append(value)
        if len(nodes) > MOST:
            return None
    return nodes


def page_of_graph():
    return shown.html()


def page_of(expression, numbers):
    """What `micrograd-c explain` writes with --html: (page, "") or ("", what is wrong, in a sentence)."""
    page, wrong = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(page), contextlib.redirect_stderr(wrong):
        try:
            status = command(["explain", expression, *numbers.replace(",", " ").split(), "--html", "-"])
        except SystemExit:      # of argparse, which does not take a word
            status = 2
    return ("", wrong.getvalue().strip().rpartition("micrograd-c explain: ")[2]) if status else (page.getvalue(), "")
