"""A call of a mapped or compiled function: from its arguments to Batches.

Knows runs, their arguments and Batches. Knows nothing of functions.
"""

from libc.stdint cimport int32_t

from micrograd_c._core.mapped.batch cimport Batch, new_batch
from micrograd_c._core.mapped.columns cimport Columns
from micrograd_c._core.mapped.executor cimport Run, Runner
from micrograd_c._core.mapped.linking cimport link, link_arguments
from micrograd_c._core.tape.arena cimport tape
from micrograd_c._core.tape.pausing cimport paused_here
from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.value cimport Value

__all__ = ["run", "run_buffers"]


def run(
    Runner runner not None, Columns columns not None, list shared not None, list given not None, list parts=None,
    list sources=None,
):
    """Run all rows, with Values in the place of those that the call is given. Returns a list of Batches.

    One for each output, or for each of `parts`: the first of its outputs, the shape that they make up, and where among
    its axes the rows are. `sources` has the columns that are linked: the first one, how many there are, and the Batch.
    """
    cdef Run run
    cdef list numbers = [float(number) for number in shared]    # which may run any code
    if columns.count != runner.program.inputs:
        raise ValueError(f"{columns.count} columns for a program of {runner.program.inputs} inputs")
    if len(numbers) != runner.program.shared:
        raise ValueError(f"{len(numbers)} shared numbers for a program of {runner.program.shared}")
    if len(given) != runner.program.given:
        raise ValueError(f"{len(given)} Values for a program of {runner.program.given}")
    for value in given:
        check_value(value)
    run = runner.run(columns.columns, columns.rows, numbers, given or None)
    if sources:
        link(run, columns, sources)
    return batches_of(run, parts)


cdef int check_value(value) except -1:
    if not isinstance(value, Value):
        raise TypeError(f"a Value is wanted, not {value!r}")
    check_initialised(<Value> value)
    return 0


def run_buffers(Runner runner not None, tuple arguments not None, list parts=None, tuple linked=None):
    """The same for arguments as they come, if they are buffers of the shapes that the Runner is for; else None.

    `linked` says of each whether it is a Batch that is to be linked; None if none is.
    """
    cdef bint records = not (tape.paused and paused_here())
    cdef Py_ssize_t k
    cdef Run run
    if linked is not None and len(linked) != len(arguments):
        return None
    for k in range(len(arguments)):
        argument = arguments[k]
        if isinstance(argument, Batch):
            if (records and (<Batch> argument).node is not None) != (linked is not None and <bint> linked[k]):
                return None
        elif hasattr(argument, "mask") or linked is not None and <bint> linked[k]:      # a mask would be lost
            return None
    run = runner.run_buffers(arguments)
    if run is None:
        return None
    if linked is not None:
        link_arguments(run, runner.layout, arguments, linked)
    return batches_of(run, parts)


cdef list batches_of(Run run, list parts):
    cdef Value node = run.record_node()
    cdef list batches = []
    cdef int32_t k
    if parts is None:
        for k in range(run.state.outputs):
            batches.append(new_batch(run, node, k, (), 0))
    else:
        for first, shape, axis in parts:
            batches.append(new_batch(run, node, first, shape, axis))
    return batches
