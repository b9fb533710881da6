"""The demo trains as on micrograd: its first steps live, all of them against micrograd's recorded losses.

data/demo_losses.csv was written by `python tests/test_demo_differential.py`, which runs all steps on micrograd.
"""

import csv
import gc
import pathlib

import pytest

from micrograd_c.demo import STEPS, Training

RECORDED = pathlib.Path(__file__).with_name("data") / "demo_losses.csv"
LIVE_STEPS = 10
TOLERANCE = 1e-9


def train(package, steps):
    """(loss, accuracy) of each step."""
    return [training.step() for training in [Training(package)] for _ in range(steps)]


def train_original(steps):
    """The same on micrograd. Its cycles are collected after every step: all the time, it takes ten times as long."""
    training = Training("micrograd")
    seen = []
    gc.disable()
    try:
        for _ in range(steps):
            seen.append(training.step())
            gc.collect()
    finally:
        gc.enable()
    return seen


@pytest.fixture(scope="module")
def ours():
    return train("micrograd_c", STEPS)


def check(ours, original):
    assert [accuracy for _, accuracy in ours] == [accuracy for _, accuracy in original]
    assert [loss for loss, _ in ours] == pytest.approx([loss for loss, _ in original], rel=TOLERANCE, abs=0)


def test_first_steps_are_those_of_the_original(ours):
    pytest.importorskip("micrograd")
    check(ours[:LIVE_STEPS], train_original(LIVE_STEPS))


def test_all_steps_are_those_recorded_of_the_original(ours):
    with open(RECORDED, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(STEPS))
    check(ours, [(float(row["loss"]), float(row["accuracy"])) for row in rows])


def test_first_loss_is_the_originals_to_the_last_bit(ours):
    with open(RECORDED, newline="") as file:
        first = next(csv.DictReader(file))
    assert ours[0] == (float(first["loss"]), float(first["accuracy"]))


if __name__ == "__main__":
    with open(RECORDED, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", "loss", "accuracy"])
        writer.writerows([k, *seen] for k, seen in enumerate(train_original(STEPS)))
