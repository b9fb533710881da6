"""zero_grad(set_to_none=True): what no backward pass reaches has a gradient of None, and optimizers leave it alone."""

import copy
import json
import pickle
import random

import pytest
from conftest import custom_sum

from micrograd_c import no_grad, sumprod, tape, viz, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import MLP, Module
from micrograd_c.optim import SGD, Adam, AdamW

SETTINGS = [
    (SGD, {"lr": 0.1}), (SGD, {"lr": 0.1, "weight_decay": 0.3}),
    (SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.1}),
    (SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True, "maximize": True}),
    (Adam, {"lr": 0.1}), (Adam, {"lr": 0.1, "weight_decay": 0.2, "amsgrad": True}),
    (AdamW, {"lr": 0.1, "weight_decay": 0.3}), (AdamW, {"lr": 0.1, "amsgrad": True, "maximize": True}),
]
IDS = [f"{kind.__name__}-{'-'.join(options)}" for kind, options in SETTINGS]
START = [1.0, -2.0, 0.5, 3.0]
# which parameters each step's loss is made of; and in some steps zero_grad() is not called
REACHED = [{0, 1}, {0}, {0, 2}, set(), {1, 2}, {0, 1, 2, 3}, {3}, {0, 3}]
KEPT = {4}


def loss(xs, reached):
    return sum([(xs[k] - k) ** 2 * (k + 1.0) for k in sorted(reached)])


def trajectory(optimizer, parameters, scalar, number):
    seen = []
    for step, reached in enumerate(REACHED):
        if step not in KEPT:
            optimizer.zero_grad(set_to_none=True)
        if reached:
            loss([scalar(p) for p in parameters], reached).backward()
        seen.append([None if p.grad is None else number(p.grad) for p in parameters])
        optimizer.step()
        seen.append([number(p.detach() if hasattr(p, "detach") else p.data) for p in parameters])
    return seen


@pytest.mark.parametrize(("kind", "options"), SETTINGS, ids=IDS)
def test_gradients_and_parameters_are_pytorchs(kind, options):
    torch = pytest.importorskip("torch")
    here = [Value(x) for x in START]
    there = [torch.tensor([x], dtype=torch.float64, requires_grad=True) for x in START]
    ours = trajectory(kind(here, **options), here, lambda p: p, float)
    optimizer = getattr(torch.optim, kind.__name__)(there, **options)
    theirs = trajectory(optimizer, there, lambda p: p.sum(), lambda x: x.item())
    for mine, other in zip(ours, theirs):
        assert [x is None for x in mine] == [x is None for x in other]
        assert [x or 0.0 for x in mine] == pytest.approx([x or 0.0 for x in other], rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(("kind", "options"), SETTINGS, ids=IDS)
def test_each_is_as_by_an_optimizer_of_its_own_that_steps_where_it_is_reached(kind, options):
    together, alone = [Value(x) for x in START], [Value(x) for x in START]
    optimizer, own = kind(together, **options), [kind([p], **options) for p in alone]
    for reached in REACHED:
        optimizer.zero_grad(set_to_none=True)
        for one in own:
            one.zero_grad()
        if reached:
            loss(together, reached).backward()
            loss(alone, reached).backward()
        optimizer.step()
        for k in reached:
            own[k].step()
        assert [p.data for p in together] == [p.data for p in alone]


@pytest.mark.parametrize(("kind", "options"), SETTINGS, ids=IDS)
def test_saved_and_loaded_in_the_middle_it_goes_on(kind, options):
    def run(cut):
        parameters = [Value(x) for x in START]
        optimizer = kind(parameters, **options)
        for step, reached in enumerate(REACHED):
            if step == cut:
                state = json.loads(json.dumps(optimizer.state_dict()))
                optimizer = kind(parameters, **options)
                optimizer.load_state_dict(state)
            optimizer.zero_grad(set_to_none=True)
            if reached:
                loss(parameters, reached).backward()
            optimizer.step()
        return [p.data for p in parameters]

    assert {tuple(run(cut)) for cut in range(len(REACHED) + 1)} == {tuple(run(None))}


def test_a_late_parameter_is_not_decayed():
    late, early = Value(1.0), Value(1.0)
    optimizer = AdamW([early, late], lr=0.1, weight_decay=0.5)
    optimizer.zero_grad(set_to_none=True)
    (early * 2).backward()
    optimizer.step()
    assert late.data == 1.0
    assert early.data < 0.95
    optimizer.zero_grad()       # as ever: 0 is a gradient
    optimizer.step()
    assert late.data == 0.95


def test_who_does_not_ask_sees_what_micrograd_shows():
    model = MLP(2, [2, 1])
    optimizer = SGD(model.parameters(), lr=0.1)
    for zero in (optimizer.zero_grad, model.zero_grad, lambda: optimizer.zero_grad(set_to_none=False),
                 lambda: model.zero_grad(set_to_none=False)):
        model([1.0, 2.0]).backward()
        zero()
        assert [repr(p.grad) for p in model.parameters()] == ["0"] * 9


def test_a_modules_too_even_where_python_has_a_say():
    model = MLP(2, [2, 1])
    model.zero_grad(set_to_none=True)
    assert [p.grad for p in model.parameters()] == [None] * 9

    class Sub(Value):
        @property
        def grad(self):
            return super().grad

        @grad.setter
        def grad(self, number):
            given.append(number)
            Value.grad.__set__(self, number)

    class Own(Module):
        def parameters(self):
            return [parameter]

    given, parameter = [], Sub(1.0)
    Own().zero_grad(set_to_none=True)
    assert (given, parameter.grad) == ([None], None)


# --- what ends it ---

def ways():
    w = Value(2.0)
    return {
        "a product": lambda x: x * w, "a sum": lambda x: x + 1, "a power": lambda x: x**2, "relu": lambda x: x.relu(),
        "relu off": lambda x: (x - 100).relu(), "a product by 0": lambda x: x * 0.0,
        "a product by -0.0": lambda x: x * -0.0,
        "tanh": lambda x: x.tanh(), "sumprod": lambda x: sumprod([x, w], [w, w]),
        "a dot that is off": lambda x: sumprod([x, w], [w, w]) * 0.0, "a start": lambda x: sumprod([w, w], [w, w], x),
        "a run": lambda x: vmap(lambda row: row * x)([1.0, 2.0]).sum(),
        "a run of 0": lambda x: vmap(lambda row: row * x)([0.0, 0.0]).sum(),
        "local": lambda x: Value(1.0, (x,), (0.0,)), "custom": lambda x: custom_sum(x, w),
        "custom beside others": lambda x: custom_sum(x * 2, w) + x, "custom without a rule": lambda x: Value(1.0, (x,)),
        "ints": lambda x: x * 0 + x * 2, "itself": lambda x: x,
    }


@pytest.mark.parametrize("name", ways())
@pytest.mark.parametrize("data", [1.5, 3])
def test_a_backward_pass_that_reaches_it(name, data):
    plain, x = Value(data), Value(data)
    ways()[name](plain).backward()
    x.grad = None
    out = ways()[name](x)
    assert x.grad is None
    out.backward()
    assert x.grad is not None
    assert (type(x.grad), x.grad) == (type(plain.grad), plain.grad)
    tape.verify()


def test_a_backward_pass_elsewhere_does_not():
    x, y = Value(1.0), Value(2.0)
    x.grad = None
    (y * 2).backward()
    assert x.grad is None
    with no_grad():
        out = x * y
    out.backward()
    assert x.grad is None


def test_a_step_by_hand_reaches_it():
    x = Value(1.0)
    x.grad = None
    out = x * 2.0
    out.grad = 3.0
    out._backward()
    assert x.grad == 6.0


def test_a_second_pass_adds():
    x = Value(1.5)
    x.grad = None
    for _ in range(3):
        (x * 2.0).backward()
    assert x.grad == 6.0


def test_it_may_be_assigned_and_is_what_it_is():
    x = Value(1.5)
    for number in (2.0, 0, 0.0, -0.0, -1):
        x.grad = None
        assert (x.grad, repr(x)) == (None, "Value(data=1.5, grad=None)")
        x.grad = number
        assert repr(x.grad) == repr(number)


# --- what else there is ---

@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_have_it(duplicate):
    x = Value(1.5)
    x.grad = None
    twin = duplicate(x)
    assert (twin.data, twin.grad) == (1.5, None)
    (twin * 2.0).backward()
    assert (twin.grad, x.grad) == (2.0, None)


def test_pictures_say_it():
    x = Value(1.5)
    x.grad = None
    assert "{ data 1.5000 | grad None }" in viz.to_dot(x * 2)


def test_nodes_that_move_keep_it():
    xs = [Value(float(k)) for k in range(100)]
    for x in xs[::2]:
        x.grad = None
    [x * 2 for x in xs for _ in range(20)]
    tape.collect()
    assert [x.grad is None for x in xs] == [k % 2 == 0 for k in range(100)]
    tape.verify()


def test_training_is_as_with_zeros_where_all_is_reached():
    def train(set_to_none):
        random.seed(1)
        model = MLP(2, [8, 1])
        optimizer = Adam(model.parameters(), lr=0.05)
        rows = [([0.5, -1.0], 1.0), ([1.5, 2.0], -1.0), ([-1.0, 0.25], 1.0)]
        for _ in range(20):
            total = sum((model(x) - y) ** 2 for x, y in rows)
            optimizer.zero_grad(set_to_none=set_to_none)
            total.backward()
            optimizer.step()
        return [p.data for p in model.parameters()]

    assert train(True) == train(False)


# --- named_parameters ---

@pytest.mark.parametrize("params", [
    lambda model: model.named_parameters(), lambda model: iter(model.named_parameters()),
    lambda model: [{"params": model.named_parameters()}],
    lambda model: [{"params": layer.named_parameters(), "lr": 0.1} for layer in model.layers],
    lambda model: dict(model.named_parameters()).values(),
])
def test_optimizers_take_parameters_with_names(params):
    random.seed(1)
    model, twin = MLP(2, [2, 1]), MLP(2, [2, 1])
    twin.load_state_dict(model.state_dict())
    optimizers = SGD(params(model), lr=0.1), SGD(twin.parameters(), lr=0.1)
    for one, optimizer in zip((model, twin), optimizers):
        one([1.0, 2.0]).backward()
        optimizer.step()
    assert model.state_dict() == twin.state_dict()
    assert all(isinstance(p, Value) for group in optimizers[0].param_groups for p in group["params"])


@pytest.mark.parametrize("wrong", [[("w", 3.0)], [("w", Value(1.0), 2)], [(1, Value(1.0))], ["w"], [("w",)]])
def test_what_is_no_parameter_with_a_name_is_an_error(wrong):
    with pytest.raises(TypeError, match="an optimizer changes Values, not"):
        SGD(wrong, lr=0.1)
