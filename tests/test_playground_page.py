"""The playground's page, in Chromium: without a network, by keyboard, for screen readers, on small screens.

PLAYGROUND is the folder that .ci/playground has made.
"""

import pytest
from playground_page import Page, Server, opened, site_or_skip

SITE = site_or_skip()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with opened(SITE, tmp_path_factory.mktemp("browser")) as page:
        yield page


def test_it_works_without_a_network_once_it_is_loaded(tmp_path):
    server = Server(SITE)
    page = Page(tmp_path)
    try:
        page.opened(server.address)
        page.wait("document.getElementById('kept').textContent")
        assert page.ask("crossOriginIsolated")
        assert max(server.sent.values()) < 1.05 * max(path.stat().st_size for path in SITE.rglob("*"))  # nothing twice
        server.stop()
        page.opened(server.address)
        page.choose("moons")
        page.run()
        assert page.printed().endswith("step 99 loss 0.010978370135492717, accuracy 100.0%\n")
        page.run(button="both", program="from micrograd.engine import Value\nprint((Value(2.0) * 3).data)\n")
        assert page.printed("theirs") == "6.0\n"
    finally:
        page.close()


def test_the_keyboard_does_all(page):
    press = "Input.dispatchKeyEvent"

    def key(name, code=0, modifiers=0, text=""):
        page.driver.execute_cdp_cmd(press, {"type": "keyDown", "key": name, "code": name, "modifiers": modifiers,
                                            "windowsVirtualKeyCode": code, "text": text})
        page.driver.execute_cdp_cmd(press, {"type": "keyUp", "key": name, "code": name, "modifiers": modifiers})

    page.write("")
    page.ask("document.getElementById('editor').focus()")
    page.find("editor").send_keys("if True:\nprint(1)")
    assert page.ask("document.getElementById('editor').value") == "if True:\n    print(1)"
    key("Tab", 9)
    assert page.ask("document.getElementById('editor').value").endswith("print(1)    ")
    key("Enter", 13, 2)
    page.wait("document.querySelector('#ours .output').textContent === '1\\n'")
    page.wait_until_ended()
    assert page.ask("document.activeElement.id") == "editor"
    key("Escape", 27)
    order = []
    for _ in range(5):
        key("Tab", 9)
        order.append(page.ask("document.activeElement.id || document.activeElement.className"))
    assert order == ["run", "stop", "both", "output", "output"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(page, scheme):
    """Names, roles, order of headings, contrast: of the page, and of the one to step through that it has inside."""
    axe_selenium_python = pytest.importorskip("axe_selenium_python")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    page.choose("two_gates")
    page.run()
    axe = axe_selenium_python.Axe(page.driver)
    for frame in (None, "steps"):
        if frame:
            page.driver.switch_to.frame(page.find(frame))
        try:
            axe.inject()
            found = axe.run(options={"iframes": "false"})
        finally:
            page.driver.switch_to.default_content()
        assert len(found["passes"]) > 20
        assert [(problem["id"], problem["nodes"][0]["html"]) for problem in found["violations"]] == []


@pytest.mark.parametrize("width", [360, 768])
def test_nothing_is_wider_than_the_screen(page, width):
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                {"width": width, "height": 740, "deviceScaleFactor": 2, "mobile": True})
    try:
        assert page.ask("innerWidth") == width
        assert page.ask("document.documentElement.scrollWidth") == width
        small = page.ask("[...document.querySelectorAll('button, select, input')].filter(e => e.checkVisibility()"
                         " && e.type !== 'checkbox' && e.getBoundingClientRect().height < 44).map(e => e.id)")
        assert small == []
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
