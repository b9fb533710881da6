"""Optimizers at the edges are PyTorch's, to the last digits."""

import json
import pathlib

import edge_choices
import edge_optim
import pytest
from edges import close

DOCS = pathlib.Path(__file__).parent.parent / "docs" / "numbers.md"


@pytest.mark.parametrize("name", edge_optim.NAMED)
def test_two_steps_are_pytorchs(name):
    content = json.loads(edge_choices.FILE.read_text())
    numbers = [float(x) for x in content["numbers"]]
    oracle = [[numbers[k] for k in step] for step in content["optimizers"][name]]
    for here, there in zip(edge_optim.here(*edge_optim.NAMED[name]), oracle):
        for cell, one, other in zip(edge_optim.CELLS, here, there):
            assert close(one, other), (cell, one, other)


@pytest.mark.parametrize("name", edge_optim.NAMED)
def test_the_oracles_numbers_are_pytorchs(name):
    pytest.importorskip("torch")
    content = json.loads(edge_choices.FILE.read_text())
    there = edge_optim.torch_numbers(*edge_optim.NAMED[name])
    for step, saved in zip(there, content["optimizers"][name]):
        assert all(close(x, float(content["numbers"][k])) for x, k in zip(step, saved))


def test_the_documented_count_is_the_grids():
    count = len(edge_optim.NAMED) * len(edge_optim.CELLS) * edge_optim.STEPS
    assert f"{count} steps of optimizers, by PyTorch" in DOCS.read_text()
