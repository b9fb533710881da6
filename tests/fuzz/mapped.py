"""The model's vmap: the function is run for each row, and its derivatives by parameters are found at once.

A run is a node over the parameters, and a sum one over the run, as in micrograd_c. What the function computes is never
part of the graph.
"""

import contextlib
import contextvars
import functools

import functions
import nodes
import rules
from model import Value, result
from nodes import births, paused

EXACT = 1e-10       # sums over rows agree that well, relative to what is summed

tracing = contextvars.ContextVar("tracing", default=False)      # whether a function is run for rows


class Run:
    """What a run's node and its sums share."""

    def __init__(self, rows, outputs):
        self.rows, self.outputs = rows, outputs
        self.slopes = [[{} for _ in range(rows)] for _ in range(outputs)]   # by output, row, parameter
        self.links = {}     # Values that stand for numbers of other runs: their Batch, and the row
        self.parameters = 0     # how many of the node's children are such; the others are runs
        self.seeds = {}     # by sweep, as one may go through in the middle of another; 0 for steps by hand

    def seed(self, output, weights, share, slack):
        if nodes.sweep not in self.seeds:
            self.seeds[nodes.sweep] = [[[0.0, 0.0] for _ in range(self.rows)] for _ in range(self.outputs)]
        seeds = self.seeds[nodes.sweep][output]
        for row, weight in enumerate(weights):
            seeds[row][0] += share * weight
            seeds[row][1] += slack * abs(weight)


class Batch:
    def __init__(self, run, node, output, values, blur):
        self.run, self.node, self.output, self.values, self.blur = run, node, output, values, blur

    def __copy__(self):
        return Batch(None, None, 0, list(self.values), self.blur)

    def __deepcopy__(self, known):
        return self.__copy__()

    def __len__(self):
        return len(self.values)

    def __getitem__(self, key):
        return self.values[key]

    def tolist(self):
        return list(self.values)

    def sum(self, weights=None, scale=1.0):
        total, size = 0.0, 0.0
        linked = weights if isinstance(weights, Batch) and weights.node is not None and not paused.get() else None
        blur = weights.blur if isinstance(weights, Batch) else 0.0
        weights = [1.0] * len(self.values) if weights is None else [float(weight) for weight in weights]
        if len(weights) != len(self.values):
            raise ValueError
        for weight, number in zip(weights, self.values):
            total += weight * number
            size += abs(weight * number)
        total *= scale
        constant, children = [], {}
        if self.node is not None:
            constant.append((self.run, self.output, [weight * scale for weight in weights]))
            children[self.node] = None
        if linked is not None:
            constant.append((linked.run, linked.output, [number * scale for number in self.values]))
            children[linked.node] = None
        if constant:
            out = result(total, tuple(children), "vmap", of_native_sum, constant)
        else:
            out = result(total, (), "", rules.of_leaf)
        out._blur = max(self.blur, blur) * (size + 1.0) * scale
        return out

    def number(self, row):
        """That of a row as a Value."""
        out = self.sum([float(k == row) for k in range(len(self.values))])
        out._data = self.values[row]
        return out

    def mean(self, weights=None):
        return self.sum(weights, 1.0 / len(self.values))

    def min(self):
        return self.extreme(min(self.values))

    def max(self):
        return self.extreme(max(self.values))

    def extreme(self, best):
        equal = [float(number == best) for number in self.values]
        out = self.sum([one / sum(equal) for one in equal])
        out._data = best
        return out


class Stack:
    """Some outputs of a run, row by row or output by output."""

    def __init__(self, batches, axis):
        self.batches, self.axis = batches, axis

    def tolist(self):
        columns = [batch.values for batch in self.batches]
        return [list(row) for row in zip(*columns)] if self.axis == 0 else [*map(list, columns)]

    def sum(self, weights=None):
        weights = weights or [[1.0] * len(row) for row in self.tolist()]
        parts, total = [], 0.0
        for batch, own in zip(self.batches, zip(*weights) if self.axis == 0 else weights):
            parts.append(batch.sum(own))
            for weight, number in zip(own, batch.values):
                total += weight * number
        out = result(total, (), "", rules.of_leaf)
        recorded = [part for part in parts if part._children]
        if recorded:
            seeds = [one for part in recorded for one in part._constant]
            out = result(total, recorded[0]._children, "vmap", of_native_sum, seeds)
        out._blur = sum(getattr(part, "_blur", 0.0) for part in parts)
        return out


class InnerBatch(list):
    def min(self):
        return functools.reduce(functions.minimum, self)

    def max(self):
        return functools.reduce(functions.maximum, self)

    def sum(self, weights=None):
        return sum(self, Value(0.0)) if weights is None else functions.sumprod(self, weights, Value(0.0))

    def mean(self):
        return functions.mean(self)


def of_native_sum(node, grad):
    for run, output, weights in node._constant:
        run.seed(output, weights, grad, node._slack)
    return [(child, 0.0) for child in node._children]


def of_native_run(node, grad):
    """Grads go to the parameters here, with slacks; what is listed only makes them floats."""
    run = node._constant
    parameters = node._children[:run.parameters]
    for parameter in node._children:
        parameter._grad = float(0 if parameter._grad is None else parameter._grad)     # -0.0 stays
    seeds = run.seeds.pop(nodes.sweep, None)
    if seeds is not None:
        for parameter in parameters:
            parameter._grad += 0.0      # all of them get something, and -0.0 is 0.0 then
        for output in range(run.outputs):
            for (seed, slack), slopes in zip(seeds[output], run.slopes[output]):
                for parameter, (slope, size) in slopes.items() if seed or slack else ():
                    more = EXACT * (abs(seed) * size) + slack * size
                    if parameter in run.links:
                        batch, row = run.links[parameter]
                        batch.run.seed(batch.output, [float(k == row) for k in range(len(batch))], seed * slope, more)
                    else:
                        parameter._grad += seed * slope
                        parameter._slack += more
    return []


def vmap(fn, in_axes=0, out_axes=0, *, stacked=False, threads=1, saved_bytes=2**26):
    if stacked:
        return lambda *arguments: Stack(run(fn, in_axes, arguments), out_axes)
    return lambda *arguments: run(fn, in_axes, arguments)


def jit(fn):
    """A run of one row, and the sum of each of its outputs, which keeps a zero's sign."""
    def call(*arguments):
        axes = tuple([None if isinstance(one, (Value, Batch)) else 0 for one in arguments])
        batches = run(fn, axes, [one if axis is None else [one] for one, axis in zip(arguments, axes)], linked=True)
        return [number_of(batch) for batch in batches] if isinstance(batches, list) else number_of(batches)
    return call


def number_of(batch):
    out = batch.sum()
    out._data = batch.values[0]
    return out


def run(fn, in_axes, arguments, linked=False):
    """A Batch that is the same for all rows is linked, too, as one with rows is; or each of its numbers is a node."""
    axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(arguments)
    rows = next((len(argument) for argument, axis in zip(arguments, axes) if axis == 0), 1)
    links, given = {}, []
    for argument, axis in zip(arguments, axes):
        given.append(argument)
        if not isinstance(argument, Batch) or argument.node is None or paused.get():
            continue
        if axis is None and not linked:
            given[-1] = [argument.number(row) for row in range(len(argument))]
        else:
            given[-1] = [Value(number) for number in argument.values]
            links.update({value: (argument, row) for row, value in enumerate(given[-1])})
    start, inner = next(births), tracing.get()
    with recording():
        results = [
            fn(*[as_values(one[row] if axis == 0 else one) for one, axis in zip(given, axes)])
            for row in range(rows)
        ]
    if inner:
        return [*map(InnerBatch, zip(*results))] if isinstance(results[0], (list, tuple)) else InnerBatch(results)
    flat = [one if isinstance(one, (list, tuple)) else [one] for one in results]
    outputs = [[one if isinstance(one, Value) else Value(one) for one in column] for column in zip(*flat)]
    parameters = {node: None for column in outputs for root in column[:1] for node in below_trace(root, start)}
    differentiable = [depends(column[0], start) for column in outputs]
    shared, node = Run(rows, len(outputs)), None
    read = {argument.blur for argument in arguments if isinstance(argument, Batch)}
    blur = EXACT if any(read) or any(has_functions(column[0], start) for column in outputs) else 0.0
    if any(differentiable) and not paused.get():
        for k, column in enumerate(outputs):
            if differentiable[k]:
                with contextlib.suppress(ZeroDivisionError):    # infinite ones, of an output that nobody will ask
                    shared.slopes[k] = [slopes_of(root, start) for root in column]
        read = [one for one in parameters if one not in links]
        flows = [node for column in outputs for root in column[:1] for node in inside(root, start, rules.of_stop)]
        runs = {links[node][0].node: None for node in flows if node in links}
        shared.links, shared.parameters = links, len(read)
        node = result(0.0, (*read, *runs), "vmap", of_native_run, shared)
    batches = [
        Batch(shared, node if differentiable[k] else None, k, [float(root._data) for root in column], blur)
        for k, column in enumerate(outputs)
    ]
    return batches if isinstance(results[0], (list, tuple)) else batches[0]


@contextlib.contextmanager
def recording():
    depth, inner = paused.get(), tracing.get()
    paused.set(depth if inner else 0)
    tracing.set(True)
    try:
        yield
    finally:
        paused.set(depth)
        tracing.set(inner)


def as_values(one):
    if isinstance(one, Value):
        return one
    return [as_values(part) for part in one] if hasattr(one, "__len__") else Value(float(one))


def below_trace(root, start):
    """The parameters that it was computed from."""
    return [node for node in inside(root, start) if node._birth < start]


def inside(root, start, end=None):
    """What it was computed from, down to the parameters, and to nodes of the rule `end`."""
    found, todo = {root: None}, [root]
    while todo:
        node = todo.pop()
        for child in node._children if node._birth > start and node._rule is not end else ():
            if child not in found:
                found[child] = None
                todo.append(child)
    return found


def depends(node, start):
    if node._birth < start:
        return True
    return node._rule is not rules.of_stop and any(depends(child, start) for child in node._children)


def has_functions(root, start):
    """Whether a number may differ in the last bits."""
    return any(
        node._rule in (rules.of_function, rules.of_power, rules.of_pow) for node in inside(root, start)
        if node._birth > start
    )


def slopes_of(root, start):
    """{parameter: (derivative, sum of the absolute values of its terms)}."""
    adjoints, found = {root: [1.0, 1.0]}, {}
    for node in sorted(inside(root, start), key=lambda node: -node._birth):
        adjoint, size = adjoints.get(node, (0.0, 0.0))
        if node._birth < start:
            found[node] = adjoint, size
            continue
        for child, slope in node._rule(node, 1.0):
            both = adjoints.setdefault(child, [0.0, 0.0])
            both[0] += adjoint * slope
            both[1] += size * abs(slope)
    return found
