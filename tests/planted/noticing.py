"""Running the part of the suite that should notice a fault."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile

MEMORY = 6 << 30        # bytes of addresses: a fault must not take the whole machine
PYTEST = ["-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", "--hypothesis-seed=0",
          "--no-header", "--tb=line"]
FUZZER = ["tests/fuzz/__main__.py", "--seed", "1000", "--seeds", "40", "--failures", "1", "--keep"]
NOT_RUN = (3, 4, 5)     # what pytest returns where it has not run any test, for reasons of its own


def first_to_notice(root, notices, timeout):
    """What has noticed that something is wrong in a tree, or None."""
    files = [f"tests/{notice}" for notice in notices if notice != "fuzz"]
    by = run([*PYTEST, *files], root, timeout) if files else None
    return by or (run(FUZZER, root, timeout) if "fuzz" in notices else None)


def run(command, root, timeout):
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", *command], cwd=root, env=environment, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=limit_memory,
        )
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)      # also what tests have started
        process.wait()
        output.seek(0)
        text = output.read()
    if status is None:
        return f"a hang of {timeout:.0f} s"
    if status in NOT_RUN and "pytest" in command:
        raise RuntimeError(f"pytest ran no test:\n{text}")
    return said_by(text, status) if status else None


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def said_by(text, status):
    """The shortest that says what has failed."""
    broken = re.search(r"the tape is broken at node .*", text)
    failed = re.search(r"^(?:FAILED|ERROR) (?:tests/)?(.*?)(?: - |$)", text, re.MULTILINE)
    seed = re.search(r"^=== (seed .*)", text, re.MULTILINE)
    parts = [broken[0] if broken else None, failed[1] if failed else None, seed[1] if seed else None]
    if status < 0:
        parts.append(f"the end of the process by {signal.Signals(-status).name}")
    return ", ".join([part for part in parts if part]) or f"exit status {status}"
