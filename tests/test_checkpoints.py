"""save and load: what goes on is what would have been, and no half of a file is ever taken for a checkpoint."""

import json
import os
import pathlib
import random
import stat

import numpy as np
import pytest

import micrograd_c
from micrograd_c import CheckpointError, load, save
from micrograd_c.engine import Value
from micrograd_c.nn import MLP, Module
from micrograd_c.optim import SGD, Adam, AdamW

OPTIMIZERS = {
    "sgd": lambda p: SGD(p, 0.05),
    "momentum": lambda p: SGD(p, 0.05, momentum=0.9, nesterov=True),
    "adam": lambda p: Adam(p, 0.01),
    "amsgrad": lambda p: AdamW(p, 0.01, amsgrad=True),
}


def made(optimizer="adam"):
    model = MLP(2, [4, 1])
    return model, OPTIMIZERS[optimizer](model.parameters())


def step(model, optimizer, generator=random):
    """One on random data; its loss."""
    x = [generator.gauss(0, 1) for _ in range(2)]
    loss = (model(x) - generator.random()) ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.data


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.checkpoint"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("saved_at", [0, 1, 7])
def test_a_run_that_is_resumed_goes_on_to_the_last_bit(optimizer, saved_at, path):
    random.seed(5)
    model, rule = made(optimizer)
    for _ in range(saved_at):
        step(model, rule)
    save(path, model=model, optimizer=rule, step=saved_at, random=True)
    wanted = [step(model, rule) for _ in range(10)]
    random.seed(99)
    resumed, other_rule = made(optimizer)
    assert load(path, model=resumed, optimizer=other_rule, random=True).step == saved_at
    assert [step(resumed, other_rule) for _ in range(10)] == wanted
    assert [p.data for p in resumed.parameters()] == [p.data for p in model.parameters()]
    assert other_rule.state_dict() == rule.state_dict()


def test_the_order_of_data_goes_on_within_an_epoch(path):
    random.seed(5)
    order = random.sample(range(100), 100)
    random.gauss(0, 1)      # which keeps a second number for the next call
    save(path, random=True, step=30, extra={"order": order, "losses": [0.5, 0.25], "names": ["a", None, True, 2**70]})
    wanted = [order[30:], random.gauss(0, 1), random.random()]
    random.seed(6)
    checkpoint = load(path, random=True)
    assert [checkpoint.extra["order"][checkpoint.step:], random.gauss(0, 1), random.random()] == wanted
    assert checkpoint.extra == {"order": order, "losses": [0.5, 0.25], "names": ["a", None, True, 2**70]}


def generators_of_numpy():
    np = pytest.importorskip("numpy")
    return {
        "default_rng": np.random.default_rng, "RandomState": np.random.RandomState,
        **{name: lambda seed, name=name: np.random.Generator(getattr(np.random, name)(seed))
           for name in ("MT19937", "PCG64DXSM", "Philox", "SFC64")},
    }


@pytest.mark.parametrize("name", ["default_rng", "RandomState", "MT19937", "PCG64DXSM", "Philox", "SFC64"])
def test_generators_of_numpy_go_on(name, path):
    make = generators_of_numpy()[name]
    first, other = make(1), random.Random(2)
    first.standard_normal(3)
    save(path, random=[first, other])
    wanted = [first.standard_normal(5).tolist(), other.random()]
    first, other = make(3), random.Random(4)
    load(path, random=[first, other])
    assert [first.standard_normal(5).tolist(), other.random()] == wanted


def test_true_means_the_modules_generators(path):
    np = pytest.importorskip("numpy")
    state, old = random.getstate(), np.random.get_state()
    save(path, random=True)
    wanted = [random.random(), np.random.rand()]
    load(path, random=True)
    assert [random.random(), np.random.rand()] == wanted
    random.setstate(state)
    np.random.set_state(old)


def test_numpy_is_not_loaded_for_it(run_python, path):
    assert run_python(f"""
import sys, micrograd_c
micrograd_c.save({str(path)!r}, random=True)
micrograd_c.load({str(path)!r}, random=True)
print("numpy" in sys.modules, "mpi4py" in sys.modules)
""") == "False False\n"


def test_importing_the_package_does_not_load_checkpoints(run_python):
    assert run_python("""
import sys, micrograd_c
print([name for name in sys.modules if "checkpoint" in name or "training" in name])
""") == "[]\n"


def test_what_is_not_given_is_returned(path):
    model, rule = made()
    step(model, rule)
    save(path, model=model, optimizer=rule)
    checkpoint = load(path)
    assert checkpoint.model == model.state_dict()
    assert Adam(model.parameters()).load_state_dict(checkpoint.optimizer) is None
    assert (checkpoint.step, checkpoint.extra, checkpoint.version) == (None, None, 1)
    assert repr(checkpoint) == "<Checkpoint at step None: model, optimizer>"


def test_shared_and_nested_parameters_and_odd_numbers_come_back(path):
    class Odd(Module):
        def __init__(self, start):
            self.a = [[Value(start), Value(float("inf"))], [Value(-0.0)]]
            self.b, self.tied = Value(float("nan")), self.a[0][0]

        def parameters(self):
            return [*self.a[0], *self.a[1], self.b, self.tied]

    first, second = Odd(1e-320), Odd(5.0)
    save(path, model=first)
    load(path, model=second)
    assert [repr(p.data) for p in second.parameters()] == [repr(p.data) for p in first.parameters()]


def test_the_header_can_be_read_by_anybody(path):
    model, rule = made()
    save(path, model=model, optimizer=rule, step=7)
    magic, header, checksum, data = path.read_bytes().split(b"\n", 3)
    header = json.loads(header)
    assert magic == b"micrograd_c checkpoint"
    assert (header["version"], header["step"], header["bytes"], len(checksum)) == (1, 7, len(data), 64)
    assert header["model"]["layers.0.neurons.0.w"] == {"float64[]": [2]}
    assert len(data) == 8 * (model.num_parameters() + len(rule.param_groups[0]["betas"]))
    assert header["optimizer"]["param_groups"][0]["lr"] == 0.01


# --- files that are none ---

def test_every_damaged_byte_and_every_cut_is_noticed(path):
    save(path, model=MLP(1, [1]), step=7)
    content = path.read_bytes()
    for i in range(len(content)):
        for bit in (1, 32, 128):
            path.write_bytes(content[:i] + bytes([content[i] ^ bit]) + content[i + 1 :])
            with pytest.raises(CheckpointError):
                load(path)
        path.write_bytes(content[:i])
        with pytest.raises(CheckpointError, match="cut off"):
            load(path)
    path.write_bytes(content)
    assert load(path).step == 7


@pytest.mark.parametrize(("change", "words"), [
    (lambda content: b"PK\x03\x04" + content, r"no checkpoint of micrograd_c, which begins with b'micrograd_c check"),
    (lambda content: content[:-1], r"is cut off: it has 15 bytes of numbers, and its header says 16"),
    (lambda content: content + b"x", r"is too long: it has 17 bytes of numbers, and its header says 16"),
    (lambda content: content[:-1] + b"x", r"is damaged: its numbers' checksum should be [0-9a-f]{64}, and is [0-9a-f]"),
    (lambda content: content.replace(b'"step": 7', b'"step": 8'), r"is damaged: its header's checksum should be "),
    (lambda content: b"", r"is cut off: it has 0 bytes"),
])
def test_refusals_say_what_was_expected(change, words, path):
    save(path, model=MLP(1, [1]), step=7)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(CheckpointError, match=words) as raised:
        load(path)
    assert str(path) in str(raised.value)


def test_a_newer_version_is_refused_by_name(path, monkeypatch):
    from micrograd_c._core.training import checkpoint_file

    monkeypatch.setattr(checkpoint_file, "VERSION", 2)
    save(path, step=1)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="of version 2, and this micrograd_c reads version 1: install a newer"):
        load(path)


def test_a_missing_file_is_a_file_not_found_error(path):
    with pytest.raises(FileNotFoundError):
        load(path)


def test_the_error_is_a_value_error_of_the_package():
    assert issubclass(CheckpointError, ValueError)
    assert CheckpointError.__module__ == "micrograd_c"
    assert micrograd_c.CheckpointError is CheckpointError


# --- what does not fit ---

def state(model, rule, generator):
    return [p.data for p in model.parameters()], rule.state_dict(), generator.getstate()


@pytest.mark.parametrize(("model", "optimizer", "generator", "error", "words"), [
    (lambda: MLP(3, [4, 1]), Adam, random.Random, ValueError, "has 3 entries, and was given 2"),
    (lambda: MLP(2, [4, 1]), SGD, random.Random, ValueError, "another kind of optimizer"),
    (lambda: MLP(2, [4, 1]), Adam, random.SystemRandom, TypeError, "cannot be saved"),
])
def test_what_does_not_fit_changes_nothing(model, optimizer, generator, error, words, path):
    saved, rule = made()
    step(saved, rule)
    save(path, model=saved, optimizer=rule, random=random.Random(1))
    model, generator = model(), generator()
    # as large as the saved one, so that only what is meant to be wrong is
    rule = optimizer(model.parameters() if len(model.parameters()) == 17 else MLP(2, [4, 1]).parameters())
    plain = random.Random(7)
    before = state(model, rule, plain)
    with pytest.raises(error, match=words):
        load(path, model=model, optimizer=rule, random=[generator if generator is not plain else plain])
    assert state(model, rule, plain) == before


def test_random_states_go_back_if_the_model_does_not_fit(path):
    save(path, model=MLP(2, [1]), random=random.Random(1))
    generator = random.Random(2)
    before = generator.getstate()
    with pytest.raises(ValueError, match="does not fit"):
        load(path, model=MLP(2, [2]), random=generator)
    assert generator.getstate() == before


@pytest.mark.parametrize("name", ["model", "optimizer", "random"])
def test_what_was_not_saved_cannot_be_loaded(name, path):
    save(path, step=1)
    model, rule = made()
    with pytest.raises(CheckpointError, match=f"was saved without {name}="):
        load(path, **{name: {"model": model, "optimizer": rule, "random": True}[name]})


def test_generators_of_another_kind_or_number_are_refused(path):
    np = pytest.importorskip("numpy")
    save(path, random=np.random.default_rng(1))
    for other, words in [(random.Random(1), "the state of a numpy.random.Generator was saved, and a random was given"),
                         (np.random.Generator(np.random.MT19937(1)), "of PCG64 was saved, and MT19937 given"),
                         ([np.random.default_rng(1)] * 2, "has 1 random states, and 2 generators were given")]:
        with pytest.raises(ValueError, match=words):
            load(path, random=other)


@pytest.mark.parametrize(("given", "words"), [
    ({"random": 7}, "random must be True, random.Random, a Generator or RandomState of NumPy, or a list of these"),
    ({"extra": {"a": [object()]}}, r"extra\['a'\]\[0\] is a object: dicts, lists, texts"),
    ({"extra": {1: 2}}, "extra has the key 1: keys must be texts"),
])
def test_what_cannot_be_saved_leaves_the_old_checkpoint(given, words, path):
    save(path, step=1)
    with pytest.raises(TypeError, match=words):
        save(path, step=2, **given)
    assert load(path).step == 1
    assert os.listdir(path.parent) == [path.name]


# --- writing ---

def test_a_full_disk_leaves_the_old_checkpoint(path, monkeypatch):
    save(path, step=1)

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(path, step=2)
    monkeypatch.undo()
    assert load(path).step == 1
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="folders are synced on POSIX systems")
def test_it_is_on_the_disk_before_it_takes_the_place_and_the_folder_after(path, monkeypatch):
    done, sync, replace = [], os.fsync, os.replace

    def noted_sync(file):
        done.append("folder" if stat.S_ISDIR(os.fstat(file).st_mode) else "file")
        sync(file)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", lambda *names: done.append("replace") or replace(*names))
    save(path, step=1)
    assert done == ["file", "replace", "folder"]


def test_through_a_link_the_file_itself_is_replaced(path, tmp_path):
    try:
        (tmp_path / "latest").symlink_to(path)
    except OSError:
        pytest.skip("no symbolic links here")
    save(tmp_path / "latest", step=3)
    assert (tmp_path / "latest").is_symlink()
    assert load(path).step == 3


def test_two_processes_do_not_write_one_file(path):
    fcntl = pytest.importorskip("fcntl", reason="no locks here")
    part = str(path) + ".part"
    with open(part, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(CheckpointError, match=r"\.part is being written by another process"):
            save(path, step=1)
    save(path, step=2)      # what is left of the other is no obstacle
    assert load(path).step == 2
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_killed_in_the_middle_of_saving_200_times_the_last_good_one_is_there(run_python, path):
    """Each child says through a pipe which step it has saved; then its last one, or one more, is found."""
    output = run_python(f"""
import os, random, signal, time
from micrograd_c import load, save
from micrograd_c.nn import MLP

path, model, last, midway = {str(path)!r}, MLP(2, [16, 16, 1]), 0, 0
begun = time.perf_counter()
for _ in range(5):
    save(path, model=model, step=0)
seconds = (time.perf_counter() - begun) / 5
for kill in range(200):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        step = last
        while True:
            step += 1
            save(path, model=model, step=step)
            os.write(writer, b"x")
    os.close(writer)
    time.sleep(random.uniform(0, 2 * seconds))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    saved = last + len(os.read(reader, 1 << 16))
    os.close(reader)
    midway += os.path.exists(path + ".part")
    found = load(path, model=model).step
    assert found in (saved, saved + 1), (found, saved)
    last = found
print(kill + 1, "kills,", midway, "while a file was there in part,", last, "checkpoints")
""")
    print(output)
    kills, midway, _ = (int(word) for word in output.split() if word.isdigit())
    assert kills == 200
    assert midway > 0


# --- what is refused, and what stays as it was ---

@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": 3}, "save wants a Module as model.*not int 3"),
        ({"model": MLP(2, [1]).parameters()}, "save wants a Module as model.*not list"),
        ({"optimizer": MLP(2, [1])}, "save wants an Optimizer.*not MLP"),
        ({"optimizer": 3}, "save wants an Optimizer.*not int 3"),
        ({"step": Value(1.0)}, "step is a number of steps, an int, not Value"),
        ({"step": 0.5}, "step is a number of steps, an int, not 0.5"),
        ({"extra": {"a": [np.float32(1.0)]}}, r"extra\['a'\]\[0\] is a numpy.float32"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_cannot_be_saved_is_named_and_no_file_is_made(given, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        save(tmp_path / "run", **given)
    assert list(tmp_path.iterdir()) == []


def test_load_names_what_is_no_model(tmp_path):
    model = MLP(2, [1])
    save(tmp_path / "run", model=model)
    with pytest.raises(TypeError, match="load wants a Module as model"):
        load(tmp_path / "run", model=SGD(model.parameters()))


def test_steps_of_numpy_are_ints(tmp_path):
    save(tmp_path / "run", step=np.int64(3))
    assert type(load(tmp_path / "run").step) is int


@pytest.mark.parametrize("convert", [str, os.fsencode, pathlib.Path], ids=lambda convert: convert.__name__)
def test_paths_may_be_texts_bytes_and_paths(convert, tmp_path):
    path = convert(str(tmp_path / "run"))
    save(path, step=1)
    assert load(path).step == 1


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "run"
    save(path, step=1)
    path.chmod(0o640)
    save(path, step=2)
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_no_file_is_not_replaced(tmp_path):
    with pytest.raises(IsADirectoryError):
        save(tmp_path, step=1)
    with pytest.raises(FileNotFoundError):
        save("", step=1)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OSError, match="replaces files"):
            save(tmp_path / "pipe", step=1)
        assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_load_that_fails_leaves_an_optimizer_without_names(tmp_path):
    saved, other = MLP(2, [1]), MLP(3, [1, 1])
    save(tmp_path / "run", model=saved, optimizer=Adam(saved.named_parameters()))
    optimizer = Adam(other.parameters()[:3])
    with pytest.raises(ValueError, match="does not fit the model"):
        load(tmp_path / "run", model=other, optimizer=optimizer)
    assert "param_names" not in optimizer.param_groups[0]
    optimizer.add_param_group({"params": [Value(1.0)]})
