"""Links: which columns of a run's arguments are the numbers of other runs, to which their gradients go.

Knows runs, columns and Batches.

Design
------
A column that is read from a Batch points into the memory of the Batch's run, whose seeds lie as its numbers do. So a
link is where a column begins among that run's numbers, with its stride. The run's node is above those of the runs that
it is linked to: a sweep comes to it first.
"""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc

from micrograd_c._core.mapped.batch cimport Batch
from micrograd_c._core.mapped.columns cimport Buffer, offset_in_row
from micrograd_c._core.mapped.reductions cimport Reduction
from micrograd_c._core.value.value cimport Value

__all__ = ["Links", "row_of", "values_of"]


cdef class Links:
    """The links of a run."""

    def __dealloc__(self):
        free(self.links)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle Links of vmap: they are part of a run")

    cdef int begin(self, Run run) except -1:
        """Make room for a link of each of a run's inputs."""
        self.links = <Link *> malloc((run.program.inputs or 1) * sizeof(Link))
        if self.links == NULL:
            raise MemoryError("no memory for links between runs of vmap")
        run.sources, run.source_nodes = [], []
        return 0

    cdef int add(self, Run run, int32_t input, Run source, Value node, int64_t first, int64_t stride) except -1:
        """Link an input, if gradients come to it, to numbers of another run with that node: the first, and the stride.
        """
        cdef int32_t slot = run.program.input_adjoints[input]
        if slot >= 0:
            self.links[self.count] = Link(&source.state, first, stride, slot, input)
            self.count += 1
            if source not in run.sources:
                run.sources.append(source)
                run.source_nodes.append(node)
        return 0

    cdef int add_column(self, Run run, int32_t input, Batch source, Py_ssize_t first, Py_ssize_t stride) except -1:
        """The same for a column of a Batch: bytes from its first number."""
        return self.add(
            run, input, source.run, source.node,
            source.output * <int64_t> source.rows + first // <Py_ssize_t> sizeof(double),
            stride // <Py_ssize_t> sizeof(double))

    cdef int end(self, Run run) except -1:
        run.links = self
        run.state.links, run.state.link_count = self.links, self.count
        return 0


cdef int link(Run run, Columns columns, list sources) except -1:
    """Link a run to those that have computed its arguments: a first column, how many there are, and the Batch."""
    cdef Links links = Links.__new__(Links)
    cdef Batch source
    cdef int32_t k, first, count
    links.begin(run)
    for first, count, source in sources:
        for k in range(first, first + count):
            links.add_column(run, k, source, columns.columns[k].first - <const char *> source.values,
                             columns.columns[k].stride)
    links.end(run)
    return 0


cdef int link_arguments(Run run, Layout layout, tuple arguments, tuple linked) except -1:
    """The same for arguments of that Layout, whose rows are along their first axes."""
    cdef Links links = Links.__new__(Links)
    cdef const Py_ssize_t *shape = layout.shapes
    cdef Batch source
    cdef int32_t first = 0
    cdef int32_t count, k
    cdef int argument, axis
    links.begin(run)
    for argument in range(<int> len(arguments)):
        count = 1
        for axis in range(1, <int> shape[0] + 1):
            count *= <int32_t> shape[axis]
        shape += shape[0] + 1
        if linked[argument]:
            source = arguments[argument]
            for k in range(count):
                if source.layout == NULL:
                    links.add_column(run, first, source, 0, sizeof(double))
                else:
                    links.add_column(run, first + k, source, offset_in_row(
                        k, source.ndim, source.layout, source.layout + source.ndim), source.layout[source.ndim])
        first += count
    links.end(run)
    return 0


def row_of(Batch batch not None, Buffer buffer not None, Py_ssize_t row):
    """The numbers of a row of the Batch, as Values. The buffer is the Batch's, with any axis for rows."""
    cdef list values = []
    cdef Reduction reduction
    cdef const char *place
    cdef Py_ssize_t k, first
    if buffer.view.obj is not batch or not buffer.shape or not 0 <= row < buffer.shape[0]:
        raise ValueError("this is not a buffer of the Batch that has such a row")
    for k in range(buffer.columns):
        place = buffer.start + row * buffer.strides[0] + offset_in_row(
            k, buffer.view.ndim, buffer.lengths, buffer.strides)
        first = (<const double *> place) - batch.values
        reduction = batch.reduction(1.0)
        reduction.state.part.first += first
        reduction.state.part.count = 1
        reduction.state.part.output += <int32_t> (first // batch.rows)
        reduction.state.part.outputs = 1
        values.append(reduction.as_value(batch.values[first]))
    return values


def values_of(Batch batch not None):
    """All numbers of the Batch, as Values, in the order of nested lists."""
    cdef Buffer buffer = Buffer(batch)
    cdef list values = []
    cdef Py_ssize_t row
    for row in range(len(batch)):
        values += row_of(batch, buffer, row)
    return values
