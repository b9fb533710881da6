"""What each op computes and how it differentiates: value and slope side by side.

Knows numbers only: nothing of tapes, nodes or Value.
"""

from libc.math cimport NAN, cos, exp, fabs, floor, fmod, isfinite, log, pow, sin, sqrt, tanh

cdef extern from "unknown_op.h":
    void UNKNOWN_OP(int op) noexcept nogil


cdef enum Op:
    LEAF        # recorded from outside; nothing flows further down
    ADD         # a + b
    MUL         # a * b
    POWER       # a ** b, b a number kept as a hidden leaf
    POW         # a ** b, b a Value
    MAXIMUM     # max(a, b)
    MINIMUM
    PICK        # b where a is not 0, else -0.0, which added to the other's b leaves that as it is
    PICK_NOT    # b where a is 0, else -0.0
    RELU
    EXP
    LOG
    TANH
    SIGMOID
    SQRT
    SIN
    COS
    ABS
    STOP        # a itself, but no adjoint goes further down
    CUSTOM      # any number of operands, listed in the edges arena, and a Python function for a rule
    NATIVE      # any number of operands, and a C function for a rule: see Native in tape/arena.pxd
    DOT         # b + w0*x0 + w1*x1 + ..., and perhaps an activation of it, in one node
    OP_COUNT    # no op: how many there are


# What is asked of an op. No other code may compare op numbers by order.

cdef inline bint has_edges(int op) noexcept nogil:
    """Its operands are listed in the edges arena."""
    return op == CUSTOM or op == NATIVE or op == DOT


cdef inline bint has_two_operands(int op) noexcept nogil:
    return op == ADD or op == MUL or op == POWER or op == POW or is_choice(op)


cdef inline bint is_choice(int op) noexcept nogil:
    """Of two operands, by comparing: one that is not chosen gets 0, and not 0 * infinity."""
    return op == MAXIMUM or op == MINIMUM or is_pick(op)


cdef inline bint is_pick(int op) noexcept nogil:
    """The first operand decides, and gets no gradient."""
    return op == PICK or op == PICK_NOT


cdef inline bint is_function(int op) noexcept nogil:
    """Of one operand: see `value` and `slope`."""
    return (
        op == RELU or op == EXP or op == LOG or op == TANH or op == SIGMOID or op == SQRT or op == SIN or op == COS
        or op == ABS
    )


cdef inline bint has_one_operand(int op) noexcept nogil:
    return is_function(op) or op == STOP


cdef inline bint shows_second_operand(int op) noexcept nogil:
    """In `_prev`. A power's number is a hidden leaf."""
    return has_two_operands(op) and op != POWER


cdef inline bint slope_may_raise(int op) noexcept nogil:
    return op == POWER or op == POW


# One pair an op. x is the operand, y the value; every slope is checked against finite differences.

cdef inline double relu_value(double x) noexcept nogil: return 0.0 if x < 0.0 else x
cdef inline double relu_slope(double x, double y) noexcept nogil: return 1.0 if y > 0.0 else 0.0    # [y > 0]

cdef inline double exp_value(double x) noexcept nogil: return exp(x)
cdef inline double exp_slope(double x, double y) noexcept nogil: return y                           # e^x

cdef inline double log_value(double x) noexcept nogil: return log(x)
cdef inline double log_slope(double x, double y) noexcept nogil: return 1.0 / x                     # 1 / x

cdef inline double tanh_value(double x) noexcept nogil: return tanh(x)
cdef inline double tanh_slope(double x, double y) noexcept nogil: return 1.0 - y * y                # 1 - tanh(x)^2

cdef inline double sigmoid_value(double x) noexcept nogil: return logistic(x)
cdef inline double sigmoid_slope(double x, double y) noexcept nogil: return y * (1.0 - y)           # y (1 - y)

cdef inline double sqrt_value(double x) noexcept nogil: return sqrt(x)
cdef inline double sqrt_slope(double x, double y) noexcept nogil: return 0.5 / y                    # 1 / (2 sqrt(x))

cdef inline double sin_value(double x) noexcept nogil: return sin(x)
cdef inline double sin_slope(double x, double y) noexcept nogil: return cos(x)                      # cos(x)

cdef inline double cos_value(double x) noexcept nogil: return cos(x)
cdef inline double cos_slope(double x, double y) noexcept nogil: return -sin(x)                     # -sin(x)

cdef inline double abs_value(double x) noexcept nogil: return fabs(x)
cdef inline double abs_slope(double x, double y) noexcept nogil: return (x > 0.0) - (x < 0.0)       # sign(x), 0 at 0


cdef inline double logistic(double x) noexcept nogil:
    """1 / (1 + e^-x) by whichever form cannot overflow."""
    cdef double e = exp(-fabs(x))
    return (1.0 if x >= 0.0 else e) / (1.0 + e)


cdef inline double value(int op, double x) noexcept nogil:
    if op == RELU: return relu_value(x)
    elif op == EXP: return exp_value(x)
    elif op == LOG: return log_value(x)
    elif op == TANH: return tanh_value(x)
    elif op == SIGMOID: return sigmoid_value(x)
    elif op == SQRT: return sqrt_value(x)
    elif op == SIN: return sin_value(x)
    elif op == COS: return cos_value(x)
    elif op == ABS: return abs_value(x)
    elif op == STOP: return x
    UNKNOWN_OP(op)
    return NAN


cdef inline double slope(int op, double x, double y) noexcept nogil:
    if op == RELU: return relu_slope(x, y)
    elif op == EXP: return exp_slope(x, y)
    elif op == LOG: return log_slope(x, y)
    elif op == TANH: return tanh_slope(x, y)
    elif op == SIGMOID: return sigmoid_slope(x, y)
    elif op == SQRT: return sqrt_slope(x, y)
    elif op == SIN: return sin_slope(x, y)
    elif op == COS: return cos_slope(x, y)
    elif op == ABS: return abs_slope(x, y)
    UNKNOWN_OP(op)
    return NAN


# Of two operands, x and y; z is the value. A power is what C says, without errors; see `power` for Python's. Of two
# equal operands maximum and minimum take the first, and each gets half, as in PyTorch; both get all of it where one is
# no number, likewise. The pullbacks are an operand's share of the adjoint g: what is not chosen gets 0, whatever g is.

cdef inline double value_of_two(int op, double x, double y) noexcept nogil:
    if op == ADD: return x + y
    elif op == MUL: return x * y
    elif op == POWER or op == POW: return pow(x, y)
    elif op == MAXIMUM: return x if x >= y or x != x else y
    elif op == MINIMUM: return x if x <= y or x != x else y
    elif op == PICK: return y if x != 0.0 else -0.0
    elif op == PICK_NOT: return y if x == 0.0 else -0.0
    UNKNOWN_OP(op)
    return NAN


cdef inline double pullback_a(int op, double x, double y, double g) noexcept nogil:
    if op == ADD: return g
    elif op == MUL: return y * g
    elif op == POWER or op == POW: return 0.0 if y == 0.0 else y * pow(x, y - 1.0) * g
    elif op == MAXIMUM: return 0.5 * g if x == y else 0.0 if x < y else g
    elif op == MINIMUM: return 0.5 * g if x == y else 0.0 if x > y else g
    elif is_pick(op): return 0.0
    UNKNOWN_OP(op)
    return NAN


cdef inline double pullback_b(int op, double x, double y, double z, double g) noexcept nogil:
    """Nobody asks for that of a POWER."""
    if op == ADD: return g
    elif op == MUL: return x * g
    elif op == POW: return pow_exponent_slope(x, y, z) * g
    elif op == MAXIMUM: return 0.5 * g if x == y else 0.0 if x > y else g
    elif op == MINIMUM: return 0.5 * g if x == y else 0.0 if x < y else g
    elif op == PICK: return g if x != 0.0 else 0.0
    elif op == PICK_NOT: return g if x == 0.0 else 0.0
    UNKNOWN_OP(op)
    return NAN


cdef inline object domain_error(int op, double x):
    """The exception for an x whose value is infinite or not a number."""
    if op == EXP:
        return OverflowError(f"exp({x!r}) is too large for a float")
    if op == LOG:
        return ValueError(f"log({x!r}) is not defined: it wants a number above 0")
    if op == SQRT:
        return ValueError(f"sqrt({x!r}) is not a real number: it wants a number that is not negative")
    return ValueError(f"{'sin' if op == SIN else 'cos'}({x!r}) is not defined: it wants a finite number")


cdef inline bint is_odd(double y) noexcept nogil:
    return fmod(fabs(y), 2.0) == 1.0


cdef inline double power(double x, double y) except? -1.0:
    """float ** float with CPython's bits; what it refuses raises as it does there."""
    cdef double result
    if try_power(x, y, &result):
        return result
    raise_power_error(x, y)


cdef inline bint try_power(double x, double y, double *result) noexcept nogil:
    """False where Python raises, or turns complex.

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
    """What Python's own operator says where try_power is False."""
    (<object> x) ** (<object> y)
    raise ValueError(f"{x!r} ** {y!r} is not a real number: a negative base needs a whole exponent")


cdef inline bint try_power_pullback(double x, double y, double g, double *share) noexcept nogil:
    """x's share of the adjoint g of x ** y, in micrograd's order: (y * x ** (y - 1)) * g. False as try_power(x, y - 1).

    Nothing for y == 0, whatever x and g are: x ** 0 is 1 everywhere.
    """
    if y == 0.0:
        share[0] = 0.0
        return True
    cdef bint real = try_power(x, y - 1.0, share)
    share[0] = y * share[0] * g
    return real


cdef inline double pow_exponent_slope(double x, double y, double z) noexcept nogil:
    """d(x ** y)/dy = x^y log(x), 0 for x == 0 and y >= 0, as PyTorch's pow_backward_exponent."""
    return 0.0 if x == 0.0 and y >= 0.0 else z * log(x)
