"""Runs in Pyodide: pytest, without what there is not in WebAssembly.

    suite.py ARGUMENTS of pytest

A test that starts a thread or a process is skipped when it does so; others are left out by name, with the reason.
"""

import os
import subprocess
import sys
import threading

import pytest

DEEP = "test_explain.py::test_what_is_not_an_expression_is_refused_in_one_sentence"
LEFT_OUT = {
    f"{DEEP}[deep to the right]": "CPython's parser goes beyond the engine's stack",
    f"{DEEP}[deep to the left]": "likewise",
    "test_checkpoints.py::test_two_processes_do_not_write_one_file": "there are no locks of files",
    "test_microgpt.py": "measures memory by the module `resource`, which is not there",
    "test_no_grad_contexts.py::test_a_block_closed_in_another_thread_is_closed": "leaves it open without that thread",
    "test_no_grad_contexts.py::test_tasks_have_blocks_of_their_own": "runs an event loop, which is the engine's here",
    "test_no_grad_contexts.py::test_an_asynchronous_generator_that_waits_does_not_pause_its_caller": "likewise",
}


def skipping(what):
    def start(*arguments, **options):
        pytest.skip(f"there are no {what} here")

    return start


threading.Thread.start = skipping("threads")
subprocess.Popen.__init__ = os.fork = skipping("processes")     # there is an os.fork, which says that it cannot
left_out = [f"--deselect=tests/{name}" if "::" in name else f"--ignore=tests/{name}" for name in LEFT_OUT]
sys.exit(pytest.main(["-p", "no:xdist", *left_out, *sys.argv[1:]]))
