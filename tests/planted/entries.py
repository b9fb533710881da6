"""What a fault is, and which there are: in faults/, a file for each area of the sources.

Each of these has a dict FAULTS. Its keys are source files. Its values are the tests that should notice, unless a fault
says otherwise, and the faults: a name, which says what is lost or wrong, the old text, the new text, and perhaps tests
of its own. Tests are files of tests/, separated by spaces; `rare`, which stands for several; or `fuzz`, the fuzzer with
the same seeds each time.
"""

import collections
import pathlib
import runpy

FOLDER = pathlib.Path(__file__).parent / "faults"

GROUPS = {"rare": ["test_rare_values.py", "test_rare_sweeps.py", "test_full_tape.py"]}

Fault = collections.namedtuple("Fault", "name file old new notices")


def faults():
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        for file, (tests, entries) in runpy.run_path(str(path))["FAULTS"].items():
            for name, old, new, *own in entries:
                named = (own[0] if own else tests).split()
                notices = [notice for word in named for notice in GROUPS.get(word, [word])]
                found.append(Fault(name, file, old, new, notices))
    return found


def what_is_wrong(fault, root):
    """Lines that say why a fault cannot be planted: sources change, and a fault must not be lost by that silently."""
    text = (root / fault.file).read_text(encoding="utf-8")
    wrong = []
    if text.count(fault.old) != 1:
        wrong.append(f"{fault.name}: the old text occurs {text.count(fault.old)} times in {fault.file}, not once")
    if fault.old == fault.new:
        wrong.append(f"{fault.name}: nothing is changed")
    for notice in fault.notices:
        if notice != "fuzz" and not (root / "tests" / notice).is_file():
            wrong.append(f"{fault.name}: there is no tests/{notice}")
    return wrong
