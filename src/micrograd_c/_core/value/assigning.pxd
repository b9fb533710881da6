"""What is assigned to a Value's own attributes: part of value/value.pyx."""

from micrograd_c._core.ops.numbers cimport Number
from micrograd_c._core.tape.arena cimport DATA_INT, DETACHED, GRAD_FLOAT, HOOK, tape, want_states
from micrograd_c._core.tape.changes cimport note_change, reserve_changes
from micrograd_c._core.tape.missing_gradients cimport drop_grad, is_minus_zero
from micrograd_c._core.value.lifetime cimport check_initialised, describe, gain_state, rare, take_number, track
from micrograd_c._core.value.observers cimport before_assignment, tell_of_assignment
from micrograd_c._core.value.reading cimport note_read
from micrograd_c._core.value.value cimport Value


cdef inline int set_data(Value value, object number) except -1:
    cdef Number new
    check_initialised(value)
    if not take_number(number, &new):
        raise TypeError(f"data must be a number, not {describe(number)}")
    if before_assignment != NULL:
        before_assignment(value)
    if value.index >= tape.traced:
        tell_of_assignment(value)
    reserve_changes(&tape, 1)
    note_change(&tape, value.index)
    tape.data[value.index] = new.value
    tape.flags[value.index] = (tape.flags[value.index] & ~DATA_INT) | new.is_int
    return 0


cdef inline int set_grad(Value value, object number) except -1:
    cdef Number new
    check_initialised(value)
    note_read(value, "its .grad is assigned to")
    if number is None:
        drop_grad(&tape, value.index)
        return 0
    if not take_number(number, &new):
        raise TypeError(f"grad must be a number, not {describe(number)}")
    tape.grad[value.index] = new.value
    tape.flags[value.index] = (tape.flags[value.index] | GRAD_FLOAT) & ~(new.is_int << 1)
    tape.minus_zeros |= is_minus_zero(new.value)
    return 0


cdef inline int set_op_name(Value value, object name) except -1:
    check_initialised(value)
    want_states(&tape)
    rare(value).op = name
    track(value)
    if type(name) is not str:
        gain_state(value)
    return 0


cdef inline int set_function(Value value, object function) except -1:
    """Assign to `_backward`."""
    check_initialised(value)
    if not callable(function):
        raise TypeError(f"_backward must be a function without arguments, not {describe(function)}")
    rare(value).backward = function
    if not tape.flags[value.index] & (HOOK | DETACHED):
        tape.flags[value.index] |= HOOK
        tape.hooks += 1
        tape.hooks_base += value.index < tape.base
    gain_state(value)
    return 0
