"""Languages of explanations: each catalogue is whole, keeps what is put in, and says what its file says."""

import ast
import json
import pathlib
import re
import shutil
import subprocess

import pytest

import micrograd_c._core.explained as explained
from micrograd_c import Value, explain
from micrograd_c._core.explained import catalogues, svg
from micrograd_c._core.explained.catalogues import translation
from micrograd_c._core.explained.page import STRINGS

FOLDER = pathlib.Path(explained.__file__).parent
CATALOGUES = sorted((FOLDER / "languages").glob("*.po"))
GATES_IN_CHINESE = """\
前向傳播：每個閘用它的運算元算出自己的值。
  x = -2
  y = 5
  z = -4
  q = x + y = -2 + 5 = 3
  f = q * z = 3 * (-4) = -12

反向傳播：每個閘把傳回來的梯度乘上自己的局部導數，再往回傳給運算元（鏈鎖規則）。
  df/df = 1
  f = q * z
    df/dq = z = -4
    df/dz = q = 3
  q = x + y
    dq/dx = 1
    dq/dy = 1
    df/dx = df/dq * dq/dx = -4 * 1 = -4
    df/dy = df/dq * dq/dy = -4 * 1 = -4

backward() 會把梯度累加到原有的值上，所以每一輪開始前，都要先把梯度歸零。
"""     # noqa: RUF001


def sentences():
    """What is given to translate() anywhere."""
    found = {*STRINGS.values(), svg.TITLE}
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else (
                node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else "")
            if name in ("_", "translate") and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
    return found


def test_the_two_gates_in_chinese():
    assert explain("(x + y) * z", x=-2, y=5, z=-4, lang="zh-TW").text() == GATES_IN_CHINESE


@pytest.mark.parametrize("lang", ["zh-TW", "zh_TW", "ZH-tw"])
def test_a_language_may_be_written_in_any_way(lang):
    assert explain("x * x", x=1, lang=lang).text().startswith("前向傳播")


def test_sentences_are_found():
    assert {"without op", "Forward", "otherwise", "en"} <= sentences()
    assert len(sentences()) > 45


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_has_every_sentence_and_no_other(path):
    translated = catalogues.read_catalogue(path.read_text(encoding="utf-8"))
    assert translated.pop("").startswith("Content-Type: text/plain; charset=UTF-8\n")
    assert set(translated) == sentences()
    assert all(translated.values())


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_translation_puts_in_what_the_sentence_does(path):
    for sentence, translated in catalogues.read_catalogue(path.read_text(encoding="utf-8")).items():
        assert sorted(re.findall(r"\{\w*\}", translated)) == sorted(re.findall(r"\{\w*\}", sentence))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="wants gettext's msgfmt")
def test_gettext_reads_the_catalogue_as_we_do(path, tmp_path):
    import gettext

    subprocess.run(["msgfmt", "--check-format", "-o", tmp_path / "x.mo", path], check=True)
    with open(tmp_path / "x.mo", "rb") as file:
        theirs = gettext.GNUTranslations(file)
    for sentence, translated in catalogues.read_catalogue(path.read_text(encoding="utf-8")).items():
        assert theirs.gettext(sentence) == translated


def test_another_language_is_another_file(tmp_path, monkeypatch):
    (tmp_path / "nl.po").write_text('msgid "Forward"\nmsgstr "Vooruit"\n', encoding="utf-8")
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    catalogues.translation.cache_clear()
    try:
        assert catalogues.languages() == ["en", "nl"]
        assert "Vooruit" in explain("x * x", x=1, lang="nl").latex()
        assert "Backward" in explain("x * x", x=1, lang="nl").latex()      # what the catalogue lacks
    finally:
        catalogues.translation.cache_clear()


@pytest.mark.parametrize("form", ["text", "html", "svg", "latex"])
def test_every_form_is_translated(form):
    english, chinese = (getattr(explain("max(x, y) + x", x=2, y=3, lang=lang), form)() for lang in ("en", "zh-TW"))
    assert not re.search(r"[\u4e00-\u9fff]", english)
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert not re.search(r"Forward|Backward|otherwise|gate by gate", chinese.partition("<script>")[0])


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_punctuation_is_that_of_the_language(lang):
    v = Value(1.0, label="v")
    for _ in range(20):
        v = Value(1.0, (v * 2,), (0.5,), "own")
    explanation = explain(v, limit=8, lang=lang)
    said = [line for line in explanation.text().splitlines() if re.search(r"[\u4e00-\u9fff]", line)]
    assert bool(said) == (lang == "zh-TW")
    assert not [line for line in said if re.search(r"[\u4e00-\u9fff]\s*[,;:!?()]|[,;:!?(]\s*[\u4e00-\u9fff]", line)]
    assert translation(lang)(STRINGS["backward_of"]) in html_strings(explanation)


def html_strings(explanation):
    return json.loads(re.search(r'"strings": (\{.*?\}), "digits"', explanation.html())[1]).values()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('msgid "a"\nmsgstr "b"', {"a": "b"}), ('# c\n\n#, fuzzy\nmsgid "a"\nmsgstr ""\n"b"\n"c"', {"a": "bc"}),
        ('msgid ""\nmsgstr "head\\n"\nmsgid "a \\"b\\""\nmsgstr "c"', {"": "head\n", 'a "b"': "c"}), ("", {}),
    ],
)
def test_catalogues_are_read(text, expected):
    assert catalogues.read_catalogue(text) == expected


@pytest.mark.parametrize("text", ['msgctxt "a"', "msgid a", "hello", 'msgid_plural "a"'])
def test_what_is_no_catalogue_is_an_error_that_names_the_line(text):
    with pytest.raises(ValueError, match="line 2 of the catalogue is none of msgid, msgstr or a text"):
        catalogues.read_catalogue(f"\n{text}\n")
