"""Programs that run in forks of what they begin with: each as in a process of its own."""

import pytest
from forking import CAN_FORK

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="there are no forks on this system")
BEGINNING = "import micrograd_c\nx = [micrograd_c.Value(1.0)]\n"


def test_no_program_sees_what_another_did(run_forked):
    for _ in range(2):
        assert run_forked(BEGINNING, "x.append(2); print(len(x))") == "2\n"


@pytest.mark.parametrize(("program", "told"), [
    ("1 / 0", "ZeroDivisionError"), ("import os; os.abort()", "Aborted"), ("raise SystemExit('text')", "text"),
])
def test_a_failure_is_told_and_ends_no_other_program(program, told, run_forked):
    with pytest.raises(AssertionError, match=told):
        run_forked(BEGINNING, program)
    assert run_forked(BEGINNING, "print(x[0].data)") == "1.0\n"


def test_a_program_ends_as_a_process_does(run_forked):
    assert run_forked(BEGINNING, "import atexit; atexit.register(print, 'at exit')") == "at exit\n"


def test_a_beginning_that_fails_is_told(run_forked):
    with pytest.raises(AssertionError, match="the beginning has failed"):
        run_forked("1 / 0\n", "print(1)")
