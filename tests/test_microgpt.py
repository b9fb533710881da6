"""The GPT with a class Value of its own, and what docs/microgpt.md makes of it: each step trains the same model."""

import ast
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "microgpt.py"
PAGE = ROOT / "docs" / "microgpt.md"
BENCHMARK = ROOT / "benchmarks" / "microgpt.py"

if not all(path.is_file() for path in (EXAMPLE, PAGE, BENCHMARK)):
    pytest.skip("the example, its page or its benchmark is not beside the tests", allow_module_level=True)


def load_benchmark():
    spec = importlib.util.spec_from_file_location("benchmark_of_microgpt", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module     # dataclasses ask for it
    spec.loader.exec_module(module)
    return module


benchmark = load_benchmark()
TEXT = EXAMPLE.read_text(encoding="ascii")
STEPS = benchmark.steps()
LAST = list(STEPS.values())[-1]
PROGRAMS = {
    "unchanged, run": (["-m", "micrograd_c", "run"], TEXT),
    "class deleted": ([], benchmark.with_ours(TEXT)),
    **{heading: ([], program) for heading, program in STEPS.items()},
    "last, run": (["-m", "micrograd_c", "run"], LAST),
    "last, class deleted": ([], benchmark.with_ours(LAST)),
}


def outcome(command, text, folder):
    """Losses of two steps of few names, all else that was printed, and what was said on standard error."""
    assert text.count("\nBATCH = 16 ") == 1
    (folder / "microgpt.py").write_text(text.replace("\nBATCH = 16 ", "\nBATCH = 3 ") + "\nprint(losses)\n")
    shutil.copy(EXAMPLE.with_name("names.txt"), folder)
    done = subprocess.run([sys.executable, *command, "microgpt.py", "2"], capture_output=True, text=True, cwd=folder,
                          check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stderr
    *lines, losses = done.stdout.splitlines()
    return ast.literal_eval(losses), lines, done.stderr


@pytest.fixture(scope="module")
def in_pure_python(tmp_path_factory):
    return outcome([], TEXT, tmp_path_factory.mktemp("pure"))


def test_the_example_imports_nothing_but_pythons_own_modules():
    nodes = list(ast.walk(ast.parse(TEXT)))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"itertools", "math", "pathlib", "random", "sys"}
    assert not any(isinstance(node, ast.ImportFrom) for node in nodes)


def test_the_example_is_of_two_hundred_lines():
    assert 150 <= len(TEXT.splitlines()) <= 220


def test_the_playgrounds_gpt_is_the_same_model():
    def model(text):
        return text.partition("\nCHARACTERS = ")[2].partition("\n# --- learning")[0]

    playgrounds = ROOT / "docs" / "playground" / "examples" / "gpt.py"
    assert model(playgrounds.read_text(encoding="ascii")) == model(TEXT) != ""


def test_pure_python_prints_losses_and_names(in_pure_python):
    losses, (first, *lines), errors = in_pure_python
    assert first == "4192 parameters"
    assert lines[:2] == [f"step {k} of 2, loss {loss:.4f}" for k, loss in enumerate(losses, 1)]
    assert losses[0] == pytest.approx(3.3, abs=0.2)     # about log(27): it knows nothing yet
    assert losses[-1] < losses[0]
    assert len(lines) == 2 + 5
    assert all(re.fullmatch("[a-z]{0,16}", name) for name in lines[2:])
    assert errors == ""


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_step_of_the_page_trains_the_same_model(name, in_pure_python, tmp_path):
    wanted, lines, _ = in_pure_python
    losses, its_lines, _ = outcome(*PROGRAMS[name], tmp_path)
    assert losses == pytest.approx(wanted, rel=1e-9)
    assert its_lines == lines


def test_the_line_about_the_class_is_what_the_page_shows(tmp_path):
    _, _, errors = outcome(["-m", "micrograd_c", "run"], TEXT, tmp_path)
    assert errors.startswith("micrograd-c: Value (microgpt.py:")
    assert f"\n{errors}" in PAGE.read_text(encoding="utf-8")


def test_the_page_has_three_steps_of_few_lines():
    assert list(STEPS) == ["Helpers", "Adam", "vmap"]
    before = TEXT
    for _, diff in benchmark.diffs(PAGE.read_text(encoding="utf-8")):
        lines = diff.splitlines()
        assert sum(line.startswith("+") for line in lines) <= 15
        assert sum(line[:1] in ("+", "-") for line in lines) <= 30
        after = benchmark.patched(before, diff)
        assert after != before
        before = after


def test_the_pages_table_has_the_rows_that_are_measured():
    first_table = PAGE.read_text(encoding="utf-8").split("\n\n|")[1].split("\n\n")[0]
    first_cells = re.findall(r"^\| (.*?) +\| .*\bm?s \|", first_table, re.MULTILINE)
    assert [side.title for side in benchmark.sides()] == first_cells


@pytest.mark.parametrize(("text", "diff", "expected"), [
    ("a\nb\nc\n", " a\n-b\n+B\n c\n", "a\nB\nc\n"),
    ("a\nb\nc\n", "-a\n@@ in the end\n c\n+d\n", "b\nc\nd\n"),
    ("a\n\nb\n", " a\n\n+c\n b\n", "a\n\nc\nb\n"),
])
def test_diffs_are_told_by_their_lines(text, diff, expected):
    assert benchmark.patched(text, diff) == expected


@pytest.mark.parametrize(("text", "diff", "message"), [
    ("a\nb\n", "-x\n+y\n", "there 0 times"),
    ("a\na\n", "-a\n+y\n", "there 2 times"),
    ("a\n", "*a\n", "begins with"),
])
def test_diffs_that_do_not_fit_are_errors(text, diff, message):
    with pytest.raises(ValueError, match=message):
        benchmark.patched(text, diff)
