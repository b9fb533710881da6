"""The tutorial's notebooks in JupyterLite: in Chromium they print what the chapters show, and no other host is asked.

JUPYTERLITE_SITE names the folder that .ci/jupyterlite has built. Chromium runs without a window, by its driver and
Selenium. Every answer of the server here forbids the page and its kernel to ask others, and has attempts reported.
"""

import functools
import http.server
import json
import os
import pathlib
import shutil
import threading
import time

import pytest
from test_explain_page import CHROMIUM
from test_tutorial import CHAPTERS, cells, code_of

SITE = os.environ.get("JUPYTERLITE_SITE")
DRIVER = shutil.which("chromedriver")
SECONDS = 300
HERE_ONLY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; report-uri /report"
ELSEWHERE = "https://elsewhere.example/"

pytestmark = [
    pytest.mark.skipif(not SITE, reason="JUPYTERLITE_SITE names no folder that .ci/jupyterlite has built"),
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="wants Chromium and its driver"),
]

READY = """
const notebook = window.jupyterapp?.shell.currentWidget;
return notebook?.context?.isReady && notebook.sessionContext.isReady;
"""
RUN_ALL = """
await window.jupyterapp.commands.execute("notebook:run-all-cells");
return window.jupyterapp.shell.currentWidget.content.model.toJSON().cells;
"""
RUN = """
const {kernel} = window.jupyterapp.shell.currentWidget.sessionContext.session;
return (await kernel.requestExecute({code: arguments[0]}).done).content.status;
"""
BEGIN = "window.given = null; (async () => {SCRIPT})().then((it) => { window.given = it; });"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site, and keeps what pages report to have been kept from asking for."""

    def do_GET(self):
        if self.path.partition("?")[0] != "/jupyter-lite.json":
            super().do_GET()
            return
        settings = json.loads(pathlib.Path(SITE, "jupyter-lite.json").read_text(encoding="utf-8"))
        settings["jupyter-config-data"]["exposeAppInBrowser"] = True        # as window.jupyterapp
        text = json.dumps(settings).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["csp-report"]
        self.server.reported.append(report["blocked-uri"])
        self.send_response(204)
        self.end_headers()

    def end_headers(self):
        self.send_header("Content-Security-Policy", HERE_ONLY)
        super().end_headers()

    def log_message(self, format, *arguments):
        pass


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=SITE)) as made:
        made.reported = []
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    selenium = pytest.importorskip("selenium.webdriver", reason="Selenium, by which the browser is driven, is not here")
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in ("--headless", "--no-sandbox", "--window-size=1200,1000"):
        options.add_argument(option)
    made = selenium.Chrome(options, selenium.ChromeService(DRIVER))
    yield made
    made.quit()


def wait(condition):
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


def result(browser, script, *arguments):
    """What a script returns that may await. Selenium's own way gives up after two minutes, whatever it is told."""
    browser.execute_script(BEGIN.replace("SCRIPT", script), *arguments)
    return wait(lambda: browser.execute_script("return window.given"))


@pytest.fixture
def opened(server, browser):
    """Opens a chapter's notebook, and comes back when its kernel runs."""

    def open_it(chapter):
        server.reported.clear()
        path = pathlib.PurePosixPath(chapter).with_suffix(".ipynb")
        browser.get(f"http://127.0.0.1:{server.server_port}/notebooks/index.html?path={path}")
        wait(lambda: browser.execute_script(READY))
        return browser

    return open_it


def asked(server):
    return [url for url in server.reported if url.startswith(("http", "ws"))]


def printed(cell):
    assert {output["output_type"] for output in cell["outputs"]} <= {"stream"}, cell["outputs"]
    return "".join(output["text"] for output in cell["outputs"])


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_prints_what_it_shows_and_asks_no_other_host(server, opened, chapter):
    wanted = [cell for cell in code_of(chapter) if not cells.NEEDS.match(cell.text)]
    try:
        ran = result(opened(chapter), RUN_ALL)
    finally:        # a kernel that did not start may have asked
        assert asked(server) == []
    code = [cell for cell in ran if cell["cell_type"] == "code"]
    assert [cell["source"] for cell in code] == [cell.text.strip("\n") for cell in wanted]
    assert [printed(cell) for cell in code] == [cell.output for cell in wanted]


def test_what_a_page_or_its_kernel_asks_others_is_noticed(server, opened):
    browser = opened(CHAPTERS[0])
    browser.execute_script(f"fetch('{ELSEWHERE}page').catch(() => null)")
    wait(lambda: asked(server) == [f"{ELSEWHERE}page"])
    code = f"from pyodide.http import pyfetch\nawait pyfetch('{ELSEWHERE}kernel')"
    assert result(browser, RUN, code) == "error"
    wait(lambda: asked(server) == [f"{ELSEWHERE}page", f"{ELSEWHERE}kernel"])
