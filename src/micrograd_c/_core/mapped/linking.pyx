"""Links: which columns of a run's arguments are the numbers of other runs, to which their gradients go.

Knows runs, columns and Batches.

Design
------
A column that is read from a Batch points into the memory of the Batch's run, whose seeds lie as its numbers do. So a
link is where a column begins among that run's numbers, with its stride. The run's node is above those of the runs that
it is linked to: a sweep comes to it first.
"""

from libc.stdint cimport int32_t
from libc.stdlib cimport free, malloc

from micrograd_c._core.mapped.batch cimport Batch
from micrograd_c._core.mapped.columns cimport Buffer, offset_in_row
from micrograd_c._core.mapped.reductions cimport Reduction

__all__ = ["Links", "row_of"]


cdef class Links:
    """The links of a run."""
    cdef Link *links
    cdef int32_t count

    def __dealloc__(self):
        free(self.links)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle Links of vmap: they are part of a run")

    cdef int add(self, Run run, Columns columns, Batch source, int32_t first, int32_t count) except -1:
        """Link those columns that gradients come to."""
        cdef RunState *s = &source.run.state
        cdef int32_t k
        cdef Py_ssize_t offset
        for k in range(first, first + count):
            if run.program.input_adjoints[k] >= 0:
                offset = columns.columns[k].first - <const char *> s.values
                self.links[self.count] = Link(
                    s, offset // <Py_ssize_t> sizeof(double), columns.columns[k].stride // <Py_ssize_t> sizeof(double),
                    run.program.input_adjoints[k])
                self.count += 1


cdef int link(Run run, Columns columns, list sources) except -1:
    """Link a run to those that have computed its arguments: a first column, how many there are, and the Batch."""
    cdef Links links = Links.__new__(Links)
    cdef Batch source
    links.links = <Link *> malloc((columns.count or 1) * sizeof(Link))
    if links.links == NULL:
        raise MemoryError("no memory for links between runs of vmap")
    run.sources, run.source_nodes = [], []
    for first, count, source in sources:
        links.add(run, columns, source, first, count)
        if source.run not in run.sources:
            run.sources.append(source.run)
            run.source_nodes.append(source.node)
    run.links = links
    run.state.links, run.state.link_count = links.links, links.count
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
