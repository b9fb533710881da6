"""What each op computes, and its derivative: the Cython face of table.h, and Python's powers.

Knows numbers only: nothing of tapes, nodes or Value. No code may compare op numbers by order.
"""

from libc.math cimport fabs, floor, fmod, isfinite, pow

cdef extern from "ops/ops.h" nogil:
    enum:       # those that code mentions by name; the others are functions, told apart by the questions below
        LEAF "OP_LEAF"
        ADD "OP_ADD"
        MUL "OP_MUL"
        POWER "OP_POWER"        # a ** b, b a number kept as a hidden leaf
        POW "OP_POW"            # a ** b, b a Value
        MAXIMUM "OP_MAXIMUM"
        MINIMUM "OP_MINIMUM"
        PICK "OP_PICK"
        PICK_NOT "OP_PICK_NOT"
        EQUAL "OP_EQUAL"
        ATAN2 "OP_ATAN2"
        RELU "OP_RELU"
        EXP "OP_EXP"
        LOG "OP_LOG"
        ABS "OP_ABS"
        LEAKY_RELU "OP_LEAKY_RELU"
        GELU "OP_GELU"
        STOP "OP_STOP"
        GIVEN "OP_GIVEN"
        CUSTOM "OP_CUSTOM"
        LOCAL "OP_LOCAL"
        NATIVE "OP_NATIVE"
        DOT "OP_DOT"
        OP_COUNT
        READS_A "OP_READS_A"
        READS_B "OP_READS_B"
        READS_RESULT "OP_READS_RESULT"

    bint has_edges "op_has_edges"(int op)
    bint has_two_operands "op_has_two_operands"(int op)
    bint has_one_operand "op_has_one_operand"(int op)
    bint has_no_slope "op_has_no_slope"(int op)
    bint is_function "op_is_function"(int op)
    bint is_activation "op_is_activation"(int op)
    bint is_choice "op_is_choice"(int op)
    bint is_pick "op_is_pick"(int op)
    bint is_comparison "op_is_comparison"(int op)
    bint shows_second_operand "op_shows_second_operand"(int op)
    int slope_reads "op_slope_reads"(int op)
    int second_slope_reads "op_second_slope_reads"(int op)

    double value "op_value"(int op, double x)
    double slope "op_slope"(int op, double x, double y)
    bint result_is_int "op_result_is_int"(int op, double x, bint x_is_int)
    double value_of_other "op_value_of_other"(int op, double x)
    double slope_of_other "op_slope_of_other"(int op, double x, double y)
    bint other_result_is_int "op_other_result_is_int"(int op, double x, bint x_is_int)
    bint gradient_keeps_int "op_gradient_keeps_int"(int op)
    double value_of_two "op_value_of_two"(int op, double x, double y)
    double pullback_a "op_pullback_a"(int op, double x, double y, double g)
    double pullback_b "op_pullback_b"(int op, double x, double y, double z, double g)

cdef extern from "ops/python.h":
    ctypedef struct FunctionRow:
        int op, ulp, reads
        const char *name
        const char *text
        const char *activation
        const char *about
        const char *complaint
        const char *slope
        const char *recorded
    ctypedef struct TwoRow:
        int op
        const char *name
        const char *text
        const char *value
        const char *pullback_a
        const char *pullback_b
        const char *recorded_a
        const char *recorded_b
    enum:
        FUNCTION_COUNT, TWO_COUNT
    const TwoRow *two_rows
    const FunctionRow *function_rows
    const FunctionRow *function_row(int op) noexcept nogil
    str text "op_text_object"(int op)
    void *error "op_error"(int op) noexcept


cdef inline object domain_error(int op, double x):
    """The exception for an x whose value is infinite or not a number."""
    cdef const FunctionRow *row = function_row(op)
    if row == NULL or error(op) == NULL:
        return SystemError(f"op {op} has no value at {x!r}, and the table of ops says that it never raises")
    return (<object> error(op))(f"{row.name.decode()}({x!r}) {row.complaint.decode()}")


cdef inline bint is_odd(double y) noexcept nogil:
    return fmod(fabs(y), 2.0) == 1.0


cdef inline double power(double x, double y) except? -1.0:
    """float ** float with CPython's bits, and an error where CPython has one or gives a complex number."""
    cdef double result
    if try_power(x, y, &result):
        return result
    raise_power_error(x, y)


cdef inline bint try_power(double x, double y, double *result) noexcept nogil:
    """x ** y. False where Python raises, or gives a complex number.

    Follows float_pow in CPython's Objects/floatobject.c. C's pow is called with an exponent the compiler cannot see
    (-fno-builtin-pow): folded to x*x or 1/x it differs in the last bit.
    """
    if y == 1.0:
        result[0] = x
    elif not isfinite(x) or not isfinite(y):
        result[0] = pow(x, y)       # Annex F of C99, which float_pow spells out
    elif x > 0.0 or (x < 0.0 and y == floor(y)):
        result[0] = pow(fabs(x), y)
        if not isfinite(result[0]):
            return False
        if x < 0.0 and is_odd(y):
            result[0] = -result[0]
    elif y == 0.0:
        result[0] = 1.0
    elif x == 0.0 and y > 0.0:
        result[0] = x if is_odd(y) else 0.0
    else:
        return False
    return True


cdef inline int raise_power_error(double x, double y) except -1:
    """Raise what Python's own operator raises where try_power is False."""
    (<object> x) ** (<object> y)
    raise ValueError(f"{x!r} ** {y!r} is not a real number: a negative base needs a whole exponent")


cdef inline bint try_power_pullback(double x, double y, double g, double *share) noexcept nogil:
    """x's share of the adjoint g of x ** y, in micrograd's order: (y * x ** (y - 1)) * g.

    0 for y == 0, whatever x and g are: x ** 0 is 1 everywhere. False where try_power(x, y - 1) is.
    """
    if y == 0.0:
        share[0] = 0.0
        return True
    cdef bint real = try_power(x, y - 1.0, share)
    share[0] = y * share[0] * g
    return real
