"""Random programs on networks: nothing that is done tells a layer from its spelling, or from micrograd's."""

import gc
import itertools
import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import NETWORKS, OURS
from scenes import HOOKS, Scene
from spelled import agree, agree_with_original

paths = st.lists(st.integers(-2, 4), min_size=1, max_size=9).map(tuple)
places = st.integers(-2, 12)
datas = st.sampled_from([0, 1, -2, 3, 0.0, -0.0, 0.5, -1.5, 2.25, 1e-3, 1e300, math.inf, math.nan])
small = st.sampled_from([0, 1, -2, 3, 0.0, -0.0, 0.5, -1.5, 2.25, 1e-3])
texts = st.sampled_from("xy")
kinds = st.sampled_from([*HOOKS])
stresses = st.sampled_from(["collect the tape", "collect the tape", "collect garbage", "fill the tape"])


def arguments(numbers):
    """How often an action is taken, and on what. These micrograd can do, too."""
    return {
        "forward": (3, ()), "call": (4, ()), "look": (4, (paths,)), "walk": (2, (paths,)), "keep": (5, (paths,)),
        "drop": (6, (places,)), "drop_all_but": (2, (places,)), "backward": (8, (paths,)), "step": (4, (paths,)),
        "sweep_by_hand": (3, (paths, st.integers(1, 60))), "set_data": (4, (paths, numbers)),
        "set_parameter": (4, (places, numbers)), "zero_grad": (2, ()),
        # not to -0.0: from then on zeros would no longer be skipped, see test_fused_zero_adjoints.py
        "set_grad": (4, (paths, numbers.map(lambda number: number + 0))),
        "update": (2, ()), "label": (3, (paths, texts)), "hook": (3, (paths, kinds)), "combine": (4, (paths, paths)),
        "custom": (2, (paths, paths)), "feed": (4, (paths, paths)), "stress": (3, (stresses,)),
    }


OURS_TOO = {
    "divide": (2, (paths, small)), "copy": (2, (paths,)), "deepcopy": (2, (paths,)), "pickle": (1, (paths,)),
    "picture": (2, (paths,)), "reference": (3, (paths,)), "name": (2, (paths, texts)),
    "replace_operands": (2, (paths, paths)), "optimize": (2, (st.sampled_from(["SGD", "Adam"]),)),
    "load": (1, (small,)), "forward_without_graph": (1, ()), "backward_without_graph": (1, (paths,)),
    "walk_without_graph": (1, (paths,)), "thread": (1, (paths,)),
}


def programs(actions):
    names = st.sampled_from([name for name, (weight, _) in actions.items() for _ in range(weight)])
    instructions = names.flatmap(lambda name: st.tuples(st.just(name), *actions[name][1]))
    return st.lists(instructions, min_size=4, max_size=25)


def play(build, program, sees):
    """Yields what each action shows; all there is to see only after `sees` actions and at the end."""
    def generator(way):
        scene = Scene(way, build)
        for k, instruction in enumerate(program):
            if k == sees:
                yield scene.see()
            yield instruction, scene.act(*instruction)
        numbers = [(v.data, v.grad) for v in [*scene.parameters, *scene.roots]]
        yield numbers, scene.heard
        for path in ((-1,), (0,), (1,)):
            yield scene.act("backward", path), [(v.data, v.grad) for v in [*scene.parameters, *scene.roots]]
        yield scene.see()
    return generator


def freeze_now_and_then(examples=itertools.count()):    # noqa: B008
    """What hypothesis keeps of each example, Python's collector need not look at, which programs run."""
    if next(examples) % 20 == 0:
        gc.collect()
        gc.freeze()


networks = st.sampled_from([*NETWORKS, *OURS])
relaxed = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@settings(relaxed, max_examples=4 * settings.default.max_examples)
@given(networks, programs({**arguments(datas), **OURS_TOO}), st.integers(0, 50))
def test_random_programs_see_the_spelling_to_the_bit(network, program, sees):
    freeze_now_and_then()
    agree(play({**NETWORKS, **OURS}[network], program, sees))


@settings(relaxed, max_examples=3 * settings.default.max_examples)
@given(st.sampled_from([*NETWORKS]), programs(arguments(datas)), st.integers(0, 50))
def test_random_programs_see_what_the_original_shows(network, program, sees):
    freeze_now_and_then()
    agree_with_original(play(NETWORKS[network], program, sees))
