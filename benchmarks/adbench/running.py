"""Each objective: compared as published, compared with the other sides, and measured."""

import os
import sys
import tempfile

import ba
import gmm
import hand
import inputs
import lstm
from by_hand import compiler
from measuring import Table, differ
from vmap_sides import jax, torch

if jax:
    import jax_side
if torch:
    import torch_side

PRINTED = 1e-8      # how exact the loss of the LSTM is printed
POINTS = 1000       # of a mixture
SHAPES = (2, 5), (10, 5), (20, 10), (32, 25), (64, 25)      # dimensions, Gaussians
BUNDLE = 49, 7_776, 31_843      # cameras, points, observations: as many as in ADBench's first file
SHORT = 101         # characters
GRADIENT, JACOBIAN = ("objective", "gradient"), ("objective", "jacobian")


def sides(ours, name, problem):
    """Ours and all others that have this objective."""
    found = {side: make(problem) for side, make in ours.items()}
    if jax:
        found["JAX"] = getattr(jax_side, name)(problem)
    if torch and hasattr(torch_side, name):
        found["PyTorch"] = getattr(torch_side, name)(problem)
    return found


def of_gmm(options):
    wanted, problem = inputs.published()["gmm_test"], inputs.mixture("gmm_test.txt")
    for name, side in sides({"vmap": gmm.Ours}, "GMM", problem).items():
        found = [*side.objective(), *side.gradient()]
        differ(f"GMM by {name}, and as published", found, [wanted["objective"], wanted["gradient"]])
    table = Table(f"GMM, {POINTS:,} points", options)
    for d, count in SHAPES[:1] if options.quick else SHAPES:
        problem = inputs.random_mixture(POINTS, d, count)
        size = sum(array.size for array in problem[:3])
        table.add(f"d {d}, K {count}, {size:,} parameters", sides({"vmap": gmm.Ours}, "GMM", problem), GRADIENT)
    table.show()


def of_ba(options):
    wanted, problem = inputs.published()["ba_test"], inputs.bundle("ba_test.txt")
    every = len(problem.weights)
    for name, side in sides({"vmap": ba.Ours}, "BA", problem).items():
        found = [*side.objective()[:2], *side.jacobian()]
        differ(f"BA by {name}, and as published", found,
               [*([number] * every for number in wanted["objective"]), [wanted["jacobian"]] * every])
    problem = inputs.random_bundle(*(10, 100, 500) if options.quick else BUNDLE)
    table = Table(f"BA, {len(problem.points):,} points", options)
    with tempfile.TemporaryDirectory() as folder:
        compared = sides({"vmap": ba.Ours}, "BA", problem)
        if compiler():
            import c_side

            compared["C by hand"] = c_side.BA(problem, folder)
        table.add(f"{len(problem.weights):,} observations", compared, JACOBIAN)
    table.show()


def of_lstm(options):
    wanted, problem = inputs.published()["lstm_l2_c1024"], inputs.text("lstm_lstm_l2_c1024.txt")
    both = {"vmap": lstm.ByBits, "jit": lstm.Whole}
    for name, side in sides(both if not options.quick else {"vmap": lstm.ByBits}, "LSTM", problem).items():
        differ(f"LSTM by {name}, and as published", side.objective(), [wanted["objective"]], PRINTED)
        differ(f"LSTM by {name}, and as published", side.gradient(), [wanted["gradient"]])
    table = Table("LSTM, 2 layers of 14 bits", options)
    for count in (SHORT,) if options.quick else (SHORT, len(problem.characters)):
        text = problem._replace(characters=problem.characters[:count])
        table.add(f"{count:,} characters", sides(both, "LSTM", text), GRADIENT)
    table.show()


def of_hand(options):
    wanted, problem = inputs.published()["hand_test"], inputs.hand("hand_test.txt")
    for name, side in sides({"vmap": hand.Ours}, "Hand", problem).items():
        found = [side.objective()[0].ravel(), side.jacobian()[0].reshape(-1, len(problem.pose))]
        differ(f"Hand by {name}, and as published", found, [wanted["objective"], wanted["jacobian"]])
    problem = inputs.hand("hand_simple_small_hand1_t26_c100.txt")
    table = Table(f"Hand, {len(problem.points)} points", options)
    table.add(f"pose of {len(problem.pose)} numbers", sides({"vmap": hand.Ours}, "Hand", problem), JACOBIAN)
    table.show()


def print_surroundings():
    for name, module in (("jax", jax), ("torch", torch)):
        if module is None:
            print(f"{name} is not installed, and so not compared (pip install {name})")
    if not compiler():
        print("there is no C compiler here, cc or gcc, for bundle adjustment by hand")
    print(f"CPython {sys.version.split()[0]}, {os.cpu_count()} CPUs")


OBJECTIVES = {"gmm": of_gmm, "ba": of_ba, "lstm": of_lstm, "hand": of_hand}
