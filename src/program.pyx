"""Programs: the graph of one row, traced once and compiled to instructions for the lanes of many.

Knows the tape and the kernels' instructions. Knows nothing of rows, of memory for them, or of what arguments look like.

Design
------
While a function is traced, its ops go to the ordinary tape, pinned. Numbers that stand for arguments' are NaN: no op
on one raises, and nothing that was computed from one can be mistaken for a result. Reading data of such a node is an
error, as what Python decides by it would be frozen.

A node below the trace is a parameter: the Program holds its Value. Nodes that depend on no row are uniform: computed
once a call. Chains b + w0*x0 + w1*x1 + ... with uniform w, b become layers, all of those over the same x in one. What
no output needs is never looked at. Slots are given back after their last use, unless the backward pass reads them.
"""

import linecache
import sys

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.math cimport NAN
from libc.stdint cimport int32_t
from libc.stdlib cimport free

from micrograd_c cimport rules
from micrograd_c.engine cimport Value
from micrograd_c.engine import call_on_read
from micrograd_c.graph cimport handle_of, op_name
from micrograd_c.tape cimport DETACHED, HOOK, NO_TRACE, Node, pin, tape, unpin

__all__ = ["Program", "TraceError", "Untraceable", "begin", "compile", "end", "is_tracing", "argument"]

# how DO_... follow from rules.Op
assert <int> rules.ADD == <int> DO_ADD and <int> rules.STOP - <int> rules.ADD == <int> DO_STOP - <int> DO_ADD


class TraceError(TypeError):
    """A function given to vmap asks for a number that depends on its arguments, which a trace does not have."""


class Untraceable(Exception):
    """The graph has a node whose rule is a Python function."""


# --- tracing ---

cdef set arguments = None         # indexes of the leaves that stand for numbers of arguments
cdef bytearray dependent = None   # for each node of the trace: does it depend on one of those?


def is_tracing():
    """True while a function is being traced."""
    return tape.traced != NO_TRACE


def begin():
    """Start a trace: from here on reading data of what depends on an argument is a TraceError."""
    global arguments, dependent
    pin(&tape)
    arguments = set()
    dependent = bytearray()
    tape.traced = tape.top


def end():
    """End it; indexes are free to change again."""
    global arguments, dependent
    tape.traced = NO_TRACE
    arguments = dependent = None
    unpin(&tape)


def argument():
    """A leaf that stands for a number of an argument."""
    cdef Value value = Value(NAN)
    arguments.add(value.index)
    return value


def depends_on_argument(Value value):
    """Was it computed from an argument's numbers?"""
    cdef int32_t i
    cdef Node *node
    cdef int32_t start = tape.traced
    for i in range(start + <int32_t> len(dependent), tape.top):
        node = tape.nodes + i
        # under no_grad operands are lost; what is no number came from an argument
        dependent.append(
            i in arguments or node.flags & DETACHED and node.data != node.data
            or any([k >= start and dependent[k - start] for k in operands_of(i)])
        )
    return value.index >= start and dependent[value.index - start]


cdef list operands_of(int32_t index):
    cdef Node *node = tape.nodes + index
    cdef int32_t k
    if node.op >= rules.CUSTOM:
        return [j for k in range(node.a, node.a + node.b) for j in (tape.edges[k].a, tape.edges[k].b)]
    return [node.a, node.b]


def check_read(Value value, what):
    """Raise TraceError if the Value depends on an argument."""
    if depends_on_argument(value):
        frame = sys._getframe()
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        raise TraceError(
            f"{what} at {frame.f_code.co_filename}:{frame.f_lineno}{': ' + line if line else ''}\n"
            "The Value depends on an argument, and vmap runs the function once for all calls and rows: there is no "
            "number yet. "
            "Use where(cond, a, b), maximum, minimum or stop_gradient of micrograd_c, or compute it outside"
        )


call_on_read(check_read)


def watch(bint on):
    """Have data reported that is read of any node made from now on, as in a trace, but with numbers."""
    tape.traced = tape.top if on else NO_TRACE


# --- compiling ---

cdef enum Kind:
    UNREACHED
    CONSTANT    # the same in all calls
    UNIFORM     # the same for all rows
    VARYING


cdef class Program:
    """See program.pxd."""

    def __cinit__(self):
        self.parameters = []

    def __dealloc__(self):
        for pointer in (<size_t> self.instructions, <size_t> self.layers, <size_t> self.numbers, <size_t> self.scalars,
                        <size_t> self.constants, <size_t> self.used, <size_t> self.output_slots,
                        <size_t> self.output_adjoints, <size_t> self.zeroed, <size_t> self.idle):
            PyMem_Free(<void *> <size_t> pointer)
        free(self.spare)

    def describe(self):
        """Its instructions, a line each, for tests and the curious."""
        lines = []
        for k in range(self.code.count):
            it = self.instructions[k]
            if it.op == DO_LAYER:
                layer = self.layers[it.a]
                lines.append(f"layer {layer.outputs} x {layer.inputs}")
            else:
                lines.append(f"{NAMES[it.op]} {it.out}")
        return lines


NAMES = ["move", "add", "mul", "power", "pow", "max", "min", "pick", "pick not", "relu", "exp", "log", "tanh",
         "sigmoid", "sqrt", "sin", "cos", "abs", "stop", "layer"]


def compile(list outputs, list inputs, list shared):
    """The Program that computes the outputs, Values of the trace, from inputs, a row's, and shared numbers.

    Raises Untraceable for a node with a Python function.
    """
    return Compiler(outputs, inputs, shared).program


cdef class Compiler:
    """One trace, pass by pass. Nodes are told by their index on the tape."""
    cdef readonly Program program
    cdef int32_t start
    cdef list outputs, inputs, shared
    cdef bytearray reached
    cdef dict kind          # Kind by node; also of parameters
    cdef dict differentiable    # whether a gradient flows through the node
    cdef dict uses
    cdef dict uniform       # numbers of uniforms by node
    cdef list constants
    cdef list scalars
    cdef dict dots          # by node: (start, [(w, x), ...])
    cdef dict activated     # by dot: the node of its activation
    cdef set consumed       # nodes that are part of a dot
    cdef list steps         # (node, None) or (None, layer), in order; a layer is a list of dots

    def __init__(self, list outputs, list inputs, list shared):
        self.start = tape.traced
        self.outputs = [(<Value> value).index for value in outputs]
        self.inputs = [(<Value> value).index for value in inputs]
        self.shared = [(<Value> value).index for value in shared]
        self.program = Program()
        self.reach()
        self.classify(outputs)
        self.find_dots()
        self.order_steps()
        Emitter(self).emit()

    cdef int reach(self) except -1:
        """Mark what outputs need, count uses, refuse what cannot be compiled."""
        cdef int32_t i
        cdef Node *node
        self.reached = bytearray(tape.top - self.start)
        self.uses = {}
        for i in self.outputs:
            self.use(i)
        for i in range(tape.top - 1, self.start - 1, -1):
            if not self.reached[i - self.start]:
                continue
            node = tape.nodes + i
            if node.flags & DETACHED and node.data != node.data:
                raise TraceError(
                    "no_grad() inside a function given to vmap: nothing is known of how this was computed. "
                    "Use stop_gradient(x)"
                )
            if node.op >= rules.CUSTOM or node.flags & HOOK:
                raise Untraceable(repr(op_name(node) or "a Value with a _backward of its own"))
            for operand in (node.a, node.b):
                if operand:
                    self.use(operand)
        return 0

    cdef int use(self, int32_t i) except -1:
        self.uses[i] = self.uses.get(i, 0) + 1
        if i >= self.start:
            self.reached[i - self.start] = 1
        return 0

    cdef int classify(self, list outputs) except -1:
        """Uniform and varying nodes; constants are folded by having been computed already."""
        cdef int32_t i
        cdef Node *node
        varying, shared = set(self.inputs), set(self.shared)
        self.kind, self.differentiable, self.uniform, self.constants, self.scalars = {}, {}, {}, [], []
        parameters = sorted(i for i in self.uses if i < self.start)
        for i in parameters:
            self.kind[i] = UNIFORM
            self.differentiable[i] = True
            self.program.parameters.append(handle_of(i, <Value> outputs[0]))
            self.new_uniform(i)
        for i in self.shared:
            self.kind[i] = UNIFORM
            self.differentiable[i] = False
            self.new_uniform(i)
        self.program.shared = <int> len(self.shared)
        for i in range(self.start, tape.top):
            if not self.reached[i - self.start] or i in shared:
                continue
            node = tape.nodes + i
            operands = [k for k in (node.a, node.b) if k]
            if i in varying:
                self.kind[i] = VARYING
            elif node.op == rules.LEAF:
                self.kind[i] = CONSTANT
            else:
                self.kind[i] = max([self.kind[k] for k in operands])
            self.differentiable[i] = node.op != rules.STOP and any([self.differentiable[k] for k in operands])
            if self.kind[i] != VARYING:
                self.new_uniform(i)
            if self.kind[i] == UNIFORM:
                a, b = (operands * 2)[:2]
                self.scalars.append((node.op, self.uniform[i], self.uniform[a], self.uniform[b],
                                     self.differentiable[i] and self.differentiable[a],
                                     self.differentiable[i] and len(operands) > 1 and self.differentiable[b]))
        return 0

    cdef int new_uniform(self, int32_t i) except -1:
        self.uniform[i] = len(self.constants)
        self.constants.append(tape.nodes[i].data)
        return 0

    cdef int find_dots(self) except -1:
        """Chains of additions of products with a uniform factor, each used by nothing but the next."""
        cdef int32_t i, top
        cdef Node *node
        self.dots, self.activated, self.consumed = {}, {}, set()
        for i in range(tape.top - 1, self.start - 1, -1):
            if self.kind.get(i) != VARYING or i in self.consumed:
                continue
            terms, inner, top = [], [], i
            while tape.nodes[top].op == rules.ADD and self.kind.get(top) == VARYING:
                if top != i and self.uses[top] > 1:
                    break
                a, b = tape.nodes[top].a, tape.nodes[top].b
                if self.is_term(a) and not self.is_term(b):
                    a, b = b, a
                if not self.is_term(b):
                    break
                terms.append(self.factors(b))
                inner += [top, b]
                top = a
            if len(terms) > 1 and self.kind[top] != VARYING:
                terms.reverse()
                self.dots[i] = (top, terms)
                self.consumed.update(inner)
        for i in range(self.start, tape.top):
            node = tape.nodes + i
            if self.kind.get(i) != VARYING or node.op not in (rules.RELU, rules.TANH, rules.SIGMOID):
                continue
            if node.a in self.dots and self.uses[node.a] == 1:
                self.activated[node.a] = i
                self.consumed.add(i)
        return 0

    cdef bint is_term(self, int32_t i) except -1:
        """A product of a row's number and a uniform one that only one sum uses."""
        cdef Node *node = tape.nodes + i
        if i < self.start or node.op != rules.MUL or self.kind[i] != VARYING or self.uses[i] > 1:
            return False
        return (self.kind[node.a] == VARYING) != (self.kind[node.b] == VARYING)

    cdef tuple factors(self, int32_t i):
        cdef Node *node = tape.nodes + i
        return (node.b, node.a) if self.kind[node.a] == VARYING else (node.a, node.b)

    cdef int order_steps(self) except -1:
        """Everything that varies, in the tape's order; dots over the same x with the same activation together."""
        cdef int32_t i
        groups = {}
        self.steps = []
        for i in range(self.start, tape.top):
            if self.kind.get(i) != VARYING or tape.nodes[i].op == rules.LEAF:
                continue
            if i in self.dots:
                xs = tuple([x for _, x in self.dots[i][1]])
                key = xs, tape.nodes[self.activated[i]].op if i in self.activated else 0
                if key not in groups:
                    groups[key] = []
                    self.steps.append((None, groups[key]))
                groups[key].append(i)
            elif i not in self.consumed:
                self.steps.append((i, None))
        return 0


cdef class Emitter:
    """Gives out slots, and writes the Program's arrays."""
    cdef Compiler of
    cdef Program program
    cdef list instructions      # [op, out, a, b, adjoint, adjoint_a, adjoint_b, flags], and layers beside
    cdef list layers            # dicts
    cdef list values            # by step: (nodes written, nodes read)
    cdef dict slot, adjoint
    cdef list used              # by use: the uniform
    cdef int moved

    def __init__(self, Compiler of):
        self.of = of
        self.program = of.program
        self.instructions, self.layers, self.values, self.used = [], [], [], []
        self.slot, self.adjoint, self.moved = {}, {}, 0

    cdef int emit(self) except -1:
        outputs = self.list_steps()
        self.give_slots(outputs)
        self.give_adjoints(outputs)
        self.write(outputs)
        return 0

    cdef list list_steps(self):
        """Instructions over nodes; the list of nodes that are outputs, each once, in the function's order."""
        cdef Node *node
        cdef Compiler of = self.of
        for i, dots in of.steps:
            if i is None:
                outs = [of.activated.get(dot, dot) for dot in dots]
                xs = [x for _, x in of.dots[dots[0]][1]]
                activation = tape.nodes[outs[0]].op if dots[0] in of.activated else DO_MOVE
                self.layers.append({
                    "in": xs, "out": outs, "activation": activation, "weights": len(self.used),
                    "biases": len(self.used) + len(xs) * len(outs),
                    "wants": any([of.differentiable[k] for dot in dots for k in self.uniforms_of(dot)]),
                })
                self.used += [of.uniform[w] for dot in dots for w, _ in of.dots[dot][1]]
                self.used += [of.uniform[of.dots[dot][0]] for dot in dots]
                self.instructions.append([DO_LAYER, 0, len(self.layers) - 1, 0, -1, -1, -1, 0])
                self.values.append((outs, xs))
            else:
                node = &tape.nodes[i]
                self.add_instruction(node.op, i, [k for k in (node.a, node.b) if k])
        outputs = []
        for i in of.outputs:
            if of.kind[i] != VARYING or i in outputs or tape.nodes[i].op == rules.LEAF:
                self.moved += 1         # a node of its own, below all indexes
                of.differentiable[-self.moved] = of.differentiable[i]
                of.kind[-self.moved] = VARYING
                self.add_instruction(DO_MOVE, -self.moved, [i])
                outputs.append(-self.moved)
            else:
                outputs.append(i)
        return outputs

    cdef list uniforms_of(self, int32_t dot):
        start, terms = self.of.dots[dot]
        return [start, *[w for w, _ in terms]]

    cdef int add_instruction(self, int op, int32_t out, list operands) except -1:
        """a and b are nodes still, or uses of uniforms."""
        cdef int flags = 0
        read, ab = [], [0, 0]
        for k, operand in enumerate(operands):
            if self.of.kind[operand] == VARYING:
                read.append(operand)
                ab[k] = operand
            else:
                flags |= B_UNIFORM if k else A_UNIFORM
                ab[k] = len(self.used)
                self.used.append(self.of.uniform[operand])
        self.instructions.append([op, out, ab[0], ab[1], -1, -1, -1, flags, operands])
        self.values.append(([out], read))
        return 0

    cdef set saved(self):
        """Nodes whose data the backward pass reads."""
        cdef Compiler of = self.of
        kept = set()
        for instruction, (outs, read) in zip(self.instructions, self.values):
            op = instruction[0]
            if op == DO_LAYER:
                layer = self.layers[instruction[2]]
                if layer["wants"]:
                    kept.update(read)
                if layer["activation"] != DO_MOVE:
                    kept.update(outs)
            elif not of.differentiable[outs[0]]:
                continue
            elif op in (rules.RELU, rules.EXP, rules.TANH, rules.SIGMOID, rules.SQRT):
                kept.update(outs)
            elif op == rules.MUL:
                operands = instruction[8]
                if of.differentiable[operands[0]]:
                    kept.add(operands[1])
                if of.differentiable[operands[1]]:
                    kept.add(operands[0])
            elif op != rules.ADD and op != DO_MOVE:
                kept.update(read)
                if op == rules.POW:
                    kept.update(outs)
        return kept

    cdef int give_slots(self, list outputs) except -1:
        cdef int next_slot = <int> len(self.of.inputs)
        last, free_slots = {}, []
        kept = self.saved().union(outputs, self.of.inputs)
        for k, (outs, read) in enumerate(self.values):
            for node in (*read, *outs):
                last[node] = k
        for k, node in enumerate(self.of.inputs):
            self.slot[node] = k
        for k, (outs, read) in enumerate(self.values):
            for node in outs:       # before those of operands are free: no kernel reads what it has overwritten
                if free_slots:
                    self.slot[node] = free_slots.pop()
                else:
                    self.slot[node] = next_slot
                    next_slot += 1
            for node in {*read, *outs}:
                if last[node] == k and node not in kept:
                    free_slots.append(self.slot[node])
        self.program.inputs = <int> len(self.of.inputs)
        self.program.slots = next_slot
        return 0

    cdef int give_adjoints(self, list outputs) except -1:
        """From the last instruction up: a node's adjoint lives from its first user, seen from there, to itself."""
        cdef Compiler of = self.of
        cdef int next_slot = 0
        free_slots, zeroed, idle = [], [], set(range(len(self.used)))
        for node in outputs:
            if of.differentiable[node]:
                self.adjoint[node] = next_slot
                next_slot += 1
        self.program.differentiable = next_slot > 0
        program_outputs = [self.adjoint.get(node, -1) for node in outputs]
        for instruction, (outs, read) in zip(reversed(self.instructions), reversed(self.values)):
            if not any([node in self.adjoint for node in outs]):
                continue
            layer = self.layers[instruction[2]] if instruction[0] == DO_LAYER else None
            for node in outs:
                if node not in self.adjoint:    # one of a layer's that no gradient comes from
                    self.adjoint[node] = next_slot
                    zeroed.append(next_slot)
                    next_slot += 1
            operands = read if layer else instruction[8]
            given, first = [], []
            for k, node in enumerate(operands):
                if not of.differentiable[node]:
                    given.append(-1)
                    first.append(0)
                elif of.kind[node] != VARYING:
                    given.append(instruction[2 + k])
                    first.append(0)
                    idle.discard(instruction[2 + k])
                else:
                    fresh = node not in self.adjoint
                    first.append(fresh)
                    if fresh:
                        if free_slots:
                            self.adjoint[node] = free_slots.pop()
                        else:
                            self.adjoint[node] = next_slot
                            next_slot += 1
                    given.append(self.adjoint[node])
            instruction[4] = self.adjoint[outs[0]]
            if layer:
                layer["adjoint_out"] = [self.adjoint[node] for node in outs]
                layer["adjoint_in"], layer["first_in"] = given, first
                if layer["wants"]:
                    idle.difference_update(range(layer["weights"], layer["biases"] + len(outs)))
            else:
                given, first = [*given, -1][:2], [*first, 0][:2]
                instruction[5:7] = given
                instruction[7] |= (A_FIRST if first[0] else 0) | (B_FIRST if first[1] else 0)
            free_slots += [self.adjoint[node] for node in outs if self.adjoint[node] not in zeroed]
        self.program.adjoints = next_slot
        self.program.output_adjoints = numbers(program_outputs)
        self.program.zeroed = numbers(zeroed)
        self.program.zeroed_count = <int> len(zeroed)
        self.program.idle = numbers(sorted(idle))
        self.program.idle_count = <int> len(idle)
        return 0

    cdef int write(self, list outputs) except -1:
        cdef Program program = self.program
        cdef Layer *layer
        cdef Instruction *it
        cdef int32_t *place
        cdef Py_ssize_t k
        program.outputs = <int> len(outputs)
        program.output_slots = numbers([self.slot[node] for node in outputs])
        program.uniforms = <int> len(self.of.constants)
        program.constants = <double *> allocate(program.uniforms, sizeof(double))
        for k in range(program.uniforms):
            program.constants[k] = self.of.constants[k]
        program.uses = <int> len(self.used)
        program.used = numbers(self.used)
        program.scalar_count = <int> len(self.of.scalars)
        program.scalars = <Scalar *> allocate(program.scalar_count, sizeof(Scalar))
        for k in range(program.scalar_count):
            op, out, a, b, wants_a, wants_b = self.of.scalars[k]
            program.scalars[k] = Scalar(op, out, a, b, wants_a, wants_b)
        program.instructions = <Instruction *> allocate(len(self.instructions), sizeof(Instruction))
        for k in range(len(self.instructions)):
            op, out, a, b, adjoint, adjoint_a, adjoint_b, flags = self.instructions[k][:8]
            it = program.instructions + k
            it.op, it.out, it.a, it.b = op, out, a, b
            it.adjoint, it.adjoint_a, it.adjoint_b, it.flags = adjoint, adjoint_a, adjoint_b, flags
            if op != DO_LAYER:
                it.out = self.slot[out]
                it.a = a if flags & A_UNIFORM else self.slot[a]
                it.b = b if flags & B_UNIFORM else self.slot.get(b, 0)
        lists = []
        for each in self.layers:
            blank = [-1] * len(each["in"])
            lists += [self.slot[node] for node in each["in"]]
            lists += [self.slot[node] for node in each["out"]]
            lists += each.get("adjoint_in", blank)
            lists += each.get("first_in", blank)
            lists += each.get("adjoint_out", [-1] * len(each["out"]))
        program.numbers = place = numbers(lists)
        program.layers = <Layer *> allocate(len(self.layers), sizeof(Layer))
        for k in range(len(self.layers)):
            each = self.layers[k]
            layer = program.layers + k
            layer.inputs, layer.outputs = len(each["in"]), len(each["out"])
            layer.activation, layer.weights, layer.biases = each["activation"], each["weights"], each["biases"]
            layer.wants_weights = each["wants"]
            layer.in_ = place
            layer.out = place + layer.inputs
            layer.adjoint_in = layer.out + layer.outputs
            layer.first_in = layer.adjoint_in + layer.inputs
            layer.adjoint_out = layer.first_in + layer.inputs
            place += 3 * layer.inputs + 2 * layer.outputs
        program.code = Code(program.instructions, program.layers, <int32_t> len(self.instructions))
        return 0


cdef void *allocate(size_t count, size_t size) except NULL:
    cdef void *memory = PyMem_Calloc(count or 1, size)
    if memory == NULL:
        raise MemoryError("no memory for a program of vmap")
    return memory


cdef int32_t *numbers(list values) except NULL:
    cdef int32_t *result = <int32_t *> allocate(len(values), sizeof(int32_t))
    for k, value in enumerate(values):
        result[k] = value
    return result
