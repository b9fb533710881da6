"""Copies and pickles of an adopted class that keeps derivatives as numbers: nothing is lost, as without us."""

import pytest
from test_accelerate import BEGIN

# theirs and ours, once for all programs
ADOPTED = """
import copy, pickle
SLOTS = "    __slots__ = ('data', 'grad', '_children', '_local_grads')\\n"
NO_SLOTS = changed(LOCAL, (SLOTS, ""))
LABELLED = changed(NO_SLOTS, ("local_grads=()):", "local_grads=(), label=''):"),
                   ("        self.grad = 0\\n", "        self.grad = 0\\n        self.label = label\\n"))
LABEL_IN_SLOT = changed(LABELLED, ("class Value:\\n", "class Value:\\n    __slots__ = "
                        "('data', 'grad', '_children', '_local_grads', 'label')\\n"))
module = sys.modules["of_theirs"] = type(sys)("of_theirs")
theirs, ours = made(SOURCE), accelerate(made(SOURCE))
assert ours is micrograd_c.Value
"""
# theirs and ours do the same: `program(Value)` returns what is seen
COMPARED = """
seen = []
for Value in (theirs, ours):
    Value.__module__ = "of_theirs"
    module.Value = Value
    seen.append(program(Value))
assert seen[0] == seen[1], seen
"""


@pytest.fixture
def run_compared(run_forked, request):
    begin = BEGIN.format(folder=str(request.path.parent)) + ADOPTED
    return lambda source, program: run_forked(begin.replace("SOURCE", source), program + COMPARED)


NODES = {
    "an attribute": ("NO_SLOTS", "a = Value(2.0); a.name = 'w'"),
    "of a product": ("NO_SLOTS", "a = Value(2.0) * 3.0; a.name = 'w'"),
    "a label": ("LABELLED", "a = Value(2.0, label='w')"),
    "a label in a slot": ("LABEL_IN_SLOT", "a = Value(2.0, label='w')"),
    "a subclass": ("NO_SLOTS", "a = P(2.0)"),
    "a subclass of slots": ("LOCAL", "a = P(2.0)"),
    "a subclass with slots": ("LOCAL", "a = Q(2.0)"),
    "a subclass with slots, of none": ("NO_SLOTS", "a = Q(2.0)"),
}
PROGRAM = """
def program(Value):
    class P(Value):
        def __init__(self, data):
            super().__init__(data)
            self.name = 'w'
    class Q(Value):
        __slots__ = ('name', '__hidden')
        def __init__(self, data):
            super().__init__(data)
            self.name, self.__hidden = 'w', 5
        def hidden(self):
            return self.__hidden
    for kind in (P, Q):
        kind.__module__, kind.__qualname__ = "of_theirs", kind.__name__
        setattr(sys.modules["of_theirs"], kind.__name__, kind)
    def show(v):
        return [type(v).__name__, v.data, v.grad, len(v._children), getattr(v, 'name', None), getattr(v, 'label', None),
                v.hidden() if hasattr(v, 'hidden') else None]
    NODE
    a.grad = 0.5
"""


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize(
    "action",
    ["copy.copy(a)", "copy.deepcopy(a)", "copy.deepcopy([a, a * 2.0])[0]", "copy.deepcopy({'w': [a]})['w'][0]",
     "pickle.loads(pickle.dumps(a))", "pickle.loads(pickle.dumps(a, 2))"],
)
def test_a_copy_has_all_that_the_original_has(node, action, run_compared):
    source, made = NODES[node]
    run_compared(source, PROGRAM.replace("NODE", made) + f"""
    b = {action}
    first = show(b)
    out = b * 3.0 + b
    out.backward()
    return [show(a), first, show(b), out.data, b is a]
""")


@pytest.mark.parametrize("node", NODES)
def test_gradients_reach_copies_in_a_copied_graph(node, run_compared):
    source, made = NODES[node]
    run_compared(source, PROGRAM.replace("NODE", made) + """
    a, out = copy.deepcopy([a, a * a + 1.0])
    out.backward()
    return [show(a), show(out)]
""")


@pytest.mark.parametrize("node", NODES)
def test_pickles_are_byte_for_byte_theirs(node, run_compared):
    source, made = NODES[node]
    run_compared(source, PROGRAM.replace("NODE", made) + """
    return [pickle.dumps([a, a * 2.0], protocol) for protocol in range(3, pickle.HIGHEST_PROTOCOL + 1)]
""")
