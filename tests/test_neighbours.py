"""Parameters that follow one another on the tape, which optimizers change in one go, and others, which they do not.

In a process in which -0.0 or None has been assigned to a gradient, optimizers look whether one has None. So the same is
tried in a process of its own, where that has not happened: this file is a script, too.
"""

import math
import random
import subprocess
import sys

import pytest

from micrograd_c import optim
from micrograd_c.engine import Value
from micrograd_c.functional import sumprod

COUNTS = (1, 2, 63, 64, 65, 200)
MAKERS = {
    "SGD": lambda ps: optim.SGD(ps, lr=0.1),
    "SGD, maximize": lambda ps: optim.SGD(ps, lr=0.1, maximize=True),
    "SGD, weight decay": lambda ps: optim.SGD(ps, lr=0.1, weight_decay=0.01),
    "SGD, momentum": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9),
    "Adam": lambda ps: optim.Adam(ps, lr=0.1),
    "Adam, maximize": lambda ps: optim.Adam(ps, lr=0.1, maximize=True),
    "Adam, weight decay": lambda ps: optim.Adam(ps, lr=0.1, weight_decay=0.01),
    "Adam, small betas": lambda ps: optim.Adam(ps, lr=0.1, betas=(0.3, 0.2)),
    "Adam, amsgrad": lambda ps: optim.Adam(ps, lr=0.1, amsgrad=True),
    "AdamW": lambda ps: optim.AdamW(ps, lr=0.1, weight_decay=0.3),
}
NUMBERS = (0.0, 1e-310, math.inf, -math.inf, math.nan)


def parameters(count, *, neighbours):
    """With the same numbers: in order on the tape, or with others between them."""
    generator = random.Random(count)
    found = []
    for k in range(count):
        number = generator.gauss(0, 1)
        found.append(Value(k if k % 5 == 0 else math.inf if k % 11 == 10 else number))
        if not neighbours:
            found[-1].between = Value(0.0)      # so that this one stays, too
    return found


def bits(number):
    return type(number), "nan" if number != number else float(number).hex()


def told(ps):
    return [(bits(p.data), bits(p.grad)) for p in ps]


def compare(name, count, numbers):
    sides = [parameters(count, neighbours=neighbours) for neighbours in (True, False)]
    optimizers = [MAKERS[name](ps) for ps in sides]
    for step in range(3):
        for ps, optimizer in zip(sides, optimizers):
            generator = random.Random(step)
            for k, p in enumerate(ps):
                p.grad = numbers[k // 7 % len(numbers)] if k % 7 == 6 else generator.gauss(0, 1)
            optimizer.step()
        assert told(sides[0]) == told(sides[1])
    for optimizer in optimizers:
        optimizer.zero_grad()
    assert told(sides[0]) == told(sides[1])
    assert all(type(p.grad) is int for p in sides[0])


def remember(name):
    ps = parameters(9, neighbours=True)
    for p in ps:
        p.data = float(p.data)
    before = [p.data for p in ps]
    total = sumprod(ps, ps)
    total.backward()
    MAKERS[name](ps).step()
    assert [p.data for p in ps] != before
    node, products = total, []
    while len(node._prev) == 2:         # from the last sum down to the one that begins with 0
        product = next(one for one in node._prev if one._op == "*")
        products.append(product.data)
        node = next((one for one in node._prev if one._op == "+"), product)
    assert sorted(products)[-3:] == sorted(x * x for x in before)[-3:]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", MAKERS)
def test_neighbours_are_changed_like_others(name, count):
    compare(name, count, (*NUMBERS, -0.0))


@pytest.mark.parametrize("name", MAKERS)
def test_sums_of_products_remember_what_neighbours_were(name):
    remember(name)


def test_the_same_in_one_go():
    subprocess.run([sys.executable, __file__], check=True)


if __name__ == "__main__":
    for name in MAKERS:
        for count in COUNTS:
            compare(name, count, NUMBERS)
        remember(name)
