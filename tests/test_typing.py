"""The types that users see: mypy --strict accepts what is right and reports what is wrong."""

import collections
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import micrograd_c
import micrograd_c._core

TESTS = pathlib.Path(__file__).parent
RIGHT, WRONG = TESTS / "typed" / "right.py", TESTS / "typed" / "wrong.py"
PAGES = [TESTS.parent / "README.md", TESTS.parent / "docs" / "guide.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REPORTED = re.compile(r"^(\w+)\.py:(\d+): error: .*\[([\w-]+)\]$", re.MULTILINE)
EXPECTED = re.compile(r"# ([\w-]+(?:, [\w-]+)*)$")


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """{name of a program: {its line: codes of errors}}, of all in one run."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    folder = tmp_path_factory.mktemp("typed")
    installed = folder / "installed"
    for package in (micrograd_c, micrograd_c._core):    # which may lie in two folders: a type checker wants one
        shutil.copytree(
            pathlib.Path(package.__file__).parent, installed.joinpath(*package.__name__.split(".")),
            ignore=shutil.ignore_patterns("*.so", "*.pyd", "*.pyc"), dirs_exist_ok=True,
        )
    programs = [shutil.copy(path, folder) for path in (RIGHT, WRONG)]
    blocks = [block for page in PAGES for block in BLOCK.findall(page.read_text(encoding="utf-8"))]
    for k, block in enumerate(blocks):
        programs.append(folder / f"page{k}.py")
        programs[-1].write_text(block, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", "--follow-imports=silent",
         "--no-error-summary", "--hide-error-context", *(pathlib.Path(program).name for program in programs)],
        capture_output=True, text=True, cwd=folder, env={"MYPYPATH": str(installed)}, check=False,
    )
    assert done.stderr == ""
    found = {pathlib.Path(program).stem: collections.defaultdict(set) for program in programs}
    for program, line, code in REPORTED.findall(done.stdout):
        found[program][int(line)].add(code)
    assert sum(line.count(": error: ") for line in done.stdout.splitlines()) == len(REPORTED.findall(done.stdout))
    return found


def test_what_is_right_is_accepted_with_its_types(reported):
    assert reported["right"] == {}


def test_what_is_wrong_is_reported(reported):
    lines = enumerate(WRONG.read_text(encoding="utf-8").splitlines(), 1)
    expected = {number: set(EXPECTED.search(line).group(1).split(", ")) for number, line in lines if "  # " in line}
    assert len(expected) > 20
    assert reported["wrong"] == expected


def test_readme_and_guide_are_accepted(reported):
    blocks = {name: errors for name, errors in reported.items() if name.startswith("page")}
    assert len(blocks) > 6
    assert blocks == {name: {} for name in blocks}


def test_the_types_are_those_of_the_run(run_python):
    assert run_python(RIGHT.read_text(encoding="utf-8")) == ""
