"""Steps around steps: under no_grad, in a thread, with Python's collector running wherever it can, in a function."""

import re

import running


def indented(source):
    return "\n".join("    " + line for line in source.split("\n"))


def names_in(source):
    return sorted({"x0", *re.findall(r"\b[a-z]\d+\b", source)})


def without_recording(draw, inner):
    return f"with no_grad():\n{indented(inner)}"


def nested(draw, inner):
    return f"with no_grad():\n    with no_grad(): pass\n{indented(inner)}"


def in_function(draw, inner):
    return f"def h1():\n    global {', '.join(names_in(inner))}\n{indented(inner)}\n(no_grad(h1))(); del h1"


def in_thread(draw, inner):
    f = "\n".join(["def h1():", f"    global {', '.join(names_in(inner))}", "    try:", indented(indented(inner)),
                   "    except Exception: pass"])
    start = "t1 = Thread(target=h1); t1.start(); t1.join(); del t1, h1"
    return f"{f}\n" + (f"with no_grad():\n    {start}" if draw.chance(0.3) else start)


def eager_collector(draw, inner):
    return f"gc.set_threshold(1, 1, 1); gc.enable()\ntry:\n{indented(inner)}\nfinally: gc.disable()"


KINDS = {
    "with_finalizer": (3, running.with_finalizer), "with_looking_finalizer": (1, running.with_looking_finalizer),
    "with_later_drop": (1, running.with_later_drop),
    "without_recording": (2, without_recording), "nested": (0.5, nested), "in_function": (0.5, in_function),
    "in_thread": (1, in_thread), "eager_collector": (3, eager_collector),
}
