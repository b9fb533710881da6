"""The command line: `python -m micrograd_c` and what the demo prints."""

import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import micrograd_c
from micrograd_c import __main__ as command
from micrograd_c import demo

PACKAGE = pathlib.Path(micrograd_c.__file__).parent


def run_module(*arguments, folder):
    return run(["-m", "micrograd_c", *arguments], folder)


def run(arguments, folder):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=folder, check=False)


def test_the_demo_prints_the_notebooks_lines(capsys):
    assert command.main(["demo"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "step 0 loss 0.8958441028683222, accuracy 50.0%"
    assert lines[99].startswith("step 99 loss 0.01097837013549")
    assert lines[99].endswith(", accuracy 100.0%")
    assert re.fullmatch(r"100 steps, median [\d.]+ [mu]s a step", lines[100])
    assert len(lines) == 101


def test_the_demo_runs_as_a_module(tmp_path):
    done = run_module("demo", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("step 0 loss 0.8958441028683222, accuracy 50.0%\n")


def test_the_demo_compares_with_micrograd(capsys, monkeypatch):
    monkeypatch.setattr(demo, "AGAINST_STEPS", 2)
    assert command.main(["demo", "--against", "micrograd"]) == 0
    lines = capsys.readouterr().out.splitlines()[101:]
    assert lines[0] == "against micrograd, whose first 2 steps are run; median steps:"
    for line, collector in zip(lines[1:], ("on ", "off")):
        (difference,) = re.fullmatch(
            rf"  gc {collector}: largest relative difference of a loss (\S+), "
            r"[\d.]+ ms against [\d.]+ [mu]s a step, [\d,]+ times as fast", line
        ).groups()
        assert float(difference) <= 1e-9
    assert len(lines) == 3


@pytest.mark.parametrize(("options", "kind"), [([], demo.Training), (["--vmap"], demo.VmapTraining)])
def test_the_comparison_times_what_the_demo_ran(monkeypatch, options, kind):
    timed = []
    monkeypatch.setattr(demo, "timed_steps", lambda training, steps: timed.append(type(training)) or ([1.0], 1.0))
    assert command.main(["demo", *options, "--against", "micrograd"]) == 0
    assert timed == [kind, demo.Training] * 2


def test_neither_printing_nor_tracing_counts_as_a_step(monkeypatch, capsys):
    """A step takes a second by this clock, the first one ten; what happens between steps a hundred."""
    now, last, ticks = 0, [], iter(range(10**9))

    def clock():
        nonlocal now
        tick = next(ticks)
        now += 100 if tick % 2 == 0 else 10 if tick == 1 else 1
        last.append(now)
        return now

    monkeypatch.setattr(demo.time, "perf_counter", clock)
    assert command.main(["demo", "--vmap"]) == 0
    assert len(last) == 200
    assert capsys.readouterr().out.endswith(
        "\n100 steps, median 1000.0 ms a step; the first, with tracing, 10000.0 ms\n"
    )


def test_the_demo_draws_the_boundary(tmp_path, capsys):
    matplotlib = pytest.importorskip("matplotlib", reason="the plot needs matplotlib, an optional extra")
    matplotlib.use("Agg")
    assert command.main(["demo", "--plot", str(tmp_path / "moons.png")]) == 0
    assert (tmp_path / "moons.png").read_bytes().startswith(b"\x89PNG")
    assert "decision boundary drawn to" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("missing", "arguments", "wanted"),
    [
        ("matplotlib.figure", ["--plot", "x.png"], r"'micrograd_c\[plot\]'"),
        ("matplotlib.figure", ["--animate", "x.gif"], r"'micrograd_c\[plot\]'"),
        ("micrograd.engine", ["--against", "micrograd"], r"micrograd==0\.1\.0"),
    ],
)
def test_what_is_missing_is_named_before_anything_runs(monkeypatch, capsys, missing, arguments, wanted):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setitem(sys.modules, missing.partition(".")[0], None)
    package = missing.partition(".")[0]
    with pytest.raises(SystemExit, match=rf"^{arguments[0]}.* needs {package}, .*: pip install {wanted}$"):
        command.main(["demo", *arguments])
    assert capsys.readouterr().out == ""


def test_the_version_is_the_packages_and_tells_what_it_runs_on(capsys):
    assert command.main(["--version"]) is None
    printed = capsys.readouterr().out
    assert printed.startswith(f"micrograd_c {micrograd_c.__version__}\ncompiled by: ")
    micrograd_c.show_config()
    assert capsys.readouterr().out == printed


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["--help"])
    assert ended.value.code == 0
    assert re.findall(r"^    (\w+) ", capsys.readouterr().out, re.MULTILINE) == ["demo", "bench", "run", "explain"]


def test_a_missing_command_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main([])
    assert ended.value.code == 2
    assert "usage: micrograd-c" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_says_how_to_run_a_program(option, capsys):
    assert command.main(["run", option]) == 0
    help_text, errors = capsys.readouterr()
    assert help_text.startswith(
        "usage: micrograd-c run [--as-is | --explain] SCRIPT [ARGUMENT ...]\n"
        "       micrograd-c run [--as-is | --explain] -m MODULE "
    )
    assert errors == ""


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "which program?"), (["-m"], "which program?"), (["--"], "which program?"),
        (["-x", "program.py"], "unknown option -x"),
    ],
)
def test_no_program_to_run_is_a_usage_error(arguments, problem, capsys):
    assert command.main(["run", *arguments]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("usage: micrograd-c run ")
    assert errors.endswith(f"\nmicrograd-c run: error: {problem}\n")


@pytest.fixture
def uncompiled(tmp_path):
    """A folder like the sources', with the package as it is before it is compiled."""
    (tmp_path / "micrograd_c").mkdir()
    for file in PACKAGE.glob("*.py"):       # the compiled core has a folder of its own
        shutil.copy(file, tmp_path / "micrograd_c")
    (tmp_path / "src" / "micrograd_c" / "_core").mkdir(parents=True)
    return tmp_path


def test_uncompiled_sources_are_one_clear_sentence(uncompiled):
    done = run(["-S", "-m", "micrograd_c", "demo"], uncompiled)      # without what is installed
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "not compiled" in line
    assert "pip install ." in line


def test_importing_uncompiled_sources_is_an_import_error_that_says_so(uncompiled):
    done = run(["-S", "-c", "import micrograd_c.engine"], uncompiled)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: micrograd_c is not compiled")
    assert "pip install ." in last


def test_the_data_is_scikit_learns():
    if importlib.util.find_spec("sklearn") is None:
        pytest.skip("the data can be made again only with scikit-learn")
    import numpy as np
    from sklearn.datasets import make_moons

    np.random.seed(1337)
    X, y = make_moons(n_samples=100, noise=0.1)
    assert demo.load_moons() == (X.tolist(), (y * 2 - 1).tolist())


def test_the_demo_by_vmap_takes_the_same_path(capsys):
    assert command.main(["demo"]) == 0
    wanted = capsys.readouterr().out.splitlines()[:100]
    assert command.main(["demo", "--vmap"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 101
    for line, other in zip(lines, wanted):
        _, _, _, loss, _, accuracy = line.split()
        assert float(loss[:-1]) == pytest.approx(float(other.split()[3][:-1]), rel=1e-9)
        assert accuracy == other.split()[5]
