"""micrograd_c, micrograd, and a Value in pure Python: libraries with micrograd's operators.

All run the same lines, each a copy of its own.
"""

import importlib
import math

import micrograd_c.vector
from micrograd_c.bench import inputs
from micrograd_c.bench.peers.base import Chains, Peer, Program, trained
from micrograd_c.bench.peers.python_value import Value as PythonValue
from micrograd_c.bench.peers.training import DemoTraining, GPTTraining, helpers_adam
from micrograd_c.bench.programs import fresh_copy

__all__ = ["Helpers", "LocalGradients", "Micrograd", "MicrogradCollected", "Ours", "PurePython"]

RECURSION = "RecursionError: its backward() recurses once for each op of the longest path, and Python stops at 1000"


class Values(Chains, Peer):
    """Any Value."""

    def __init__(self, sizes, Value):
        super().__init__(sizes)
        self.Value = Value
        self.programs = fresh_copy("micrograd_c.bench.programs")

    def chain(self, turns, backward):
        """The loop; from new leaves each time, so nothing accumulates."""
        Value, chain = self.Value, self.programs.chain

        def forward():
            return chain(Value(inputs.START), Value(inputs.ADDEND), Value(inputs.FACTOR), turns)

        def forward_and_backward():
            forward().backward()

        def results():
            leaves = [Value(number) for number in (inputs.START, inputs.ADDEND, inputs.FACTOR)]
            end = chain(*leaves, turns)
            if not backward:
                return [end.data]
            end.backward()
            return [end.data, *(leaf.grad for leaf in leaves)]

        return Program(forward_and_backward if backward else forward, results, operations=2 * turns)

    def expression(self):
        Value, expression = self.Value, self.programs.expression
        relu = Value.relu

        def run():
            a, b = map(Value, inputs.EXPRESSION)
            g = expression(a, b, relu)
            g.backward()
            return g, a, b

        def results():
            g, a, b = run()
            return [g.data, a.grad, b.grad]

        return Program(run, results)

    def own_ops(self):
        Value, network = self.Value, self.programs.network_of_own_ops
        layers = [[list(map(Value, row)) for row in rows] for rows in inputs.own_layers()]
        weights = [weight for rows in layers for row in rows for weight in row]
        sum_of_products, tanh = self.own_functions()

        def run():
            output = network(layers, list(map(Value, inputs.own_point())), sum_of_products, tanh)
            output.backward()
            return output

        def results():
            for weight in weights:
                weight.grad = 0
            return [run().data, *(weight.grad for weight in weights)]

        return Program(run, results)

    def own_functions(self):
        """A sum of products and tanh, each an op with a closure."""
        return closure_of_products(self.Value), function(self.Value, "tanh", math.tanh, lambda x, out: 1 - out * out)

    def wide(self):
        return self.wide_sum(self.programs.squares)

    def wide_sum(self, squares):
        xs = [self.Value(number) for number in inputs.wide_numbers(self.sizes.terms)]

        def prepare():
            for x in xs:
                x.grad = 0

        def run():
            total = squares(xs)
            total.backward()
            return total

        def results():
            prepare()
            return [run().data, *(x.grad for x in xs)]

        return Program(run, results, prepare, operations=len(xs))

    def gpt(self):
        return self.gpt_with(self.functions(), fresh_copy("micrograd_c.bench.gpt").Adam)

    def gpt_with(self, functions, make_optimizer):
        names = self.sizes.names
        return trained(GPTTraining(self.Value, functions, make_optimizer, names), names)

    def functions(self):
        """What the GPT calls."""
        gpt = fresh_copy("micrograd_c.bench.gpt")
        return gpt.Plain(self.Value.exp, self.Value.log, gpt.highest_data)

    def node(self):
        """A chain that is kept; for memory."""
        start = [self.Value(number) for number in (inputs.START, inputs.ADDEND, inputs.FACTOR)]
        turns = self.sizes.nodes // 2
        return Program(lambda: self.programs.chain(*start, turns), results=list, operations=2 * turns)


class WithNetwork(Values):
    """A library that has `engine` and `nn`."""

    def __init__(self, sizes, package):
        super().__init__(sizes, importlib.import_module(f"{package}.engine").Value)
        self.package = package

    def mlp(self):
        Value, model, point = self.Value, fresh_copy("micrograd_c.demo").Training(self.package).model, inputs.point()

        def run():
            output = model([Value(number) for number in point])
            output.backward()
            return output

        def results():
            model.zero_grad()
            return [run().data, *(p.grad for p in model.parameters())]

        return Program(run, results)

    def demo(self):
        return trained(DemoTraining(self.package), self.sizes.steps)

    def training(self):
        """Training as it goes on; for memory."""
        return trained(DemoTraining(self.package), self.sizes.loop_steps)


class Ours(WithNetwork):
    """This package, in plain spelling."""

    def __init__(self, sizes):
        super().__init__(sizes, "micrograd_c")


class Helpers(Ours):
    """This package with the functions that record many nodes in one call."""

    def wide(self):
        return self.wide_sum(lambda xs: micrograd_c.vector.sumprod(xs, xs))

    def gpt(self):
        return self.gpt_with(micrograd_c.vector, helpers_adam)


class LocalGradients(Ours):
    """This package, whose constructor is given the derivatives as numbers in the place of a closure."""

    def own_functions(self):
        return numbers_of_products(self.Value), numbers_of_tanh(self.Value)


class Micrograd(WithNetwork):
    """The original."""

    cannot = {"deep": RECURSION}
    limits = {"wide": ("terms", 400, "of 400 terms; from about 500 on it is a RecursionError"),
              "node": ("nodes", 100_000, "")}

    def __init__(self, sizes):
        super().__init__(sizes, "micrograd")

    def functions(self):
        gpt = fresh_copy("micrograd_c.bench.gpt")
        return gpt.Plain(
            function(self.Value, "exp", math.exp, lambda x, out: out),
            function(self.Value, "log", math.log, lambda x, out: 1 / x),
            gpt.highest_data,
        )


class MicrogradCollected(Micrograd):
    """Single steps, so that a collection before each spares it the garbage of the step before."""

    limits = {"demo": ("steps", 1, "")}


class PurePython(Values):
    """A lean Value without closures: see python_value."""

    NO_NN = "it has no nn"
    cannot = {"mlp": NO_NN, "demo": NO_NN, "training": NO_NN}

    def __init__(self, sizes):
        super().__init__(sizes, PythonValue)

    def own_functions(self):
        return numbers_of_products(self.Value), numbers_of_tanh(self.Value)


def function(Value, name, forward, slope):
    """A function micrograd lacks, written as its users write it."""
    def call(self):
        out = Value(forward(self.data), (self,), name)

        def _backward():
            self.grad += slope(self.data, out.data) * out.grad

        out._backward = _backward
        return out

    return call


def closure_of_products(Value):
    """A sum of products as one op."""
    def call(ws, xs):
        out = Value(sum(w.data * x.data for w, x in zip(ws, xs)), (*ws, *xs), "sum of products")

        def _backward():
            for w, x in zip(ws, xs):
                w.grad += x.data * out.grad
                x.grad += w.data * out.grad

        out._backward = _backward
        return out

    return call


def numbers_of_products(Value):
    """The same for a class whose constructor is given derivatives."""
    def call(ws, xs):
        data = sum(w.data * x.data for w, x in zip(ws, xs))
        return Value(data, (*ws, *xs), (*[x.data for x in xs], *[w.data for w in ws]))

    return call


def numbers_of_tanh(Value):
    def call(x):
        data = math.tanh(x.data)
        return Value(data, (x,), (1 - data * data,))

    return call
