"""Graphs of programs and expressions, drawn and explained by micrograd_c for the page."""

import contextlib
import io
import json
import sys

from micrograd_c import Value, explain
from micrograd_c.__main__ import main as command

MOST = 60       # Values in a picture
shown = None    # the explanation of the graph that was drawn last


def graph():
    """The last variable of the program that was computed, as JSON: {"name": ..., "svg": ...}; null without one."""
    global shown
    shown = None
    variables = vars(sys.modules["__main__"])
    values = {name: value for name, value in variables.items() if isinstance(value, Value)}
    computed = [name for name, value in values.items() if value._prev]
    nodes = below(values[computed[-1]]) if computed else None
    if nodes is None:
        return "null"
    shown = explain(values[computed[-1]], names={name: value for name, value in values.items() if value in nodes})
    return json.dumps({"name": computed[-1], "svg": shown.svg().partition("\n")[2]})    # without the line for files


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
    """What `micrograd-c explain` writes with --html, as JSON: {"page": ...}, or {"wrong": a sentence}."""
    page, wrong = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(page), contextlib.redirect_stderr(wrong):
        try:
            status = command(["explain", expression, *numbers.replace(",", " ").split(), "--html", "-"])
        except SystemExit:      # of argparse, which does not take a word
            status = 2
    if status:
        return json.dumps({"wrong": wrong.getvalue().strip().rpartition("micrograd-c explain: ")[2]})
    return json.dumps({"page": page.getvalue()})
