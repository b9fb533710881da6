"""What tools show of a public name, compiled or not: its signature, docstring and help, as its stub has them."""

import ast
import importlib
import inspect
import pathlib
import pydoc
import re
import rlcompleter
import sys

import pytest

import micrograd_c
import micrograd_c._core
from micrograd_c import Value

MODULES = ["engine", "functional", "nn", "optim", "tape", "viz"]
CORE = pathlib.Path(micrograd_c._core.__file__).parent
STUBS = sorted(CORE.rglob("*.pyi"))


def public_names():
    """{dotted name: object}, each object once."""
    found = {}
    for module in [micrograd_c, *(importlib.import_module(f"micrograd_c.{name}") for name in MODULES)]:
        for name in module.__all__:
            if not any(getattr(module, name) is other for other in found.values()):
                found[f"{module.__name__}.{name}"] = getattr(module, name)
    return found


def members(kind, wanted):
    """What a public class of ours has of its own or from another one of ours."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith("micrograd_c")]
    names = sorted({name for base in ours for name in vars(base) if wanted(name)})
    return {name: inspect.getattr_static(kind, name) for name in names}


def is_public(name):
    return not name.startswith("_")


NAMES = public_names()
CLASSES = {name: kind for name, kind in NAMES.items() if isinstance(kind, type)}
CALLABLES = {name: one for name, one in NAMES.items() if not (name in CLASSES and issubclass(one, BaseException))}
PUBLIC_MEMBERS = {
    f"{name}.{member}": one for name, kind in CLASSES.items() for member, one in members(kind, is_public).items()
}
METHODS = {     # with operators and the like
    f"{name}.{member}": one
    for name, kind in CLASSES.items() for member, one in members(kind, lambda name: True).items() if callable(one)
}
DOCUMENTED = {**NAMES, **{
    name: one for name, one in PUBLIC_MEMBERS.items() if callable(one) or inspect.isdatadescriptor(one)
}}


def test_all_kinds_are_found():
    assert {"micrograd_c.Value", "micrograd_c.softmax", "micrograd_c.tape.stats", "micrograd_c.nn.MLP"} <= set(NAMES)
    assert {"micrograd_c.Value.relu", "micrograd_c.Value.data", "micrograd_c.Batch.sum"} <= set(DOCUMENTED)
    assert {"micrograd_c.Value.__radd__", "micrograd_c.Batch.__pow__", "micrograd_c.nn.MLP.__call__"} <= set(METHODS)


def skip_if_python_drops_the_signature(one):
    if sys.version_info < (3, 10) and one in (Value, micrograd_c.Batch):
        pytest.skip("CPython 3.9 keeps no signature of a class made in C at run time")


@pytest.mark.parametrize("one", [*CALLABLES.values(), *METHODS.values()], ids=[*CALLABLES, *METHODS])
def test_inspect_knows_the_signature(one):
    skip_if_python_drops_the_signature(one)
    inspect.signature(one)


@pytest.mark.parametrize("one", DOCUMENTED.values(), ids=DOCUMENTED)
def test_there_is_a_docstring(one):
    assert inspect.getdoc(one).strip()
    assert "\n--\n" not in inspect.getdoc(one)       # what a signature in a docstring ends with


@pytest.mark.parametrize("name", DOCUMENTED)
def test_help_renders(name):
    text = pydoc.plain(pydoc.render_doc(DOCUMENTED[name]))
    assert inspect.getdoc(DOCUMENTED[name]).split("\n", 1)[0] in text


@pytest.mark.parametrize(("one", "shown"), [
    (Value, "Value(data, _children=(), _op='', label=None, *, children=None, local_grads=None)"),
    (Value.relu, "relu(self, /)"),
    (micrograd_c.sumprod, "sumprod(ws, xs, start=0)"),
    (micrograd_c.softmax, "softmax(xs, /)"),
])
def test_help_shows_the_signature(one, shown):
    skip_if_python_drops_the_signature(one)
    text = pydoc.plain(pydoc.render_doc(one))
    # from CPython 3.13 on a long one has lines for its parameters
    assert shown in re.sub(r"[\s|]+", " ", text).replace("( ", "(").replace(" )", ")").replace(",)", ")")


# --- what can be given by name ---

COMPILED = {name: one for name, one in NAMES.items() if inspect.isbuiltin(one)}


@pytest.mark.parametrize("name", COMPILED)
def test_parameters_can_be_given_by_name_unless_the_signature_has_them_before_a_slash(name):
    function = COMPILED[name]
    parameters = inspect.signature(function).parameters.values()
    refused = any(parameter.kind is parameter.POSITIONAL_ONLY for parameter in parameters)
    message = ""
    try:
        function(**{parameter.name: object() for parameter in parameters})
    except Exception as error:
        message = str(error)
    assert ("keyword" in message) == refused


# --- stubs: of compiled modules whose names are public, since compiled functions have no annotations ---

def definitions(stub):
    """(names of the way to it, its definitions) for all functions in a stub; overloads are some of one."""
    found = {}
    for node in stub.body:
        for part in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(part, ast.FunctionDef) and not is_setter(part):
                way = (node.name,) if part is node else (node.name, part.name)
                found.setdefault(way, []).append(part)
    return found


def is_setter(definition):
    return any(isinstance(decorator, ast.Attribute) for decorator in definition.decorator_list)


def is_property(definition):
    return "property" in map(ast.unparse, definition.decorator_list)


IN_STUBS = {
    ".".join([*path.relative_to(CORE).with_suffix("").parts, *way]): several
    for path in STUBS for way, several in definitions(ast.parse(path.read_text(encoding="utf-8"))).items()
}


def runtime(name):
    room, module, *way = name.split(".")
    found = importlib.import_module(f"micrograd_c._core.{room}.{module}")
    for part in way:
        found = inspect.getattr_static(found, part)
    return found


def parameters_at_runtime(one):
    parameters = inspect.signature(one).parameters.values()
    return [(p.name, p.kind, "none" if p.default is p.empty else p.default) for p in parameters]


def parameters_in_stub(definition):
    arguments = definition.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = ["none"] * (len(positional) - len(arguments.defaults)) + list(map(ast.literal_eval, arguments.defaults))
    kinds = [inspect.Parameter.POSITIONAL_ONLY if argument in arguments.posonlyargs
             else inspect.Parameter.POSITIONAL_OR_KEYWORD for argument in positional]
    by_name = [(argument.arg, inspect.Parameter.KEYWORD_ONLY, ast.literal_eval(default))
               for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults)]
    return [*zip([argument.arg for argument in positional], kinds, defaults), *by_name]


@pytest.mark.parametrize("name", [
    name for name, several in IN_STUBS.items()
    if not is_property(several[0])
])
def test_signatures_are_those_of_the_stub(name):
    for definition in IN_STUBS[name]:
        here, there = parameters_at_runtime(runtime(name)), parameters_in_stub(definition)
        if name.split(".")[2:] != [definition.name]:        # the kind of self makes no difference
            here, there = here[1:], there[1:]
        assert here == there


@pytest.mark.parametrize("name", [name for name in IN_STUBS if not name.endswith("__")])
def test_docstrings_are_those_of_the_stub_which_editors_show(name):
    assert ast.get_docstring(IN_STUBS[name][0]) == inspect.getdoc(runtime(name))


def test_stubs_are_found():
    assert {path.relative_to(CORE).as_posix() for path in STUBS} == {
        "bulk/functional.pyi", "bulk/linear.pyi", "mapped/batch.pyi", "mapped/taking.pyi", "tape/arena.pyi",
        "value/selecting.pyi", "value/tracing.pyi", "value/value.pyi",
    }
    assert len(IN_STUBS["bulk.linear.sumprod"]) > 1


@pytest.mark.parametrize("name", [
    *COMPILED, *(name for name, kind in CLASSES.items() if kind in (Value, micrograd_c.Batch)),
])
def test_what_is_compiled_and_public_is_in_a_stub(name):
    last = name.rpartition(".")[2]
    assert any(last in way.split(".")[2:] for way in IN_STUBS)


# --- completion ---

@pytest.mark.parametrize(("typed", "completed"), [
    ("v.rel", "v.relu("), ("v.backw", "v.backward("), ("v.dat", "v.data"), ("Value", "Value("),
    ("micrograd_c.no", "micrograd_c.no_grad("), ("micrograd_c.opt", "micrograd_c.optim"),
    ("micrograd_c.sof", "micrograd_c.softmax("),
])
def test_names_complete(typed, completed):
    completer = rlcompleter.Completer({"v": Value(1.0), "Value": Value, "micrograd_c": micrograd_c})
    assert completer.complete(typed, 0).startswith(completed)
