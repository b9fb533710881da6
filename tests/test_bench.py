"""`micrograd-c bench`: what is compared, how it is timed, what is said of sides that are missing, wrong or unable."""

import dataclasses
import gc
import importlib
import io
import json
import math
import pathlib
import re
import struct
import subprocess
import sys

import pytest

from micrograd_c import __main__ as command_line
from micrograd_c.bench import command, inputs, measure, memory, peers
from micrograd_c.bench.compare import difference
from micrograd_c.bench.gpt import GPT, Adam, Plain, highest_data
from micrograd_c.bench.peers.base import Cannot, Peer, Program
from micrograd_c.bench.peers.floats import Floats
from micrograd_c.bench.workloads import WORKLOADS
from micrograd_c.engine import Value

ROOT = pathlib.Path(__file__).parents[1]
SMALL = dataclasses.replace(inputs.QUICK, deep_turns=2_000, terms=100, nodes=1_000)
TIMED = [workload.name for workload in WORKLOADS if workload.unit == "seconds"]
PLAN = measure.Plan(rounds=4, seconds=1e-9, fewest=3, most=8, shortest=1e-9)


@pytest.fixture
def bench(monkeypatch, capsys):
    """Run `micrograd-c bench --quick`; the exit status, stdout and stderr."""
    monkeypatch.setattr(command, "ONE_THREAD", {})      # the environment is the other tests', too

    def run(*arguments):
        status = command_line.main(["bench", "--quick", *arguments])
        return status, *capsys.readouterr()

    return run


def side_named(name):
    return next(side for side in peers.SIDES if side.name == name)


def titles(output):
    """The sides of all tables."""
    return re.findall(r"^\| (?!per )(.*?)(?: \[\d\])? +\|", output, re.MULTILINE)


# --- what is compared ---

@pytest.mark.parametrize("side", [side for side in peers.SIDES if side.collector], ids=lambda side: side.name)
def test_all_sides_compute_the_same(side):
    """Those that are installed, all they do not do slowly."""
    if not side.installed():
        pytest.skip(f"{side.package} is not installed")
    reference, peer = side_named(peers.OURS).create(SMALL), side.create(SMALL)
    done = 0
    for workload in TIMED:
        if workload in side.slow or (side.only and workload not in side.only):
            continue
        try:
            program = peer.program(workload)
        except Cannot:
            continue
        reference.sizes = program.sizes
        assert difference(program, reference.program(workload).results()) == ""
        done += 1
    assert done or not set(side.only) - set(side.slow)


def test_gradients_of_the_sides_are_those_of_central_differences():
    """Of the loop, whose floats anybody can compute."""
    turns, step = 50, 1e-6
    leaves = [inputs.START, inputs.ADDEND, inputs.FACTOR]
    program = side_named(peers.OURS).create(dataclasses.replace(SMALL, turns=turns)).program("op-backward")
    value, *gradients = program.results()
    chain = Floats(SMALL).programs.chain
    assert value == chain(*leaves, turns)
    for k, gradient in enumerate(gradients):
        high, low = ([*leaves[:k], leaves[k] + way * step, *leaves[k + 1:]] for way in (1, -1))
        assert gradient == pytest.approx((chain(*high, turns) - chain(*low, turns)) / (2 * step), rel=1e-6)


@pytest.mark.skipif(not (ROOT / "examples").is_dir(), reason="the examples are not beside the tests")
def test_the_gpt_is_the_examples(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.syspath_prepend(ROOT / "examples")
    names, example = importlib.import_module("names"), importlib.import_module("gpt_plain")
    try:
        assert tuple(names.load_names()[:5]) == inputs.NAMES
        assert list(map(names.encode, inputs.NAMES)) == inputs.token_lists(5)
        model = example.GPT(names.SEED)
        assert [p.data for p in model.parameters()] == inputs.flat_matrices(inputs.matrices())
        parameters = list(map(Value, inputs.flat_matrices(inputs.matrices())))
        ours = GPT(inputs.shaped(parameters), Plain(Value.exp, Value.log, highest_data), Value.relu)
        optimizers = example.Adam(model.parameters(), names.LEARNING_RATE), Adam(parameters)
        for tokens in inputs.token_lists(2):
            losses = model.loss(tokens), ours.loss(tokens)
            for loss, optimizer in zip(losses, optimizers):
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            assert losses[0].data == losses[1].data
        assert [p.data for p in parameters] == [p.data for p in model.parameters()]
    finally:
        for name in ("names", "gpt_plain"):
            sys.modules.pop(name, None)


def test_weights_go_to_layers_and_back():
    numbers = list(range(337))
    assert inputs.flat(inputs.layered(numbers)) == numbers
    numbers = list(range(4192))
    assert inputs.flat_matrices(inputs.shaped(numbers)) == numbers


# --- how it is timed ---

def test_sides_take_turns():
    order = []
    candidates = [
        measure.Candidate(name, Program(lambda name=name: order.append(name), list, prepare=lambda: None))
        for name in "abc"
    ]
    timings = measure.measure(candidates, PLAN)
    assert "".join(order) == "abcabcabc"
    assert [len(timing.values) for timing in timings.values()] == [3, 3, 3]     # the slow ones' warm-up counts


def test_the_collector_is_off_for_one_side_only_and_then_as_before():
    seen = {}
    candidates = [
        measure.Candidate(name, Program(lambda name=name: seen.setdefault(name, gc.isenabled()), list), collector=on)
        for name, on in [("on", True), ("off", False), ("on again", True)]
    ]
    frozen = gc.get_freeze_count()
    measure.measure(candidates, PLAN)
    assert seen == {"on": True, "off": False, "on again": True}
    assert gc.isenabled()
    assert gc.get_freeze_count() == frozen


def test_times_are_those_of_one_operation(monkeypatch):
    clock = iter(range(1_000_000))
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(clock))
    program = Program(lambda: None, list, prepare=lambda: None, operations=4)
    timing = measure.measure([measure.Candidate("a", program)], PLAN)["a"]
    assert set(timing.values) == {0.25}
    assert (timing.minimum, timing.median, timing.spread) == (0.25, 0.25, 0.0)


def test_the_spread_is_the_median_distance_from_the_median():
    timing = measure.Timing([1.0, 2.0, 4.0, 2.5, 1.5])
    assert (timing.minimum, timing.median, timing.spread) == (1.0, 2.0, 0.25)


def test_preparing_is_not_timed_and_comes_before_each_timing():
    calls = []
    program = Program(lambda: calls.append("run"), list, prepare=lambda: calls.append("prepare"))
    measure.measure([measure.Candidate("a", program)], PLAN)
    assert calls[::2] == ["prepare"] * (len(calls) // 2)
    assert calls[1::2] == ["run"] * (len(calls) // 2)


# --- the command ---

def test_a_table_for_each_workload_with_micrograd_as_it_comes_and_uncollected(bench):
    pytest.importorskip("micrograd")
    status, output, errors = bench("--only", "op", "mlp", "--sides", "floats", "micrograd")
    assert (status, errors) == (0, "")
    expected = ["micrograd_c", "plain Python floats", "micrograd, as it comes", "micrograd, gc.disable()"]
    assert titles(output) == expected * 2
    ours = next(line for line in output.splitlines() if line.startswith("| micrograd_c "))
    assert [cell.strip() for cell in ours.split("|")[-3:-1]] == ["1", "1"]
    assert "Measured on: " in output
    assert "With --quick: these figures mean little." in output


def test_what_a_side_cannot_do_has_a_reason(bench):
    pytest.importorskip("micrograd")
    status, output, _ = bench("--only", "deep", "--sides", "micrograd")
    assert status == 0
    assert re.search(r"^\| micrograd, as it comes \[1\] +\| +- \|", output, re.MULTILINE)
    assert re.search(r"^\[1\] RecursionError: ", output, re.MULTILINE)


def test_micrograd_does_fail_on_deep_chains():
    """If it ever does not, it is to be timed."""
    engine = pytest.importorskip("micrograd.engine")
    x = engine.Value(1.0)
    for _ in range(2_000):
        x = x + 1
    with pytest.raises(RecursionError):
        x.backward()


@pytest.mark.parametrize("wrong", [0, -1], ids=["value", "gradient"])
def test_a_wrong_number_is_named_and_not_timed(bench, monkeypatch, wrong):
    timed = []

    def op_backward(self):
        numbers = side_named(peers.OURS).create(self.sizes).program("op-backward").results()
        numbers[wrong] *= 1 + 1e-6
        return Program(lambda: timed.append(1), lambda: numbers)

    monkeypatch.setattr(Floats, "op_backward", op_backward)
    status, output, errors = bench("--only", "op-backward", "--sides", "floats")
    assert status == 1
    assert timed == []
    (line,) = errors.splitlines()
    assert line.startswith("micrograd-c bench: error: plain Python floats, op-backward: differs: number ")
    assert re.search(r"^\| plain Python floats \[1\] +\| +- \|", output, re.MULTILINE)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_wrong(bad):
    assert difference(Program(None, lambda: [1.0, bad]), [1.0, 2.0]).startswith("differs: number 1 ")


def test_missing_gradients_are_wrong_unless_there_are_none_to_expect():
    assert difference(Program(None, lambda: [1.0]), [1.0, 2.0]) == "differs: 1 numbers, not 2"
    assert difference(Program(None, lambda: [1.0], values=1), [1.0, 2.0]) == ""


def test_a_side_that_fails_is_said_and_the_others_go_on(bench, monkeypatch):
    def op(self):
        raise ValueError("too new a version")

    monkeypatch.setattr(Floats, "op", op)
    status, output, _ = bench("--only", "op", "--sides", "floats", "python")
    assert status == 0
    assert "[1] ValueError: too new a version" in output
    assert titles(output)[-1] == "a Value in pure Python, gc.disable()"


def test_missing_libraries_are_listed_with_the_pip_command(bench, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name: None if name in {"torch", "micrograd"} else find_spec(name))
    status, output, _ = bench("--only", "op", "--sides", "torch", "micrograd")
    assert status == 0
    assert titles(output) == ["micrograd_c"]
    assert "\nmicrograd is not installed: pip install micrograd\ntorch is not installed: pip install torch\n" in output


def test_json_has_all_timings(bench, tmp_path):
    file = tmp_path / "figures.json"
    bench("--only", "expression", "node", "--sides", "floats", "--json", str(file))
    figures = json.loads(file.read_text())
    assert set(figures) == {
        "schema", "made", "quick", "micrograd_c", "versions", "machine", "seconds", "processor_share", "missing",
        "workloads",
    }
    expression, node = figures["workloads"]
    assert (expression["name"], expression["unit"], expression["per"]) == ("expression", "seconds", "expression")
    ours, floats = expression["sides"]
    assert (ours["name"], floats["name"]) == ("micrograd_c", "floats")
    for found in (ours, floats):
        assert found["minimum"] == min(found["values"]) <= found["median"]
        assert found["spread"] >= 0
    assert "forward only" in floats["note"]
    assert 30 < node["sides"][0]["arena"] < 60
    assert node["sides"][1] == {
        "name": "floats", "title": "plain Python floats", "reason": "floats keep no graph"
    }


def test_a_chart_is_drawn(bench, tmp_path):
    pytest.importorskip("matplotlib", reason="the chart needs matplotlib, an optional extra")
    file = tmp_path / "chart.png"
    status, *_ = bench("--only", "op", "--sides", "floats", "--plot", str(file))
    assert status == 0
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_chart_without_matplotlib_names_the_extra_before_anything_runs(bench, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit, match=r"--plot needs matplotlib.*micrograd_c\[plot\]"):
        bench("--plot", "chart.png")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("option", ["--json", "--plot"])
def test_a_file_that_cannot_be_written_is_said_before_anything_runs(bench, tmp_path, capsys, option):
    pytest.importorskip("matplotlib", reason="--plot needs matplotlib, an optional extra")
    with pytest.raises(SystemExit, match="cannot be written: No such file or directory"):
        bench(option, str(tmp_path / "nowhere" / "file.png"))
    assert capsys.readouterr().out == ""


def test_an_unknown_workload_is_a_usage_error(bench, capsys):
    with pytest.raises(SystemExit) as ended:
        bench("--only", "nothing")
    assert ended.value.code == 2
    assert "invalid choice: 'nothing'" in capsys.readouterr().err


def test_no_library_is_imported_before_it_is_its_turn(run_python):
    assert run_python("""
import sys
from micrograd_c import __main__ as command_line
try:
    command_line.main(["bench", "--help"])
except SystemExit:
    print({"numpy", "torch", "jax", "micrograd", "matplotlib"} & set(sys.modules))
""").endswith("\nset()\n")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_a_line_that_is_written_over_on_terminals_only():
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        progress = command.Progress(stream)
        progress.heading = "[1/2] op"
        progress.show("floats")
        progress.clear()
    assert terminal.getvalue() == "\r\x1b[K[1/2] op: floats (0 s)\r\x1b[K"
    assert file.getvalue() == ""


# --- memory ---

def test_memory_is_measured_in_a_process_of_its_own():
    result = memory.grown(side_named(peers.OURS), "node", dataclasses.replace(SMALL, nodes=100_000))
    assert result["operations"] == 100_000
    assert result["bytes"] >= 0
    assert 31 < result["arena"] - struct.calcsize("P") < 34     # a node, and where its Value is


def test_memory_is_the_installed_packages_whatever_the_current_folder_holds(tmp_path, monkeypatch):
    (tmp_path / "micrograd_c").mkdir()
    (tmp_path / "micrograd_c" / "__init__.py").write_text("raise ImportError('the wrong one')")
    monkeypatch.chdir(tmp_path)
    assert "arena" in memory.grown(side_named(peers.OURS), "node", SMALL)


def test_a_side_without_a_graph_says_so():
    assert memory.grown(side_named("floats"), "node", SMALL) == {"reason": "floats keep no graph"}


def test_a_process_that_dies_is_a_failure(monkeypatch):
    died = subprocess.CompletedProcess([], -11, "", "")
    monkeypatch.setattr(memory.subprocess, "run", lambda *arguments, **options: died)
    assert memory.grown(side_named("floats"), "node", SMALL) == {"failure": "the process ended with status -11"}


# --- peers ---

def test_a_limit_makes_a_workload_smaller_and_says_so():
    class Limited(Peer):
        limits = {"op": ("turns", 10, "of 10 turns")}

        def op(self):
            return Program(None, list, operations=self.sizes.turns, note="slow")

    peer = Limited(SMALL)
    program = peer.program("op")
    assert (program.operations, program.sizes.turns, program.note) == (10, 10, "of 10 turns; slow")
    assert peer.sizes is SMALL


# --- the targets, a file beside the package ---

@pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="the benchmarks are not beside the tests")
def test_targets_are_met_missed_or_not_measured(bench, tmp_path):
    file = tmp_path / "figures.json"
    bench("--only", "op", "--sides", "floats", "--json", str(file))
    figures = json.loads(file.read_text())
    ours, floats = figures["workloads"][0]["sides"]
    floats.update(minimum=1.0, median=1.0)

    def verdicts(minimum, median):
        ours.update(minimum=minimum, median=median)
        file.write_text(json.dumps(figures))
        done = subprocess.run([sys.executable, str(ROOT / "benchmarks" / "targets.py"), str(file)],
                              capture_output=True, text=True, check=True, cwd=tmp_path)
        return [line.split("|")[-2].strip() for line in done.stdout.splitlines()[2:]]

    first, *others = verdicts(2.0, 2.5)
    assert first == "met"
    assert set(others) == {"not measured"}
    assert verdicts(2.0, 2.6)[0] == "missed"
    assert verdicts(2.6, 2.0)[0] == "missed"
