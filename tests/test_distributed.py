"""micrograd_c.distributed on 1, 2 and 4 ranks: one trajectory, one file, and none that waits for one that is gone."""

import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest

from micrograd_c import distributed

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]))
SECONDS = 10        # within which a job must have ended after one of its ranks has

with_mpi = pytest.mark.skipif(
    not (importlib.util.find_spec("mpi4py") and MPIEXEC), reason="mpi4py and mpiexec come with the extra `mpi`")


@pytest.fixture
def start(tmp_path):
    """Start a program, or arguments of Python, on several ranks. What still runs afterwards is ended."""
    jobs = []

    def run(ranks, program, *arguments):
        if isinstance(program, str):
            (tmp_path / "program.py").write_text(program, encoding="utf-8")
            program = [str(tmp_path / "program.py")]
        jobs.append(subprocess.Popen(
            [MPIEXEC, "-n", str(ranks), sys.executable, *program, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
            env={**os.environ, "PYTHONUNBUFFERED": ""}))    # lines of several ranks do not mix
        return jobs[-1]

    yield run
    for job in jobs:
        if job.poll() is None:
            job.kill()
        job.wait()
        job.stdout.close()
        job.stderr.close()


@pytest.fixture
def run(start):
    """What such a program prints. Its failure is the test's."""

    def run(ranks, program, *arguments):
        job = start(ranks, program, *arguments)
        output, errors = job.communicate(timeout=120)
        assert job.returncode == 0, output + errors
        return output

    return run


# --- without MPI, and with one rank ---

@pytest.mark.parametrize("call", [
    "rank()", "size()", "shard([1])", "broadcast_parameters([])", "average_gradients([])",
])
def test_without_mpi4py_one_sentence_names_the_extra(call, run_python):
    assert run_python(f"""
import sys
sys.modules["mpi4py"] = None
from micrograd_c import distributed
try:
    distributed.{call}
except ImportError as error:
    print(error, error.__cause__)
""") == "micrograd_c.distributed needs mpi4py: pip install 'micrograd_c[mpi]' None\n"


def test_importing_it_does_not_import_mpi4py(run_python):
    assert run_python("""
import sys
from micrograd_c import distributed
print("mpi4py" in sys.modules)
""") == "False\n"


def test_its_names():
    assert sorted(distributed.__all__) == ["average_gradients", "broadcast_parameters", "rank", "shard", "size"]


@with_mpi
def test_with_one_rank_everything_works_and_changes_nothing(run_python, tmp_path):
    assert run_python(f"""
import sys
hook = sys.excepthook
from micrograd_c import distributed, load, save
from micrograd_c.engine import Value
w, unused = Value(1), Value(2)
loss = w * 3
loss.backward()
before = repr([w, unused])
distributed.broadcast_parameters([w, unused])
print(distributed.rank(), distributed.size(), distributed.shard("abc"))
print(distributed.average_gradients([w, unused], weight=7, numbers=[0.1, 3]))
print(repr([w, unused]) == before, sys.excepthook is hook)
save({str(tmp_path / "run")!r}, step=4)
print(load({str(tmp_path / "run")!r}).step)
""") == "0 1 abc\n[0.1, 3.0]\nTrue True\n4\n"


@with_mpi
def test_examples_in_its_docstrings_run(run_python):
    assert run_python("""
import doctest
from micrograd_c import distributed
print(doctest.testmod(distributed))
""").startswith("TestResults(failed=0, attempted=")


# --- what is computed ---

AVERAGES = """
import json
from micrograd_c import distributed, flat
from micrograd_c.engine import Value
rank, size = distributed.rank(), distributed.size()
data = [float(i * i) for i in range(11)]
mine = distributed.shard(data)
w, shared, unused = Value(rank + 1.0), Value(2), Value(5.0)
distributed.broadcast_parameters([w, shared, w, unused], root=size - 1)
starts = [w.data, shared.data]
loss = sum((w * x + shared for x in mine), Value(0.0)) * (1 / len(mine))
loss.backward()
means = distributed.average_gradients([w, shared, unused], weight=len(mine), numbers=[loss.data, rank])
everybody = [json.loads(text) for text in distributed.join().gather(json.dumps(mine), "the test")]
print(json.dumps([rank, starts, [w.grad, shared.grad, unused.grad], means[0], everybody]))
"""


@with_mpi
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_shards_of_uneven_sizes_are_weighted_right(size, run):
    data = [float(i * i) for i in range(11)]
    lines = sorted(json.loads(line) for line in run(size, AVERAGES).splitlines())
    assert [line[0] for line in lines] == list(range(size))
    for _, starts, gradients, loss, shards in lines:
        assert starts == [size, 2.0]
        assert gradients == pytest.approx([sum(data) / 11, 1.0, 0.0], rel=1e-15)
        assert loss == pytest.approx(size * sum(data) / 11 + 2, rel=1e-15)
        assert [x for one in shards for x in one] == data
        assert max(map(len, shards)) - min(map(len, shards)) <= 1
    assert len({str(line[1:]) for line in lines}) == 1      # to the last bit, or ranks would drift apart


# the example with images that are made up, as scikit-learn takes seconds to load
TRAJECTORY = f"""
import random, sys, types
import numpy as np
sys.path.insert(0, {str(EXAMPLES)!r})
images = np.random.default_rng(1)
digits = images.integers(0, 10, 1000)
made_up = types.SimpleNamespace(data=(images.random((10, 64)) * 16)[digits] + images.random((1000, 64)), target=digits)
sys.modules["sklearn"] = types.ModuleType("sklearn")
sys.modules["sklearn.datasets"] = types.SimpleNamespace(load_digits=lambda: made_up)
import data_parallel
data_parallel.BATCH = 250       # which 4 does not divide
sys.argv[1:] = ["--steps", "25", "--losses"]
data_parallel.main()
"""


@with_mpi
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not beside the tests")
def test_the_digits_are_learned_alike_on_1_2_and_4_ranks(run):
    pytest.importorskip("numpy")
    losses = {}
    for size in (1, 2, 4):
        *numbers, last = run(size, TRAJECTORY).splitlines()
        assert re.fullmatch(rf"{size} process(es)?: accuracy on 360 images they have not seen: [\d.]+%", last)
        losses[size] = list(map(float, numbers))
    assert len(losses[1]) == 25
    assert losses[1][-1] < losses[1][0] / 2
    for size in (2, 4):
        assert losses[size] == pytest.approx(losses[1], rel=1e-9, abs=0)


@with_mpi
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not beside the tests")
def test_the_example_goes_on_from_its_checkpoint_to_the_last_bit_and_only_rank_0_shows_progress(start, tmp_path):
    pytest.importorskip("numpy")
    program = TRAJECTORY.replace('"25"', '"12", "--checkpoint", "run"').replace("data_parallel.main()", """
data_parallel.SAVE_EVERY = 5
data_parallel.main()
""")
    outputs = []
    for _ in range(2):
        job = start(2, program)
        output, errors = job.communicate(timeout=120)
        assert job.returncode == 0, errors
        assert "12/12" in errors
        outputs.append(output.splitlines())
        assert errors.count("?step/s]") == 1        # one bar, which begins so
    assert outputs[1][:-1] == outputs[0][10:-1]
    assert len(outputs[1]) == 3
    assert os.listdir(tmp_path).count("run") == 1


@with_mpi
@pytest.mark.parametrize("options", [[], ["--vmap"]])
def test_the_demo_prints_the_same_lines_on_two_ranks(options, run, capsys):
    from micrograd_c import __main__ as command

    assert command.main(["demo"]) == 0
    wanted = capsys.readouterr().out.splitlines()
    lines = run(2, ["-m", "micrograd_c", "demo", *options]).splitlines()
    assert len(lines) == len(wanted) == 101
    for line, other in zip(lines[:100], wanted):
        _, k, _, loss, _, accuracy = line.split()
        assert (k, accuracy) == (other.split()[1], other.split()[5])
        assert float(loss[:-1]) == pytest.approx(float(other.split()[3][:-1]), rel=1e-9)


# --- checkpoints ---

SAVED = """
import random, sys
from micrograd_c import distributed, load, save
from micrograd_c.nn import MLP
from micrograd_c.optim import Adam
rank = distributed.rank()
random.seed({seed})
model = MLP(2, [3, 1])
optimizer = Adam(model.parameters())
if "load" in sys.argv:
    start = load("run", model=model, optimizer=optimizer, random=True).step
else:
    distributed.broadcast_parameters(model)
    start = 0
for k in range(start, 8):
    if k == 4:
        save("run", model=model, optimizer=optimizer, step=k, random=True)
        assert load("run").step == 4        # it is there before anybody goes on
    loss = model([random.random(), random.random()]) ** 2
    optimizer.zero_grad()
    loss.backward()
    distributed.average_gradients(model)
    optimizer.step()
print([p.data for p in model.parameters()], rank, random.random())
"""


@with_mpi
@pytest.mark.parametrize("seed", ["7", "distributed.rank()"])
def test_ranks_resume_with_their_own_random_states(seed, run, tmp_path):
    program = SAVED.replace("{seed}", seed)
    wanted = sorted(run(2, program).splitlines())
    assert sorted(run(2, program, "load").splitlines()) == wanted
    header = json.loads((tmp_path / "run").read_bytes().split(b"\n")[1])
    assert len(header["random"]) == (1 if seed == "7" else 2)


@with_mpi
def test_random_states_of_another_number_of_ranks_are_refused_if_they_differed(run, start):
    run(2, SAVED.replace("{seed}", "distributed.rank()"))
    job = start(3, SAVED.replace("{seed}", "0"), "load")
    _, errors = job.communicate(timeout=SECONDS)
    assert job.returncode != 0
    assert "run has the random states of 2 ranks, which differed, and there are 3 now" in errors


@with_mpi
def test_rank_0_alone_writes_and_an_error_there_is_everybodys(run):
    assert sorted(run(3, """
import os
from micrograd_c import CheckpointError, distributed, save
opened, original = [], os.open
os.open = lambda path, *rest: opened.append(path) or original(path, *rest)
save("run", step=1)
wrote = any(str(path).endswith("run.part") for path in opened)
try:
    save("no such folder/run", step=2)
except OSError as error:
    print(distributed.rank(), wrote, type(error).__name__)
except CheckpointError as error:
    print(distributed.rank(), wrote, error)
""").splitlines()) == ["0 True FileNotFoundError", *(
        f"{rank} False rank 0 could not write no such folder/run; it says why" for rank in (1, 2))]


# --- faults ---

FAULTS = """
import os, random, signal, sys, time
from micrograd_c import distributed, save
from micrograd_c.nn import MLP
rank, what = distributed.rank(), sys.argv[1]
model = MLP(8, [16 if rank and what == "shape" else 17, 1])
if what != "shape":
    distributed.broadcast_parameters(model)
for k in range(10**9):
    model.zero_grad()
    model([0.5] * 8).backward()
    if k == 20 and rank == 1:
        print(os.getpid(), flush=True)
    if k == 50 and rank == 1 and what not in ("kill", "shape"):
        exec(what)
    if what == "save alone" and k == 50 and rank == 0:
        save("run", model=model)
    distributed.average_gradients(model)
"""


@with_mpi
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize(("what", "words"), [
    ("1 / 0", ["ZeroDivisionError: division by zero", "rank 1 has raised ZeroDivisionError; the job ends"]),
    ("sys.exit(3)", ["rank 1 has ended, and rank 0 waits for it in average_gradients; the job ends"]),
    ("sys.exit()", ["rank 1 has ended, and rank 0 waits for it in average_gradients; the job ends"]),
    ("raise KeyboardInterrupt", ["rank 1 has raised KeyboardInterrupt"]),
    ("os.kill(os.getpid(), signal.SIGSEGV)", ["Segmentation fault"]),
    ("distributed.broadcast_parameters(model)",
     ["rank 1 is in broadcast_parameters, and rank 0 in average_gradients: all ranks must make the same calls"]),
    ("distributed.average_gradients(model.parameters()[1:])",
     ["rank 1 is in average_gradients of another model, and rank 0 in average_gradients: all ranks must"]),
    ("shape", ["the ranks' models differ in shape: rank 0 has 171 parameters and rank 1 has 161; number 144 is "
               "layers.0.neurons.16.w.0 on rank 0 and layers.1.neurons.0.w.0 on rank 1"]),
])
def test_a_rank_that_is_gone_or_elsewhere_ends_the_job(what, words, size, start):
    begun = time.monotonic()
    job = start(size, FAULTS, what)
    output, errors = job.communicate(timeout=3 * SECONDS)
    assert time.monotonic() - begun < 2 * SECONDS
    assert job.returncode != 0
    for one in words:
        assert re.search(one, output + errors) or one in output + errors, output + errors


@with_mpi
def test_saving_to_different_paths_is_an_error_on_all_ranks(run):
    assert run(2, """
from micrograd_c import distributed, save
try:
    save(f"run{distributed.rank()}", step=1)
except ValueError as error:
    print(error)
""").splitlines() == ["the ranks save to different paths: run0, run1"] * 2


@with_mpi
def test_saving_on_rank_0_alone_is_named(start):
    job = start(2, FAULTS.replace('what not in ("kill", "shape")', "False"), "save alone")
    _, errors = job.communicate(timeout=2 * SECONDS)
    assert job.returncode != 0
    assert "rank 1 is in average_gradients, and rank 0 in save: all ranks must make the same calls" in errors


@with_mpi
@pytest.mark.parametrize("attempt", range(20))
def test_a_rank_killed_in_the_middle_of_a_step_ends_the_job(attempt, start):
    job = start(2, FAULTS, "kill")
    victim = int(job.stdout.readline())
    time.sleep(attempt / 200)       # anywhere in a step, which takes less than a millisecond
    killed = time.monotonic()
    os.kill(victim, 9)
    output, errors = job.communicate(timeout=SECONDS)
    assert time.monotonic() - killed < SECONDS
    assert job.returncode != 0
    assert "Killed" in output + errors


@with_mpi
def test_a_rank_that_has_done_its_part_may_end_before_others(run):
    assert sorted(run(3, """
import time
from micrograd_c import distributed
from micrograd_c.nn import MLP
model = MLP(2, [1])
distributed.average_gradients(model)
if distributed.rank() == 0:
    time.sleep(2)       # judging, say
print("done", distributed.rank())
""").splitlines()) == ["done 0", "done 1", "done 2"]


@with_mpi
def test_an_error_in_the_child_of_a_fork_is_its_own(run):
    assert run(2, """
import os, sys
from micrograd_c import distributed
from micrograd_c.nn import MLP
distributed.average_gradients(MLP(2, [1]))
child = os.fork()
if not child:
    try:
        raise SystemExit("in the child")
    except SystemExit:
        sys.excepthook(*sys.exc_info())
    os._exit(3)
_, status = os.waitpid(child, 0)
distributed.average_gradients(MLP(2, [1]))
print(os.WEXITSTATUS(status))
""").splitlines() == ["3", "3"]


@with_mpi
@pytest.mark.parametrize(("call", "words"), [
    ("average_gradients(model, weight=-1)", "weight must be how much this rank counts"),
    ("average_gradients(model, weight=float('nan'))", "weight must be how much this rank counts"),
    ("average_gradients(model, weight=0)", "the weights of all ranks are 0"),
    ("broadcast_parameters(model, root=2)", "there is no rank 2; there are 2"),
    ("shard([1])", "1 rows are too few for 2 ranks"),
])
def test_mistakes_are_errors_on_all_ranks(call, words, run):
    assert run(2, f"""
from micrograd_c import distributed
from micrograd_c.nn import MLP
model = MLP(2, [1])
try:
    distributed.{call}
except ValueError as error:
    print(error)
""").count(words) == 2
