"""What it takes to open the playground in Chromium, and a step of the demo there; and pictures for docs/playground.md.

    python benchmarks/playground.py SITE [--pictures FOLDER]

SITE is what .ci/playground has made. Wants selenium, Chromium and its driver.
"""

import argparse
import gzip
import os
import pathlib
import re
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests"))

from playground_page import Page, Server

VISITS = 4
ROUNDS = 5
STEPS = 10      # of micrograd's in a round
FIRST = "document.querySelector('#ours .output').textContent.includes('dg/db')"
EDITOR_IS_THERE = "document.getElementById('editor')?.value && document.readyState === 'complete'"


def first_result(page, address):
    """Seconds from opening the page to the derivatives of the first example, Run being pressed as soon as it can be."""
    start = time.perf_counter()
    page.open(address)
    page.wait(f"crossOriginIsolated && {EDITOR_IS_THERE}")
    page.press("run")
    page.wait(FIRST)
    seconds = time.perf_counter() - start
    page.wait_until_ended()
    return seconds


def loaded(site, sent):
    """A table of what the server has sent: the largest files, and all."""
    print("| loaded | bytes | compressed |\n|---|--:|--:|")
    paths = {name: site / (name.strip("/") or "index.html") for name in sent}
    rows = [(path.name, sent[name], len(gzip.compress(path.read_bytes()))) for name, path in paths.items()]
    rows.sort(key=lambda row: -row[1])
    shown, others = rows[:4], rows[4:]
    for name, *sizes in [*shown, (f"{len(others)} others", *summed(others)), ("in all", *summed(rows))]:
        print(f"| {name} | {sizes[0]} | {sizes[1]} |")


def summed(rows):
    return [sum(row[k] for row in rows) for k in (1, 2)]


def races(page):
    """The demo on both sides until micrograd has done some steps: the median step of each, as the page shows it."""
    print("\n| a step of the demo | micrograd_c | micrograd, as it comes | times as fast |\n|---|--:|--:|--:|")
    page.choose("moons")
    rounds = []
    for k in range(ROUNDS):
        page.press("both")
        page.wait(f"parseInt(document.querySelector('#theirs .rate').textContent) >= {STEPS}")
        page.press("stop")
        page.wait_until_ended()
        rounds.append([step_of(page, side) for side in ("ours", "theirs")])
        print(row(f"round {k + 1}", *rounds[-1]))
    print(row("median", *map(statistics.median, zip(*rounds))))


def step_of(page, side):
    """Milliseconds."""
    rate = page.ask(f"document.querySelector('#{side} .rate').textContent")
    number, unit = re.search("([0-9.]+) (m?s) each", rate).groups()
    return float(number) * {"ms": 1, "s": 1000}[unit]


def row(title, ours, theirs):
    return f"| {title} | {ours:.3g} ms | {theirs:.3g} ms | {theirs / ours:.0f} |"


def pictures(page, folder):
    page.choose("moons")
    page.press("both")
    page.wait("parseInt(document.querySelector('#theirs .rate').textContent) >= 5")
    take(page, folder / "playground-light.png", 1200, 760)
    page.press("stop")
    page.wait_until_ended()
    page.choose("two_gates")
    page.run()
    page.press("step-through")
    page.wait("document.getElementById('steps').srcdoc")
    page.driver.switch_to.frame(page.find("steps"))
    page.wait("document.readyState === 'complete' && document.getElementById('end')")
    page.press("end")
    page.driver.switch_to.default_content()
    take(page, folder / "playground-dark.png", 1200, 1230, "dark", "#graph")
    page.choose("gpt")
    page.press("run")
    page.wait("parseInt(document.querySelector('#ours .rate').textContent) >= 40")
    take(page, folder / "playground-phone.png", 360, 1240)
    page.press("stop")
    page.wait_until_ended()


def take(page, path, width, height, scheme="light", place="header"):
    command = page.driver.execute_cdp_cmd
    command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    command("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1,
                                                   "mobile": width < 500})
    time.sleep(1)       # for what is drawn
    page.ask("document.querySelector(arguments[0]).scrollIntoView()", place)
    page.driver.save_screenshot(str(path))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("site", type=pathlib.Path)
    parser.add_argument("--pictures", metavar="FOLDER", type=pathlib.Path)
    options = parser.parse_args()
    server = Server(options.site)
    with tempfile.TemporaryDirectory() as folder:
        page = Page(folder)
        try:
            seconds = first_result(page, server.address)
            page.wait("document.getElementById('kept').textContent")
            loaded(options.site, server.sent)
            print(f"\n| the first result | seconds |\n|---|--:|\n| visit 1 | {seconds:.2f} |")
            for k in range(2, VISITS + 1):
                page.wait("'ready' in document.documentElement.dataset")
                print(f"| visit {k} | {first_result(page, server.address):.2f} |")
            races(page)
            print(f"\nChromium {page.driver.capabilities['browserVersion']}, {os.cpu_count()} processors"
                  f"{f', load {os.getloadavg()[0]:.1f}' if hasattr(os, 'getloadavg') else ''}")
            if options.pictures:
                pictures(page, options.pictures)
        finally:
            page.close()
            server.stop()


main()
