"""Mapped and compiled functions know where their parameters are on the tape, and notice when these are elsewhere."""

import numpy as np
import pytest

from micrograd_c import jit, sumprod, tape, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import Layer

COUNT = 12
ROWS = np.array([[0.5, -1.0], [2.0, 0.25], [1.5, 3.0]])


@pytest.fixture(autouse=True)
def tape_is_sound():
    yield
    tape.verify()


def collected(made):
    made["below"].clear()
    tape.collect()


def slid_down(made):
    """As the tape fills up, what nothing refers to goes first."""
    made["below"].clear()
    for _ in range(3):
        kept = Value(1.0)
        for _ in range(tape.stats()["capacity"]):
            kept = kept + 1.0


def given_numbers(made):
    for k, p in enumerate(made["parameters"][::3]):
        p.__init__(10.0 + k)


def given_operands(made):
    """A parameter that was computed gets another node; its number stays."""
    tape.collect()      # or nodes of before, which nobody holds, may be there still, computed from it
    made["computed"]._prev = {Value(5.0), made["parameters"][0]}


def nodes_put_in_place(made):
    """A layer's outputs are replaced by the nodes they stand for, which come before all that was recorded since."""
    assert made["hidden"][0]._prev


def shuffled(made):
    """In another order, as a list that is no longer what it was."""
    for p, number in zip(made["parameters"], reversed([p.data for p in made["parameters"]])):
        p.data = number


MOVES = [collected, slid_down, given_numbers, given_operands, nodes_put_in_place, shuffled]


def make():
    made = {"below": [Value(k) for k in range(50)]}
    made["hidden"] = Layer(2, 2)([1.0, 2.0])
    made["parameters"] = [Value(0.1 * k - 0.3) for k in range(COUNT)]
    made["computed"] = Value(0.7) * made["parameters"][3]
    made["more"] = [Value(1.0 + k) for k in range(COUNT)]
    return made


def all_of(made):
    return [*made["hidden"], *made["parameters"], made["computed"], *made["more"]]


def of_row(made):
    return lambda x, y: (sumprod(all_of(made), all_of(made), x) * y * 1e-3).tanh() + made["parameters"][5] * x * y


def numbers_of(made, total):
    """The result, and the gradients of what does not go on to others."""
    for p in all_of(made):
        p.grad = 0
    total.backward()
    return [total.data, *(p.grad for p in [*made["parameters"], *made["more"]])]


def by_vmap(made):
    mapped = vmap(of_row(made))
    return lambda: mapped(*ROWS.T).sum()


def by_jit(made):
    compiled = jit(of_row(made))
    return lambda: sum(compiled(x, y) for x, y in ROWS.tolist())


def by_given(made):
    """The parameters are arguments: these are told by their places."""
    mapped = vmap(lambda x, y, values, five: (sumprod(values, values, x) * y * 1e-3).tanh() + five * x * y,
                  in_axes=(0, 0, None, None))
    return lambda: mapped(*ROWS.T, all_of(made), made["parameters"][5]).sum()


@pytest.mark.parametrize("moved", MOVES)
@pytest.mark.parametrize("by", [by_vmap, by_jit, by_given])
def test_values_and_gradients_are_those_of_the_parameters_wherever_they_are(by, moved):
    made = make()
    total = by(made)
    plain = of_row(made)
    for move in (lambda made: None, moved, lambda made: None):
        move(made)
        expected = numbers_of(made, sum(plain(x, y) for x, y in ROWS.tolist()))
        for _ in range(2):
            assert numbers_of(made, total()) == pytest.approx(expected, rel=1e-12)


def test_parameters_of_a_loss_that_waits_may_move_before_its_gradients_come():
    made = make()
    total = by_vmap(made)
    expected = numbers_of(made, total())
    waiting = total()
    collected(made)
    assert numbers_of(made, waiting) == expected
    assert numbers_of(made, total()) == expected


def test_two_functions_of_the_same_parameters_both_notice():
    made = make()
    totals = [by_vmap(made), by_jit(made), by_vmap(made)]
    expected = [numbers_of(made, total()) for total in totals]
    collected(made)
    assert [numbers_of(made, total()) for total in totals] == expected
    given_numbers(made)
    assert all(numbers_of(made, total())[0] != before[0] for total, before in zip(totals, expected))


@pytest.mark.parametrize("left", range(4))
@pytest.mark.parametrize("by", [by_vmap, by_jit, by_given])
def test_parameters_move_as_room_is_made_for_what_is_computed_of_them(by, left):
    tape.collect()      # a small tape is full sooner
    made = make()
    total = by(made)
    expected = numbers_of(made, total())
    made["below"].clear()
    room = tape.stats()["capacity"] - tape.stats()["nodes"]
    made["above"] = [Value(1.0) for _ in range(room - 1 - left)]
    assert tape.stats()["capacity"] - tape.stats()["nodes"] == 1 + left
    assert numbers_of(made, total()) == expected


def test_parameters_move_down_as_what_is_below_them_goes():
    """Without a look at the rest of the tape: there is so much of it."""
    tape.collect()
    below = [Value(0.5) for _ in range(12_000)]
    made = make()
    total = by_vmap(made)
    expected = numbers_of(made, total())
    below.clear()
    made["below"].clear()
    made["above"] = [Value(1.0) for _ in range(tape.stats()["capacity"] - tape.stats()["nodes"] + 1)]
    assert tape.stats()["nodes"] < 12_000
    assert numbers_of(made, total()) == expected


def test_parameters_move_up_as_dots_below_them_are_replaced():
    made = make()
    total = by_vmap(made)
    total()                 # a trace replaces all dots
    hidden = Layer(4, 4)([1.0, 2.0, 3.0, 4.0])
    for p in made["more"]:
        p.__init__(p.data)
    expected = numbers_of(made, total())
    nodes = tape.stats()["nodes"]
    assert hidden[0]._prev
    assert tape.stats()["nodes"] > nodes
    assert numbers_of(made, total()) == expected
