"""Optimizers: PyTorch's trajectories, and their own error messages."""

import array
import inspect
import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_c import tape
from micrograd_c.engine import Value
from micrograd_c.nn import MLP
from micrograd_c.optim import SGD, Adam, AdamW, Optimizer

SETTINGS = [
    (SGD, {}),
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.1, "weight_decay": 0.3}),
    (SGD, {"lr": 0.05, "momentum": 0.9}),
    (SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.1}),
    (SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    (SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.2, "maximize": True}),
    (Adam, {}),
    (Adam, {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3}),
    (Adam, {"lr": 0.1, "weight_decay": 0.2, "amsgrad": True}),
    (Adam, {"lr": 0.1, "maximize": True, "amsgrad": True}),
    (AdamW, {}),
    (AdamW, {"lr": 0.1, "weight_decay": 0.3}),
    (AdamW, {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
]
IDS = [f"{kind.__name__}-{'-'.join(options) or 'defaults'}" for kind, options in SETTINGS]
START = [1.0, -2.0, 0.5, 3.0]


def gradient(k, step, x):
    """Of a bowl that is shaken, so that momenta and averages matter."""
    return 2 * (k + 1) * (x - k) + 3 * math.sin(5 * step + k)


def trajectory(optimizer, parameters, steps, schedule=None):
    """The parameters after each of our steps."""
    seen = []
    for step in range(steps):
        optimizer.zero_grad()
        assert [p.grad for p in parameters] == [0] * len(parameters)
        if schedule:
            optimizer.lr = schedule(step)
        for k, p in enumerate(parameters):
            p.grad = gradient(k, step, p.data)
        optimizer.step()
        seen.append([p.data for p in parameters])
    return seen


def torch_trajectory(kind, options, steps, schedule=None):
    torch = pytest.importorskip("torch")
    parameters = [torch.tensor([x], dtype=torch.float64, requires_grad=True) for x in START]
    optimizer = getattr(torch.optim, kind.__name__)(parameters, **options)
    seen = []
    for step in range(steps):
        if schedule:
            for group in optimizer.param_groups:
                group["lr"] = schedule(step)
        for k, p in enumerate(parameters):
            p.grad = torch.tensor([gradient(k, step, p.item())], dtype=torch.float64)
        optimizer.step()
        seen.append([p.item() for p in parameters])
    return seen


def close(here, there):
    return all(a == pytest.approx(b, rel=1e-12, abs=1e-13) for a, b in zip(here, there)) and len(here) == len(there)


@pytest.mark.parametrize(("kind", "options"), SETTINGS, ids=IDS)
def test_the_trajectory_is_pytorchs(kind, options):
    parameters = [Value(x) for x in START]
    assert close(trajectory(kind(parameters, **options), parameters, 60), torch_trajectory(kind, options, 60))


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_the_learning_rate_may_change_between_steps(kind):
    parameters = [Value(x) for x in START]
    here = trajectory(kind(parameters), parameters, 30, schedule=lambda step: 0.1 / (step + 1))
    assert close(here, torch_trajectory(kind, {}, 30, schedule=lambda step: 0.1 / (step + 1)))


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_arguments_have_pytorchs_names_order_and_defaults(kind):
    torch = pytest.importorskip("torch")
    ours = inspect.signature(kind).parameters
    theirs = inspect.signature(getattr(torch.optim, kind.__name__)).parameters
    assert {name: p.default for name, p in ours.items()} == {name: theirs[name].default for name in ours}
    assert [n for n, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD] == [
        n for n, p in theirs.items() if p.kind is p.POSITIONAL_OR_KEYWORD]


def adam_by_hand(xs, gradients, lr, beta1, beta2, eps):
    """Algorithm 1 of Kingma and Ba."""
    m, v = [0.0] * len(xs), [0.0] * len(xs)
    for t, grads in enumerate(gradients, start=1):
        for i, g in enumerate(grads):
            m[i] = beta1 * m[i] + (1 - beta1) * g
            v[i] = beta2 * v[i] + (1 - beta2) * g * g
            xs[i] -= lr * (m[i] / (1 - beta1 ** t)) / (math.sqrt(v[i] / (1 - beta2 ** t)) + eps)
    return xs


floats = st.floats(-100, 100)


@given(st.lists(st.tuples(floats, floats), min_size=1, max_size=5))
def test_adam_is_the_papers_algorithm(gradients):
    parameters = [Value(1.5), Value(-2)]
    optimizer = Adam(parameters, lr=0.1, betas=(0.8, 0.9), eps=1e-6)
    for grads in gradients:
        for p, g in zip(parameters, grads):
            p.grad = g
        optimizer.step()
    expected = adam_by_hand([1.5, -2.0], gradients, 0.1, 0.8, 0.9, 1e-6)
    assert [p.data for p in parameters] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_plain_descent_is_micrograds_loop():
    models = []
    for _ in range(2):
        random.seed(0)
        models.append(MLP(2, [4, 1]))
    ours, loop = models
    optimizer = SGD(ours.parameters(), lr=0.05)
    for _ in range(5):
        for model in models:
            model.zero_grad()
            ((model([1.0, 2.0]) - 3.0) ** 2).backward()
        optimizer.step()
        for p in loop.parameters():
            p.data -= 0.05 * p.grad
    assert [repr(p) for p in ours.parameters()] == [repr(p) for p in loop.parameters()]


def test_zero_grad_leaves_what_a_new_value_has():
    p = Value(1.0)
    p.grad = 2.5
    SGD([p]).zero_grad()
    assert repr(p) == "Value(data=1.0, grad=0)"


def test_groups_have_options_of_their_own():
    a, b, c = Value(1.0), Value(1.0), Value(1.0)
    optimizer = SGD([{"params": [a]}, {"params": iter([b]), "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": [c], "weight_decay": 1.0})
    for p in (a, b, c):
        p.grad = 1
    optimizer.step()
    assert (a.data, b.data, c.data) == (0.9, 0.5, 0.8)
    optimizer.lr = 0.25
    assert [group["lr"] for group in optimizer.param_groups] == [0.25] * 3
    optimizer.param_groups[1]["lr"] = 2.0
    optimizer.step()
    assert b.data == -1.5


def test_a_parameter_listed_twice_is_updated_once():
    p = Value(1.0)
    p.grad = 1.0
    SGD([p, p], lr=0.5).step()
    assert p.data == 0.5


def test_any_iterable_of_values_and_subclasses_will_do():
    class Weight(Value):
        pass

    w = Weight(2.0)
    w.grad = 1.0
    optimizer = Adam(p for p in (w,))
    optimizer.step()
    assert w.data == pytest.approx(1.999)


def test_step_calls_a_closure_first_and_returns_its_result():
    x = Value(2.0)
    optimizer = SGD([x], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = x * x
        loss.backward()
        return loss

    assert optimizer.step(closure).data == 4.0
    assert x.data == 1.0


@pytest.mark.parametrize(("kind", "options"), SETTINGS, ids=IDS)
def test_a_saved_optimizer_goes_on_where_it_was(kind, options):
    straight = [Value(x) for x in START]
    expected = trajectory(kind(straight, **options), straight, 20)
    parameters = [Value(x) for x in START]
    first = kind(parameters, **options)
    trajectory(first, parameters, 8)
    saved = json.loads(json.dumps(first.state_dict()))
    second = kind(parameters)
    second.load_state_dict(saved)
    for step in range(8, 20):
        for k, p in enumerate(parameters):
            p.grad = gradient(k, step, p.data)
        second.step()
        assert [p.data for p in parameters] == expected[step]


def test_a_state_for_other_parameters_is_an_error_that_changes_nothing():
    optimizer = Adam([Value(1.0), Value(2.0)])
    optimizer.step()
    before = optimizer.state_dict()
    other = Adam([Value(1.0)])
    other.step()
    with pytest.raises(ValueError, match=r"for groups of \[1\] parameters, and the optimizer has \[2\]"):
        optimizer.load_state_dict(other.state_dict())
    broken = optimizer.state_dict()
    broken["state"][0]["exp_avg"].pop()
    with pytest.raises(ValueError, match="is for 1 parameters, and there are 2"):
        optimizer.load_state_dict(broken)
    assert optimizer.state_dict() == before


def stepped(kind, **options):
    parameter = Value(1.0)
    parameter.grad = 0.5
    optimizer = kind([parameter], **options)
    optimizer.step()
    return optimizer


def spoiled(place, key, value):
    """What makes one entry of a state something else, or, for None, none."""
    def spoil(state):
        entry = state if place is None else state[place][0]
        if value is None:
            del entry[key]
        else:
            entry[key] = value
        return state
    return spoil


SPOILED = {
    "another kind": (lambda state: stepped(SGD).state_dict(), ValueError, "another kind of optimizer: 'amsgrad'"),
    "an option more": (spoiled("param_groups", "momentum", 0.5), ValueError, "'momentum' is an option of only one"),
    "an option less": (spoiled("param_groups", "eps", None), ValueError, "'eps' is an option of only one"),
    "no params": (spoiled("param_groups", "params", None), ValueError, r"groups of \[None\] parameters"),
    "lr": (spoiled("param_groups", "lr", "fast"), TypeError, "lr must be a number, not 'fast' of type str"),
    "betas": (spoiled("param_groups", "betas", [0.9]), TypeError, "betas must be two numbers"),
    "a buffer less": (spoiled("state", "exp_avg", None), ValueError, "lacks 'exp_avg'"),
    "amsgrad": (spoiled("param_groups", "amsgrad", True), ValueError, "lacks 'max_exp_avg_sq'"),
    "a buffer more": (spoiled("state", "momentum_buffer", [0.5]), ValueError, "has 'momentum_buffer'"),
    "too many steps": (spoiled("state", "step", 2**70), ValueError, "'step' must be how many steps were done"),
    "no list": (spoiled("state", "exp_avg", 0.5), TypeError, "'exp_avg' must be a list of numbers, not 0.5"),
    "texts": (spoiled("state", "exp_avg", ["a"]), TypeError, "'exp_avg' must be a list of numbers"),
    "too long": (spoiled("state", "exp_avg", [0.5, 1.0]), ValueError, "'exp_avg' is for 2 parameters"),
    "no step": (spoiled("state", "step", None), ValueError, "how many steps were done, not None"),
    "half a step": (spoiled("state", "step", 0.5), ValueError, "how many steps were done, not 0.5"),
    "no groups": (spoiled(None, "param_groups", None), TypeError, "a dict with 'param_groups' and 'state'"),
    "state": (spoiled(None, "state", {"a": 1}), TypeError, "'state' of a state must be a list of dicts"),
    "nothing": (lambda state: None, TypeError, "a dict with 'param_groups' and 'state'"),
}


@pytest.mark.parametrize(("spoil", "error", "message"), SPOILED.values(), ids=SPOILED)
def test_a_state_that_does_not_fit_is_an_error_that_changes_nothing(spoil, error, message):
    optimizer = stepped(Adam, lr=0.1)
    before = repr(optimizer.state_dict())
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(spoil(stepped(Adam, lr=0.2).state_dict()))
    assert repr(optimizer.state_dict()) == before


def test_momenta_that_are_missing_are_an_error():
    state = stepped(SGD, momentum=0.9).state_dict()
    del state["state"][0]["momentum_buffer"]
    with pytest.raises(ValueError, match="lacks 'momentum_buffer'"):
        SGD([Value(1.0)]).load_state_dict(state)


def test_a_state_is_a_copy_on_both_ways():
    first, second = stepped(Adam, betas=[0.8, 0.9], amsgrad=True), Adam([Value(1.0)])
    before = repr(first.state_dict())
    for optimizer in (first, second):
        state = first.state_dict()
        state["state"][0]["exp_avg"] = array.array("d", state["state"][0]["exp_avg"])
        state["param_groups"][0]["betas"] = list(state["param_groups"][0]["betas"])
        optimizer.load_state_dict(state)
        state["state"][0]["exp_avg"][0] = state["param_groups"][0]["betas"][0] = 7.0
        state["state"][0]["step"] = state["param_groups"][0]["lr"] = 7
        assert repr(optimizer.state_dict()) == before


@pytest.mark.parametrize("name", ["lr", "momentum", "dampening", "weight_decay"])
@pytest.mark.parametrize("wrong", ["0.1", True, None, Value(0.1), 1j, [0.1]], ids=repr)
def test_an_option_that_is_no_number_is_a_type_error(name, wrong):
    with pytest.raises(TypeError, match=f"{name} must be a number, not .* of type"):
        SGD([Value(1.0)], **{name: wrong})
    optimizer = SGD([Value(1.0)])
    with pytest.raises(TypeError, match="lr must be a number"):
        optimizer.lr = wrong
    assert optimizer.lr == 1e-3


MISTAKES = {
    "no parameters": (lambda: SGD([]), ValueError, "wants at least one parameter"),
    "one value": (lambda: SGD(Value(1.0)), TypeError, "params must be a list of Values"),
    "a number": (lambda: Adam([Value(1.0), 2.0]), TypeError, "changes Values, not 2.0 of type float"),
    "no params": (lambda: SGD([{"lr": 1}]), ValueError, "dict with the key 'params'"),
    "two groups": (lambda: (lambda p: SGD([{"params": [p]}, {"params": [p]}]))(Value(1.0)), ValueError, "two groups"),
    "unknown option": (lambda: SGD([{"params": [Value(1.0)], "beta": 1}]), ValueError, "no option 'beta'; it has lr"),
    "negative lr": (lambda: SGD([Value(1.0)], lr=-1), ValueError, "lr must be at least 0, not -1"),
    "nan lr": (lambda: Adam([Value(1.0)], lr=math.nan), ValueError, "lr must be at least 0, not nan"),
    "nan dampening": (lambda: SGD([Value(1.0)], dampening=math.nan), ValueError, "dampening must be a number, not nan"),
    "nesterov as a text": (lambda: SGD([Value(1.0)], nesterov="no"), TypeError, "nesterov must be True or False"),
    "amsgrad as a number": (lambda: Adam([Value(1.0)], amsgrad=0.5), TypeError, "amsgrad must be True or False"),
    "one beta": (lambda: Adam([Value(1.0)], betas=0.9), TypeError, "betas must be two numbers, not 0.9"),
    "nan beta": (lambda: Adam([Value(1.0)], betas=(0.9, math.nan)), ValueError, "betas must be at least 0 and below 1"),
    "negative eps": (lambda: Adam([Value(1.0)], eps=-1e-3), ValueError, "eps must be"),
    "negative momentum": (lambda: SGD([Value(1.0)], momentum=-1), ValueError, "momentum must be"),
    "negative decay": (lambda: AdamW([Value(1.0)], weight_decay=-1), ValueError, "weight_decay must be"),
    "betas": (lambda: Adam([Value(1.0)], betas=(0.9, 1.0)), ValueError, r"betas must be .* not \(0.9, 1.0\)"),
    "nesterov": (lambda: SGD([Value(1.0)], nesterov=True), ValueError, "nesterov wants a momentum"),
    "dampening": (lambda: SGD([Value(1.0)], momentum=0.9, dampening=0.1, nesterov=True), ValueError, "dampening of 0"),
    "base class": (lambda: Optimizer([Value(1.0)], {}).step(), NotImplementedError, "brings _update"),
}


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_errors_that_say_what_is_wanted(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("spoil", [
    lambda o: o.param_groups[0].update(lr="fast"), lambda o: o.param_groups[0]["params"].append(3.0),
    lambda o: o.param_groups[0]["params"].append(Value(1.0)),
], ids=["lr", "no value", "one more"])
@pytest.mark.parametrize(("kind", "options"), [(SGD, {"momentum": 0.9}), (Adam, {})])
def test_a_step_that_fails_changes_nothing(kind, options, spoil):
    p = Value(1.0)
    p.grad = 1.0
    optimizer = kind([p], lr=0.1, **options)
    expected = Value(1.0)
    expected.grad = 1.0
    reference = kind([expected], lr=0.1, **options)
    for one in (optimizer, reference):
        one.step()
    group = {**optimizer.param_groups[0], "params": [p]}
    spoil(optimizer)
    with pytest.raises((TypeError, ValueError)):
        optimizer.step()
    optimizer.param_groups[0] = group
    for one in (optimizer, reference):
        one.step()
    assert p.data == expected.data


def test_an_invalid_learning_rate_is_not_taken():
    optimizer = SGD([Value(1.0)], lr=0.5)
    with pytest.raises(ValueError, match="lr must be at least 0"):
        optimizer.lr = -0.5
    assert optimizer.lr == 0.5


def test_it_records_nothing():
    parameters = [Value(1.0) for _ in range(10)]
    before = tape.stats()["nodes"]
    optimizer = Adam(parameters)
    optimizer.zero_grad()
    optimizer.step()
    assert tape.stats()["nodes"] == before


def test_the_repr_lists_the_options_as_pytorchs_does():
    assert repr(SGD([Value(1.0)], lr=0.5)).splitlines() == [
        "SGD (", "Parameter Group 0", "    dampening: 0", "    lr: 0.5", "    maximize: False", "    momentum: 0",
        "    nesterov: False", "    weight_decay: 0", ")"]


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_an_infinite_parameter_that_does_not_decay_stays_infinite(kind):
    p = Value(float("inf"))
    p.grad = 1.0
    kind([p], lr=0.1).step()
    assert p.data == float("inf")


def test_a_group_of_one_value_needs_no_list():
    p = Value(1.0)
    optimizer = SGD([{"params": p}], lr=0.1)
    optimizer.add_param_group({"params": Value(2.0), "lr": 0.5})
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 1]


@pytest.mark.parametrize(
    ("group", "message"), [(3, "a dict with the key 'params', not 3"), ({"params": 3}, "must be Values.*not 3")],
)
def test_what_is_no_group_is_named(group, message):
    with pytest.raises(TypeError, match=message):
        SGD([Value(1.0)]).add_param_group(group)


@pytest.mark.parametrize(("name", "option"), [("lr", "a"), ("betas", 3), ("eps", None)])
def test_an_option_that_was_assigned_wrongly_is_named_by_step(name, option):
    p = Value(1.0)
    optimizer = Adam([p])
    optimizer.param_groups[0][name] = option
    with pytest.raises(TypeError, match=f"^{name} must be"):
        optimizer.step()
    assert p.data == 1.0


@pytest.mark.parametrize(("dampening", "nesterov"), [(0.0, False), (0.5, False), (0.0, True)])
def test_momentum_is_pytorchs_formula(dampening, nesterov):
    """Where PyTorch is not there to be asked: the first step is not damped, and Nesterov's looks one step ahead."""
    p = Value(1.5)
    optimizer = SGD([p], lr=0.1, momentum=0.9, dampening=dampening, nesterov=nesterov)
    data, velocity = 1.5, None
    for grad in (1.0, -0.5, 2.0, 0.25):
        p.grad = grad
        optimizer.step()
        velocity = grad if velocity is None else 0.9 * velocity + (1 - dampening) * grad
        data -= 0.1 * (grad + 0.9 * velocity if nesterov else velocity)
        assert p.data == pytest.approx(data, rel=1e-14)
