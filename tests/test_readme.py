"""What the README shows is true: its Python runs, and prints what the comments beside it say."""

import pathlib
import re

import pytest

README = pathlib.Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTS = re.compile(r"# prints (\[.*\]|[^,\n]+?)(?:,.*)?$", re.MULTILINE)


def blocks():
    return BLOCK.findall(README.read_text(encoding="utf-8")) if README.is_file() else []


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.split("\n", 1)[0])
def test_its_python_runs_and_prints_what_it_says(block, run_python):
    expected = PRINTS.findall(block)
    assert expected
    assert run_python(block).splitlines() == expected


def test_there_are_blocks_to_run():
    assert len(blocks()) >= 2
