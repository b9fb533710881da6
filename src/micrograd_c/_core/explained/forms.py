"""The forms of an explanation, each a function of a circuit, a translation and the number of digits."""

from __future__ import annotations

import html as _escaping

from micrograd_c._core.explained.latex import as_latex as latex
from micrograd_c._core.explained.page import as_page as html
from micrograd_c._core.explained.svg import as_svg as svg
from micrograd_c._core.explained.text import as_text as text

__all__ = ["frame", "html", "latex", "svg", "text"]


def frame(page: str) -> str:
    """The page in a frame of its own, for a notebook."""
    source = _escaping.escape(page, quote=True)
    return (
        f'<iframe srcdoc="{source}" title="micrograd_c.explain" sandbox="allow-scripts" '
        'style="width: 100%; height: 720px; border: 1px solid #ccc"></iframe>'
    )
