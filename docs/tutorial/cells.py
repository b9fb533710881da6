"""The tutorial's chapters as cells: `python docs/tutorial/cells.py FOLDER` writes them there as Jupyter notebooks.

A chapter is Markdown. Its ```python blocks run one after the other in one namespace; a ```text block right below one
is what it prints. tests/test_tutorial.py holds them to that, and `python docs/tutorial/cells.py --outputs` writes these
blocks anew. So it is with ../inside.md and ../faq.md. Knows Markdown and notebooks, and nothing of Values.
"""

import base64
import contextlib
import importlib.util
import io
import json
import pathlib
import re
import sys
from dataclasses import dataclass

FOLDER = pathlib.Path(__file__).parent
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
NEEDS = re.compile(r"# needs (\w+)\b")      # the first line of a block that an optional package runs
DETAILS = re.compile(r'^<details markdown="1">\n<summary>(.*)</summary>\n$|^</details>\n$', re.MULTILINE)
CHAPTER = re.compile(r"\]\((\d-[\w-]+)\.md\)")        # a link to one
PAGE = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((?![a-z]+:)[^)]*(?<!\.ipynb)\)")       # to another page
PICTURE = re.compile(r"(!\[[^\]]*\])\(([^):]+)\)")
KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif"}


@dataclass
class Cell:
    """Text, or code and what it prints."""

    kind: str               # markdown or code
    text: str
    output: str = ""

    def runs(self):
        """Whether the package is there that it needs, if any."""
        needed = NEEDS.match(self.text)
        return not needed or importlib.util.find_spec(needed.group(1)) is not None


def chapters():
    """The files of all chapters, in English and in other languages."""
    return sorted([*FOLDER.glob("?-*.md"), *FOLDER.glob("*/?-*.md")])


def pages():
    """All files whose blocks are held to what they print."""
    return [*chapters(), FOLDER.parent / "inside.md", FOLDER.parent / "faq.md"]


def cells(markdown):
    """A chapter's cells."""
    found, place = [], 0
    for block in BLOCK.finditer(markdown):
        found += [Cell("markdown", markdown[place : block.start()]), Cell("code", block.group(1), block.group(2) or "")]
        place = block.end()
    found.append(Cell("markdown", markdown[place:]))
    return [cell for cell in found if cell.text.strip()]


def outputs(code_cells):
    """What each prints, run in turn; None for those that do not run here."""
    namespace = {"__name__": "__main__"}
    for cell in code_cells:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if cell.runs():
                exec(compile(cell.text, "<cell>", "exec"), namespace)
        yield printed.getvalue() if cell.runs() else None


def with_outputs(markdown):
    """The chapter with what its blocks print now."""
    printed = iter(list(outputs([cell for cell in cells(markdown) if cell.kind == "code"])))

    def rewritten(block):
        output = next(printed)
        if output is None:
            return block.group()
        return f"```python\n{block.group(1)}```\n" + (f"\n```text\n{output}```\n" if output else "")

    return BLOCK.sub(rewritten, markdown)


def notebook(markdown, folder):
    """A chapter of that folder as a notebook without outputs, for json.dump.

    It can be put anywhere: pictures are in it, and of links only those to other chapters are left, to their notebooks.
    """
    made = []
    for k, cell in enumerate(cells(markdown)):
        text = cell.text.strip("\n")
        entry = {"cell_type": cell.kind, "id": f"cell-{k}", "metadata": {}}
        if cell.kind == "code":
            entry.update(execution_count=None, outputs=[])
        else:
            text = DETAILS.sub(lambda tag: f"**{tag.group(1)}**\n" if tag.group(1) else "", text + "\n").strip("\n")
            text = PAGE.sub(r"\1", CHAPTER.sub(r"](\1.ipynb)", text))
            pictures = [pathlib.PurePosixPath(target) for _, target in PICTURE.findall(text)]
            text = PICTURE.sub(lambda link: f"{link.group(1)}(attachment:{pathlib.Path(link.group(2)).name})", text)
            if pictures:
                entry["attachments"] = {
                    picture.name: {KINDS[picture.suffix]: base64.b64encode((folder / picture).read_bytes()).decode()}
                    for picture in pictures
                }
        entry["source"] = text.splitlines(keepends=True)
        made.append(entry)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def as_json(markdown, folder):
    return json.dumps(notebook(markdown, folder), ensure_ascii=False, indent=1) + "\n"


def main(arguments):
    """Write notebooks to a folder, or outputs into the chapters."""
    if arguments == ["--outputs"]:
        for path in pages():
            path.write_text(with_outputs(path.read_text(encoding="utf-8")), encoding="utf-8")
    elif len(arguments) == 1 and not arguments[0].startswith("-"):
        for path in chapters():
            target = pathlib.Path(arguments[0], path.relative_to(FOLDER)).with_suffix(".ipynb")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(as_json(path.read_text(encoding="utf-8"), path.parent), encoding="utf-8")
            print(target)
    else:
        raise SystemExit("usage: python docs/tutorial/cells.py (FOLDER | --outputs)")


if __name__ == "__main__":
    main(sys.argv[1:])
