"""Runs programs in a worker of the playground, and tells the page what they print, learn and compute.

`tell` is a function of the page's; what it is told is JSON: an object with one key, which says what it is.
"""

import ast
import gc
import io
import json
import pathlib
import statistics
import sys
import time
import traceback
import types

from . import learning

BURST = 200             # lines that are told one by one,
PER_SECOND = 1000       # and how many more each second; what is printed faster is told together
PICTURE_SECONDS = 0.03  # between two pictures of what a program learns


class Printed(io.TextIOBase):
    """Standard output or error of a program: tells whole lines as they come, and looks at what it learns by then."""

    def __init__(self, key, teller):
        self.key, self.teller, self.line = key, teller, ""

    def writable(self):
        return True

    def write(self, text):
        self.teller.entered()
        *lines, self.line = (self.line + text).split("\n")
        for line in lines:
            self.teller.say(self.key, line + "\n")
        self.teller.left()
        return len(text)

    def flush(self):
        self.teller.send()

    def end(self):
        if self.line:
            self.teller.say(self.key, self.line)
            self.line = ""


class Teller:
    """Sends text and pictures to the page, but no more than it can show. Times the program between its lines."""

    def __init__(self, tell, variables):
        self.tell, self.variables = tell, variables
        self.waiting, self.allowed = [], BURST
        self.seconds, self.steps, self.losses = 0.0, [], []
        self.pictured = self.last = time.perf_counter()

    def entered(self):
        self.seconds += time.perf_counter() - self.last

    def left(self):
        self.last = time.perf_counter()

    def say(self, key, text):
        if self.waiting and key in self.waiting[-1]:
            self.waiting[-1][key].append(text)
        else:
            self.waiting.append({key: [text]})
        loss = names = None
        if key == "out":
            loss, names = learning.loss_in(text), learning.names_in(text)
        if names is not None:
            self.waiting.append({"names": [names]})
        if loss is not None:
            self.losses.append(loss)
            self.steps.append(self.seconds)
            self.seconds = 0.0
        now = time.perf_counter()
        self.allowed = min(BURST, self.allowed + (now - self.last) * PER_SECOND)
        if self.allowed >= 1:
            self.allowed -= 1
            if loss is not None and now - self.pictured > PICTURE_SECONDS:
                self.picture()
            self.send()

    def picture(self):
        """What has been learned since the last picture. The first step's seconds are those of a beginning, too."""
        self.pictured = time.perf_counter()
        times = self.steps[1:]
        self.waiting.append({"learned": {
            "losses": self.losses[:], "steps": len(self.steps), "seconds": statistics.median(times) if times else None,
            "model": learning.network(self.variables.get("model")),
            "points": learning.points(self.variables.get("X"), self.variables.get("y")),
        }})
        self.losses.clear()

    def send(self):
        while self.waiting:
            (key, what), = self.waiting.pop(0).items()
            self.tell(json.dumps({key: what if key == "learned" else "".join(what)}))


def with_ours(source):
    """The program with its own class Value deleted and ours imported; and the class's lines, or None without one."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == "Value" and not node.bases:
            first = min(part.lineno for part in (node, *node.decorator_list))
            lines = source.split("\n")
            ours = ["from micrograd_c.engine import Value"] + [""] * (node.end_lineno - first)     # lines keep numbers
            return "\n".join(lines[: first - 1] + ours + lines[node.end_lineno :]), (first, node.end_lineno)
    return source, None


def run(name, source, replace, tell):
    """Runs a program as __main__. Returns how it ended, and its seconds, as JSON."""
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    gc.collect()        # of the program before
    path = pathlib.Path.cwd() / name
    main.__file__ = str(path)
    sys.argv = [name]
    path.write_text(source, encoding="utf-8")       # tracebacks show its lines
    teller = Teller(tell, vars(main))
    streams = [Printed("out", teller), Printed("err", teller)]
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = streams
    start = time.perf_counter()
    try:
        ended = executed(name, source, replace, main)
    finally:
        seconds = time.perf_counter() - start
        sys.stdout, sys.stderr = before
        for stream in streams:
            stream.end()
        if teller.steps:
            teller.picture()
        teller.send()
    return json.dumps({"ended": ended, "seconds": seconds})


def executed(name, source, replace, main):
    """How it ended: well, stopped, or wrong, with a traceback printed that begins with the program's own frames."""
    try:
        if replace:
            source, lines = with_ours(source)
            if lines:
                sys.stderr.teller.say("note", "Lines {}-{}, its class Value: micrograd_c's instead.\n".format(*lines))
        exec(compile(source, name, "exec", dont_inherit=True), vars(main))
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return "wrong" if end.code else "well"
    except BaseException as error:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_globals is globals():
            frames = frames.tb_next
        traceback.print_exception(type(error), error, frames)
        return "stopped" if isinstance(error, KeyboardInterrupt) else "wrong"
    return "well"
