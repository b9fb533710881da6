"""Nothing tells what a layer records in one call from its spelling, op by op, nor from what micrograd records."""

import math

import pytest
from networks import NETWORKS, OURS
from scenes import HOOKS, Scene
from spelled import agree, agree_with_original

TOP, SUM, HIDDEN, DEEP, LOSS = (0,), (0, 0), (0, 1, 1), (1, 1, 1, 0, 0, 1, 1), (-1,)
ACTIONS = {     # what is done before the loss is swept and everything is seen; these micrograd can do, too
    "nothing": [],
    "the graph is walked": [("walk", LOSS)],
    "one neuron is walked": [("walk", TOP)],
    "one hidden neuron is walked": [("walk", HIDDEN)],
    "a few nodes are looked at": [("look", TOP), ("look", SUM), ("look", HIDDEN)],
    "a node far below is looked at": [("look", DEEP)],
    "a hidden node is kept": [("keep", HIDDEN)],
    "a product is kept": [("keep", (0, 1)), ("keep", (0, 0, 1))],
    "only the loss is kept": [("drop_all_but", -1)],
    "only a hidden node is kept": [("keep", HIDDEN), ("drop_all_but", -1)],
    "an output is dropped": [("drop", 0)],
    "an output is swept": [("backward", TOP)],
    "two outputs are swept": [("backward", TOP), ("backward", (1,))],
    "the loss is swept twice": [("backward", LOSS), ("backward", LOSS)],
    "a hidden node is swept": [("backward", HIDDEN)],
    "a sum is swept": [("backward", SUM)],
    "a product is swept": [("backward", (0, 0, 1))],
    "a step is done by hand": [("set_grad", TOP, 2.0), ("step", TOP)],
    "a step is done twice": [("set_grad", TOP, 3), ("step", TOP), ("step", TOP)],
    "a step is done in the middle": [("set_grad", HIDDEN, -2), ("step", HIDDEN)],
    "all steps are done by hand": [("sweep_by_hand", LOSS, 10_000)],
    "some steps are done by hand": [("sweep_by_hand", LOSS, 12)],
    "an output is swept by hand twice": [("sweep_by_hand", TOP, 10_000), ("sweep_by_hand", TOP, 7)],
    "the grad of an output is set": [("set_grad", TOP, 5)],
    "the grad of a hidden node is set": [("set_grad", HIDDEN, -2.5)],
    "the grad of a node far below is set": [("set_grad", DEEP, 7)],
    "grads are set to zero between sweeps": [("backward", LOSS), ("zero_grad",)],
    "a parameter is changed": [("set_parameter", 0, 2.25)],
    "the bias is changed": [("set_parameter", 2, -9)],
    "a parameter becomes an int": [("set_parameter", 1, 4)],
    "a parameter becomes 0": [("set_parameter", 0, 0)],
    "a parameter becomes infinite": [("set_parameter", 0, math.inf)],
    **{f"parameter {k} becomes an int, and the network is called again":
        [("set_parameter", k, 3), ("forward",), ("backward", LOSS)] for k in (0, 5, 8, 11, -9, -5, -1)},
    "parameters are updated": [("backward", LOSS), ("update",)],
    "an output is changed": [("set_data", TOP, -3.5)],
    "a dead output is made alive": [("set_data", TOP, 3.5), ("set_data", (1,), 1)],
    "a hidden output is changed": [("set_data", HIDDEN, -0.0)],
    "a sum is changed": [("set_data", SUM, 11)],
    "a product is changed": [("set_data", (0, 0, 1), 0.125)],
    "data is changed, then the graph is walked": [("set_parameter", 0, 2.25), ("set_data", TOP, 1.5), ("walk", LOSS)],
    "an output is labelled": [("label", TOP, "out"), ("drop_all_but", -1)],
    "a hidden node is labelled": [("label", HIDDEN, "hidden"), ("drop_all_but", -1), ("stress", "collect the tape")],
    "a node far below is labelled": [("label", DEEP, "deep"), ("drop_all_but", -1), ("stress", "fill the tape")],
    **{f"an output has a function: {kind}": [("hook", TOP, kind)] for kind in HOOKS},
    **{f"a hidden node has a function: {kind}": [("hook", HIDDEN, kind), ("drop_all_but", -1)] for kind in HOOKS},
    **{f"a product has a function: {kind}": [("hook", (0, 0, 1), kind)] for kind in HOOKS},
    **{f"a parameter has a function: {kind}": [("hook", (0, 0, 1, 0), kind)] for kind in HOOKS},
    "a hidden node is computed with": [("combine", HIDDEN, DEEP)],
    "a product is computed with": [("combine", (0, 1), (0, 0, 1))],
    "an op of one's own is computed from hidden nodes": [("custom", HIDDEN, SUM)],
    "hidden nodes are inputs, weights and biases": [("feed", HIDDEN, SUM), ("backward", LOSS)],
    "the network is called again": [("forward",), ("backward", LOSS)],
    "the network is called again after a change": [("set_parameter", 0, 3), ("forward",), ("walk", LOSS)],
    "the tape is collected": [("stress", "collect the tape")],
    "the tape is filled": [("stress", "fill the tape")],
    "only the loss is kept, the tape is collected": [("drop_all_but", -1), ("stress", "collect the tape")],
    "the tape is filled between sweeps": [("backward", LOSS), ("stress", "fill the tape"), ("backward", TOP)],
}
OUR_ACTIONS = {     # these micrograd does not know, or does otherwise
    "a slope above raises": [("divide", TOP, 0.0), ("backward", LOSS), ("drop", -1)],
    "a slope above raises, later does not": [("divide", TOP, 0.0), ("backward", LOSS), ("set_data", (-1, 0, 0), 2.0)],
    "an output is copied": [("copy", TOP), ("backward", LOSS)],
    "the copy of a hidden node is swept": [("copy", HIDDEN), ("backward", LOSS)],
    "the copy of a sum is computed with": [("copy", SUM), ("combine", LOSS, LOSS), ("backward", LOSS)],
    "the loss is copied deeply": [("deepcopy", LOSS), ("backward", LOSS)],
    "a deep copy is changed": [("deepcopy", TOP), ("set_data", (-1, 0, 0), 2.5), ("backward", LOSS)],
    "a hidden node is copied deeply": [("deepcopy", HIDDEN), ("drop_all_but", -1)],
    "a labelled graph is copied deeply": [("label", HIDDEN, "h"), ("deepcopy", LOSS), ("drop_all_but", -1)],
    "an output is pickled": [("pickle", TOP)],
    "a node far below is pickled": [("pickle", HIDDEN), ("pickle", (*DEEP, 0, 0, 0))],
    "the graph is drawn": [("picture", LOSS)],
    "a hidden node is drawn": [("picture", HIDDEN)],
    "the graph is drawn between sweeps": [("backward", LOSS), ("picture", LOSS)],
    "a hidden node is watched": [("reference", HIDDEN), ("stress", "collect the tape")],
    "a product is watched, its outputs are dropped": [("reference", (0, 0, 1)), ("drop_all_but", -1)],
    "an output is watched and dropped": [("reference", TOP), ("drop", 0), ("walk", LOSS)],
    "an output is renamed": [("name", TOP, "mine"), ("drop_all_but", -1)],
    "a hidden node is renamed": [("name", HIDDEN, "mine"), ("picture", LOSS), ("drop_all_but", -1)],
    "the operands of an output are replaced": [("replace_operands", TOP, (1,))],
    "the operands of a hidden node are replaced": [("replace_operands", HIDDEN, SUM)],
    "the operands of a product are replaced": [("replace_operands", (0, 0, 1), SUM)],
    "the operands of a fresh output are replaced": [("call",), ("replace_operands", LOSS, TOP), ("backward", LOSS)],
    "SGD steps": [("backward", LOSS), ("optimize", "SGD"), ("walk", LOSS)],
    "Adam steps": [("backward", LOSS), ("optimize", "Adam")],
    "a state is loaded": [("load", 0.375)],
    "a state is loaded between sweeps": [("backward", TOP), ("load", 2), ("walk", TOP)],
    "it is called under no_grad": [("forward_without_graph",), ("backward", TOP)],
    "it is swept under no_grad": [("backward_without_graph", LOSS)],
    "it is looked at under no_grad": [("walk_without_graph", LOSS)],
    "another thread sweeps it": [("thread", TOP)],
}
AFTER = [("backward", LOSS), ("backward", TOP), ("zero_grad",), ("backward", LOSS)]
SWEPT = {"swept": [("backward", LOSS)], "seen and swept": [("walk", LOSS), ("backward", TOP)]}


def story(build, actions):
    """Do all, then sweep; see everything only then, and once more after sweeps of what was seen."""
    def program(way):
        scene = Scene(way, build)
        for action in actions:
            yield scene.act(*action)
        scene.backward(LOSS)
        yield scene.see()
        for action in AFTER:
            scene.act(*action)
        yield scene.see()
    return program


@pytest.mark.parametrize("actions", [*ACTIONS.values(), *OUR_ACTIONS.values()], ids=[*ACTIONS, *OUR_ACTIONS])
def test_all_networks_are_their_spellings_to_the_bit_whatever_is_done(actions):
    for build in [*NETWORKS.values(), *OURS.values()]:
        agree(story(build, actions))


@pytest.mark.parametrize("before", SWEPT.values(), ids=SWEPT)
@pytest.mark.parametrize("actions", [*ACTIONS.values(), *OUR_ACTIONS.values()], ids=[*ACTIONS, *OUR_ACTIONS])
def test_and_whatever_was_done_before(actions, before):
    for name in ("mlp of mixed inputs", "shared"):
        agree(story(NETWORKS[name], [*before, *actions]))


@pytest.mark.parametrize("actions", ACTIONS.values(), ids=ACTIONS)
def test_all_networks_are_the_originals_whatever_is_done(actions):
    for build in NETWORKS.values():
        agree_with_original(story(build, actions))
