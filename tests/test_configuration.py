"""show_config: what this build and this machine are."""

import platform
import re

import pytest

import micrograd_c
from micrograd_c import Value, vmap
from micrograd_c._core.mapped.executor import instruction_sets


@pytest.fixture
def shown(monkeypatch, capsys):
    monkeypatch.delenv("MICROGRAD_C_KERNELS", raising=False)

    def show(kernels=None):
        if kernels is not None:
            monkeypatch.setenv("MICROGRAD_C_KERNELS", kernels)
        assert micrograd_c.show_config() is None
        return capsys.readouterr().out

    return show


def test_it_prints_a_line_for_each_fact(shown):
    first, compiler, used, available, python = shown().splitlines()
    assert first == f"micrograd_c {micrograd_c.__version__}"
    assert re.fullmatch(r"compiled by: (GCC|MSVC|.*[Cc]lang).* ?\d+.*", compiler)
    assert used == f"instruction set in use by vmap: {instruction_sets()[0]}"
    assert available == f"kernels available here: {', '.join(instruction_sets())}"
    assert platform.python_version() in python


def test_it_returns_the_same_as_a_dict(shown):
    printed = shown()
    facts = micrograd_c.show_config(mode="dicts")
    sets = facts.pop("instruction_sets")
    assert sets == instruction_sets()
    assert all(fact in printed for fact in [*facts.values(), *sets])


@pytest.mark.parametrize("name", instruction_sets())
def test_the_instruction_set_in_use_is_the_one_that_was_asked_for(shown, name):
    assert f"in use by vmap: {name}\n" in shown(name)
    assert vmap(lambda x: Value(2.0) * x)([1.0, 2.0]).tolist() == [2, 4]


def test_an_instruction_set_that_is_not_there_is_said_to_be_refused(shown):
    assert "in use by vmap: sse9, which is not there: vmap refuses it\n" in shown("sse9")
    with pytest.raises(ValueError, match="does not have the instruction set 'sse9'"):
        vmap(lambda x: Value(2.0) * x)([1.0, 2.0])


@pytest.mark.parametrize(("build", "said"), [(0, False), (None, False), (1, True)])
def test_a_free_threaded_build_is_said_to_be_one(shown, monkeypatch, build, said):
    monkeypatch.setattr("sysconfig.get_config_var", {"Py_GIL_DISABLED": build}.get)
    assert (" free-threaded, with its lock (GIL) on, " in shown()) == said


def test_another_mode_is_an_error():
    with pytest.raises(ValueError, match="mode must be 'stdout' or 'dicts', not 'json'"):
        micrograd_c.show_config(mode="json")
