"""Nodes whose derivative cannot be recorded: errors that say what to do instead. Part of derivatives.pyx."""

from libc.stdint cimport int32_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport HOOK, tape
from micrograd_c._core.value.operands cimport handle_of
from micrograd_c._core.value.value cimport Value


cdef inline int refuse(int32_t index, Value root) except -1:
    """Raise for what cannot be recorded."""
    if tape.op[index] == rules.NATIVE and not tape.flags[index] & HOOK:
        raise NotImplementedError(
            "the derivative of a run of vmap from outside cannot be recorded while a function is traced: call the "
            "mapped function inside of it, too"
        )
    raise TypeError(
        f"the op {handle_of(index, root)._op!r} has a _backward of your own, whose derivative cannot be recorded, "
        "as create_graph=True, jacfwd, jvp, hessian and a transform inside another one want it. Write it with Value's "
        "ops, or give its local gradients as numbers: Value(data, children, local_grads)"
    )
