"""Runs in Pyodide: pytest, without what there is not in WebAssembly.

    suite.py ARGUMENTS of pytest

A test that starts a thread or a process is skipped when it does so; others are left out by name, with the reason.
"""

import os
import subprocess
import sys
import threading

import pytest

LEFT_OUT = {
}


def skipping(what):
    def start(*arguments, **options):
        pytest.skip(f"there are no {what} here")

    return start


threading.Thread.start = skipping("threads")
subprocess.Popen.__init__ = os.fork = skipping("processes")     # there is an os.fork, which says that it cannot
left_out = [f"--deselect=tests/{name}" if "::" in name else f"--ignore=tests/{name}" for name in LEFT_OUT]
sys.exit(pytest.main(["-p", "no:xdist", *left_out, *sys.argv[1:]]))
