"""Tutorial, FAQ and inside.md: their code prints what is shown, and numbers in their sentences are numbers of that."""

import ast
import importlib.util
import json
import pathlib
import re

import pytest

from micrograd_c import explain

ROOT = pathlib.Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial"
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
SOLUTION = re.compile(
    r'\n\n<details markdown="1">\n<summary>.+</summary>\n\n.+\n```python\n.*\n\n</details>\n', re.DOTALL)
# of sentences: fences, links, chapters' numbers in headings and at their ends
NO_SENTENCES = re.compile(r"^#+ .*$|\]\([^)]*\)|\[\d\. |^\*\*\d\.\*\* ", re.MULTILINE)

pytestmark = pytest.mark.skipif(not TUTORIAL.is_dir(), reason="the tutorial is not beside the tests")


def tool():
    """docs/tutorial/cells.py."""
    spec = importlib.util.spec_from_file_location("tutorial_cells", TUTORIAL / "cells.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cells = tool() if TUTORIAL.is_dir() else None
CHAPTERS = [path.relative_to(TUTORIAL).as_posix() for path in cells.chapters()] if cells else []
PAGES = [*CHAPTERS, "../inside.md", "../faq.md"] if cells else []
ENGLISH = [chapter for chapter in CHAPTERS if "/" not in chapter]
TRANSLATED = [chapter for chapter in CHAPTERS if "/" in chapter]


def text_of(chapter):
    return (TUTORIAL / chapter).read_text(encoding="utf-8")


def code_of(chapter):
    return [cell for cell in cells.cells(text_of(chapter)) if cell.kind == "code"]


def test_there_are_five_chapters_in_each_language():
    assert [name[0] for name in ENGLISH] == list("12345")
    assert [name.split("/") for name in TRANSLATED] == [["zh-TW", name] for name in ENGLISH]


@pytest.mark.parametrize("chapter", PAGES)
def test_its_code_prints_what_is_shown(chapter, run_python):
    code = code_of(chapter)
    shown = [cell.output if cell.runs() else None for cell in code]
    if chapter == "../inside.md":       # which counts nodes: others' must not come and go
        printed = json.loads(run_python(f"""
import json, pathlib, sys
sys.path.insert(0, {str(TUTORIAL)!r})
import cells
page = pathlib.Path({str(TUTORIAL / chapter)!r}).read_text(encoding="utf-8")
print(json.dumps(list(cells.outputs([cell for cell in cells.cells(page) if cell.kind == "code"]))))
"""))
    else:
        printed = list(cells.outputs(code))
    assert printed == shown
    assert sum(map(bool, shown)) >= 4


def numbers(text):
    return {float(number.rstrip(",").replace(",", "")) for number in NUMBER.findall(text)}


def unknown_numbers(sentences, shown):
    """Those of two digits and more, or with a decimal point, that are not among the numbers of code and outputs."""
    found = NUMBER.findall(NO_SENTENCES.sub("", sentences))
    known = numbers(shown)
    return [n for n in found if len(n.strip(",")) > 1 and float(n.rstrip(",").replace(",", "")) not in known]


@pytest.mark.parametrize("chapter", PAGES)
def test_every_number_in_its_sentences_is_one_that_its_code_has_or_prints(chapter):
    made = cells.cells(text_of(chapter))
    shown = "\n".join(cell.text + cell.output for cell in made if cell.kind == "code")
    assert unknown_numbers("\n".join(cell.text for cell in made if cell.kind == "markdown"), shown) == []


def test_a_number_from_elsewhere_is_found():
    assert unknown_numbers("It has 337 parameters, and 65,818 numbers of 1e-17; x is 3.", "337 65818") == ["1e-17"]
    assert unknown_numbers("## 5. Of 100\n[2. A neuron](2-a-neuron.md) is 0.5", "") == ["0.5"]


def without_words(cell):
    """Its code but for comments, and the language that explain is asked for."""
    return ast.dump(ast.parse(cell.text.replace(', lang="zh-TW"', "")))


@pytest.mark.parametrize("chapter", TRANSLATED)
def test_code_and_drawings_are_the_same_in_each_language(chapter):
    english = pathlib.PurePosixPath(chapter).name
    translated = code_of(chapter)
    assert [without_words(cell) for cell in translated] == [without_words(cell) for cell in code_of(english)]
    assert [cell.output for cell in translated if "lang=" not in cell.text] == [
        cell.output for cell, other in zip(code_of(english), translated) if "lang=" not in other.text
    ]
    pictures = [re.findall(r"!\[[^]]*\]\(([^)]*)\)", text_of(name)) for name in (english, chapter)]
    assert [pathlib.PurePosixPath(p).name for p in pictures[0]] == [pathlib.PurePosixPath(p).name for p in pictures[1]]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_there_are_exercises_and_each_has_a_solution(chapter):
    _, *exercises = re.split(r"^\*\*\d\.\*\* ", text_of(chapter), flags=re.MULTILINE)
    assert len(exercises) >= 2
    for exercise in exercises:
        assert SOLUTION.search(exercise)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_it_is_a_notebook_too(chapter):
    folder = (TUTORIAL / chapter).parent
    notebook = cells.notebook(text_of(chapter), folder)
    assert json.loads(cells.as_json(text_of(chapter), folder)) == notebook
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code == [cell.text.strip("\n") for cell in code_of(chapter)]
    sentences = "".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    assert "```" not in sentences
    assert "<details" not in sentences
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)]*)\)", sentences)
    attached = [f"attachment:{name}" for cell in notebook["cells"] for name in cell.get("attachments", ())]
    assert [target for picture, target in links if picture] == attached
    assert [target for picture, target in links if not picture and not target.endswith(".ipynb")] == []
    if importlib.util.find_spec("nbformat"):
        import nbformat

        nbformat.validate(nbformat.from_dict(notebook))


def test_notebooks_are_written(tmp_path, capsys):
    cells.main([str(tmp_path)])
    written = [path.relative_to(tmp_path).with_suffix(".md").as_posix() for path in tmp_path.rglob("*.ipynb")]
    assert sorted(written) == sorted(CHAPTERS)
    assert len(capsys.readouterr().out.splitlines()) == len(CHAPTERS)


@pytest.mark.parametrize(("folder", "lang"), [("", "en"), ("zh-TW", "zh-TW")])
def test_the_drawing_of_the_gates_is_the_one_that_explain_makes(folder, lang):
    drawn = explain("(x + y) * z", x=-2, y=5, z=-4, lang=lang).svg()
    assert (TUTORIAL / folder / "gates.svg").read_text(encoding="utf-8") == drawn
