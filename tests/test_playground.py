"""Programs in the playground, in Chromium: they print what they print with the installed package.

PLAYGROUND is the folder that .ci/playground has made.
"""

import re
import shutil
import subprocess
import sys

import pytest
from playground_page import Page, Server, opened, site_or_skip

SITE = site_or_skip()
EXAMPLES = sorted(path.stem for path in (SITE / "examples").glob("*.py"))
ENDLESS = "print('begun')\nwhile True:\n    pass\n"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with opened(SITE, tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture(autouse=True)
def stopped(page):
    """No program of a test that failed runs on in the next one."""
    yield
    if page.ask("document.getElementById('stop').ariaDisabled") == "false":
        page.press("stop")
        page.wait_until_ended()


def natively(example, folder):
    """What an example prints with the package that is installed here."""
    for path in [*(SITE / "data").iterdir(), SITE / "examples" / f"{example}.py"]:
        shutil.copy(path, folder)
    done = subprocess.run([sys.executable, "-m", "micrograd_c", "run", f"{example}.py"], capture_output=True, text=True,
                          cwd=folder, check=True)
    return done.stdout


# --- programs ---

@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_prints_what_it_prints_natively(page, example, tmp_path):
    page.choose(example)
    page.run()
    assert page.status().startswith("Done")
    assert page.printed() == natively(example, tmp_path)
    assert page.printed(kind="err") == ""


def test_all_examples_are_on_the_page(page):
    assert sorted(page.ask("[...document.getElementById('example').options].map(option => option.value)")) == EXAMPLES


def test_micrograd_prints_the_same(page):
    page.choose("expression")
    page.run(button="both")
    assert page.printed("theirs") == page.printed("ours") != ""


def test_what_is_learned_is_drawn_and_compared_while_both_run(page):
    page.choose("moons")
    page.press("both")
    page.wait("document.getElementById('compared').textContent")
    assert page.ask("document.getElementById('theirs').dataset.state") == "running"
    page.wait("document.getElementById('ours').dataset.state === 'well'")
    page.press("stop")
    page.wait_until_ended()
    assert re.fullmatch(r"micrograd_c: done after [\d.]+ s\. micrograd: stopped after [\d.]+ s\.", page.status())
    assert float(page.text("compared").split()[0].replace(",", "")) > 20
    label = "document.querySelector('#ours .{}').getAttribute('aria-label')"
    assert page.ask(label.format("boundary")) == "100 of 100 points are on the right side of the boundary."
    assert re.fullmatch(r"The loss went from 0\.8958\d+ to 0\.0109\d+ in 100 steps\.", page.ask(label.format("curve")))
    colors = page.ask("(c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size)"
                      "(document.querySelector('#theirs .boundary'))")
    assert colors > 4


def test_a_class_of_the_programs_own_is_replaced_or_not(page):
    page.choose("gpt")
    assert page.find("replace-field").is_displayed()
    text = page.ask("document.getElementById('editor').value").replace("STEPS = 60 ", "STEPS = 1 ") + "\nprint(Value)\n"
    page.run(text)
    lines = text.splitlines()
    first, last = lines.index("class Value:") + 1, lines.index("# --- the model ---") - 2
    assert page.printed(kind="note") == f"Lines {first}-{last}, its class Value: micrograd_c's instead.\n"
    assert "<class 'micrograd_c.engine.Value'>" in page.printed()
    page.press("replace")
    page.run(text)
    page.press("replace")
    assert "<class '__main__.Value'>" in page.printed()
    page.choose("moons")
    assert not page.find("replace-field").is_displayed()


def test_names_are_shown_while_the_gpt_learns(page):
    page.choose("gpt")
    page.press("run")
    names = page.wait("document.querySelector('#ours .names').textContent")
    assert re.fullmatch("[a-z]{0,16}(, [a-z]{0,16}){5}", names)
    page.wait(f"document.querySelector('#ours .output').textContent.includes('names: {names}')")
    page.press("stop")


def test_an_error_ends_in_a_traceback_of_the_programs_own_lines(page):
    page.choose("two_gates")
    page.run("import sys\nprint('out', end='')\nprint('err', file=sys.stderr)\n\ndef f():\n    return 1 / 0\n\nf()\n")
    assert page.status().startswith("Ended by an error")
    assert page.printed() == "out"
    first, *lines = page.printed(kind="err").splitlines()
    assert first == "err"
    assert lines[:2] == ["Traceback (most recent call last):", '  File "two_gates.py", line 8, in <module>']
    assert "    return 1 / 0" in lines
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_the_page_goes_on_while_a_program_prints_without_end(page):
    page.write("k = 0\nwhile True:\n    print('line', k)\n    k += 1\n")
    page.press("run")
    page.wait("parseInt(document.querySelector('#ours .output').textContent.match(/\\d+(?=\\n$)/)) > 20000")
    assert page.ask("document.querySelector('#ours .output').textContent.length") < 150_000
    page.press("stop")
    page.wait_until_ended()
    assert page.status().startswith("Stopped")


def test_what_a_program_leaves_is_gone_when_the_next_one_runs(page):
    page.run("import sys, weakref\nfrom micrograd.engine import Value\nf = Value(1.0) * 2\nsys.left = weakref.ref(f)\n")
    assert page.text("graph-name") == "f"
    page.run("import sys\nprint(sys.left())")
    assert page.printed() == "None\n"


# --- stopping ---

def test_stop_is_a_keyboard_interrupt(page):
    page.write("print('begun')\ntry:\n    while True:\n        pass\nexcept KeyboardInterrupt:\n    print('seen')\n")
    page.press("run")
    page.wait("document.querySelector('#ours .output').textContent.includes('begun')")
    page.press("stop")
    page.wait_until_ended()
    assert page.printed() == "begun\nseen\n"
    assert page.status().startswith("Done")
    page.write(ENDLESS)
    page.press("run")
    page.wait("document.querySelector('#ours .output').textContent.includes('begun')")
    page.press("stop")
    page.wait_until_ended()
    assert page.status().startswith("Stopped after")
    assert page.printed(kind="err").endswith("line 3, in <module>\n    pass\nKeyboardInterrupt\n")


def begun_anew(page, program):
    page.write(program)
    page.press("run")
    page.wait("document.querySelector('#ours .output').textContent.includes('begun')")
    page.press("stop")
    page.wait_until_ended()
    assert page.status() == "Stopped. Python was ended, and begins anew."
    page.run("print(1 + 1)")
    assert page.printed() == "2\n"


def test_a_program_that_cannot_be_interrupted_is_ended_with_its_python(page):
    begun_anew(page, "print('begun')\nsum(range(10**15))\n")


def test_without_shared_memory_python_is_ended_and_the_page_says_so(tmp_path):
    server = Server(SITE)
    page = Page(tmp_path, keeps=False)
    try:
        page.opened(server.address)
        assert not page.ask("crossOriginIsolated")
        assert page.text("kept") == ""
        begun_anew(page, ENDLESS)
    finally:
        page.close()
        server.stop()


# --- graphs ---

def test_the_graph_of_the_last_result_is_drawn_and_stepped_through(page):
    page.choose("two_gates")
    page.run()
    assert page.text("graph-name") == "f"
    names = page.ask("[...document.querySelectorAll('#picture .name')].map(e => e.textContent)")
    assert {"x", "y", "z", "q", "f"} == set(names)
    page.press("step-through")
    assert "df/dx = df/dq * dq/dx" in last_step(page)
    page.run("print('no Values')")
    assert not page.find("graph").is_displayed()


def last_step(page):
    """The text of the stepping page at its last step, with the keys of the keyboard."""
    page.wait("document.getElementById('steps').srcdoc")
    page.driver.switch_to.frame(page.find("steps"))
    try:
        page.wait("document.readyState === 'complete' && document.getElementById('end')")
        page.press("end")
        return page.text("rule")
    finally:
        page.driver.switch_to.default_content()


def explained(page, expression, numbers):
    page.ask("document.getElementById('steps').removeAttribute('srcdoc')")
    for name, text in (("expression", expression), ("numbers", numbers)):
        page.find(name).clear()
        page.find(name).send_keys(text)
    page.find("numbers").submit()


def test_an_expression_is_stepped_through(page):
    explained(page, "tanh(a * b) + a", "a=0.5, b=2")
    assert "dq/da" in last_step(page)
    assert page.text("explained") == ""


@pytest.mark.parametrize(("expression", "numbers", "problem"), [
    ("x.foo()", "x=1", "foo"), ("x + y", "x=1", "y"), ("x", "x=one", "X must be a number, not 'one'"), ("(", "", ""),
])
def test_what_cannot_be_explained_is_refused_in_a_sentence(page, expression, numbers, problem):
    explained(page, expression, numbers)
    said = page.wait("document.getElementById('explained').textContent")
    assert problem in said
    assert "Traceback" not in said
