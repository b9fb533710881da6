"""Checks a built site: every link leads somewhere, and nothing is fetched from elsewhere.

    python docs/site/check.py FOLDER
"""

import html.parser
import pathlib
import re
import sys
from urllib.parse import parse_qs, unquote, urlsplit

FETCHED = {
    "script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src", "object": "data",
}
NOT_FETCHED = {"canonical", "alternate", "next", "prev", "author", "license"}
IN_STYLE = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])((?:https?:)?//[^'\")\s]+)")


class Page(html.parser.HTMLParser):
    """Links, what is fetched, and the places that links can lead to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.fetched, self.ids = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.update(filter(None, (attributes.get("id"), attributes.get("name"))))
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        url = attributes.get(FETCHED.get(tag))
        if url and not (tag == "link" and NOT_FETCHED & set((attributes.get("rel") or "").split())):
            self.fetched.append(url)
        self.fetched += IN_STYLE.findall(attributes.get("style") or "")


def problems(folder):
    """Sentences, one for each link that is dead and each thing that is fetched from elsewhere."""
    folder = folder.resolve()
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    for path, page in sorted(pages.items()):
        name = path.relative_to(folder)
        for url in [*page.links, *page.fetched]:
            parts = urlsplit(url)
            if parts.scheme in ("data", "mailto", "javascript"):
                continue
            if parts.scheme or parts.netloc:
                if url in page.fetched:
                    yield f"{name} fetches {url}"
                continue
            if path.name == "404.html":     # its links begin at the root of a server
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            for notebook in parse_qs(parts.query).get("path", []):      # that JupyterLite is to open
                if not (target.parents[1] / "files" / notebook).is_file():
                    yield f"{name} links to {url}, which opens what is not there"
            if target.is_dir():
                target /= "index.html"
            if not target.is_file() or folder not in target.parents:
                yield f"{name} links to {url}, which is not there"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids | {"__top"}:
                yield f"{name} links to {url}, where there is no such place"
    for path in sorted(folder.rglob("*.css")):
        for url in IN_STYLE.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(folder)} fetches {url}"


if __name__ == "__main__":
    found = list(problems(pathlib.Path(sys.argv[1])))
    if found:
        raise SystemExit("\n".join(found))
    print("every link leads somewhere, and nothing is fetched from elsewhere")
