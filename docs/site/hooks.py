"""What MkDocs does not do by itself: pages from outside of docs/, and links that work on GitHub and on the site.

The README is the first page. What pages link to outside of docs/, such as examples, is shown on pages of its own. The
tutorial's chapters come as notebooks, too, and the API reference comes from docstrings. Each language is a site. With
`extra: live` pages lead to notebooks that run in the browser, of which .ci/site makes a folder in the English one.
"""

import importlib.util
import pathlib
import posixpath
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parents[2]
CHINESE = "zh-TW"
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)")
LIVE = ("docs/browser.md", "live-notebooks")     # what is said of them
FIRST = "1-a-gate.ipynb"
TRY = {"en": "Try it: run this chapter in your browser", CHINESE: "在瀏覽器裡執行這一章"}
DOWNLOAD = {"en": "Download this chapter as a notebook", CHINESE: "下載這一章的 notebook"}
LEXERS = {".py": "python", ".c": "c", ".h": "c", ".pyx": "cython", ".yml": "yaml", ".toml": "toml"}


def module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


# --- where things are ---

def place_of(path):
    """(language, place in its site) of a file of the repository."""
    if path == "README.md":
        return "en", "index.md"
    if path == f"README.{CHINESE}.md":
        return CHINESE, "index.md"
    if path.startswith(f"docs/tutorial/{CHINESE}/"):
        return CHINESE, path.replace(f"docs/tutorial/{CHINESE}/", "tutorial/")
    if path.startswith("docs/") and not path.endswith(".py"):
        return "en", path.removeprefix("docs/")
    return "en", f"source/{path}" + ("" if path.endswith(".md") else ".md")


def path_of(place, language):
    """The file of the repository that is at a place of the site, or None for one that was made."""
    if place == "index.md":
        path = "README.md" if language == "en" else f"README.{CHINESE}.md"
    elif place.startswith("source/"):
        path = place.removeprefix("source/")
    else:
        path = f"docs/{place}" if language == "en" else f"docs/{place}".replace("tutorial/", f"tutorial/{CHINESE}/")
    return path if (ROOT / path).is_file() else None


def targets(markdown, path):
    """The files of the repository that a page links to."""
    for part in FENCE.split(markdown)[::2]:
        for _, _, link in LINK.findall(part):
            if not re.match(r"[a-z]+:|#", link):
                yield posixpath.normpath(posixpath.join(posixpath.dirname(path), link.partition("#")[0]))


# --- pages that are made ---

def on_files(files, config):
    language = config.theme["language"]
    texts = {"index.md": ROOT / path_of("index.md", language)}
    if language == CHINESE:
        for file in list(files):
            if file.is_documentation_page() or file.src_uri == "tutorial/gates.svg":
                files.remove(file)
        folder = ROOT / "docs" / "tutorial" / CHINESE
        texts.update((f"tutorial/{path.name}", path) for path in folder.glob("*.md"))
        files.append(File.generated(config, "tutorial/gates.svg", content=(folder / "gates.svg").read_bytes()))
    for place, path in texts.items():
        files.append(File.generated(config, place, content=path.read_text(encoding="utf-8")))
    if language == "en":
        files.append(File.generated(config, "api.md", content=module(ROOT / "docs" / "site" / "api.py").reference()))
        add_sources(files, config)
    add_notebooks(files, config)
    return files


def add_sources(files, config):
    """Pages for what lies outside of docs/, and is linked to."""
    todo, done = [], set()
    for file in list(files.documentation_pages()):
        path = path_of(file.src_uri, "en")
        if path:
            todo += targets(file.content_string, path)
    while todo:
        path = todo.pop()
        language, place = place_of(path)
        if language != "en" or not place.startswith("source/") or place in done:
            continue
        done.add(place)
        source = ROOT / path
        if source.is_dir():
            names = sorted(child.name for child in source.iterdir() if child.suffix in (".py", ".txt"))
            todo += [f"{path}/{name}" for name in names]
            text = f"# {path}\n\n" + "".join(f"- [{name}]({posixpath.basename(path)}/{name}.md)\n" for name in names)
        elif path.endswith(".md"):
            text = source.read_text(encoding="utf-8")
            todo += targets(text, path)
        else:
            text = source.read_text(encoding="utf-8")
            text = f"# {path}\n\n````{LEXERS.get(source.suffix, 'text')}\n{text}\n````\n"
        files.append(File.generated(config, place, content=f"---\nsearch: {{exclude: true}}\n---\n\n{text}"))


def add_notebooks(files, config):
    cells = module(ROOT / "docs" / "tutorial" / "cells.py")
    for file in list(files.documentation_pages()):
        if file.src_uri.startswith("tutorial/"):
            place = file.src_uri.replace(".md", ".ipynb")
            folder = (ROOT / path_of(file.src_uri, config.theme["language"])).parent
            files.append(File.generated(config, place, content=cells.as_json(file.content_string, folder)))


# --- links ---

def on_page_markdown(markdown, page, config, files):
    language, place = config.theme["language"], page.file.src_uri
    path = path_of(place, language)
    if path is None:
        return markdown
    parts = FENCE.split(markdown)
    live = live_url(FIRST, place, config)
    parts[::2] = [LINK.sub(lambda link: rewritten(link, path, place, language, live), part) for part in parts[::2]]
    markdown = "".join(parts)
    if place.startswith("tutorial/"):
        notebook = posixpath.basename(place).replace(".md", ".ipynb")
        markdown += f"\n[{DOWNLOAD[language]}]({notebook})\n"
        if live:
            title, _, rest = markdown.partition("\n")
            markdown = f'{title}\n\n<a href="{live_url(notebook, place, config)}">{TRY[language]}</a>\n{rest}'
    return markdown


def live_url(notebook, place, config):
    """Where a live notebook is from a page; nothing, if there are none."""
    folder = config.extra["live"]
    if folder and config.theme["language"] == CHINESE:
        folder, notebook = f"../{folder}", f"{CHINESE}/{notebook}"
    return folder and "../" * place.count("/") + f"{folder}/notebooks/index.html?path={notebook}"


def rewritten(link, path, place, language, live):
    """A link of GitHub's as one of the site's."""
    picture, text, target = link.groups()
    if re.match(r"[a-z]+:|#", target):
        return link.group()
    target, hash_sign, fragment = target.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if live and (target, fragment) == LIVE:
        return f'<a href="{live}">{text}</a>'
    there, wanted = place_of(target)
    folder = posixpath.dirname(place) or "."
    if picture or there == language:
        return f"{picture}[{text}]({posixpath.relpath(wanted, folder)}{hash_sign}{fragment})"
    # into the other language's site, of which MkDocs does not know here
    wanted = f"{CHINESE}/{wanted}" if there == CHINESE else f"../{wanted}"
    url = re.sub(r"\.md$", ".html", posixpath.normpath(posixpath.join(posixpath.relpath(".", folder), wanted)))
    return f'<a href="{url}{hash_sign}{fragment}">{text}</a>'
