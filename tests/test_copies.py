"""Every public object, copied and pickled in every way: what comes out is right, or a TypeError says what to do."""

import collections
import copy
import inspect
import pickle

import pytest

import micrograd_c
from micrograd_c import Value, nn, no_grad, optim, vmap
from micrograd_c._core.mapped import (
    analysis,
    columns,
    executor,
    grouping,
    linking,
    lowering,
    packing,
    program,
    reductions,
    rolling,
    row_by_row,
)
from micrograd_c._core.value import value

Case = collections.namedtuple("Case", "make check refuses", defaults=({},))     # refuses: by way, what TypeError says
PICKLES = [f"pickle {protocol}" for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
WAYS = {
    "copy": copy.copy, "deepcopy": copy.deepcopy,
    **{name: lambda it, p=p: pickle.loads(pickle.dumps(it, p)) for p, name in enumerate(PICKLES)},
}


def refused(ways, message):
    return dict.fromkeys(ways, message)


def never(message):
    return refused(WAYS, message)


class Slotted(Value):
    __slots__ = ("first", "second")

    def __init__(self, name):
        super().__init__(len(name))
        self.name, self.first = name, [name]


class Reduced(Value):
    def __init__(self, data, name):
        super().__init__(data)
        self.name = name

    def __reduce__(self):
        return Reduced, (self.data, self.name)


class Stateful(Value):
    def __getstate__(self):
        return {"label": self.label}

    def __setstate__(self, state):
        self.label, self.restored = state["label"], True


class Net(nn.Module):
    def __init__(self):
        self.inner = nn.MLP(2, [2, 1], activation=double)
        self.inner.layers[0].neurons[1].w = self.inner.layers[0].neurons[0].w   # shared
        self.inner.layers[1].neurons[0].w[0].label = "last"

    def parameters(self):
        return self.inner.parameters()

    @vmap
    def row(self, x):
        return self.inner(x)


class Keeper(nn.Module):
    """Keeps what vmap makes of it, and of its method."""

    def __init__(self):
        self.w = Value(2.0)
        self.method, self.whole = vmap(self.times), vmap(self)

    def parameters(self):
        return [self.w]

    def times(self, x):
        return self.w * x

    __call__ = times


class SlottedModule(nn.Module):
    __slots__ = ("scale",)

    def __init__(self):
        self.scale = Value(2.0)

    def parameters(self):
        return [self.scale]


def double(v):
    return v * 2


@vmap
def mapped(x):
    return x * 2


def plain(x):
    return x * 3


@no_grad
def without(x):
    return x * x


def with_numbers(data=3):
    def make(kind=Value, *arguments):
        value = kind(*(arguments or (data,)))
        value.grad = 0.5
        return value
    return make


def leaf():
    value = with_numbers()()
    value.label = ["x"]
    return value


def computed():
    a = Value(2.0)
    a.label = "a"
    value = a * 3
    value.note = [a]
    return value


def own_op():
    a = Value(2.0)
    value = Value(4.0, (a,), "own")
    value._backward = lambda: setattr(a, "grad", a.grad + 2)
    return value


def same(twin, original):
    assert twin is original


def like_leaf(twin, original):
    assert twin is not original
    assert (type(twin), repr(twin), twin.label, twin._op) == (type(original), repr(original), ["x"], "")
    twin.data = 7
    assert original.data == 3


def like_computed(twin, original):
    assert (repr(twin), twin._op) == (repr(original), original._op)
    twin.backward()
    assert [v.grad for v in twin._prev if getattr(v, "label", "") == "a"] == [3]
    assert twin.note[0] in twin._prev


def like_own_op(twin, original):
    assert (twin.data, twin._op, len(twin._prev)) == (4.0, "own", 1)
    assert twin._backward is original._backward


def like_slotted(twin, original):
    assert (type(twin), twin.data, twin.name, twin.first, hasattr(twin, "second")) == (
        Slotted, 3, "abc", ["abc"], False)


def like_reduced(twin, original):
    assert (type(twin), twin.data, twin.name, twin.grad) == (Reduced, 3, "n", 0)


def like_stateful(twin, original):
    assert (type(twin), twin.data, twin.label, twin.restored) == (Stateful, 3, "s", True)
    assert not hasattr(twin, "dropped")


def stateful():
    value = Stateful(3)
    value.label, value.dropped = "s", "d"
    return value


def like_model(twin, original):
    assert type(twin) is type(original)
    assert str(twin).partition(" at ")[0] == str(original).partition(" at ")[0]     # of repr() as object has it
    assert [repr(p) for p in twin.parameters()] == [repr(p) for p in original.parameters()]
    if type(twin) in (nn.Neuron, nn.MLP):
        assert repr(twin([1.0, 2.0])) == repr(original([1.0, 2.0]))


def like_net(twin, original):
    assert twin.row([[1.0, 2.0]])[0] == original.row([[1.0, 2.0]])[0] == twin.inner([1.0, 2.0]).data
    assert twin.inner.layers[0].neurons[0].w[0] is twin.inner.layers[0].neurons[1].w[0]
    assert twin.inner.layers[1].neurons[0].w[0].label == "last"
    assert twin.inner.layers[0].neurons[0].activation is double
    if twin.inner is not original.inner:        # not of copy.copy
        before = original.row([[1.0, 2.0]])[0]
        for p in twin.parameters():
            p.data = 1.0
        assert twin.row([[1.0, 2.0]])[0] == twin.inner([1.0, 2.0]).data != before
        assert original.row([[1.0, 2.0]])[0] == before


def net():
    model = Net()
    model.row([[1.0, 2.0]])     # keeps what it has traced with the model
    return model


def keeper():
    made = Keeper()
    made.method([1.0])
    made.whole([1.0])
    return made


def like_keeper(twin, original):
    if twin.w is not original.w:        # not of copy.copy
        twin.w.data = 5.0
    for mapped_one in (twin.method, twin.whole):
        rows = mapped_one([1.0])
        assert rows.tolist() == [twin.w.data]
        rows.sum().backward()
    assert twin.w.grad == 2
    assert original.w.grad == (2 if twin.w is original.w else 0)


def computed_weights():
    model = nn.MLP(2, [1])
    neuron = model.layers[0].neurons[0]
    neuron.w = [neuron.w[0] * 2, neuron.w[0] + neuron.b]
    return model


def optimizer(kind, **options):
    def make():
        model = nn.MLP(2, [1])
        made = kind(model.parameters(), **options)
        model([1.0, 2.0]).backward()
        made.step()
        return model, made
    return make


def like_optimizer(twin, original):
    (model, made), (first_model, first) = twin, original
    assert repr(made) == repr(first)
    assert made.state_dict() == first.state_dict()
    assert all(p is q for p, q in zip(made.param_groups[0]["params"], model.parameters()))
    if made is not first:
        before = [p.data for p in first_model.parameters()], first.state_dict()
        made.step()
        assert ([p.data for p in first_model.parameters()], first.state_dict()) == before
        first.step()
        assert [p.data for p in model.parameters()] == [p.data for p in first_model.parameters()]
        assert made.state_dict() == first.state_dict()


def like_lone_optimizer(twin, original):
    assert repr(twin) == repr(original)
    twin.step()
    assert type(twin) is type(original)


def batch_of_three():
    w = Value(2.0)
    return vmap(lambda x: w * x)([1.0, 2.0, 3.0])


def like_batch(twin, original):
    assert type(twin) is micrograd_c.Batch
    assert (twin.tolist(), twin.keeps_graph, original.keeps_graph) == (original.tolist(), False, True)


def computed_row_by_row():
    with pytest.warns(UserWarning, match="row by row"):
        return vmap(lambda x: Value(x.data * 2, (x,), "own"))([1.0, 2.0])


def like_rows(twin, original):
    assert type(twin) is row_by_row.Rowwise
    assert twin.tolist() == original.tolist()
    twin.sum().backward()


def like_no_grad(twin, original):
    x = Value(1.0)
    with twin:
        assert (x * 2)._prev == set()
    assert (x * 2)._prev != set()


def like_error(twin, original):
    assert (type(twin), twin.args) == (type(original), original.args)


def like_mapped(twin, original):
    assert twin([1.0, 2.0]).tolist() == original([1.0, 2.0]).tolist()
    assert (twin.__name__, twin.fn) == (original.__name__, original.fn)


def like_mapped_method(twin, original):
    model = net()
    assert twin.__get__(model, Net)([[1.0, 2.0]])[0] == model.inner([1.0, 2.0]).data


def like_operands(twin, original):
    assert sorted(map(repr, twin)) == sorted(map(repr, original))


def like_empty_module(twin, original):
    assert (type(twin), vars(twin)) == (nn.Module, {})


def like_bare_optimizer(twin, original):
    assert repr(twin) == repr(original)
    assert repr(twin.param_groups) == repr(original.param_groups)


LEAVES_ONLY = refused(PICKLES, "only leaves can be pickled")
ADAM = optimizer(optim.Adam, lr=0.1, amsgrad=True)
CASES = {
    "Value": Case(leaf, like_leaf),
    "Value, computed": Case(computed, like_computed, LEAVES_ONLY),
    "Value of an op of one's own": Case(own_op, like_own_op, LEAVES_ONLY),
    "Value of a subclass with slots": Case(lambda: Slotted("abc"), like_slotted),
    "Value of a subclass with __reduce__": Case(lambda: Reduced(3, "n"), like_reduced),
    "Value of a subclass with __getstate__": Case(stateful, like_stateful),
    "_prev": Case(lambda: Value(2.0, (Value(1.0), Value(3)))._prev, like_operands),
    "_backward": Case(lambda: Value(1.0)._backward, same, refused(PICKLES, "pickle the Value")),
    "Module": Case(nn.Module, like_empty_module),
    "Module of a class with slots": Case(SlottedModule, like_model),
    "Module with a method for vmap": Case(net, like_net),
    "Module that keeps what vmap makes of it": Case(keeper, like_keeper),
    "Neuron": Case(lambda: nn.Neuron(2, activation=double), like_model),
    "Layer": Case(lambda: nn.Layer(2, 3), like_model),
    "MLP": Case(lambda: nn.MLP(2, [3, 1], activation="tanh"), like_model),
    "MLP with computed weights": Case(computed_weights, like_model, LEAVES_ONLY),
    "Optimizer": Case(lambda: optim.Optimizer([Value(1.0)], {"lr": 1}), like_bare_optimizer),
    "SGD": Case(optimizer(optim.SGD, lr=0.1, momentum=0.9), like_optimizer),
    "Adam": Case(ADAM, like_optimizer),
    "AdamW": Case(optimizer(optim.AdamW), like_optimizer),
    "Adam without its model": Case(lambda: ADAM()[1], like_lone_optimizer),
    "Batch": Case(batch_of_three, like_batch),
    "Rowwise": Case(computed_row_by_row, like_rows, LEAVES_ONLY),
    "vmap": Case(lambda: mapped, like_mapped),
    "vmap of a function with a name of its own": Case(lambda: vmap(plain), like_mapped),
    "vmap in a class": Case(lambda: Net.row, like_mapped_method),
    "no_grad": Case(no_grad, like_no_grad),
    "no_grad's function": Case(lambda: without, same),
    "TraceError": Case(lambda: micrograd_c.TraceError("text"), like_error),
    "CheckpointError": Case(lambda: micrograd_c.CheckpointError("text"), like_error),
    "Untraceable": Case(lambda: analysis.Untraceable("text"), like_error),
    "TooLarge": Case(lambda: columns.TooLarge("text"), like_error),
    **{name: Case(lambda name=name: getattr(micrograd_c, name), same) for name in micrograd_c.__all__
       if inspect.isroutine(getattr(micrograd_c, name)) and name != "vmap"},
    # inside
    "Extra": Case(value.Extra, None, never("an Extra: it is part of a Value")),
    "Program": Case(program.Program, None, never("a Program of vmap")),
    "Runner": Case(lambda: mapped_trace().runner, None, never("a Runner of vmap")),
    "Run": Case(lambda: executor.Run.__new__(executor.Run), None, never("a Run of vmap")),
    "Reduction": Case(lambda: reductions.Reduction.__new__(reductions.Reduction), None, never("a Reduction of vmap")),
    "Links": Case(linking.Links, None, never("Links of vmap: they are part of a run")),
    "Buffer": Case(lambda: columns.Buffer(b"abc"), None, never("a Buffer, which looks into memory of others")),
    "Columns": Case(lambda: columns.Columns(3), None, never("Columns, which look into buffers")),
    "Layout": Case(lambda: columns.Layout([(2,)]), None, never("a Layout of vmap")),
    "Empty": Case(lambda: columns.empty((0, 2)), None, never("an Empty of vmap")),
    "Analysis": Case(lambda: analysis.Analysis.__new__(analysis.Analysis), None, never("Analysis, which is of one")),
    "Compiler": Case(lambda: lowering.Compiler.__new__(lowering.Compiler), None, never("Compiler, which is of one")),
    "LoopStep": Case(lambda: analysis.LoopStep.__new__(analysis.LoopStep), None, never("a LoopStep, which is of one")),
    "Rolled": Case(lambda: rolling.Rolled.__new__(rolling.Rolled), None, never("a Rolled, which is of one")),
    "WrittenOut": Case(lambda: rolling.WrittenOut("text"), like_error),
    "Grouping": Case(grouping.Grouping, None, never("a Grouping, which is of one")),
    "Packer": Case(packing.Packer, None, never("a Packer, which is of one")),
}


def mapped_trace():
    mapped([1.0])
    return mapped.latest


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CASES)
def test_copies_are_right_or_refused(name, way):
    original = CASES[name].make()
    refusal = CASES[name].refuses.get(way)
    if refusal is not None:
        with pytest.raises(TypeError, match=refusal):
            WAYS[way](original)
    else:
        CASES[name].check(WAYS[way](original), original)


def test_an_activation_without_a_name_is_pickles_own_error():
    model = nn.Neuron(2, activation=lambda v: v * 2)
    assert copy.deepcopy(model).activation is model.activation
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pickle.dumps(model)


def test_a_batch_is_made_by_vmap_only():
    with pytest.raises(TypeError, match="cannot be made"):
        micrograd_c.Batch()
    empty = micrograd_c.Batch.__new__(micrograd_c.Batch)
    assert (len(empty), empty.tolist(), bytes(memoryview(empty))) == (0, [], b"")
    with pytest.raises(TypeError, match="not returned by a function"):
        empty.sum()


def test_every_public_object_has_a_case():
    public = {*micrograd_c.__all__, *nn.__all__, *optim.__all__}
    assert public <= set(CASES)


@pytest.mark.parametrize(
    "module",
    [analysis, columns, executor, grouping, linking, lowering, packing, program, reductions, rolling, value],
    ids=lambda module: module.__name__,
)
def test_every_compiled_class_has_a_case(module):
    classes = {
        name for name, kind in vars(module).items()
        if inspect.isclass(kind) and kind.__module__ == module.__name__ and not name.startswith("_")
    }
    assert classes <= set(CASES)
