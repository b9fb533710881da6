"""A process for each program: a crash or a hang of it is a result as any other."""

import faulthandler
import json
import os
import signal
import sys
import tempfile
import traceback

PATIENCE = 60       # seconds for a seed, until it is taken to hang


def apart(action, patience=PATIENCE):
    """action(write) in a process of its own: a list of what it has written, and None, or the signal it ended by."""
    with tempfile.TemporaryFile() as file:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            code = 70
            try:
                faulthandler.disable()
                signal.alarm(patience)
                action(lambda thing: os.write(file.fileno(), json.dumps(thing).encode() + b"\n"))
                code = 0
            except BaseException:
                os.write(file.fileno(), json.dumps(["broken", traceback.format_exc()]).encode() + b"\n")
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        file.seek(0)
        written = [json.loads(line) for line in file.read().splitlines()]
    if os.WIFSIGNALED(status):
        return written, signal.Signals(os.WTERMSIG(status)).name
    return written, None if os.WEXITSTATUS(status) in (0, 70) else f"exit {os.WEXITSTATUS(status)}"
