"""The playground in Chromium, for test_playground.py and benchmarks/playground.py: a server of its files,
and a page."""

import contextlib
import functools
import http.server
import json
import os
import pathlib
import shutil
import threading
import time

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
PATIENCE = 60       # seconds
# what browsers do that keep nothing of a page, and so give it no memory to share
KEEPS_NOTHING = "Object.defineProperty(Navigator.prototype, 'serviceWorker', {get() {}})"


def site_or_skip():
    """The folder that .ci/playground has made; the tests of a module are skipped if it or a browser is not there."""
    import pytest

    if not os.environ.get("PLAYGROUND"):
        pytest.skip("PLAYGROUND names no folder that .ci/playground has made", allow_module_level=True)
    pytest.importorskip("selenium", reason="selenium is not installed")
    if not (CHROMIUM and DRIVER):
        pytest.skip("Chromium or its driver is not here", allow_module_level=True)
    return pathlib.Path(os.environ["PLAYGROUND"]).resolve()


@contextlib.contextmanager
def opened(site, folder):
    """A page that is ready. In the end nothing was wrong in it, and no other host was asked."""
    server = Server(site)
    page = Page(folder)
    try:
        yield page.opened(server.address)
        assert page.problems() == []
    finally:
        page.close()
        server.stop()
    assert page.hosts() == {server.address.split("/")[2]}


class Server:
    """Serves a folder as `python -m http.server` does, and counts what it sends."""

    def __init__(self, folder):
        self.sent = {}
        handler = functools.partial(Handler, self.sent, directory=os.fspath(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, sent, *arguments, **options):
        self.counted = sent
        super().__init__(*arguments, **options)

    def copyfile(self, source, target):
        size = os.fstat(source.fileno()).st_size
        self.counted[self.path] = self.counted.get(self.path, 0) + size
        with contextlib.suppress(ConnectionError):      # of a page that is closed
            super().copyfile(source, target)

    def log_message(self, *arguments):
        pass


class Page:
    """A window of Chromium, in which nothing has been opened before."""

    def __init__(self, folder, keeps=True, size=(1440, 1000)):
        from selenium import webdriver

        self.log = pathlib.Path(folder) / "requests.json"
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        window = "window-size={},{}".format(*size)
        for argument in ("headless=new", "hide-scrollbars", window, f"log-net-log={self.log}"):
            options.add_argument(f"--{argument}")
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.add_argument("--no-sandbox")        # which Chromium does not have for root
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        if not keeps:
            self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": KEEPS_NOTHING})

    def close(self):
        self.driver.quit()

    # --- what there is ---

    def ask(self, expression, *arguments):
        return self.driver.execute_script(f"return {expression}", *arguments)

    def wait(self, expression, seconds=PATIENCE):
        """Until it is true, and what it is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(Exception):        # of a page that is being loaded
                found = self.ask(expression)
                if found:
                    return found
            time.sleep(0.02)
        raise TimeoutError(f"{expression}, where the page says: {self.status()}")

    def find(self, name):
        return self.driver.find_element("id", name)

    def text(self, name):
        return self.ask("document.getElementById(arguments[0]).textContent", name)

    def status(self):
        return self.text("status")

    def printed(self, side="ours", kind="out"):
        """What its program has printed."""
        return self.ask(f"[...document.querySelectorAll('#{side} .output .{kind}')].map(e => e.textContent).join('')")

    def problems(self):
        """What the browser's console says."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def hosts(self):
        """All that pages and workers have asked; known once the browser is closed."""
        log = json.loads(self.log.read_text(encoding="utf-8"))
        begun = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
        asked = [event.get("params", {}) for event in log["events"] if event["type"] == begun]
        by_pages = [one["url"] for one in asked if one.get("initiator", "not an origin") != "not an origin"]
        return {url.split("/")[2] for url in by_pages if url.startswith(("http", "ws"))}

    # --- what is done ---

    def open(self, address):
        self.driver.get(address)
        return self

    def opened(self, address):
        self.open(address)
        self.wait("'ready' in document.documentElement.dataset")
        return self

    def choose(self, example):
        self.ask("(e => { e.value = arguments[0]; e.dispatchEvent(new Event('change')) })"
                 "(document.getElementById('example'))", example)
        self.wait(f"document.getElementById('editor').dataset.example === {example!r}")

    def write(self, program):
        self.ask("(e => { e.value = arguments[0]; e.dispatchEvent(new Event('input')) })"
                 "(document.getElementById('editor'))", program)

    def press(self, name):
        self.find(name).click()

    def wait_until_ended(self):
        self.wait("document.getElementById('stop').ariaDisabled === 'true'")

    def run(self, program=None, button="run"):
        if program is not None:
            self.write(program)
        self.press(button)
        self.wait_until_ended()
