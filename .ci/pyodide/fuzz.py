"""Runs in Pyodide: the random programs of tests/fuzz, in one process, without steps that start threads or replace
what is Value's for good.

    fuzz.py FOLDER ARGUMENTS

FOLDER is tests/fuzz, the arguments are its own.
"""

import os
import runpy
import sys

WITHOUT = ("background", "in_thread", "other_thread", "parallel", "suspended", "replace")

folder, *arguments = sys.argv[1:]
sys.path.insert(0, folder)

import processes  # noqa: E402  (of that folder)


def together(action, patience=None):
    written = []
    action(written.append)
    return written, None


processes.apart = together
sys.argv = ["fuzz", "--without", ",".join(WITHOUT), *arguments]
runpy.run_path(os.path.join(folder, "__main__.py"), run_name="__main__")
