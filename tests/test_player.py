"""The Python of the playground, without its page: what it tells of a program, and what it draws."""

import importlib
import json
import pathlib
import sys
import weakref

import pytest

FOLDER = pathlib.Path(__file__).parents[1] / "docs" / "playground"
if not FOLDER.is_dir():
    pytest.skip("the playground is not beside the tests", allow_module_level=True)


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return lambda name: importlib.import_module(f"player.{name}")


@pytest.fixture
def run(load, tmp_path, monkeypatch):
    """Runs a program: how it ended, and all that was told, text by its kind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])

    def run(source, replace=False):
        told = []
        ended = json.loads(load("running").run("program.py", source, replace, told.append))["ended"]
        told = [pair for text in told for pair in json.loads(text).items()]
        kinds = {key: "".join(value for name, value in told if name == key) for key in ("out", "err", "note", "names")}
        return ended, kinds, [value for name, value in told if name == "learned"]

    return run


def test_what_a_program_prints_is_told(run):
    lines = "".join(f"{k}\n" for k in range(3000))
    ended, told, learned = run("import sys\nfor k in range(3000): print(k)\nprint('end', end='')\nsys.exit('why')")
    assert (ended, learned) == ("wrong", [])
    assert told == {"out": f"{lines}end", "err": "why\n", "note": "", "names": ""}


def test_a_traceback_begins_with_the_program(run):
    ended, told, _ = run("x = 1\nx / 0\n")
    assert ended == "wrong"
    first, place, line, *_ = told["err"].splitlines()
    assert (first, place) == ("Traceback (most recent call last):", '  File "program.py", line 2, in <module>')
    assert line == "    x / 0"
    ended, told, _ = run("print('out'\n")
    assert (ended, told["out"]) == ("wrong", "")
    assert 'File "program.py", line 1' in told["err"]
    assert run("raise KeyboardInterrupt")[0] == "stopped"


@pytest.mark.parametrize("package", ["micrograd", "micrograd_c"])
def test_what_is_learned_is_told(run, package):
    pytest.importorskip(package)
    _, _, learned = run(
        f"from {package}.nn import MLP\nmodel = MLP(2, [3, 1])\nX, y = [[0.5, 1.0], [1.0, 2.0]], [1, -1]\n"
        "model.layers[1].neurons[0].b.data = 0.25\nfor k in range(4): print(f'step {k} loss {k / 2}, best 9')\n")
    losses = [loss for one in learned for loss in one["losses"]]
    assert losses == [0.0, 0.5, 1.0, 1.5]
    last = learned[-1]
    assert last["steps"] == 4
    assert 0 < last["seconds"] < 1
    assert last["points"] == [[0.5, 1.0, 1.0], [1.0, 2.0, -1.0]]
    hidden, output = last["model"]
    assert ([len(row) for row in hidden["rows"]], hidden["activation"]) == ([3, 3, 3], "relu")
    assert (output["rows"][0][0], output["activation"]) == (0.25, "linear")


@pytest.mark.parametrize(("line", "loss"), [
    ("step 0 loss 0.5, accuracy 50%", 0.5), ("loss: -1e-05", -1e-05), ("loss=2", 2.0), ("the loss is 3.25 now", 3.25),
    ("losses 1 2", None), ("step 3", None), ("loss nan", None),
])
def test_losses_are_read(load, line, loss):
    assert load("learning").loss_in(line) == loss


def test_names_are_told(run):
    _, told, _ = run("print('  names: ada, bo')\nprint('no names: cy')\n")
    assert told["out"] == "  names: ada, bo\nno names: cy\n"
    assert told["names"] == "ada, bo"


def test_what_is_no_network_of_points_is_not_drawn(load):
    from micrograd_c.nn import MLP

    learning = load("learning")
    for model in (None, 3, MLP(3, [1]), MLP(2, [2])):
        assert learning.network(model) is None
    for rows, labels in ((None, None), ([1, 2], [1, 1]), ([[1, 2, 3]], [1]), ([], [])):
        assert learning.points(rows, labels) is None


OWN = "x = 1\n@str\nclass Value:\n    pass\n\nprint(Value.__module__, x)\n1 / 0\n"


def test_a_class_value_is_replaced_where_it_stood(run):
    ended, told, _ = run(OWN, replace=True)
    assert (ended, told["out"]) == ("wrong", "micrograd_c.engine 1\n")
    assert told["note"] == "Lines 2-4, its class Value: micrograd_c's instead.\n"
    assert "line 7, in <module>" in told["err"]
    assert run("class Value(int): pass\nprint(Value.__mro__[1])", replace=True)[1]["out"] == "<class 'int'>\n"


def test_the_last_result_is_drawn_and_stepped_through(load, run):
    explaining = load("explaining")
    begin = "from micrograd_c import Value\na, b = Value(2.0), Value(3.0)\n"
    run(f"{begin}c = a * b\nother = 1")
    drawn = json.loads(explaining.graph())
    assert drawn["name"] == "c"
    assert drawn["svg"].startswith("<svg")
    assert explaining.page_of_graph().startswith("<!DOCTYPE html>")
    for program in (begin, f"{begin}large = sum([a] * 100)"):
        run(program)
        assert json.loads(explaining.graph()) is None


def test_what_a_program_leaves_is_gone_when_the_next_one_runs(load, run):
    run("from micrograd_c import Value\na = Value(1.0)\nb = a * 2\n")
    load("explaining").graph()
    left = weakref.ref(sys.modules["__main__"].b)
    run("print(1)")
    assert left() is None


def test_an_expression_is_explained_or_refused(load):
    explaining = load("explaining")
    explained = json.loads(explaining.page_of("x * y", "x=2, y=3"))
    assert list(explained) == ["page"]
    assert explained["page"].startswith("<!DOCTYPE html>")
    assert json.loads(explaining.page_of("x * y", "x=2")) == {"wrong": "y has no number: give it one, y=1.0"}
