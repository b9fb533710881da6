"""Links in pages lead to files and headings that are there; docs/site/check.py finds what is wrong in a built site."""

import importlib.util
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^(?:```|````).*?^(?:```|````)$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

pytestmark = pytest.mark.skipif(not (ROOT / "src").is_dir(), reason="what is linked to is not beside the tests")


def text_of(path):
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def places(path):
    """What links to headings call them, on GitHub."""
    headings = (re.sub(r"[`*]|\]\([^)]*\)", "", heading).lower() for heading in HEADING.findall(text_of(path)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    dead = []
    for link in LINK.findall(text_of(ROOT / page)):
        target, _, place = link.partition("#")
        if re.match("[a-z]+:", target):
            continue
        file = (ROOT / page).parent / target if target else ROOT / page
        if not file.exists() or (place and place not in places(file)):
            dead.append(link)
    assert not dead


def test_pages_are_found():
    assert {"README.md", "docs/faq.md", "docs/ways/vmap.md", "docs/tutorial/zh-TW/5-vmap.md"} <= set(PAGES)


@pytest.fixture
def check():
    spec = importlib.util.spec_from_file_location("check_of_site", DOCS / "site" / "check.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="b.html">b</a> <a href="b.html#there">b</a> <a href="#here">a</a> <p id="here">', None),
        ('<a href="https://github.com/karpathy/micrograd">it</a> <img src="data:image/png;base64,AA==">', None),
        ('<a href="c.html">c</a>', "a.html links to c.html, which is not there"),
        ('<a href="b.html#nowhere">b</a>', "a.html links to b.html#nowhere, where there is no such place"),
        ('<a href="../a.html">a</a>', "a.html links to ../a.html, which is not there"),
        ('<a href="lite/notebooks/index.html?path=zh-TW/1.ipynb">1</a>', None),
        ('<a href="lite/notebooks/index.html?path=2.ipynb">2</a>',
         "a.html links to lite/notebooks/index.html?path=2.ipynb, which opens what is not there"),
        ('<img src="c.png">', "a.html links to c.png, which is not there"),
        ('<img src="https://example.org/c.png">', "a.html fetches https://example.org/c.png"),
        ('<script src="//example.org/c.js"></script>', "a.html fetches //example.org/c.js"),
        ('<p style="background: url(https://example.org/d.png)">', "a.html fetches https://example.org/d.png"),
    ],
)
def test_what_is_wrong_in_a_site_is_found(check, tmp_path, body, problem):
    (tmp_path / "a.html").write_text(f"<html><body>{body}</body></html>")
    (tmp_path / "b.html").write_text('<html><body><p id="there"></body></html>')
    for file in ("notebooks/index.html", "files/zh-TW/1.ipynb"):
        (tmp_path / "lite" / file).parent.mkdir(parents=True)
        (tmp_path / "lite" / file).write_text("")
    assert list(check.problems(tmp_path)) == ([problem] if problem else [])


def test_what_a_sites_style_fetches_is_found(check, tmp_path):
    (tmp_path / "a.css").write_text('@import "https://example.org/b.css"; p { background: url(c.png) }')
    assert list(check.problems(tmp_path)) == ["a.css fetches https://example.org/b.css"]
