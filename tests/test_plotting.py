"""Pictures of training: what plot_boundary and plot_losses draw, and what `micrograd-c demo` writes with them."""

import math
import re
import sys

import pytest

from micrograd_c import __main__ as command
from micrograd_c import demo, viz
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

POINTS, LABELS = [[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]], [-1, 1, 1]


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib", reason="pictures need matplotlib, an optional extra")
    matplotlib.use("Agg")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    yield pyplot
    pyplot.close("all")


def test_the_boundary_is_where_the_score_is_0(pyplot):
    axes = viz.plot_boundary(lambda x: Value(x[0]) - 1.5, POINTS, LABELS)
    below, above = axes.collections[0].get_paths()
    assert max(x for x, _ in below.vertices) == pytest.approx(1.5, abs=1e-6)
    assert min(x for x, _ in above.vertices) == pytest.approx(1.5, abs=1e-6)
    assert axes.get_xlim() == (-0.5, 3.5)
    assert axes.get_ylim() == (-0.5, 2.5)
    assert axes.collections[-1].get_offsets().tolist() == POINTS


@pytest.mark.parametrize("kind", ["a Value", "a number", "an infinite number", "a list of one"])
def test_a_score_may_be(pyplot, kind):
    models = {
        "a Value": lambda x: Value(x[1]) - 1, "a number": lambda x: x[1] - 1,
        "an infinite number": lambda x: (x[1] - 1) * float("inf") if x[1] > 2 else x[1] - 1,
        "a list of one": lambda x: [Value(x[1]) - 1],
    }
    axes = viz.plot_boundary(models[kind], POINTS, LABELS, lines=31)
    below, _ = axes.collections[0].get_paths()
    assert max(y for _, y in below.vertices) == pytest.approx(1, abs=0.01)


def test_of_several_scores_the_largest_decides(pyplot):
    axes = viz.plot_boundary(lambda x: [Value(0.0), Value(x[0] - 1), Value(x[0] * 2 - 4)], POINTS, [0, 1, 2], lines=9)
    (row, *_) = axes.collections[0].get_array().reshape(9, 9).tolist()
    assert row == [0, 0, 0, 0, 1, 1, 1, 1, 2]       # at x = -0.5, 0, 0.5, ... 3.5; the first of equal ones


def test_a_model_is_asked_without_a_graph_and_left_as_it_is(pyplot):
    model = MLP(2, [4, 1])
    before = [(p.data, p.grad) for p in model.parameters()]
    seen = []

    def spying(x):
        seen.append(model(x))
        return seen[-1]

    viz.plot_boundary(spying, POINTS, LABELS, lines=5)
    assert len(seen) == 25
    assert all(not score._prev for score in seen)
    assert [(p.data, p.grad) for p in model.parameters()] == before


def test_numpy_arrays_are_points_and_labels(pyplot):
    np = pytest.importorskip("numpy")
    axes = viz.plot_boundary(lambda x: x[0] - 1.5, np.array(POINTS), np.array(LABELS), lines=5)
    assert axes.collections[-1].get_offsets().tolist() == POINTS


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        ([], [], {}, "there are no points"),
        ([[1.0, 2.0], [1.0]], [1, 1], {}, r"two numbers, but X\[1\] has 1"),
        (POINTS, [1], {}, "not 1 labels for 3 points"),
        (POINTS, LABELS, {"lines": 1}, "lines must be at least 2, not 1"),
        ([[1.0, math.nan]], [1], {}, r"two finite numbers, but X\[0\] is \[1.0, nan\]"),
    ],
)
def test_what_cannot_be_drawn_is_a_value_error(X, y, options, message):
    with pytest.raises(ValueError, match=message):
        viz.plot_boundary(lambda x: x[0], X, y, **options)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: viz.plot_boundary(sum, [1, 2], LABELS), r"X\[0\] must be a list of its entries, not 1"),
        (lambda: viz.plot_boundary(sum, 3, LABELS), "X must be a list of its entries, not 3"),
        (lambda: viz.plot_boundary(sum, POINTS, ["a", "b", "a"]), r"y\[0\] must be a number or a Value, not 'a'"),
        (lambda: viz.plot_boundary(sum, POINTS, [[1], [1], [-1]]), r"y\[0\] must be a number or a Value, not \[1\]"),
        (lambda: viz.plot_losses(3.0), "losses must be a list of its entries, not 3.0"),
        (lambda: viz.plot_losses([1.0, None]), r"losses\[1\] must be a number or a Value, not None"),
    ],
)
def test_what_is_no_number_is_a_type_error_that_names_its_place(draw, message):
    with pytest.raises(TypeError, match=message):
        draw()


def test_losses_are_numbers_or_values(pyplot):
    axes = viz.plot_losses([3, 2.5, Value(1.0)])
    assert axes.lines[0].get_ydata().tolist() == [3.0, 2.5, 1.0]
    assert viz.plot_losses([1.0], axes=axes) is axes
    assert len(axes.lines) == 2


def test_no_losses_are_a_value_error():
    with pytest.raises(ValueError, match="no losses"):
        viz.plot_losses([])


@pytest.mark.parametrize(
    ("draw", "user"),
    [
        (lambda: viz.plot_losses([1.0]), "plot_losses"),
        (lambda: viz.plot_boundary(sum, POINTS, LABELS), "plot_boundary"),
    ],
)
def test_a_missing_matplotlib_is_an_import_error_that_names_the_extra(monkeypatch, draw, user):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=rf"^{user} needs matplotlib, .*: pip install 'micrograd_c\[plot\]'$"):
        draw()


def test_the_demo_is_drawn_while_it_learns(pyplot, tmp_path, capsys, monkeypatch):
    image = pytest.importorskip("PIL.Image", reason="GIFs need Pillow, an optional extra")
    monkeypatch.setattr(demo, "STEPS", 6)
    file = tmp_path / "moons.gif"
    assert command.main(["demo", "--vmap", "--animate", str(file)]) == 0
    assert capsys.readouterr().out.endswith(f"training drawn to {file}\n")
    with image.open(file) as gif:
        assert gif.n_frames == 3        # one for two steps; the last is held
        gif.seek(2)
        assert gif.info["duration"] > 1000


@pytest.mark.parametrize("options", [["--plot", "moons.xyz"], ["--animate", "moons.mp4"]])
def test_a_file_of_an_unknown_format_is_refused_before_anything_runs(pyplot, options, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=rf"error: the name of {re.escape(options[1])} must end in one of \.") as ended:
        command.main(["demo", *options])
    assert ended.value.code != 0
    assert capsys.readouterr().out == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [["--plot", "absent/moons.png"], ["--animate", "absent/moons.gif"]])
def test_a_file_that_cannot_be_written_is_refused_before_anything_runs(pyplot, options, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=rf"{options[1]} cannot be written: "):
        command.main(["demo", *options])
    assert capsys.readouterr().out == ""
