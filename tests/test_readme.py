"""What README and guide show is true: their Python prints what they say, and their figures are those of results.md."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ["README.md", "README.zh-TW.md", "docs/guide.md"]
RESULTS = ROOT / "docs" / "results.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTS = re.compile(r"# prints (\[.*\]|[^,\n]+?)(?:,.*)?$", re.MULTILINE)

pytestmark = pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the pages are not beside the tests")


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks():
    return [
        pytest.param(block, id=f"{page}: {block.partition(chr(10))[0]}")
        for page in PAGES if (ROOT / page).is_file() for block in BLOCK.findall(text_of(page))
    ]


@pytest.mark.parametrize("block", blocks())
def test_its_python_runs_and_prints_what_it_says(block, run_python):
    expected = PRINTS.findall(block)
    assert expected
    assert run_python(block).splitlines() == expected


@pytest.mark.parametrize("page", PAGES)
def test_there_are_blocks_to_run(page):
    assert len(BLOCK.findall(text_of(page))) >= 2


@pytest.mark.parametrize("page", ["README.md", "README.zh-TW.md"])
def test_the_readme_is_one_page(page):
    assert len(text_of(page).splitlines()) <= 150


# --- figures ---

def measured(section, row):
    """A row of a table of results.md: its cells."""
    table = text_of("docs/results.md").partition(f"### {section}")[2].partition("\n#")[0]
    (cells,) = re.findall(rf"^\| {re.escape(row)} +\|(.*)\|$", table, re.MULTILINE)
    return [cell.strip() for cell in cells.split("|")]


STEP_BY_VMAP = "Run B: a training step of micrograd's demo"
SPEEDS = {      # rows of the README's table by tables of results.md
    0: "A training step of micrograd's demo:", 1: "MLP(2, [16, 16, 1]) on one sample", 2: "A training step of a GPT",
    3: "micrograd's README expression", 4: "One op of `x = x*b + a` in a loop of 500 ops, forward\n",
    5: "Memory per node",
}


@pytest.mark.parametrize("page", ["README.md", "README.zh-TW.md"])
@pytest.mark.parametrize(("k", "section"), SPEEDS.items())
def test_a_row_of_the_readmes_table_is_that_of_the_run(page, k, section):
    rows = re.findall(r"^\| [^|]+\|(.*)\|$", text_of(page), re.MULTILINE)[1:]
    assert len(rows) == len(SPEEDS)
    ours, theirs, uncollected = (
        measured(section, row) for row in ("micrograd_c", "micrograd, as it comes", "micrograd, gc.disable()")
    )
    ratio = 1 if len(ours) == 2 else 3      # of bytes, or of minima
    wanted = [theirs[0], uncollected[0], ours[0], theirs[ratio], uncollected[ratio]]
    assert [cell.strip() for cell in rows[k].split("|")] == wanted


@pytest.mark.parametrize("page", ["README.md", "README.zh-TW.md"])
def test_figures_in_sentences_are_those_of_the_runs(page):
    sentences = " ".join(line for line in text_of(page).splitlines() if not line.startswith("|"))
    section = "A training step of micrograd's demo:"
    ours, theirs, uncollected = (
        measured(section, row) for row in ("micrograd_c", "micrograd, as it comes", "micrograd, gc.disable()")
    )
    c, jax = (measured(STEP_BY_VMAP, row) for row in ("C by hand, -ffast-math", "JAX, jit"))
    for figure in (ours[0], theirs[0], theirs[3], uncollected[0], uncollected[3], c[2], jax[2]):
        assert figure in sentences
    assert set(re.findall(r"[\d.,]+ (?:ns|us|ms)\b", sentences)) == {ours[0], theirs[0], uncollected[0]}


def test_what_is_said_of_vmap_is_what_the_run_says():
    text = " ".join(text_of("docs/vmap.md").partition("## Compared")[2].split())
    c, jax, torch = (measured(STEP_BY_VMAP, row)[2] for row in ("C by hand, -ffast-math", "JAX, jit", "PyTorch"))
    assert f"{c} times as long as C by hand with `-ffast-math`, {jax} times as long as JAX, and {torch} times" in text
    batch = measured("Run B: a training step of MLP(64, [64, 10])", "PyTorch")[2]
    assert f"on a batch of 64, {batch} times as long as PyTorch" in text
    scan = measured("Run B: a pendulum of 200 steps", "JAX, jit of lax.scan")[2]
    assert f"{scan} times as long as JAX's compiled" in text
    _, traced, compiled, _ = measured("Run B: a pendulum, traced", "JAX's as lax.scan")
    assert f"{traced} ms to trace it, where JAX takes {compiled} ms to compile" in text


def test_the_guides_figures_are_those_of_the_run():
    helpers, ours = (measured("A training step of a GPT", row) for row in ("micrograd_c, helpers", "micrograd_c"))
    assert f"takes {helpers[0]} instead of {ours[0]} (run A" in " ".join(text_of("docs/guide.md").split())
    assert len(re.findall(r"\d (?:ns|us|ms)\b", text_of("docs/guide.md"))) == 2


def test_the_chart_is_drawn_from_the_run(run_python):
    assert run_python(f"""
import sys
sys.path.insert(0, {str(ROOT / "docs")!r})
import draw
sys.stdout.reconfigure(encoding="utf-8")
print(draw.chart(), end="")
""") == text_of("docs/demo-step.svg")


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md"])
def test_what_is_promised_of_numbers_is_said_in_the_same_words(page):
    text = " ".join(text_of(page).split())
    assert "Forward results are micrograd's to the bit. Gradients agree up to the order of additions, " in text
    assert "so a training loss may differ in its last digit." in text
