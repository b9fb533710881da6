"""The examples run, print what they promise, and the two spellings of the GPT are one model."""

import importlib
import itertools
import math
import os
import pathlib
import random
import re
import runpy
import shutil
import subprocess
import sys

import pytest
from tqdm import tqdm

from micrograd_c.bench.peers.python_value import Value as PythonValue
from micrograd_c.engine import Value as Number

ROOT = pathlib.Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"

# tqdm's monitoring thread is still there when a process ends, which a sanitizer takes for a leak
WITHOUT_LEAK_CHECK = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not beside the tests")


@pytest.fixture
def load(monkeypatch):
    """Import an example by its name, as its neighbours do."""
    monkeypatch.setattr(tqdm, "monitor_interval", 0)
    monkeypatch.syspath_prepend(EXAMPLES)
    before = set(sys.modules)
    yield importlib.import_module
    for name in {path.stem for path in EXAMPLES.glob("*.py")} - before:
        sys.modules.pop(name, None)


@pytest.fixture
def run_script(tmp_path):
    """Run an example as anybody would, from another folder; what it wrote to stdout and to stderr."""

    def run(name, *arguments):
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / name), *arguments],
            capture_output=True, text=True, cwd=tmp_path, check=False, env=WITHOUT_LEAK_CHECK,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return run


def run_directly(folder, *arguments):
    """What became of a program that may fail."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=folder, check=False, env=WITHOUT_LEAK_CHECK,
    )


def first_steps(names, model, optimizer, steps):
    """Losses and the last gradients."""
    losses = names.train(model, optimizer, names.load_names(), steps)
    return losses, [p.grad for p in model.parameters()]


def test_two_gates_are_explained_forward_and_backward(run_script):
    output, _ = run_script("two_gates.py")
    assert re.findall(r"= (-?\d+)$", output, re.MULTILINE) == ["3", "-12", "-4", "3", "-4", "-4", "1"]
    assert "q = x + y = -2 + 5 = 3\n" in output
    assert "f = q * z = 3 * -4 = -12\n" in output
    assert "df/df = 1:" in output
    assert "df/dq = z * df/df = -4 * 1 = -4\n" in output
    assert "df/dz = q * df/df = 3 * 1 = 3\n" in output
    assert "df/dx = 1 * df/dq = 1 * -4 = -4\n" in output
    assert "df/dy = 1 * df/dq = 1 * -4 = -4\n" in output
    assert output.endswith("df/dx = -4, df/dy = -4, df/dz = 3, df/dq = -4, df/df = 1\n  the same as by hand: True\n")


def test_the_names_can_all_be_learned(load):
    names, gpt_plain = load("names"), load("gpt_plain")
    everybody = names.load_names()
    assert 300 <= len(everybody) == len(set(everybody)) <= 1000
    for name in everybody:
        assert re.fullmatch("[a-z]+", name)
        tokens = names.encode(name)
        assert len(tokens) <= gpt_plain.POSITIONS + 1
        assert names.decode(tokens[1:-1]) == name


def test_both_spellings_of_the_gpt_are_one_model_bit_for_bit(load):
    names, gpt, gpt_plain = map(load, ("names", "gpt", "gpt_plain"))
    results = []
    for program in (gpt, gpt_plain):
        model = program.GPT(7)
        weights = [p.data for p in model.parameters()]
        results.append((weights, first_steps(names, model, program.Adam(model.parameters(), 0.01), 10)))
    assert len(results[0][0]) == 4192
    assert results[0] == results[1]


def test_both_spellings_make_up_the_same_names(load):
    gpt, gpt_plain = load("gpt"), load("gpt_plain")
    sources = [random.Random(3), random.Random(3)]
    models = [gpt.GPT(7), gpt_plain.GPT(7)]
    for temperature in (0, 0.3, 1.0, 3.0):
        made_up = [model.generate(source, temperature) for model, source in zip(models, sources)]
        assert made_up[0] == made_up[1]
        assert len(made_up[0]) <= gpt.POSITIONS
        assert set(made_up[0]) <= set(range(26))


def test_the_plain_gpt_is_the_same_on_a_value_in_pure_python(load):
    names, gpt_plain = load("names"), load("gpt_plain")
    results = []
    for value in ([], [PythonValue]):
        model = gpt_plain.GPT(7, *value)
        results.append(first_steps(names, model, gpt_plain.Adam(model.parameters(), 0.01), 3))
    for ours, theirs in zip(*results):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-15)


def test_the_gpt_with_a_value_of_its_own_is_the_same_model(load, monkeypatch, tmp_path):
    names, gpt_plain = load("names"), load("gpt_plain")
    model = gpt_plain.GPT(names.SEED)
    wanted = names.train(model, gpt_plain.Adam(model.parameters(), names.LEARNING_RATE), names.load_names(), 3)
    text = (EXAMPLES / "microgpt.py").read_text(encoding="ascii")
    assert text.count("\nBATCH = 16 ") == 1
    (tmp_path / "microgpt.py").write_text(text.replace("\nBATCH = 16 ", "\nBATCH = 1 "))
    shutil.copy(EXAMPLES / "names.txt", tmp_path)
    monkeypatch.setattr(sys, "argv", ["microgpt.py", "3"])
    variables = runpy.run_path(str(tmp_path / "microgpt.py"))
    assert variables["losses"] == pytest.approx(wanted, rel=1e-9)
    assert [p.data for p in variables["parameters"]] == pytest.approx([p.data for p in model.parameters()], abs=1e-9)


def test_the_gpt_learns(load):
    names, gpt = load("names"), load("gpt")
    model = gpt.GPT(names.SEED)
    losses = names.train(model, gpt.Adam(model.parameters(), names.LEARNING_RATE), names.load_names(), 200)
    assert losses[0] == pytest.approx(3.3, abs=0.2)     # about log(27): it knows nothing yet
    assert sum(losses[-50:]) / 50 < 2.8


def test_the_gpt_over_rows_is_the_gpt_name_by_name(load):
    names, gpt, gpt_vmap = map(load, ("names", "gpt", "gpt_vmap"))
    for batch in itertools.islice(gpt_vmap.batches(names.load_names()), 4):
        one_by_one, by_rows = gpt.GPT(7), gpt_vmap.GPT(7)
        assert len({len(tokens) for tokens in batch}) == 1
        losses = [one_by_one.loss(tokens) for tokens in batch[:5]]
        (sum(losses) / len(losses)).backward()
        loss = by_rows.loss(batch[:5])
        loss.backward()
        assert loss.data == pytest.approx(sum(one.data for one in losses) / len(losses), rel=1e-12)
        wanted, got = ([p.grad for p in model.parameters()] for model in (one_by_one, by_rows))
        assert got == pytest.approx(wanted, rel=1e-9, abs=1e-12 * max(map(abs, wanted)))


def test_the_gpt_over_rows_takes_the_steps_of_the_gpt_name_by_name(load):
    names, gpt, gpt_vmap = map(load, ("names", "gpt", "gpt_vmap"))

    class NameByName(gpt.GPT):
        def loss(self, batch):
            return gpt.mean([super(NameByName, self).loss(tokens) for tokens in batch])

    def small_batches(everybody):
        return (batch[:4] for batch in gpt_vmap.batches(everybody))

    results = []
    for model in (NameByName(7), gpt_vmap.GPT(7)):
        optimizer = gpt.Adam(model.parameters(), names.LEARNING_RATE)
        losses = names.train(model, optimizer, names.load_names(), 6, small_batches)
        results.append(losses + [p.data for p in model.parameters()])
    assert results[0] == pytest.approx(results[1], rel=1e-9, abs=1e-9)


def test_batches_of_names_go_through_all_names_each_time(load):
    names, gpt_vmap = load("names"), load("gpt_vmap")
    everybody = names.load_names()
    found, stream = [], gpt_vmap.batches(everybody)
    while len(found) < len(everybody):
        found += next(stream)
    assert sorted(found) == sorted(map(names.encode, everybody))


def test_the_gpt_over_rows_learns(load):
    names, gpt_vmap = load("names"), load("gpt_vmap")
    model = gpt_vmap.GPT(names.SEED)
    optimizer = gpt_vmap.Adam(model.parameters(), names.LEARNING_RATE)
    losses = names.train(model, optimizer, names.load_names(), 150, gpt_vmap.batches)
    assert losses[0] == pytest.approx(3.3, abs=0.2)
    assert sum(losses[-20:]) / 20 < 2.5


@pytest.mark.parametrize("script", ["gpt.py", "gpt_plain.py", "gpt_vmap.py"])
def test_the_gpt_shows_its_progress_and_prints_names(script, run_script):
    output, progress = run_script(script, "--steps", "5", "--count", "3")
    first, *made_up = output.splitlines()
    assert first == "4192 parameters"
    assert len(made_up) == 3
    assert all(re.fullmatch("[a-z]*", name) for name in made_up)
    assert "5/5" in progress
    assert re.search(r"loss \d\.\d{3}, \d+ names/s", progress)


def test_batches_go_through_all_images_in_another_order_each_time(load):
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's, an optional extra")
    digits = load("digits")
    images = list(range(3 * digits.BATCH))
    stream = digits.batches(images)
    first, second = ([one for batch in itertools.islice(stream, 3) for one in batch] for _ in range(2))
    assert sorted(first) == sorted(second) == images
    assert first != second


@pytest.mark.parametrize("options", [[], ["--vmap"]])
def test_digits_are_read_after_a_few_steps(load, monkeypatch, capsys, options):
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's, an optional extra")
    digits = load("digits")
    monkeypatch.setattr(sys, "argv", ["digits.py", "--steps", "200", *options])
    digits.main()
    output, progress = capsys.readouterr()
    seen, held_out = re.findall(r"([\d.]+)%$", output, re.MULTILINE)
    assert float(seen) > 80
    assert float(held_out) > 80
    assert "on 360 images it has not seen" in output
    assert "200/200" in progress


def test_digits_are_learned_alike_image_by_image_and_all_at_once(load):
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's, an optional extra")
    digits = load("digits")
    results = []
    for loss_of in (digits.image_by_image, digits.all_at_once):
        random.seed(digits.SEED)
        seen, _ = digits.load_images()
        model = digits.MLP(64, [32, 10])
        losses = digits.train(model, seen, 5, loss_of)
        results.append(losses + [p.data for p in model.parameters()])
    assert results[0] == pytest.approx(results[1], rel=1e-9, abs=1e-9)


def test_at_temperature_0_the_likeliest_name_is_made_up_whatever_the_seed(run_script):
    output, _ = run_script("gpt.py", "--steps", "5", "--count", "3", "--temperature", "0")
    assert len(set(output.splitlines()[1:])) == 1


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("gpt.py", ["--steps", "-1"], "argument --steps: must be 0 or more, not -1"),
        ("gpt_plain.py", ["--count", "-2"], "argument --count: must be 0 or more, not -2"),
        ("gpt_vmap.py", ["--temperature", "-0.5"], "argument --temperature: must be a number, 0 or more, not -0.5"),
        ("gpt.py", ["--temperature", "nan"], "argument --temperature: must be a number, 0 or more, not nan"),
        ("digits.py", ["--steps", "-1"], "argument --steps: must be 0 or more, not -1"),
        ("data_parallel.py", ["--steps", "-1"], "argument --steps: must be 0 or more, not -1"),
    ],
)
def test_a_number_that_makes_no_sense_is_a_usage_error(script, arguments, message, tmp_path):
    if script in ("digits.py", "data_parallel.py"):
        pytest.importorskip("sklearn", reason="the digits are scikit-learn's, an optional extra")
    if script == "data_parallel.py":
        pytest.importorskip("mpi4py", reason="several processes want mpi4py, an optional extra")
    done = run_directly(tmp_path, str(EXAMPLES / script), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"{script}: error: {message}"


@pytest.mark.parametrize(
    ("script", "missing", "called", "extra"),
    [
        ("gpt.py", "tqdm", "tqdm", "examples"), ("gpt_plain.py", "tqdm", "tqdm", "examples"),
        ("gpt_vmap.py", "numpy", "numpy", "examples"), ("digits.py", "sklearn", "scikit-learn", "examples"),
        ("data_parallel.py", "numpy", "numpy", "examples"), ("data_parallel.py", "mpi4py", "mpi4py", "mpi"),
    ],
)
def test_a_missing_package_is_one_sentence_that_names_the_extra(script, missing, called, extra, tmp_path):
    if missing in ("sklearn", "mpi4py"):
        pytest.importorskip("sklearn", reason="what comes before wants scikit-learn, an optional extra")
    done = run_directly(tmp_path, "-c", f"""
import runpy, sys
sys.modules[{missing!r}] = None
sys.argv = [{str(EXAMPLES / script)!r}]
sys.path[0] = {str(EXAMPLES)!r}
runpy.run_path(sys.argv[0], run_name="__main__")
""")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{script} needs {called}, which is not installed: pip install 'micrograd_c[{extra}]'\n"


def test_newton_and_bfgs_find_the_lowest_point(load):
    newton = load("newton")
    for start in ([-1.2, 1.0], [2.0, 1.0, 2.0, 1.0, 2.0, 1.0]):
        for method, most in ((newton.newton, 40), (newton.bfgs, 80)):
            x, steps = method(start)
            assert x == pytest.approx([1.0] * len(start), abs=1e-6)
            assert steps < most
    assert newton.solve([[0.0, 2.0], [3.0, 1.0]], [4.0, 5.0]) == pytest.approx([1.0, 2.0])


def test_a_pendulum_is_fitted_up_to_the_noise(load):
    pendulum = load("pendulum")
    numbers, left = pendulum.fit(pendulum.film(noise=0.0), [1.0, 0.1, 0.7])
    assert numbers == pytest.approx(pendulum.TRUE, rel=1e-9)
    assert left[0] > 1 > 1e-15 > left[-1]
    numbers, left = pendulum.fit(pendulum.film(), [1.0, 0.1, 0.7])
    assert numbers == pytest.approx(pendulum.TRUE, rel=0.01)


def test_a_net_solves_an_equation_by_second_derivatives_in_its_loss(load):
    example = load("physics_informed")
    u, losses = example.train(steps=400)
    assert losses[-1] < 1e-3 * losses[0]
    xs = [0.5, 1.0, 1.5, 2.0]
    assert [u(x).data for x in map(Number, xs)] == pytest.approx(list(map(math.sin, xs)), abs=0.05)


def test_cameras_and_points_are_adjusted_up_to_the_noise(load):
    pytest.importorskip("numpy")
    example = load("bundle_adjustment")
    pairs, seen, guess = example.scene(noise=0.0)
    _, history = example.adjust(pairs, seen, guess)
    assert history[0] > 1e-2
    assert history[-1] < 1e-9
    rest, slopes = example.jacobian(pairs, seen, *guess)
    cameras, points = guess
    for numbers, first in (cameras, 0), (points, cameras.size):
        nudged = numbers.copy()
        nudged[1, 2] += 1e-6
        moved = (nudged, points) if numbers is cameras else (cameras, nudged)
        change = (example.jacobian(pairs, seen, *moved)[0] - rest) / 1e-6
        assert slopes[:, first + numbers.shape[1] + 2] == pytest.approx(change, abs=1e-5)


@pytest.mark.parametrize(("name", "said"), [
    ("newton.py", "BFGS"), ("bundle_adjustment.py", "step 14: pictures are off by 0.000"),
    ("pendulum.py", "in truth 1.3"), ("physics_informed.py", "sin(3.0)"),
])
def test_the_examples_of_derivatives_run(name, said, run_script):
    assert said in run_script(name)[0]
