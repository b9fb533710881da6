"""What a run that is a derivative of another one is given: that one's arguments, and amounts that come from a walk.

Knows runs and walks. Knows nothing of what the run computes.
"""

import array

from cpython cimport array
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from micrograd_c._core.mapped.columns cimport Column, Columns
from micrograd_c._core.mapped.executor cimport Run, Runner
from micrograd_c._core.mapped.linking cimport Links
from micrograd_c._core.mapped.passes cimport Link, RunState, blocks_of
from micrograd_c._core.mapped.program cimport Program
from micrograd_c._core.transforms.derivatives cimport Walk
from micrograd_c._core.transforms.recorder cimport NOTHING, NUMBER, Term
from micrograd_c._core.value.value cimport Value

from micrograd_c._core.transforms import run_programs

cdef array.array DOUBLES = array.array("d")


cdef class Made:
    """See run_arguments.pxd."""


cdef class Arguments:
    """See run_arguments.pxd."""

    cdef int begin(self, Run run, Py_ssize_t more) except -1:
        """Take what that run was given, with room for so many columns more."""
        cdef RunState *s = &run.state
        cdef Program program = run.program.plain if run.program.packed else run.program
        cdef array.array numbers
        cdef Link *link
        cdef int32_t k
        self.program, self.columns = program, Columns(program.inputs + more)
        self.columns.rows = s.rows
        self.linked = []
        self.given = list(run.parameters)
        self.shared = [s.uniform[s.parameters + k] for k in range(program.shared)]
        numbers = read_inputs(s)
        self.columns.owners.append(numbers)
        for k in range(s.inputs):
            self.columns.columns[k] = Column(
                <const char *> (numbers.data.as_doubles + k * s.rows), sizeof(double), c"d")
        self.columns.count = s.inputs
        for k in range(s.link_count):
            link = <Link *> s.links + k
            source = source_of(run, link)
            self.linked.append((link.input, *source, link.first, link.stride))
        self.linked_inputs = tuple([one[0] for one in self.linked])
        return 0

    cdef str amount(self, Walk walk, Term term):
        """Add one that is the same for all rows. Returns its kind."""
        if term.node == NUMBER and term.number == 1.0:
            return run_programs.ONE
        if term.node <= NUMBER:
            self.shared.append(term.number)
            return run_programs.NUMBER
        self.given.append(value_of(walk, term))
        return run_programs.VALUE

    cdef str column(self, Run run, Value node, int64_t first, int64_t stride):
        """Add numbers of another run, by where they are there. Returns the kind."""
        self.columns.columns[self.columns.count] = Column(
            <const char *> (run.state.values + first), stride * <int64_t> sizeof(double), c"d")
        self.columns.owners.append(run)
        if node is not None:
            self.linked.append((self.columns.count, run, node, first, stride))
        self.columns.count += 1
        return run_programs.NUMBER if node is None else run_programs.LINKED

    cdef str numbers(self, array.array column):
        """Add an array of doubles."""
        self.columns.columns[self.columns.count] = Column(
            <const char *> column.data.as_doubles, sizeof(double), c"d")
        self.columns.owners.append(column)
        self.columns.count += 1
        return run_programs.NUMBER

    cdef Made made(self, Runner runner):
        """The run."""
        cdef Run run = runner.run(
            self.columns.columns, self.columns.rows, [float(one) for one in self.shared], self.given)
        cdef Made made = Made.__new__(Made)
        cdef Links links
        if self.linked:
            links = Links.__new__(Links)
            links.begin(run)
            for input, source, node, first, stride in self.linked:
                links.add(run, input, source, node, first, stride)
            links.end(run)
        made.run, made.node = run, run.record_node()
        return made


cdef tuple source_of(Run run, const Link *link):
    """The run that a link leads to, and its node."""
    for k, source in enumerate(run.sources):
        if &(<Run> source).state == link.run:
            return source, run.source_nodes[k]
    raise SystemError("a run of vmap is linked to one that it does not know")


cdef array.array doubles(int64_t count):
    """An array of so many."""
    return array.clone(DOUBLES, count, False)


cdef array.array read_inputs(RunState *s):
    """What the run's inputs were, one after the other, all rows of each."""
    cdef array.array found = doubles(s.inputs * s.rows)
    cdef double *to = found.data.as_doubles
    cdef const double *slots
    cdef int64_t block, rows, place
    cdef int32_t k
    for block in range(blocks_of(s)):
        rows = min(<int64_t> s.block, s.rows - block * s.block)
        slots = s.stored + block * s.input_slots * s.width
        if s.stored == NULL:
            slots = s.slots_of_all + block * s.slots * s.width
        for k in range(s.inputs):
            place = k if s.stored != NULL or s.input_places == NULL else s.input_places[k]
            memcpy(to + k * s.rows + block * s.block, slots + place * s.places, rows * sizeof(double))
    return found


cdef Value value_of(Walk walk, Term term):
    """A term as a Value, which its node may have already."""
    found = 0.0 if term.node == NOTHING else walk.value_of(term)
    return found if isinstance(found, Value) else Value(found)
