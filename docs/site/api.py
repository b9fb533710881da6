"""The API reference as Markdown, from docstrings and signatures of the installed package."""

import importlib
import inspect
import re

MODULES = {     # in this order: a name is described where it comes first
    "micrograd_c.engine": "Value", "micrograd_c": "Top level", "micrograd_c.nn": "Neurons, layers, networks",
    "micrograd_c.optim": "Optimizers", "micrograd_c.viz": "Pictures", "micrograd_c.checkpoints": "Checkpoints",
    "micrograd_c.distributed": "Several processes", "micrograd_c.tape": "The tape",
}
MARKS = re.compile(r"([*_<\\|#])")
EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\n).*)*", re.MULTILINE)


def reference():
    """The page."""
    lines = ["# API reference", "", "All public names, from their docstrings."]
    described = set()
    for name, title in MODULES.items():
        module = importlib.import_module(name)
        lines += ["", f"## {title}: {name}", "", prose((module.__doc__ or "").strip())]
        for public in sorted(module.__all__, key=str.lower):
            thing = getattr(module, public)
            if id(thing) not in described:
                described.add(id(thing))
                lines += ["", *entry(public, thing, "###")]
                if inspect.isclass(thing) and not issubclass(thing, BaseException):
                    lines += methods(public, thing)
    return "\n".join(lines) + "\n"


def methods(owner, kind):
    """Those that are not special, and have a docstring."""
    for name in sorted(dir(kind)):
        member = inspect.getattr_static(kind, name)
        if not name.startswith("_") and inspect.getdoc(member):
            yield from ["", *entry(f"{owner}.{name}", getattr(kind, name), "####")]


def entry(name, thing, heading):
    yield f"{heading} {escaped(name)}"
    yield ""
    if callable(thing):
        yield f"```python\n{name}{signature(thing)}\n```"
        yield ""
    yield prose(inspect.getdoc(thing) or "")


def signature(thing):
    try:
        written = re.sub(r"<[^>]*>", "...", str(inspect.signature(thing)))
        return re.sub(r"(: |-> )'([^']*)'", r"\1\2", written)      # annotations are texts
    except (TypeError, ValueError):
        return "(...)"


def prose(text):
    """A docstring as Markdown: code in backticks and examples as they are, all else as plain text."""
    parts, place = [], 0
    for example in EXAMPLE.finditer(text):
        parts += [plain(text[place : example.start()]), f"```pycon\n{example.group().rstrip()}\n```\n"]
        place = example.end()
    return "".join([*parts, plain(text[place:])])


def plain(text):
    """Indented lines stay as they are: they are blocks of code."""
    lines = text.split("\n")
    return "\n".join(line if line.startswith("    ") else escaped(line) for line in lines)


def escaped(line):
    parts = re.split(r"(`[^`]*`)", line)
    parts[::2] = [MARKS.sub(r"\\\1", part) for part in parts[::2]]
    return "".join(parts)
