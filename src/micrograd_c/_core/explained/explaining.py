"""micrograd_c.explain: an expression or a graph, explained gate by gate."""

from __future__ import annotations

import sys

from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Union

    from micrograd_c._core.explained.circuit import Circuit

    _Path = Union[str, "os.PathLike[str]"]

__all__ = ["Explanation", "explain"]


class Explanation:
    """A graph explained: print() it, or have it as `text`, `html`, `svg` or `latex`. A notebook shows the page.

    It keeps numbers, not Values: what becomes of the graph later does not change it.
    """

    def __init__(self, circuit: Circuit, lang: str, digits: int) -> None:
        from micrograd_c._core.explained.catalogues import translation

        translation(lang)       # or an error, now
        self._circuit = circuit
        self._lang = lang
        self._digits = digits

    def _rendered(self, form: str) -> str:
        from micrograd_c._core.explained import forms
        from micrograd_c._core.explained.catalogues import translation

        return getattr(forms, form)(self._circuit, translation(self._lang), self._digits)   # type: ignore[no-any-return]

    def text(self) -> str:
        """Lines of text."""
        return self._rendered("text")

    def html(self) -> str:
        """One page to step through, which needs nothing from elsewhere."""
        return self._rendered("html")

    def svg(self) -> str:
        """The circuit as a picture."""
        return self._rendered("svg")

    def latex(self) -> str:
        """Formulas for a document that uses amsmath."""
        return self._rendered("latex")

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        root = self._circuit.root
        return f"<Explanation of {root.name}, {len(self._circuit.gates())} gates>"

    def _repr_html_(self) -> str:
        from micrograd_c._core.explained import forms

        return forms.frame(self.html())


def explain(
    root: Value | str, *, html: _Path | None = None, svg: _Path | None = None, latex: _Path | None = None,
    lang: str = "en", digits: int = 6, limit: int | None = 500, names: dict[str, Value | float] | None = None,
    **variables: Value | float,
) -> Explanation:
    """How a Value was computed, gate by gate, and how the chain rule gives its derivatives. Nothing of it changes.

    root is a Value, or a text: an expression such as '(x + y) * z', or statements, with numbers for its names by
    keyword. A Value's name is that of a keyword, its label, or the variable that holds it where explain is called.

    >>> print(explain('(x + y) * z', x=-2, y=5, z=-4))
    Forward: each gate computes its value from its operands.
      x = -2
      y = 5
      z = -4
      q = x + y = -2 + 5 = 3
      f = q * z = 3 * (-4) = -12
    <BLANKLINE>
    Backward: each gate multiplies the arriving gradient by its local derivatives and passes it on.
      df/df = 1
      f = q * z
        df/dq = z = -4
        df/dz = q = 3
      q = x + y
        dq/dx = 1
        dq/dy = 1
        df/dx = df/dq * dq/dx = -4 * 1 = -4
        df/dy = df/dq * dq/dy = -4 * 1 = -4
    <BLANKLINE>
    backward() adds to the gradients that are there: set them to zero before each round.
    <BLANKLINE>

    html, svg and latex are files to write; lang is 'en' or 'zh-TW'; digits is how many digits of a number are shown. Of
    a graph of more than `limit` Values those computed last are explained; None explains all. `names` is for variables
    that are named as an option is.

    Raises TypeError if root is neither a Value nor a text, SyntaxError, NameError and ValueError for a text that cannot
    be explained, ValueError for an op whose derivatives only a function knows, another lang, or digits or a limit below
    1.
    """
    from micrograd_c._core.explained import circuit
    from micrograd_c._core.explained import names as naming

    check_options(digits, limit)
    given = {**(names or {}), **variables}
    is_text = isinstance(root, str)
    if isinstance(root, str):
        from micrograd_c._core.explained.expressions import build

        root, keywords = build(root, given)
        around = {}
    else:
        check_root(root)
        keywords = list(check_names(given).items())
        around = naming.variables_of(sys._getframe(1))
    read, values = circuit.read_circuit(root, limit)
    if not is_text and not read.is_cut():
        check_places(keywords, values)      # of statements, some may not lead to the result
    naming.give_names(read, values, keywords, around)
    explanation = Explanation(read, lang, digits)
    for path, form in ((html, "html"), (svg, "svg"), (latex, "latex")):
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(getattr(explanation, form)())
    return explanation


def check_options(digits: int, limit: int | None) -> None:
    if type(digits) is not int or not 1 <= digits <= 17:
        raise ValueError(f"digits must be a whole number from 1 to 17, not {digits!r}")
    if limit is not None and (type(limit) is not int or limit < 1):
        raise ValueError(f"limit must be a whole number of at least 1, or None to explain all, not {limit!r}")


def check_root(root: object) -> None:
    if not isinstance(root, Value):
        raise TypeError(
            f"explain wants a Value, or an expression as text, not {type(root).__name__}; "
            "for several outputs take the sum"
        )


def check_places(keywords: list[tuple[str, Value]], values: list[Value]) -> None:
    places = set(map(id, values))
    for name, value in keywords:
        if id(value) not in places:
            raise ValueError(f"{name} is not a Value of this graph: nothing of it was computed from that")


def check_names(given: dict[str, Value | float]) -> dict[str, Value]:
    for name, value in given.items():
        if not isinstance(value, Value):
            raise TypeError(f"{name} must be a Value of the graph, whose name it is to be, not {type(value).__name__}")
    return given        # type: ignore[return-value]
