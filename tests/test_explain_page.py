"""The page of an explanation: its parts, and what a browser makes of it, stepped through and clicked at.

The browser is Chromium without a window; a script at the page's end clicks and types as people do, and leaves what it
has seen in the document, which --dump-dom prints.
"""

import html
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

from micrograd_c import Value, explain
from micrograd_c._core.explained.catalogues import translation
from micrograd_c._core.explained.page import STRINGS
from micrograd_c._core.explained.svg import TITLE
from micrograd_c._core.ops import rules
from micrograd_c.nn import MLP

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="wants Chromium")
EXPRESSION = "(x + y) * x**2 - tanh(x) / softplus(y * -1 + x*x)"
NUMBERS = {"x": -2, "y": 3.5}
GATES = {"x": -2, "y": 5, "z": -4}
UP_TO_1 = ["asin", "acos"]
FUNCTIONS = " + ".join(f"{name}(x)" for name in rules.functions() if name not in UP_TO_1)
SCRIPT = """
<script>
const seen = [], byTestId = (id) => document.getElementById(id);
const look = () => ({
  step: byTestId("step").textContent,
  title: (document.querySelector("#rule h2") || {}).textContent,
  lines: [...document.querySelectorAll("#rule .line")].map((line) => line.textContent),
  numbers: [...document.querySelectorAll("g[data-node]")].map((group) => [".value", ".grad"].map((part) => {
    const text = group.querySelector(part);
    return !text || getComputedStyle(text).visibility === "hidden" ? "" : text.textContent;
  })),
});
const key = (name, target = document) => target.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true}));
const send = (id, event) => byTestId(id).dispatchEvent(new Event(event, {bubbles: true}));
const type = (id, text) => { byTestId(id).value = text; send(id, "input"); };
const isOff = (id) => byTestId(id).getAttribute("aria-disabled") === "true";
const click = (id) => byTestId(id).click();
const answer = (place, text) => {
  byTestId(`answer-${place}`).value = text;
  byTestId(`answer-${place}`).form.requestSubmit();
  return byTestId(`said-${place}`).textContent;
};
const open = (place) => { byTestId(`way-${place}`).open = true; send(`way-${place}`, "toggle"); };
window.onerror = (message) => seen.push({error: message});
ACTIONS
const frame = window.frameElement, result = parent.document.createElement("pre");
result.id = `seen-${frame ? [...parent.document.querySelectorAll("iframe")].indexOf(frame) : 0}`;
result.textContent = JSON.stringify(seen);
parent.document.body.append(result);
</script>
"""


SCENES = []     # (page, script, width): all are played in one browser, each in a frame of its own


def scene(page, actions, width=1000):
    """A page, and what is done with it; returns its number, which the fixture `seen` wants."""
    SCENES.append((page, actions, width))
    return len(SCENES) - 1


def played(page, actions):
    return page.replace("</body>", SCRIPT.replace("ACTIONS", actions) + "</body>")


def dump(folder, document, part=""):
    """What Chromium makes of a document: its DOM as text."""
    file = folder / "page.html"
    file.write_text(document, encoding="utf-8")
    return subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
         "--dump-dom", f"{file.as_uri()}{part}"],
        capture_output=True, text=True, timeout=300, check=True, env={**os.environ, "HOME": str(folder)},
    ).stdout


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What the script of a scene has put into its `seen`, by the scene's number."""
    frames = "".join(
        f'<iframe width="{width}" height="800" srcdoc="{html.escape(played(page, actions), quote=True)}"></iframe>'
        for page, actions, width in SCENES
    )
    printed = dump(tmp_path_factory.mktemp("chromium"), f'<!DOCTYPE html><meta charset="utf-8"><body>{frames}</body>')
    found = {place: json.loads(html.unescape(text)) for place, text in
             re.findall(r'<pre id="seen-(\d+)">(.*?)</pre>', printed, re.DOTALL)}
    assert len(found) == len(SCENES)
    assert not [one for whole in found.values() for one in whole if isinstance(one, dict) and "error" in one]
    return lambda number: found[str(number)]


def steps_of(text):
    """The text form as the page has it: the lines of each step."""
    forward, backward = text.partition("\n\nBackward")[::2]
    lines = [line.strip() for line in forward.splitlines()[1:]]
    leaves = [line for line in lines if line.count(" = ") == 1]
    steps = [leaves, *([line] for line in lines if line.count(" = ") > 1)]
    for line in backward.partition("\n\n")[0].splitlines()[1:]:
        if line.startswith("    "):
            steps[-1].append(line.strip())
        else:
            steps.append([line.strip()] if " = 1" in line and "/" in line else [])
    return steps


# --- what it is ---

@pytest.mark.parametrize("expression", ["(x + y) * x", EXPRESSION, "x + y"])
def test_the_page_is_one_file_that_asks_for_nothing(expression):
    page = explain(expression, **NUMBERS).html()
    assert "{{" not in page
    assert not re.findall(r'(?:src|href)=|@import|url\(|fetch\(|XMLHttp|https?://(?!www\.w3\.org/2000/svg")', page)


def test_labels_cannot_break_out_of_the_page():
    x = Value(2.0, label="</script><script>alert(1)</script>")
    y = Value(3.0, (x,), (1.0,)) * x
    y.label = '"><img src=x onerror=alert(1)>'
    explanation = explain(y)
    page = explanation.html()
    assert page.count("<script>") == 1
    assert "<img" not in page
    xml.etree.ElementTree.fromstring(explanation.svg())


def test_a_notebook_shows_the_page_in_a_frame():
    explanation = explain("x * y", x=1, y=2)
    frame = explanation._repr_html_()
    (source,) = re.findall(r'srcdoc="([^"]*)"', frame)
    assert html.unescape(source) == explanation.html()
    assert 'sandbox="allow-scripts"' in frame


def test_files_are_written(tmp_path):
    files = {form: tmp_path / form for form in ("html", "svg", "latex")}
    explanation = explain("x * y", x=1, y=2, **files)
    for form, path in files.items():
        assert path.read_text(encoding="utf-8") == getattr(explanation, form)()


# --- the picture ---

def texts_of(svg, kind):
    root = xml.etree.ElementTree.fromstring(svg)
    return [element.text or "" for element in root.iter() if element.get("class") == kind]


def test_the_picture_shows_gates_values_and_gradients():
    svg = explain("(x + y) * z", **GATES).svg()
    assert texts_of(svg, "op") == ["+", "*"]
    assert texts_of(svg, "value") == ["-2", "5", "-4", "3", "-12"]
    assert texts_of(svg, "grad") == ["-4", "-4", "3", "-4", "1"]
    assert texts_of(svg, "name") == ["x", "y", "z", "q", "f"]


def test_no_two_nodes_of_a_picture_lie_upon_each_other():
    model = MLP(3, [4, 1])
    svg = explain(model([1.0, 2.0, 3.0])).svg()
    boxes = re.findall(r'<rect class="\S+" x="(\S+)" y="(\S+)"', svg)
    places = [tuple(map(float, box)) for box in boxes]
    assert len(places) > 40
    pairs = [(a, b) for k, a in enumerate(places) for b in places[:k]]
    assert not [(a, b) for a, b in pairs if abs(a[0] - b[0]) < 40 and abs(a[1] - b[1]) < 40]


def test_a_picture_of_a_graph_too_large_says_so():
    v = Value(1.0)
    for _ in range(1000):
        v = v * 1.0
    explanation = explain(v, limit=20)
    assert "20 of 2,001 Values" in explanation.svg()
    assert "20 of 2,001 Values" in explanation.html()
    assert len(texts_of(explanation.svg(), "op")) == 10


# --- in a browser ---

STEPS = steps_of(explain(EXPRESSION, **NUMBERS).text())
CLICKS = scene(explain(EXPRESSION, **NUMBERS).html(), f"""
seen.push(look());
for (let k = 0; k < {len(STEPS) - 1}; k++) {{ click("next"); seen.push(look()); }}
for (let k = 0; k < {len(STEPS) - 1}; k++) {{ click("back"); seen.push(look()); }}
seen.push(isOff("back"), isOff("next"));
""")


@in_browser
def test_every_step_shows_the_lines_of_the_text(seen):
    *looks, back, forward = seen(CLICKS)
    assert [look["lines"] for look in looks] == [*STEPS, *STEPS[-2::-1]]
    assert [look["step"] for look in looks[:len(STEPS)]] == [f"Step {k} of {len(STEPS) - 1}" for k in range(len(STEPS))]
    assert (back, forward) == (True, False)


FOCUS = scene(explain("(x + y) * z", **GATES).html(), """
byTestId("next").focus();
for (let k = 0; k < 7; k++) click("next");
seen.push(look().step, document.activeElement.id);
""")


@in_browser
def test_a_button_keeps_the_keyboard_at_the_last_step(seen):
    assert seen(FOCUS) == ["Step 5 of 5", "next"]


KEYS = scene(explain("(x + y) * z", **GATES).html(), """
seen.push(look().numbers);
for (let k = 0; k < 5; k++) { key("ArrowRight"); seen.push(look().numbers); }
for (const name of ["Home", "End", "ArrowLeft"]) { key(name); seen.push(look().step); }
key("ArrowRight", byTestId("leaf-0")); seen.push(look().step);
click("start"); seen.push(look().step); click("end"); seen.push(look().step);
""")


@in_browser
def test_numbers_appear_with_the_gate_that_makes_them(seen):
    values = [["-2", "5", "-4", "", ""], ["-2", "5", "-4", "3", ""], *[["-2", "5", "-4", "3", "-12"]] * 4]
    grads = [[""] * 5] * 3 + [["", "", "", "", "1"], ["", "", "3", "-4", "1"], ["-4", "-4", "3", "-4", "1"]]
    assert seen(KEYS)[:6] == [[list(pair) for pair in zip(*both)] for both in zip(values, grads)]


@in_browser
def test_keys_step_unless_somebody_types(seen):
    assert seen(KEYS)[6:] == [f"Step {k} of 5" for k in (0, 5, 4, 4, 0, 5)]


IN_THE_MAKING = scene(explain("x * y + x * 4", x=2, y=3).html(), """
for (let k = 0; k < 5; k++) click("next");
seen.push(look().numbers[0][1]);
click("next");
seen.push(look().numbers[0][1], look().lines);
""")


@in_browser
def test_a_gradient_in_the_making_is_the_sum_so_far(seen):
    assert seen(IN_THE_MAKING) == ["", "4", ["dr/dx = 4", "df/dx += df/dr * dr/dx = 1 * 4 = 4"]]


POWERS = "x**y + 2**x + x**3 + x**0 + x**-1 + max(x, y) * min(x, y) + where(x, y, 1)"
CHOICES = "max(x, y) + min(x, y) + where(0, x, y) + relu(-x) + abs(-x) + stop_gradient(x)"
EDITS = [
    ("(x + y) * z", GATES, {"x": 1.5, "y": -0.25, "z": 3}), (EXPRESSION, NUMBERS, {"x": 0.75, "y": 2}),
    (" + ".join(f"{name}(x)" for name in UP_TO_1), {"x": 0.5}, {"x": -0.25}),
    (FUNCTIONS, {"x": 0.5}, {"x": 1.25}), (FUNCTIONS, {"x": 0.5}, {"x": 3.5}),
    (POWERS, {"x": 0.5, "y": 2}, {"x": 2, "y": 1.5}), (CHOICES, {"x": 1, "y": 2}, {"x": 3, "y": 3}),
    ("sqrt(where(0, x, y)) + exp(x)", {"x": 1, "y": 4}, {"x": 2, "y": 0}),
    ("x**y + y", {"x": 1, "y": 2}, {"x": 0, "y": 2}), ("x**y + y", {"x": 1, "y": 2}, {"x": 0, "y": 0}),
]


def edited(expression, before, after):
    typed = "".join(f'type("leaf-{k}", "{number}");' for k, number in enumerate(after.values()))
    return scene(explain(expression, **before).html(), f"""
{typed}
while (!isOff("next")) {{ seen.push(look().lines); click("next"); }}
seen.push(look().lines);
click("reset"); click("start"); seen.push(look().lines);
""")


EDITED = [edited(*edit) for edit in EDITS]


@in_browser
@pytest.mark.parametrize("k", range(len(EDITS)))
def test_leaves_are_edited_and_all_numbers_follow_as_the_engine_has_them(k, seen):
    expression, before, after = EDITS[k]
    *steps, reset = seen(EDITED[k])
    assert steps == steps_of(explain(expression, **after).text())
    assert reset == steps_of(explain(expression, **before).text())[0]


WRONG = scene(explain("(x + y) * z", **GATES).html(), """
click("end");
for (const text of ["two", "", "1e999"]) {
  type("leaf-0", text);
  seen.push([byTestId("problem-0").textContent, byTestId("leaf-0").getAttribute("aria-invalid"), look().numbers[4][0]]);
}
""")


@in_browser
def test_what_is_no_number_is_said_and_changes_nothing(seen):
    assert seen(WRONG) == [[f"{text} is not a number.", "true", "-12"] for text in ["two", "", "1e999"]]


WAYS = scene(explain("q = x + y\nr = q * x\nf = r * q", x=2, y=3).html(), """
open(0);
seen.push([...document.querySelectorAll("#way-0 .line")].map((line) => line.textContent));
document.querySelector('g[data-node="1"]').dispatchEvent(new MouseEvent("click", {bubbles: true}));
seen.push(byTestId("way-1").open, byTestId("way-1").querySelector("summary").textContent);
""")
WAYS_OF_EDITED = scene(explain("x * y", x=2, y=3).html(), """
open(0);
type("leaf-1", "5");
seen.push(byTestId("way-0").open, byTestId("way-1").open, document.querySelector("#way-0 .line").textContent);
""")
MANY_WAYS = scene(explain("a = x + x\n" + "a = a + a\n" * 29, x=1).html(), """
open(0);
seen.push(document.querySelectorAll("#way-0 .line").length, document.querySelector("#way-0 .hint").textContent);
""")


@in_browser
def test_each_derivative_opens_as_the_sum_over_all_ways(seen):
    assert seen(WAYS) == [
        ["x → r → f: df/dr * ∂r/∂x = 5 * 5 = 25", "x → q → f: ∂f/∂q * dq/dx = 10 * 1 = 10",
         "x → q → r → f: df/dr * dr/dq * dq/dx = 5 * 2 * 1 = 10", "df/dx = 25 + 10 + 10 = 45"],
        True, "df/dy = 20",
    ]


@in_browser
def test_what_is_open_stays_open_when_a_leaf_is_edited(seen):
    assert seen(WAYS_OF_EDITED) == [True, False, "x → f: df/dx = 5"]


@in_browser
def test_of_very_many_ways_the_first_are_shown(seen):
    assert seen(MANY_WAYS) == [20, "The first 20 of 1,073,741,824 ways are shown."]


TRIES = [(3, "-4", "right"), (2, "-4", "wrong_factor"), (2, "3", "right"), (0, "4", "wrong_sign"),
         (0, "1", "wrong_local"), (0, "-2", "wrong_value"), (0, "7", "wrong"), (0, "", "empty"), (1, "-4.0", "right")]
PRACTICE = scene(explain("(x + y) * z", **GATES).html(), f"""
const grads = () => look().numbers.map((pair) => pair[1]);
click("practice"); click("end"); seen.push(grads(), look().lines);
for (const [place, text] of {json.dumps([one[:2] for one in TRIES])}) seen.push(answer(place, text));
seen.push(grads(), byTestId("all-ways").hidden);
click("practice"); seen.push(grads(), byTestId("all-ways").hidden);
""")
PRACTICE_OF_SUMS = scene(explain("x * y + x * 4 + (x * 2) * 5", x=2, y=3).html(), """
click("practice");
for (const text of ["4", "120", "17"]) seen.push(answer(0, text));
""")


TYPED = scene(explain("x * y + 0 * z", x=0.25, y=1e-7, z=3).html(), """
click("practice");
for (const [place, text] of [[1, "1/4"], [1, "０．２５"], [1, "1/2/2"], [1, "1/"], [0, "1e-7"], [0, "0"], [2, "−0"]]) {
  seen.push(answer(place, text));
}
type("leaf-0", "−1/4"); seen.push(look().numbers[0][0]);
type("leaf-0", "1/0"); seen.push(byTestId("problem-0").textContent);
""".replace("−", "\\u2212"))      # noqa: RUF001
INFINITE = scene(explain("sqrt(x) * 2", x=0).html(), """
click("practice"); seen.push(answer(0, "5"), answer(0, "-inf"), answer(0, "inf"));
""")


@in_browser
def test_numbers_are_typed_as_people_write_them(seen):
    right, empty = STRINGS["right"], STRINGS["empty"]
    *said, small, zero, value, problem = seen(TYPED)
    assert said == [right, right, empty, empty, right]
    assert small.startswith("Not yet")
    assert (zero, value, problem) == (right, "-0.25", "1/0 is not a number.")


@in_browser
def test_an_infinite_gradient_is_answered_by_inf(seen):
    assert seen(INFINITE) == [
        STRINGS["wrong"].format(rule="df/dx = df/dq * dq/dx"), STRINGS["wrong_sign"], STRINGS["right"]]


@in_browser
def test_practice_hides_gradients_and_says_which_rule_was_missed(seen):
    parts = {"arrives": "df/dq = -4", "local": "dq/dx = 1", "rule": "df/dx = df/dq * dq/dx"}
    grads, lines, *said = seen(PRACTICE)
    assert (grads, lines) == (["", "", "", "", "1"], [])
    assert said[:-4] == [STRINGS[key].format(**parts) for *_, key in TRIES]
    assert said[-4:] == [["", "-4", "3", "-4", "1"], True, ["-4", "-4", "3", "-4", "1"], False]


RULES_OF_RESULTS = scene(explain("x * tanh(x) + y", x=2, y=3).html(), """
click("practice"); seen.push(answer(1, "9"), answer(0, "9"));
""")
RULE_OF_A_PRODUCT = scene(explain("x * tanh(x)", x=2).html(), """
click("practice"); seen.push(answer(1, "9"), answer(0, "9"));
""")


@in_browser
def test_the_rule_of_the_results_own_gate_is_its_local_derivative(seen):
    assert seen(RULES_OF_RESULTS) == [
        STRINGS["wrong"].format(rule=rule) for rule in ("df/dy = 1", "df/dx = df/dr * ∂r/∂x + df/dq * dq/dx")]
    assert seen(RULE_OF_A_PRODUCT) == [
        STRINGS["wrong"].format(rule=rule) for rule in ("df/dq = x", "df/dx = ∂f/∂x + df/dq * dq/dx")]


@in_browser
def test_practice_knows_sums_that_were_forgotten(seen):
    wanted = [STRINGS["wrong_added"].format(name="x"), STRINGS["wrong_product"], STRINGS["right"]]
    assert seen(PRACTICE_OF_SUMS) == wanted


PHONE = scene(explain(EXPRESSION, **NUMBERS).html(), """
click("end");
seen.push(document.documentElement.clientWidth, document.documentElement.scrollWidth);
const buttons = [...document.querySelectorAll("button")].filter((button) => button.offsetParent);
seen.push(Math.min(...buttons.map((button) => button.offsetHeight)));
""", width=360)


@in_browser
def test_a_phone_need_not_scroll_the_page_sideways(seen):
    width, wanted, height = seen(PHONE)
    assert 300 < wanted <= width <= 360
    assert height >= 40     # which a finger can hit


SPOKEN = scene(explain("(x + y) * z", lang="zh-TW", **GATES).html(), """
seen.push(document.documentElement.lang, byTestId("rule").getAttribute("aria-live"));
seen.push(document.querySelector("svg").getAttribute("role"), document.querySelector("svg").getAttribute("aria-label"));
const named = (field) => field.getAttribute("aria-label") || (field.labels && field.labels.length);
seen.push([...document.querySelectorAll("input")].filter((field) => !named(field)).length);
seen.push([...document.querySelectorAll("button")].filter((button) => !button.textContent.trim()).length);
""")


@in_browser
def test_a_screen_reader_finds_names_and_hears_steps(seen):
    *found, fields, buttons = seen(SPOKEN)
    assert found == ["zh-Hant-TW", "polite", "img", translation("zh-TW")(TITLE).format(name="f")]
    assert (fields, buttons) == (0, 0)      # without a name


def of_its_author():
    x, y = Value(2.0), Value(3.0)
    return explain(Value(7.0, (x,), (1.5,), label="g") * y, x=x, y=y)


ITS_AUTHORS = scene(of_its_author().html(), """
while (!isOff("next")) { seen.push(look().lines); click("next"); }
seen.push(look().lines, byTestId("leaf-0").disabled, document.querySelector("#leaves .hint").textContent);
""")


@in_browser
def test_an_op_of_its_authors_own_is_shown_but_cannot_be_edited(seen):
    assert seen(ITS_AUTHORS) == [*steps_of(of_its_author().text()), True, STRINGS["fixed"]]


def power(length):
    x = v = Value(2.0, label="x")
    for _ in range(length):
        v = v * x
    return v


LEAF = scene(explain(power(0)).html(), 'click("end"); seen.push(look().lines, look().step);')
PART = scene(explain(power(100), limit=3).html(), """
while (!isOff("next")) { seen.push(look().lines); click("next"); }
seen.push(look().lines);
""")


@in_browser
def test_a_leaf_alone_and_a_part_of_a_graph_are_pages_too(seen):
    assert seen(LEAF) == [["dx/dx = 1"], "Step 1 of 1"]
    *steps, last = seen(PART)
    assert len(steps) == 7
    assert last[-1].startswith("df/dx += df/dq * dq/dx = 4 * ")


@in_browser
def test_a_link_may_name_the_step(tmp_path):
    printed = dump(tmp_path, played(explain("(x + y) * z", **GATES).html(), "seen.push(look().step);"), part="#step=4")
    assert '["Step 4 of 5"]' in printed


@in_browser
@pytest.mark.parametrize(("step", "shown"), [("2.5", 3), ("-1", 0), ("nan", 0), ("1e999", 5)])
def test_a_link_to_no_step_opens_at_one(step, shown, tmp_path):
    printed = dump(tmp_path, played(explain("(x + y) * z", **GATES).html(), "seen.push(look().step);"), f"#step={step}")
    assert f'["Step {shown} of 5"]' in printed
