"""Translations of what explanations say: gettext catalogues, languages/LANGUAGE.po. Another language is another file.

The catalogues are read as they are, since an installer would not run msgfmt.
"""

from __future__ import annotations

import ast
import functools
import pathlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["languages", "read_catalogue", "translation"]

FOLDER = pathlib.Path(__file__).with_name("languages")


def languages() -> list[str]:
    """What `lang` may be: 'en', and a catalogue's name with - for _."""
    return ["en", *sorted(path.stem.replace("_", "-") for path in FOLDER.glob("*.po"))]


@functools.cache
def translation(lang: str) -> Callable[[str], str]:
    """A function that gives a sentence in that language; in English where the catalogue lacks it.

    >>> translation("zh-TW")("Forward")
    '前向傳播'

    Raises ValueError for a language without a catalogue.
    """
    known = {name.lower(): name for name in languages()}
    name = known.get(lang.replace("_", "-").lower()) if isinstance(lang, str) else None
    if name is None:
        raise ValueError(f"lang must be one of {', '.join(languages())}, not {lang!r}")
    if name == "en":
        return lambda sentence: sentence
    sentences = read_catalogue((FOLDER / f"{name.replace('-', '_')}.po").read_text(encoding="utf-8"))
    return lambda sentence: sentences.get(sentence) or sentence


def read_catalogue(text: str) -> dict[str, str]:
    """{sentence: translation} of a .po file without plurals and contexts; its header is under ''.

    >>> read_catalogue('msgid "a "\\n"b"\\nmsgstr "c"\\n')
    {'a b': 'c'}

    Raises ValueError for a line that such a file does not have.
    """
    sentences: dict[str, str] = {}
    parts = {"msgid": "", "msgstr": ""}
    keyword = ""
    for number, line in enumerate([*text.splitlines(), 'msgid ""'], 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if not line.startswith('"'):
            keyword, _, line = line.partition(" ")
            if keyword not in parts or not line.startswith('"'):
                raise ValueError(f"line {number} of the catalogue is none of msgid, msgstr or a text: {keyword} {line}")
            if keyword == "msgid":
                if parts["msgid"] or parts["msgstr"]:
                    sentences[parts["msgid"]] = parts["msgstr"]
                parts = {"msgid": "", "msgstr": ""}
        parts[keyword] += ast.literal_eval(line)
    return sentences
