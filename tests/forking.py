"""Programs of which many begin alike: what they begin with runs once, in a process of which each gets a fork.

A fork is as fresh as a process of one's own in all that a program may change. Where there are no forks, each program
has a process of its own, in which it runs after its beginning.
"""

import contextlib
import json
import os
import subprocess
import sys

CAN_FORK = hasattr(os, "fork")
# Reads programs, one a line, and answers with the status of the fork that has run each. Output goes to a file. A fork
# leaves the loop, so that it ends as any process does.
LOOP = """
import json as _json, os as _os, sys as _sys
exec(_sys.argv[1], globals())
_program = None
for _line in _sys.stdin:
    _program, _path = _json.loads(_line)
    _pid = _os.fork()
    if not _pid:
        _file = _os.open(_path, _os.O_WRONLY | _os.O_CREAT)
        _nothing = _os.open(_os.devnull, _os.O_RDONLY)
        for _old, _new in ((_nothing, 0), (_file, 1), (_file, 2)):
            _os.dup2(_old, _new)
        break
    print(_os.waitpid(_pid, 0)[1], flush=True)
else:
    _os._exit(0)
exec(_program, globals())
"""


class Forker:
    """What a beginning leaves, as often as it is wanted."""

    def __init__(self, beginning, folder):
        self.beginning, self.folder = beginning, folder
        self.count = 0
        self.process = CAN_FORK and subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-c", LOOP, beginning],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder,
        )

    def run(self, program, run_python):
        """What the program prints after the beginning. Its failure is the test's."""
        if not CAN_FORK:
            return run_python(self.beginning + program)
        self.count += 1
        path = self.folder / f"output{self.count}"
        with contextlib.suppress(BrokenPipeError):      # the beginning has failed
            self.process.stdin.write(json.dumps([program, str(path)]) + "\n")
            self.process.stdin.flush()
        status = self.process.stdout.readline()
        assert status, f"the beginning has failed:\n{self.beginning}"
        output = path.read_text(encoding="utf-8")
        path.unlink()
        assert status == "0\n", output
        return output

    def end(self):
        if self.process:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()
