"""Optimizers of parameters with names: "param_names" as PyTorch keeps, saves, loads and refuses them."""

import json

import pytest

from micrograd_c.engine import Value
from micrograd_c.nn import MLP
from micrograd_c.optim import SGD, Adam, AdamW

NAMES = ["w.0", "w.1", "b"]


def pairs(scalar=Value, names=NAMES):
    return [(name, scalar(float(k))) for k, name in enumerate(names)]


def torch_scalar(torch):
    return lambda x: torch.tensor([x], dtype=torch.float64, requires_grad=True)


def names_of(optimizer):
    return [group.get("param_names") for group in optimizer.param_groups]


@pytest.fixture(params=["ours", "PyTorch's"])
def side(request):
    """(Adam, what makes a parameter)."""
    if request.param == "ours":
        return Adam, Value
    torch = pytest.importorskip("torch")
    return torch.optim.Adam, torch_scalar(torch)


def test_names_are_kept_shown_and_saved(side):
    kind, scalar = side
    named = pairs(scalar)
    optimizer = kind(named)
    assert [id(p) for p in optimizer.param_groups[0]["params"]] == [id(p) for _, p in named]
    assert names_of(optimizer) == [NAMES]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == NAMES
    assert f"    param_names: {NAMES}\n" in repr(optimizer)


def test_without_names_there_is_nothing_of_them(side):
    kind, scalar = side
    optimizer = kind([p for _, p in pairs(scalar)])
    assert "param_names" not in optimizer.param_groups[0]
    assert "param_names" not in optimizer.state_dict()["param_groups"][0]
    assert "param_names" not in repr(optimizer)


def test_each_group_has_its_own(side):
    kind, scalar = side
    optimizer = kind([{"params": pairs(scalar, ["a"]), "lr": 0.5}, {"params": iter(pairs(scalar, ["b", "c"]))}])
    optimizer.add_param_group({"params": pairs(scalar, ["d"])})
    assert names_of(optimizer) == [["a"], ["b", "c"], ["d"]]


@pytest.mark.parametrize("mixed", [
    lambda scalar: [("a", scalar(1.0)), scalar(2.0)], lambda scalar: [scalar(1.0), ("a", scalar(2.0))],
    lambda scalar: [{"params": [("a", scalar(1.0))]}, {"params": [scalar(2.0)]}],
    lambda scalar: [{"params": [scalar(1.0)]}, {"params": [("a", scalar(2.0))]}],
])
def test_some_with_names_and_some_without_are_a_value_error(side, mixed):
    kind, scalar = side
    with pytest.raises(ValueError, match="names"):
        kind(mixed(scalar))


@pytest.mark.parametrize("first", [True, False])
def test_a_group_that_is_added_with_or_without_names_unlike_the_others_changes_nothing(side, first):
    kind, scalar = side
    named = pairs(scalar)
    plain = [scalar(7.0)]
    optimizer = kind(named if first else plain)
    with pytest.raises(ValueError, match="names"):
        optimizer.add_param_group({"params": plain if first else named})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize(("saved", "own", "loaded"), [
    (NAMES, NAMES, NAMES), (["x", "y", "z"], NAMES, ["x", "y", "z"]), (None, NAMES, NAMES), (NAMES, None, NAMES),
    (None, None, None),
])
def test_loading_goes_by_order_and_takes_the_names_that_were_saved(side, saved, own, loaded):
    kind, scalar = side
    there, here = (
        kind(pairs(scalar, names) if names else [p for _, p in pairs(scalar)], lr=lr)
        for names, lr in ((saved, 0.5), (own, 0.25))
    )
    here.load_state_dict(there.state_dict())
    assert here.param_groups[0]["lr"] == 0.5
    assert names_of(here) == [loaded]


# --- ours alone ---

@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_a_models_parameters_go_the_way_they_go_without_names(kind):
    model, twin = MLP(2, [2, 1]), MLP(2, [2, 1])
    twin.load_state_dict(model.state_dict())
    optimizers = kind(model.named_parameters(), lr=0.1), kind(twin.parameters(), lr=0.1)
    for one, optimizer in zip((model, twin), optimizers):
        one([1.0, 2.0]).backward()
        optimizer.step()
    assert model.state_dict() == twin.state_dict()
    assert names_of(optimizers[0]) == [[name for name, _ in model.named_parameters()]]


def test_a_state_goes_through_json_and_shares_nothing():
    optimizer = Adam(pairs())
    state = json.loads(json.dumps(optimizer.state_dict()))
    other = Adam(pairs(names=["x", "y", "z"]))
    other.load_state_dict(state)
    optimizer.state_dict()["param_groups"][0]["param_names"].append("more")
    state["param_groups"][0]["param_names"].append("more")
    assert names_of(optimizer) == names_of(other) == [NAMES]


def test_a_group_of_one_optimizer_makes_another():
    optimizer = Adam(pairs(), lr=0.5)
    again = Adam(optimizer.param_groups)
    assert (names_of(again), again.lr) == ([NAMES], 0.5)
    again.param_groups[0]["param_names"].append("more")
    assert names_of(optimizer) == [NAMES]


def test_one_that_is_listed_twice_has_its_first_name():
    (a, b), c = (Value(1.0), Value(2.0)), Value(3.0)
    optimizer = SGD([("a", a), ("b", b), ("again", a), ("c", c)])
    assert optimizer.param_groups[0]["params"] == [a, b, c]
    assert names_of(optimizer) == [["a", "b", "c"]]


WRONG = {
    "too few": (["a"], ValueError, "has 1 names, and there are 3 parameters"),
    "too many": ([*NAMES, "a"], ValueError, "has 4 names, and there are 3 parameters"),
    "numbers": ([1, 2, 3], TypeError, r"must be a list of texts, one per parameter, not \[1, 2, 3\]"),
    "a text": ("abc", TypeError, "must be a list of texts, one per parameter, not 'abc'"),
    "nothing": (None, TypeError, "must be a list of texts, one per parameter, not None"),
}


@pytest.mark.parametrize(("names", "error", "message"), WRONG.values(), ids=WRONG)
def test_names_that_are_none_are_an_error_that_changes_nothing(names, error, message):
    optimizer = Adam(pairs())
    before = repr(optimizer.state_dict())
    state = Adam(pairs(), lr=0.5).state_dict()
    state["param_groups"][0]["param_names"] = names
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(state)
    with pytest.raises(error, match=message):
        optimizer.add_param_group({"params": [Value(1.0), Value(2.0), Value(3.0)], "param_names": names})
    assert repr(optimizer.state_dict()) == before
