"""Derivatives of mapped functions, recorded: how a walk over a graph goes through runs, and through their sums.

Knows walks, runs, reductions and Batches. The derivative of a run is another run, of a program that run_programs makes.

Design
------
Downward, reductions leave what the outputs' adjoints consist of: amounts that are the same for all rows, each times a
column of numbers or of another Batch, or alone. A run whose outputs have any computes what each row adds to the
gradients of its parameters, which are the sums of those Batches; and Batches of the gradients of its linked arguments,
which are columns for the run below. Upward, the run computes what all its outputs change by, in Batches that lie as its
own numbers do. So the new runs are linked to the same runs as the old one, and can be differentiated again.

What concerns a single number of a run, or lies across its rows, goes by Values, one for each number.
"""

from cpython cimport array
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from micrograd_c._core.mapped.batch cimport Batch, new_batch
from micrograd_c._core.mapped.executor cimport Run
from micrograd_c._core.mapped.gathering cimport batch_of, push_gathered
from micrograd_c._core.mapped.passes cimport Link, RunState, push_run
from micrograd_c._core.mapped.reductions cimport (
    Reduction, ReductionState, new_reduction, push_reduction, weighted_sum,
)
from micrograd_c._core.mapped.seeding cimport Part
from micrograd_c._core.tape.arena cimport Native, native_of, tape
from micrograd_c._core.transforms.derivatives cimport Walk
from micrograd_c._core.transforms.recorder cimport (
    NOTHING, NUMBER, Term, add, multiply, number_term, raise_to,
)
from micrograd_c._core.transforms.run_arguments cimport Arguments, Made, doubles, source_of, value_of
from micrograd_c._core.value.value cimport Value

from micrograd_c._core.transforms import run_programs

__all__ = ["go_down", "go_up"]

cdef Term ONE = Term(NUMBER, 1.0)


cdef class Amounts:
    """What is known of a run on the way down: what its outputs' adjoints consist of."""
    cdef list parts         # an output, a term's node and number, and a column of numbers, a Batch, or None
    cdef dict singles       # by a number's place in the run: the term

    cdef int add_part(self, int32_t output, Term amount, object column) except -1:
        self.parts.append((output, amount.node, amount.number, column))
        return 0

    cdef int add_single(self, Walk walk, int64_t place, Term amount) except -1:
        cdef Term total = amount
        if place in self.singles:
            add(&walk.recorder, term_of(self.singles[place]), amount, &total)
        self.singles[place] = (total.node, total.number)
        return 0


def go_down(Walk walk not None, int32_t i):
    """From a run's or a reduction's node, with its adjoint, to what is below it."""
    cdef Native *native = native_of(tape.edges + tape.operands[i].a)
    cdef Amounts amounts
    cdef Run run
    if native.push == push_reduction:
        reduction_down(walk, i, <Reduction> (<ReductionState *> native).owner)
        return
    run = run_of(native)
    amounts = walk.of_runs.pop(i, None)
    if amounts is None:
        return
    if native.push == push_gathered:
        gathered_down(walk, run, amounts)
    else:
        run_down(walk, run, amounts)


def go_up(Walk walk not None, int32_t i):
    """To a run's or a reduction's node, from what is below it."""
    cdef Native *native = native_of(tape.edges + tape.operands[i].a)
    cdef Made found
    if native.push == push_reduction:
        reduction_up(walk, i, <Reduction> (<ReductionState *> native).owner)
        return
    found = gathered_up(walk, run_of(native)) if native.push == push_gathered else run_up(walk, run_of(native))
    if found is not None:
        walk.of_runs[i] = found


cdef Run run_of(Native *native):
    if native.push != push_run and native.push != push_gathered:
        raise SystemError("a node of vmap has a rule that nobody can record")
    return <Run> (<RunState *> native).owner


# --- terms ---

cdef Term term_of(tuple pair) except *:
    return Term(pair[0], pair[1])


cdef Term term_of_value(Walk walk, Value value) except *:
    """Likewise a Value that was made on the way, which results hold. If it is a leaf, only its number counts."""
    if value.plain or walk.plain:
        return number_term(tape.data[value.index])
    walk.made.append(value)
    return Term(value.index, 0.0)


# --- reductions ---

cdef Term reduced(
    Walk walk, Run run, Value node, Part part, double scale, const double *weights, Run weights_run, Value weights_node,
    const Part *of_weights,
) except *:
    """A sum over that part of a run, times weights: numbers, or numbers of another run."""
    cdef Reduction reduction
    part.run = &run.state
    reduction = new_reduction(run.state.values + part.first, part, scale)
    reduction.run, reduction.node = run, node
    if weights != NULL:
        memcpy(reduction.new_weights(), weights, part.count * sizeof(double))
    if weights_node is not None:
        reduction.weights_run, reduction.weights_node = weights_run, weights_node
        reduction.state.of_weights = of_weights[0]
        reduction.state.of_weights.run = &weights_run.state
    return term_of_value(walk, reduction.as_value(scale * weighted_sum(
        run.state.values + part.first, part.count, reduction.state.weights, 0.0)))


cdef Term number_of(Walk walk, Run run, Value node, int64_t place) except *:
    """A single number of a run."""
    return reduced(walk, run, node, Part(
        &run.state, place, 1, <int32_t> (place // run.state.rows), 1), 1.0, NULL, None, None, NULL)


cdef int of_deviation(Walk walk, int32_t i, Reduction reduction, Term *slope, Term *mean) except -1:
    """A standard deviation's slope at x is `slope * (x - mean)`."""
    cdef const ReductionState *s = &reduction.state
    multiply(&walk.recorder, number_term(tape.data[i]) if walk.plain else Term(i, 0.0), number_term(s.freedom), slope)
    raise_to(&walk.recorder, slope[0], number_term(-1.0), slope)
    mean[0] = reduced(walk, reduction.run, reduction.node, s.part, 1.0 / s.part.count, NULL, None, None, NULL)
    return 0


cdef int reduction_down(Walk walk, int32_t i, Reduction reduction) except -1:
    cdef ReductionState *s = &reduction.state
    cdef Term g = walk.terms[i - walk.low]
    cdef Term slope, mean
    multiply(&walk.recorder, g, number_term(s.scale), &g)
    if reduction.node is not None and walk.is_on_the_way(reduction.node.index):
        if s.freedom != 0.0:
            of_deviation(walk, i, reduction, &slope, &mean)
            multiply(&walk.recorder, g, slope, &slope)
            contribute(walk, reduction.run, reduction.node, &s.part, slope, s.numbers, reduction.run, reduction.node,
                       &s.part)
            multiply(&walk.recorder, slope, mean, &mean)
            multiply(&walk.recorder, mean, number_term(-1.0), &mean)
            contribute(walk, reduction.run, reduction.node, &s.part, mean, NULL, None, None, NULL)
        else:
            contribute(walk, reduction.run, reduction.node, &s.part, g, s.weights, reduction.weights_run,
                       reduction.weights_node, &s.of_weights)
    if reduction.weights_node is not None and walk.is_on_the_way(reduction.weights_node.index):
        contribute(walk, reduction.weights_run, reduction.weights_node, &s.of_weights, g, s.numbers, reduction.run,
                   reduction.node, &s.part)
    return 0


cdef Amounts amounts_of(Walk walk, Value node):
    cdef Amounts amounts = walk.of_runs.get(node.index)
    if amounts is None:
        amounts = Amounts.__new__(Amounts)
        amounts.parts, amounts.singles = [], {}
        walk.of_runs[node.index] = amounts
    return amounts


cdef int contribute(
    Walk walk, Run run, Value node, const Part *part, Term amount, const double *weights, Run weights_run,
    Value weights_node, const Part *of_weights,
) except -1:
    """Add an amount to the adjoints of a part of a run's numbers, times weights, which may be those of another run."""
    cdef Amounts amounts = amounts_of(walk, node)
    cdef int64_t rows = run.state.rows
    cdef int64_t r
    cdef int32_t k
    cdef Term factor
    if part.count < part.outputs * rows:
        for r in range(part.count):
            multiply(&walk.recorder, amount, ONE if weights == NULL else number_term(weights[r]), &factor)
            amounts.add_single(walk, part.first + r, factor)
        return 0
    for k in range(part.outputs):
        if weights_node is not None:
            column = new_batch(weights_run, weights_node, of_weights.output + k, (), 0)
        elif weights != NULL:
            column = copied(weights + k * rows, rows)
        else:
            column = None
        amounts.add_part(part.output + k, amount, column)
    return 0


cdef array.array copied(const double *numbers, int64_t count):
    cdef array.array made = doubles(count)
    if count:
        memcpy(made.data.as_doubles, numbers, count * sizeof(double))
    return made


cdef int reduction_up(Walk walk, int32_t i, Reduction reduction) except -1:
    cdef ReductionState *s = &reduction.state
    cdef Made changes
    cdef Term slope, mean, total, part
    if reduction.node is not None:
        changes = walk.of_runs.get(reduction.node.index)
        if changes is not None and s.freedom != 0.0:
            of_deviation(walk, i, reduction, &slope, &mean)
            total = reduced(walk, changes.run, changes.node, s.part, 1.0, s.numbers, reduction.run, reduction.node,
                            &s.part)
            part = reduced(walk, changes.run, changes.node, s.part, -1.0, NULL, None, None, NULL)
            multiply(&walk.recorder, part, mean, &part)
            add(&walk.recorder, total, part, &total)
            multiply(&walk.recorder, total, slope, &total)
            walk.give(i, total)
        elif changes is not None:
            walk.give(i, reduced(
                walk, changes.run, changes.node, s.part, s.scale, s.weights, reduction.weights_run,
                reduction.weights_node, &s.of_weights))
    if reduction.weights_node is not None:
        changes = walk.of_runs.get(reduction.weights_node.index)
        if changes is not None:
            walk.give(i, reduced(
                walk, changes.run, changes.node, s.of_weights, s.scale, s.numbers, reduction.run, reduction.node,
                &s.part))
    return 0


# --- Values that were gathered ---

cdef int gathered_down(Walk walk, Run run, Amounts amounts) except -1:
    cdef int64_t rows = run.state.rows
    cdef Value value
    cdef Term total, factor
    cdef dict by_output = {}
    cdef int64_t place = 0
    for part in amounts.parts:
        by_output.setdefault(part[0], []).append(part)
    for value in run.parameters:
        if walk.is_on_the_way(value.index):
            total = term_of(amounts.singles[place]) if place in amounts.singles else Term(NOTHING, 0.0)
            for _, node, number, column in by_output.get(place // rows, ()):
                factor = ONE
                if isinstance(column, Batch):
                    factor = number_of(walk, (<Batch> column).run, (<Batch> column).node,
                                       (<Batch> column).output * rows + place % rows)
                elif column is not None:
                    factor = number_term(column[place % rows])
                multiply(&walk.recorder, factor, Term(node, number), &factor)
                add(&walk.recorder, total, factor, &total)
            walk.give(value.index, total)
        place += 1
    return 0


cdef Made gathered_up(Walk walk, Run run):
    cdef list values = []
    cdef Value value
    cdef Value zero = Value(0.0)
    cdef bint any_changes = False
    for value in run.parameters:
        if walk.has_tangent(value.index):
            any_changes = True
            values.append(value_of(walk, walk.terms[value.index - walk.low]))
        else:
            values.append(zero)
    return changes_of(batch_of(values, (run.state.outputs, run.state.rows), 1)) if any_changes else None


cdef Made changes_of(Batch batch):
    cdef Made changes = Made.__new__(Made)
    changes.run, changes.node = batch.run, batch.node
    return changes


# --- runs ---

cdef int gather_singles(Walk walk, Run run, Amounts amounts) except -1:
    """Amounts for single numbers as columns of Values."""
    cdef int64_t rows = run.state.rows
    cdef Value zero = Value(0.0)
    cdef Batch batch
    cdef int64_t r
    for output in sorted({place // rows for place in amounts.singles}):
        values = [zero] * rows
        for r in range(rows):
            if output * rows + r in amounts.singles:
                values[r] = value_of(walk, term_of(amounts.singles[output * rows + r]))
        batch = batch_of(values, (rows,))
        amounts.add_part(output, ONE, batch)
    return 0


cdef int run_down(Walk walk, Run run, Amounts amounts) except -1:
    cdef RunState *s = &run.state
    cdef Arguments arguments = Arguments.__new__(Arguments)
    cdef Made made
    cdef Batch batch
    cdef Value value, node
    cdef Run source
    cdef list parts = []
    cdef list inputs = []       # those that are linked: the place among the links
    cdef int32_t k
    gather_singles(walk, run, amounts)
    uniforms = tuple([k for k in range(s.parameters) if walk.is_on_the_way((<Value> run.parameters[k]).index)])
    arguments.begin(run, len(amounts.parts))
    for k, (_, source, node, _, _) in enumerate(arguments.linked):
        if walk.is_on_the_way(node.index):
            inputs.append(k)
    for output, number, factor, column in amounts.parts:
        kind = arguments.amount(walk, Term(number, factor))
        of_column = None
        if isinstance(column, Batch):
            batch = column
            of_column = arguments.column(batch.run, batch.node, batch.output * batch.rows, 1)
        elif column is not None:
            of_column = arguments.numbers(column)
        parts.append((output, kind, of_column))
    wanted = tuple([arguments.linked[k][0] for k in inputs])
    made = arguments.made(run_programs.pull_runner(
        arguments.program, s.threads, arguments.linked_inputs, tuple(parts), uniforms, wanted))
    for k in range(<int32_t> len(uniforms)):
        value = run.parameters[uniforms[k]]
        walk.give(value.index, reduced(
            walk, made.run, node_of_output(made, k), Part(&made.run.state, k * s.rows, s.rows, k, 1), 1.0, NULL, None,
            None, NULL))
    for k in range(<int32_t> len(inputs)):
        link_down(walk, run, s.links + <int32_t> inputs[k], made, <int32_t> len(uniforms) + k)
    return 0


cdef Value node_of_output(Made made, int32_t output):
    """The node, if gradients can come from that output."""
    return new_batch(made.run, made.node, output, (), 0).node


cdef int link_down(Walk walk, Run run, const Link *link, Made made, int32_t output) except -1:
    """The gradients of a linked argument, to the adjoints of the run below."""
    cdef int64_t rows = run.state.rows
    cdef Amounts amounts
    cdef Value node
    cdef Run source
    cdef int64_t r
    source, node = source_of(run, link)
    amounts = amounts_of(walk, node)
    if link.stride == 1 and rows == source.state.rows and link.first % rows == 0:
        amounts.add_part(<int32_t> (link.first // rows), ONE, new_batch(made.run, made.node, output, (), 0))
        return 0
    node = node_of_output(made, output)
    for r in range(rows):
        amounts.add_single(walk, link.first + r * link.stride, number_of(walk, made.run, node, output * rows + r))
    return 0


cdef Made run_up(Walk walk, Run run):
    cdef RunState *s = &run.state
    cdef Arguments arguments = Arguments.__new__(Arguments)
    cdef Made changes
    cdef list uniforms = []
    cdef list inputs = []
    cdef Value node, value
    cdef int32_t k
    arguments.begin(run, s.link_count)
    for k in range(s.parameters):
        value = run.parameters[k]
        if walk.has_tangent(value.index):
            uniforms.append((k, arguments.amount(walk, walk.terms[value.index - walk.low])))
    for input, _, node, first, stride in list(arguments.linked):
        changes = walk.of_runs.get(node.index)
        if changes is not None:
            inputs.append((input, arguments.column(changes.run, changes.node, first, stride)))
    if not uniforms and not inputs:
        return None
    return arguments.made(run_programs.push_runner(
        arguments.program, s.threads, arguments.linked_inputs, tuple(uniforms), tuple(inputs)))
