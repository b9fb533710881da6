/* The table of ops: what each op computes and how it differentiates, for one number and for lanes of rows side by side.

"Adding an op" in docs/contributing.md has an example. What follows from an entry: the enum, dispatch, Value's method,
`vmap`, what slots a backward pass needs, texts, activations of neurons, and tests on a grid, by finite differences and
on every instruction set.

This file is included many times. Whoever includes it defines those of the macros that it wants, before or after others:

NODE(NAME, text)                an op that is no rule of numbers: the code that knows it names it
OF_TWO(NAME, text, kind,        of two operands
    value,
    reads, pullback_a,
    reads, pullback_b,
    lane_value, lane_pullback_a, lane_pullback_b,
    recorded_a, recorded_b)
BY_NUMBER(NAME, text,           of an operand and a number that is kept as a hidden leaf: there is no pullback_b
    value,
    reads, pullback_a,
    lane_value, lane_pullback_a,
    recorded_a)
FUNCTION(NAME, name,            of one operand
    text, activation, about,
    error, complaint,
    result_is_int, keeps_int,
    value,
    reads, slope,
    ulp, lane_value, lane_slope,
    recorded)

NAME            of the op in C, OP_NAME, and in Cython, rules.NAME
name            of Value's method
text            `_op`, which pictures show
about           the docstring
activation      "" or, of what neurons may be given by its `name`, what their repr() begins with. Its slope must read
                y only, and it must never raise
error           raised where a finite x has no finite value, and where a number has none: OverflowError, ValueError; or
                NEVER
complaint       follows "name(x) " in the error's message
result_is_int   whether Python would hold an int, from x and x_is_int
keeps_int       1 if the gradient of an int is one where the result's is, as micrograd's relu has it, else 0
kind            SMOOTH, whose value and gradients are floats; POWER_OF, which code knows by name; CHOICE: the one that is
                not chosen gets 0, and not 0 * infinity; PICK: a CHOICE whose first operand decides, and gets no
                gradient; or COMPARISON: 0 or 1, and no gradient goes through it
reads           those numbers that the slope is made from, and is given: NONE, X, Y, XY, XYZ. Slots of rows' numbers
                are kept for it, and a rule that uses another number does not compile
ulp             how far lanes may be from the eager value: 0, or the distance that tests allow
recorded        the slope, or an operand's share of g, written with ops, so that it can be differentiated again: an
                expression of Python's with the names x, y, z and g, numbers, + - * / **, the functions of this table,
                and the ops of two by their names in small letters. "0" where no gradient goes. A power's number, y, is
                one here, too: what has only numbers is computed, and `pick` of a number decided, when it is recorded

In functions, x is the operand and y the value. Of two operands x and y, z is the value, and a pullback is an operand's
share of the adjoint g. Values and slopes come in pairs of columns because lanes have own functions for exp, log and the
like (see lane_functions.h), and for choices, having no branches. What is recorded is a third: at most some 1e-15 from
the slope, and the same at the edges. */

#ifndef NODE
#define NODE(...)
#endif
#ifndef OF_TWO
#define OF_TWO(...)
#endif
#ifndef BY_NUMBER
#define BY_NUMBER(...)
#endif
#ifndef FUNCTION
#define FUNCTION(...)
#endif

NODE(LEAF, "")          /* recorded from outside; nothing flows further down */
NODE(STOP, "stop")      /* its operand itself, but no adjoint goes further down */
NODE(CUSTOM, "")        /* any number of operands, listed in the edges arena, and a Python function for a rule */
NODE(LOCAL, "")         /* any number of operands, each listed with a number: the derivative with respect to it */
NODE(NATIVE, "vmap")    /* any number of operands, and a C function for a rule: see Native in tape/arena.pxd */
NODE(DOT, "")           /* b + w0*x0 + w1*x1 + ..., and perhaps an activation of it, in one node */

/* --- of two operands --- */

OF_TWO(ADD, "+", SMOOTH,
    x + y,
    NONE, g,
    NONE, g,
    x + y, g, g,
    "g", "g")

OF_TWO(MUL, "*", SMOOTH,
    x * y,
    Y, y * g,
    X, x * g,
    x * y, y * g, x * g,
    "y * g", "x * g")

/* A power is what C says, without errors; see `power` in rules.pxd for Python's. x ** 0 is 1: its slope is 0. */
BY_NUMBER(POWER, "**",
    pow(x, y),
    X, y == 0.0 ? 0.0 : y * pow(x, y - 1.0) * g,
    LANES(power)(x, y), y == 0.0 ? LANES(all)(0.0) : y * LANES(power)(x, y - 1.0) * g,
    "pick(y, y * x ** (y - 1) * g)")

/* d(x ** y)/dy = x^y log(x), 0 for x == 0 and y >= 0, as PyTorch's pow_backward_exponent. */
OF_TWO(POW, "**", POWER_OF,
    pow(x, y),
    XY, y == 0.0 ? 0.0 : y * pow(x, y - 1.0) * g,
    XYZ, (x == 0.0 && y >= 0.0 ? 0.0 : z * log(x)) * g,
    LANES(libm_pow)(x, y),
    LANES(select)(MASK(y == 0.0), LANES(all)(0.0), y * LANES(libm_pow)(x, y - 1.0) * g),
    LANES(select)(MASK(x == 0.0) & MASK(y >= 0.0), LANES(all)(0.0), z * LANES(log)(x)) * g,
    "pick(y, y * x ** (y + equal(y, 0) - 1) * g)",
    "pick_not(pick(equal(x, 0), above(y, 0) + equal(y, 0)),"
    " z * log(x + pick(equal(x, 0), above(y, 0) + equal(y, 0))) * g)")

/* Two equal operands give the first, and each gets half of the adjoint. If one is not a number, each gets all. Both are as
   in PyTorch. */
OF_TWO(MAXIMUM, "max", CHOICE,
    x >= y || x != x ? x : y,
    XY, x == y ? 0.5 * g : x < y ? 0.0 : g,
    XY, x == y ? 0.5 * g : x > y ? 0.0 : g,
    LANES(select)(MASK(x >= y) | MASK(x != x), x, y),
    LANES(select)(MASK(x < y), LANES(all)(0.0), LANES(select)(MASK(x == y), 0.5 * g, g)),
    LANES(select)(MASK(x > y), LANES(all)(0.0), LANES(select)(MASK(x == y), 0.5 * g, g)),
    "pick_not(above(y, x), g * (1 - 0.5 * equal(x, y)))",
    "pick_not(above(x, y), g * (1 - 0.5 * equal(x, y)))")

OF_TWO(MINIMUM, "min", CHOICE,
    x <= y || x != x ? x : y,
    XY, x == y ? 0.5 * g : x > y ? 0.0 : g,
    XY, x == y ? 0.5 * g : x < y ? 0.0 : g,
    LANES(select)(MASK(x <= y) | MASK(x != x), x, y),
    LANES(select)(MASK(x > y), LANES(all)(0.0), LANES(select)(MASK(x == y), 0.5 * g, g)),
    LANES(select)(MASK(x < y), LANES(all)(0.0), LANES(select)(MASK(x == y), 0.5 * g, g)),
    "pick_not(above(x, y), g * (1 - 0.5 * equal(x, y)))",
    "pick_not(above(y, x), g * (1 - 0.5 * equal(x, y)))")

/* y where x is not 0, else -0.0, which added to the other's y leaves that as it is. */
OF_TWO(PICK, "pick", PICK,
    x != 0.0 ? y : -0.0,
    NONE, 0.0,
    X, x != 0.0 ? g : 0.0,
    LANES(select)(MASK(x != 0.0), y, LANES(all)(-0.0)),
    LANES(all)(0.0),
    LANES(select)(MASK(x != 0.0), g, LANES(all)(0.0)),
    "0", "pick(x, g)")

OF_TWO(PICK_NOT, "pick not", PICK,
    x == 0.0 ? y : -0.0,
    NONE, 0.0,
    X, x == 0.0 ? g : 0.0,
    LANES(select)(MASK(x == 0.0), y, LANES(all)(-0.0)),
    LANES(all)(0.0),
    LANES(select)(MASK(x == 0.0), g, LANES(all)(0.0)),
    "0", "pick_not(x, g)")

/* The value is x, and the adjoint goes to y. In rows a LOCAL op becomes this: x is its data, and y the sum of its operands
   times their local gradients. */
OF_TWO(GIVEN, "given", PICK,
    x,
    NONE, 0.0,
    NONE, g,
    x,
    LANES(all)(0.0),
    g,
    "0", "g")

/* x is the height, y the width: the angle of (y, x). */
OF_TWO(ATAN2, "atan2", SMOOTH,
    atan2(x, y),
    XY, y / (x * x + y * y) * g,
    XY, -x / (x * x + y * y) * g,
    LANES(atan2)(x, y),
    y / (x * x + y * y) * g,
    -x / (x * x + y * y) * g,
    "y / (x * x + y * y) * g", "-x / (x * x + y * y) * g")

/* What recorded slopes of choices are made of. */
OF_TWO(ABOVE, "above", COMPARISON,
    x > y ? 1.0 : 0.0,
    NONE, 0.0,
    NONE, 0.0,
    LANES(select)(MASK(x > y), LANES(all)(1.0), LANES(all)(0.0)),
    LANES(all)(0.0),
    LANES(all)(0.0),
    "0", "0")

OF_TWO(EQUAL, "equal", COMPARISON,
    x == y ? 1.0 : 0.0,
    NONE, 0.0,
    NONE, 0.0,
    LANES(select)(MASK(x == y), LANES(all)(1.0), LANES(all)(0.0)),
    LANES(all)(0.0),
    LANES(all)(0.0),
    "0", "0")

/* --- functions --- */

FUNCTION(RELU, relu,
    "ReLU", "ReLU", "max(0, x); its slope at 0 is 0. A negative int or float gives the int 0, as in micrograd.",
    NEVER, "",
    x_is_int || x < 0.0, 1,
    x < 0.0 ? 0.0 : x,
    Y, y > 0.0 ? 1.0 : 0.0,
    0, LANES(relu)(x), LANES(select)(MASK(y > 0.0), LANES(all)(1.0), LANES(all)(0.0)),
    "above(y, 0)")

FUNCTION(EXP, exp,
    "exp", "", "e ** x. Raises OverflowError above 709.78.",
    OverflowError, "is too large for a float",
    0, 0,
    exp(x),
    Y, y,
    2, LANES(exp)(x), y,
    "y")

FUNCTION(LOG, log,
    "log", "", "The natural logarithm. Raises ValueError unless x > 0.",
    ValueError, "is not defined: it wants a number above 0",
    0, 0,
    log(x),
    X, 1.0 / x,
    2, LANES(log)(x), 1.0 / x,
    "1 / x")

FUNCTION(EXPM1, expm1,
    "expm1", "", "e ** x - 1, to the last digits also where x is near 0. Raises OverflowError above 709.78.",
    OverflowError, "is too large for a float",
    0, 0,
    expm1(x),
    Y, y + 1.0,
    2, LANES(expm1)(x), y + 1.0,
    "y + 1")

FUNCTION(LOG1P, log1p,
    "log1p", "", "log(1 + x), to the last digits also where x is near 0. Raises ValueError unless x > -1.",
    ValueError, "is not defined: it wants a number above -1",
    0, 0,
    log1p(x),
    X, 1.0 / (1.0 + x),
    2, LANES(log1p)(x), 1.0 / (1.0 + x),
    "1 / (1 + x)")

FUNCTION(TANH, tanh,
    "tanh", "Tanh", "The hyperbolic tangent.",
    NEVER, "",
    0, 0,
    tanh(x),
    Y, 1.0 - y * y,
    2, LANES(tanh)(x), 1.0 - y * y,
    "1 - y * y")

FUNCTION(SIGMOID, sigmoid,
    "sigmoid", "Sigmoid", "1 / (1 + e ** -x), for any x without overflow.",
    NEVER, "",
    0, 0,
    op_logistic(x),
    Y, y * (1.0 - y),
    2, LANES(sigmoid)(x), y * (1.0 - y),
    "y * (1 - y)")

FUNCTION(LEAKY_RELU, leaky_relu,
    "leaky_relu", "LeakyReLU", "x where it is above 0, else 0.01 * x.",
    NEVER, "",
    0, 0,
    x > 0.0 ? x : 0.01 * x,
    Y, y > 0.0 ? 1.0 : 0.01,
    0, LANES(select)(MASK(x > 0.0), x, 0.01 * x), LANES(select)(MASK(y > 0.0), LANES(all)(1.0), LANES(all)(0.01)),
    "maximum(above(y, 0), 0.01)")

FUNCTION(SOFTPLUS, softplus,
    "softplus", "Softplus", "log(1 + e ** x), for any x without overflow.",
    NEVER, "",
    0, 0,
    op_softplus(x),
    Y, -expm1(-y),
    4, LANES(softplus)(x), -LANES(expm1)(-y),
    "sigmoid(x)")

FUNCTION(LOG_SIGMOID, log_sigmoid,
    "log_sigmoid", "LogSigmoid", "The logarithm of sigmoid(x), for any x without overflow.",
    NEVER, "",
    0, 0,
    0.0 - op_softplus(-x),
    Y, -expm1(y),
    4, 0.0 - LANES(softplus)(-x), -LANES(expm1)(y),
    "sigmoid(-x)")

FUNCTION(SILU, silu,
    "silu", "", "x * sigmoid(x). Raises ValueError for -inf.",
    ValueError, "is not defined: it wants a number above -inf",
    0, 0,
    x * op_logistic(x),
    X, op_logistic(x) * (1.0 + x * op_logistic(-x)),
    8, x * LANES(sigmoid)(x), LANES(sigmoid)(x) * (1.0 + x * LANES(sigmoid)(-x)),
    "sigmoid(x) * (1 + x * sigmoid(-x))")

FUNCTION(GELU, gelu,
    "gelu", "", "x times the probability that a normally distributed number is below x. Raises ValueError for -inf.",
    ValueError, "is not defined: it wants a number above -inf",
    0, 0,
    x * op_below(x),
    X, op_below(x) + x * exp(-0.5 * x * x) * OP_DENSITY_AT_0,
    2, x * LANES(below)(x), LANES(below)(x) + x * LANES(exp)(-0.5 * x * x) * OP_DENSITY_AT_0,
    "0.5 * erfc(x * -0.70710678118654752440) + x * exp(-0.5 * x * x) * 0.39894228040143267794")

FUNCTION(GELU_TANH, gelu_tanh,
    "gelu_tanh", "",
    "gelu(x), nearly: 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3))). Raises ValueError for -inf.",
    ValueError, "is not defined: it wants a number above -inf",
    0, 0,
    x * op_logistic(OP_GELU_TANH_OF(x)),
    X, op_logistic(OP_GELU_TANH_OF(x))
        * (1.0 + x * OP_GELU_TANH_SLOPE(x) * op_logistic(-OP_GELU_TANH_OF(x))),
    4, x * LANES(sigmoid)(OP_GELU_TANH_OF(x)),
    LANES(sigmoid)(OP_GELU_TANH_OF(x))
        * (1.0 + x * OP_GELU_TANH_SLOPE(x) * LANES(sigmoid)(-OP_GELU_TANH_OF(x))),
    "sigmoid(1.59576912160573071176 * (x + 0.044715 * x * x * x))"
    " * (1 + x * (1.59576912160573071176 * (1 + 0.134145 * x * x))"
    " * sigmoid(-(1.59576912160573071176 * (x + 0.044715 * x * x * x))))")

FUNCTION(SQRT, sqrt,
    "sqrt", "", "The square root. Raises ValueError for x < 0; its slope at 0 is infinite.",
    ValueError, "is not a real number: it wants a number that is not negative",
    0, 0,
    sqrt(x),
    Y, 0.5 / y,
    0, LANES(sqrt)(x), 0.5 / y,
    "0.5 / y")

FUNCTION(SIN, sin,
    "sin", "", "The sine of x radians.",
    ValueError, "is not defined: it wants a finite number",
    0, 0,
    sin(x),
    X, cos(x),
    2, LANES(sin)(x), LANES(cos)(x),
    "cos(x)")

FUNCTION(COS, cos,
    "cos", "", "The cosine of x radians.",
    ValueError, "is not defined: it wants a finite number",
    0, 0,
    cos(x),
    X, -sin(x),
    2, LANES(cos)(x), -LANES(sin)(x),
    "-sin(x)")

FUNCTION(TAN, tan,
    "tan", "", "The tangent of x radians.",
    ValueError, "is not defined: it wants a finite number",
    0, 0,
    tan(x),
    Y, 1.0 + y * y,
    4, LANES(sin)(x) / LANES(cos)(x), 1.0 + y * y,
    "1 + y * y")

FUNCTION(ASIN, asin,
    "asin", "", "The angle in radians, from -pi / 2 to pi / 2, whose sine is x. Raises ValueError unless -1 <= x <= 1.",
    ValueError, "is not defined: it wants a number from -1 to 1",
    0, 0,
    asin(x),
    X, 1.0 / sqrt((1.0 - x) * (1.0 + x)),
    4, LANES(asin)(x), 1.0 / LANES(sqrt)((1.0 - x) * (1.0 + x)),
    "1 / sqrt((1 - x) * (1 + x))")

FUNCTION(ACOS, acos,
    "acos", "", "The angle in radians, from 0 to pi, whose cosine is x. Raises ValueError unless -1 <= x <= 1.",
    ValueError, "is not defined: it wants a number from -1 to 1",
    0, 0,
    acos(x),
    X, -1.0 / sqrt((1.0 - x) * (1.0 + x)),
    4, LANES(acos)(x), -1.0 / LANES(sqrt)((1.0 - x) * (1.0 + x)),
    "-1 / sqrt((1 - x) * (1 + x))")

FUNCTION(ATAN, atan,
    "atan", "", "The angle in radians, from -pi / 2 to pi / 2, whose tangent is x.",
    NEVER, "",
    0, 0,
    atan(x),
    X, 1.0 / (1.0 + x * x),
    4, LANES(atan)(x), 1.0 / (1.0 + x * x),
    "1 / (1 + x * x)")

FUNCTION(SINH, sinh,
    "sinh", "", "The hyperbolic sine. Raises OverflowError where |x| is above 710.47.",
    OverflowError, "is too large for a float",
    0, 0,
    sinh(x),
    X, cosh(x),
    4, LANES(sinh)(x), LANES(cosh)(x),
    "cosh(x)")

FUNCTION(COSH, cosh,
    "cosh", "", "The hyperbolic cosine. Raises OverflowError where |x| is above 710.47.",
    OverflowError, "is too large for a float",
    0, 0,
    cosh(x),
    X, sinh(x),
    4, LANES(cosh)(x), LANES(sinh)(x),
    "sinh(x)")

FUNCTION(ERF, erf,
    "erf", "", "The error function.",
    NEVER, "",
    0, 0,
    erf(x),
    X, OP_ERF_SLOPE_AT_0 * exp(-x * x),
    0, LANES(erf)(x), OP_ERF_SLOPE_AT_0 * LANES(exp)(-x * x),
    "1.12837916709551257390 * exp(-x * x)")

FUNCTION(ERFC, erfc,
    "erfc", "", "1 - erf(x), to the last digits also where that is near 0.",
    NEVER, "",
    0, 0,
    erfc(x),
    X, -OP_ERF_SLOPE_AT_0 * exp(-x * x),
    0, LANES(erfc)(x), -OP_ERF_SLOPE_AT_0 * LANES(exp)(-x * x),
    "-1.12837916709551257390 * exp(-x * x)")

FUNCTION(FLOOR, floor,
    "floor", "", "The largest whole number that is not above x. Its slope is 0 everywhere. An int stays one.",
    NEVER, "",
    x_is_int, 0,
    floor(x),
    NONE, 0.0,
    0, LANES(floor)(x), LANES(all)(0.0),
    "0")

FUNCTION(CEIL, ceil,
    "ceil", "", "The smallest whole number that is not below x. Its slope is 0 everywhere. An int stays one.",
    NEVER, "",
    x_is_int, 0,
    ceil(x),
    NONE, 0.0,
    0, -LANES(floor)(-x), LANES(all)(0.0),
    "0")

FUNCTION(ABS, abs,
    "abs", "", "|x|, also as abs(v); its slope at 0 is 0. An int stays one.",
    NEVER, "",
    x_is_int, 0,
    fabs(x),
    X, (x > 0.0) - (x < 0.0),
    0, LANES(magnitude)(x),
    LANES(select)(MASK(x > 0.0), LANES(all)(1.0), LANES(select)(MASK(x < 0.0), LANES(all)(-1.0), LANES(all)(0.0))),
    "above(x, 0) - above(0, x)")

#undef NODE
#undef OF_TWO
#undef BY_NUMBER
#undef FUNCTION
