"""`micrograd-c explain`: what it prints, writes and refuses."""

import errno
import io
import pathlib
import re
import shlex

import pytest
from test_explain import GATES

from micrograd_c import __main__ as command

DOCS = pathlib.Path(__file__).parents[1] / "docs" / "explain.md"
TRANSCRIPT = re.compile(r"^```sh\nmicrograd-c (explain [^\n]*)\n```\n\n```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MISSING = f"[Errno {errno.ENOENT}] No such file or directory"
EXPRESSION = ["(x + y) * z", "x=-2", "y=5", "z=-4"]


@pytest.fixture
def run(capsys):
    def run(*arguments):
        status = command.main(["explain", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err
    return run


def test_an_expression_is_explained(run):
    assert run(*EXPRESSION) == (0, GATES, "")


def test_numbers_stand_before_and_after_options(run):
    assert run("--digits", "3", *EXPRESSION[:2], "--text", *EXPRESSION[2:]) == (0, GATES, "")


def test_statements_come_from_a_file_or_standard_input(run, tmp_path, monkeypatch):
    program = "# two gates\nx = -2\nq = x + y\nf = q * z\n"
    (tmp_path / "gates.py").write_text(program, encoding="utf-8")
    status, out, _ = run("--file", str(tmp_path / "gates.py"), "y=5", "z=-4")
    monkeypatch.setattr("sys.stdin", io.StringIO(program))
    assert (status, out) == run("--file", "-", "y=5", "z=-4")[:2]
    assert sorted(out.splitlines()) == sorted(GATES.splitlines())


@pytest.mark.parametrize("form", ["html", "svg", "latex"])
def test_forms_are_written_to_files_and_to_standard_output(form, run, tmp_path):
    path = tmp_path / form
    assert run(*EXPRESSION, f"--{form}", str(path)) == (0, "", f"written to {path}\n")
    written = path.read_text(encoding="utf-8")
    assert run(*EXPRESSION, f"--{form}", "-") == (0, written, "")
    assert run(*EXPRESSION, f"--{form}", str(path), "--text")[1] == GATES


@pytest.mark.parametrize("word", ["none", "None"])
def test_no_limit_is_none(word, run):
    terms = " + ".join(f"x**{k}" for k in range(40))
    assert run(terms, "x=1", "--limit", "5")[1].startswith("5 of ")
    assert run(terms, "x=1", "--limit", word)[1].startswith("Forward")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which expression? For example: micrograd-c explain '(x + y) * z' x=-2 y=5 z=-4"),
        (["x * y", "x=2"], "y has no number: give it one, y=1.0"),
        (["x * y", "x=two"], "x must be a number, not 'two'"),
        (["x", "*", "y"], "'*' is not NAME=NUMBER, such as x=-2; an expression of several words stands in quotes"),
        (["open('x')"], "`open('x')` calls open, which is none of "),
        (["x +", "x=1"], "the expression is not Python: invalid syntax"),
        (["x / 0", "x=1"], ""),
        (["x * x", "x=1", "x=2"], "x is given two numbers: 1 and 2"),
        (["x", "x=1", "--lang", "tlh"], "lang must be one of en, zh-TW, not 'tlh'"),
        (["--file", "nowhere.txt"], f"{MISSING}: 'nowhere.txt'"),
        (["x", "x=1", "--html", "no/such/folder.html"], MISSING),
    ],
)
def test_what_is_refused_is_one_sentence_and_no_traceback(arguments, message, run):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"micrograd-c explain: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("expression", ["-x*y", "-x", "-(x+y)", "-2*x"])
def test_an_expression_may_begin_with_a_minus(expression, run):
    numbers = [f"{name}=-2" for name in "xy" if name in expression]
    assert run(expression, *numbers) == run(f"({expression})", *numbers)
    assert run("--digits", "3", expression, *numbers) == run(f"({expression})", *numbers, "--digits=3")


def test_numbers_are_read_as_expressions_are(run):
    assert run("x * y", "x=\N{MINUS SIGN}2", "y＝３") == run("x * y", "x=-2", "y=3")      # noqa: RUF001


def test_files_have_a_mark_of_their_encoding_or_are_refused_by_name(run, tmp_path):
    path = tmp_path / "gates.txt"
    path.write_text("x = 2\nf = x * 3\n", encoding="utf-8-sig")
    assert "f = x * 3 = 2 * 3 = 6" in run("--file", str(path))[1]
    path.write_bytes(b"\xff\xfe")
    assert run("--file", str(path)) == (2, "", f"micrograd-c explain: {path} is not text in UTF-8\n")


def test_help_shows_an_example(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["explain", "--help"])
    assert ended.value.code == 0
    assert "(x + y) * z" in capsys.readouterr().out


# --- what docs/explain.md shows ---

def found_in_docs(pattern):
    return pattern.findall(DOCS.read_text(encoding="utf-8")) if DOCS.is_file() else []


@pytest.mark.parametrize(("arguments", "printed"), found_in_docs(TRANSCRIPT))
def test_transcripts_in_the_documentation_are_what_is_printed(arguments, printed, capsys):
    assert command.main(shlex.split(arguments)) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.skipif(not DOCS.is_file(), reason="the documentation is not here")
def test_the_two_gates_are_documented_in_both_languages():
    shown = dict(found_in_docs(TRANSCRIPT))
    gates = shlex.join(["explain", *EXPRESSION])
    assert {gates, f"{gates} --lang zh-TW"} <= set(shown)
    assert shown[gates] == GATES


@pytest.mark.parametrize("program", found_in_docs(PROGRAM))
def test_programs_in_the_documentation_run(program, run_python):
    assert run_python(program) == GATES + "\n"


@pytest.mark.skipif(not DOCS.is_file(), reason="the documentation is not here")
def test_the_documentation_links_to_files_that_are_there():
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", DOCS.read_text(encoding="utf-8"))]
    assert len(links) >= 4
    assert all((DOCS.parent / link).is_file() for link in links)
