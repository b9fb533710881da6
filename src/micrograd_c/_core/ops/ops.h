/* The table of ops for one number at a time: the enum, questions about an op, values, slopes and pullbacks.

Knows numbers only: nothing of Python, tapes, nodes or lanes. No code compares op numbers by order. An op that a switch
here does not know should never have come to it: see unknown_op.h. */

#ifndef MICROGRAD_C_OPS_H
#define MICROGRAD_C_OPS_H

#include <math.h>
#include "compiler.h"
#include "unknown_op.h"

enum {
#define NODE(NAME, ...) OP_##NAME,
#define OF_TWO(NAME, ...) OP_##NAME,
#define BY_NUMBER(NAME, ...) OP_##NAME,
#define FUNCTION(NAME, ...) OP_##NAME,
#include "table.h"
    OP_COUNT    /* no op: how many there are */
};

/* --- what kind of op --- */

/* Whether its operands are listed in the edges arena. */
static inline int op_has_edges(int op) {
    return op == OP_CUSTOM || op == OP_LOCAL || op == OP_NATIVE || op == OP_DOT;
}

static inline int op_has_two_operands(int op) {
    switch (op) {
#define OF_TWO(NAME, ...) case OP_##NAME: return 1;
#define BY_NUMBER(NAME, ...) case OP_##NAME: return 1;
#include "table.h"
    }
    return 0;
}

/* Whether it is a function of one operand: see op_value and op_slope. */
static inline int op_is_function(int op) {
    switch (op) {
#define FUNCTION(NAME, ...) case OP_##NAME: return 1;
#include "table.h"
    }
    return 0;
}

static inline int op_has_one_operand(int op) { return op_is_function(op) || op == OP_STOP; }

/* Whether there is no slope to multiply a gradient by: a sweep ends here, or a function of a user's goes on. */
static inline int op_has_no_slope(int op) { return op == OP_LEAF || op == OP_STOP || op == OP_CUSTOM; }

/* Whether `_prev` shows the second operand: a power's number is a hidden leaf. */
static inline int op_shows_second_operand(int op) {
    switch (op) {
#define OF_TWO(NAME, ...) case OP_##NAME: return 1;
#include "table.h"
    }
    return 0;
}

enum { OP_KIND_OTHER, OP_KIND_SMOOTH, OP_KIND_POWER_OF, OP_KIND_CHOICE, OP_KIND_PICK, OP_KIND_COMPARISON };

static inline int op_kind(int op) {
    switch (op) {
#define OF_TWO(NAME, text, kind, ...) case OP_##NAME: return OP_KIND_##kind;
#include "table.h"
    }
    return OP_KIND_OTHER;
}

/* Whether it chooses one of two operands: the one not chosen gets 0, and not 0 * infinity. */
static inline int op_is_choice(int op) { return op_kind(op) == OP_KIND_CHOICE || op_kind(op) == OP_KIND_PICK; }

/* Whether it is a choice in which the first operand decides, and gets no gradient. */
static inline int op_is_pick(int op) { return op_kind(op) == OP_KIND_PICK; }

/* 0 or 1, through which no gradient goes. */
static inline int op_is_comparison(int op) { return op_kind(op) == OP_KIND_COMPARISON; }

/* --- what a slope reads --- */

enum { OP_READS_A = 1, OP_READS_B = 2, OP_READS_RESULT = 4 };

#define OP_FUNCTION_READS_NONE 0
#define OP_FUNCTION_READS_X OP_READS_A
#define OP_FUNCTION_READS_Y OP_READS_RESULT
#define OP_FUNCTION_READS_XY (OP_READS_A | OP_READS_RESULT)

#define OP_PULLBACK_READS_NONE 0
#define OP_PULLBACK_READS_X OP_READS_A
#define OP_PULLBACK_READS_Y OP_READS_B
#define OP_PULLBACK_READS_XY (OP_READS_A | OP_READS_B)
#define OP_PULLBACK_READS_XYZ (OP_READS_A | OP_READS_B | OP_READS_RESULT)

/* What the slope with respect to the only or the first operand reads. */
static inline int op_slope_reads(int op) {
    switch (op) {
    case OP_LEAF: return 0;     /* as an instruction, a move */
    case OP_STOP: return 0;
#define OF_TWO(NAME, text, kind, value, reads, ...) case OP_##NAME: return OP_PULLBACK_READS_##reads;
#define BY_NUMBER(NAME, text, value, reads, ...) case OP_##NAME: return OP_PULLBACK_READS_##reads;
#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, reads, ...) \
    case OP_##NAME: return OP_FUNCTION_READS_##reads;
#include "table.h"
    }
    UNKNOWN_OP(op);
    return OP_READS_A | OP_READS_B | OP_READS_RESULT;
}

/* What the slope with respect to the second one reads. */
static inline int op_second_slope_reads(int op) {
    switch (op) {
#define OF_TWO(NAME, text, kind, value, reads_a, pullback_a, reads, ...) \
    case OP_##NAME: return OP_PULLBACK_READS_##reads;
#include "table.h"
    }
    UNKNOWN_OP(op);
    return OP_READS_A | OP_READS_B | OP_READS_RESULT;
}

/* What a rule is given, after its first parameter: only what it reads. */
#define OP_PARAMETERS_NONE(type)
#define OP_PARAMETERS_X(type) , type x
#define OP_PARAMETERS_Y(type) , type y
#define OP_PARAMETERS_XY(type) , type x, type y
#define OP_PARAMETERS_XYZ(type) , type x, type y, type z
#define OP_ARGUMENTS_NONE
#define OP_ARGUMENTS_X , x
#define OP_ARGUMENTS_Y , y
#define OP_ARGUMENTS_XY , x, y
#define OP_ARGUMENTS_XYZ , x, y, z

/* --- functions --- */

/* 1 / (1 + e^-x), in the form that cannot overflow. */
static inline double op_logistic(double x) {
    const double e = exp(-fabs(x));
    return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}

/* log(1 + e^x), in a form that cannot overflow. */
static inline double op_softplus(double x) { return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x))); }

/* The share of the normal distribution that is below x; its density at 0 is 1 / sqrt(2 pi). */
static inline double op_below(double x) { return 0.5 * erfc(x * -0.70710678118654752440); }
#define OP_DENSITY_AT_0 0.39894228040143267794

#define OP_ERF_SLOPE_AT_0 1.12837916709551257390     /* 2 / sqrt(pi) */

/* 0.5 (1 + tanh(u)) is the logistic function of 2u. This is the 2u of gelu_tanh, and its derivative. */
#define OP_GELU_TANH_OF(x) (1.59576912160573071176 * ((x) + 0.044715 * (x) * (x) * (x)))
#define OP_GELU_TANH_SLOPE(x) (1.59576912160573071176 * (1.0 + 0.134145 * (x) * (x)))

static inline double op_value(int op, double x) {
    switch (op) {
    case OP_STOP: return x;
#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, ...) \
    case OP_##NAME: return value;
#include "table.h"
    }
    UNKNOWN_OP(op);
    return NAN;
}

#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, reads, slope, \
                 ...) \
    static inline double op_slope_of_##NAME(int op OP_PARAMETERS_##reads(double)) { (void)op; return slope; }
#include "table.h"

/* x is the operand, y the value. */
static inline double op_slope(int op, double x, double y) {
    switch (op) {
#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, reads, ...) \
    case OP_##NAME: return op_slope_of_##NAME(op OP_ARGUMENTS_##reads);
#include "table.h"
    }
    UNKNOWN_OP(op);
    return NAN;
}

/* 1 if Python would hold an int. */
static inline int op_result_is_int(int op, double x, int x_is_int) {
    switch (op) {
#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, ...) \
    case OP_##NAME: return result_is_int;
#include "table.h"
    }
    UNKNOWN_OP(op);
    return 0;
}

/* 1 if the operand's gradient is an int where the result's is. */
static inline int op_gradient_keeps_int(int op) {
    switch (op) {
#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, ...) \
    case OP_##NAME: return keeps_int;
#include "table.h"
    }
    UNKNOWN_OP(op);
    return 0;
}

/* The same for code whose usual op is another one: out of line, lest each function that is added make it larger. */
OUT_OF_LINE double op_value_of_other(int op, double x) { return op_value(op, x); }

OUT_OF_LINE double op_slope_of_other(int op, double x, double y) { return op_slope(op, x, y); }

OUT_OF_LINE int op_other_result_is_int(int op, double x, int x_is_int) {
    return op_result_is_int(op, x, x_is_int);
}

#define OP_RAISES_SOMETIMES_NEVER 0
#define OP_RAISES_SOMETIMES_OverflowError 1
#define OP_RAISES_SOMETIMES_ValueError 1

/* A dot and a layer of lanes know only the value of an activation, and recording a dot cannot fail. */
#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, reads, ...) \
    typedef char op_activation_##NAME##_reads_its_value_only[ \
        sizeof(activation) == 1 || OP_FUNCTION_READS_##reads == OP_READS_RESULT ? 1 : -1]; \
    typedef char op_activation_##NAME##_never_raises[ \
        sizeof(activation) == 1 || !OP_RAISES_SOMETIMES_##error ? 1 : -1];
#include "table.h"

/* What a neuron may have after its sum. */
static inline int op_is_activation(int op) {
    switch (op) {
#define FUNCTION(NAME, name, text, activation, ...) case OP_##NAME: return sizeof(activation) > 1;
#include "table.h"
    }
    return 0;
}

/* --- of two operands --- */

static inline double op_value_of_two(int op, double x, double y) {
    switch (op) {
#define OF_TWO(NAME, text, kind, value, ...) case OP_##NAME: return value;
#define BY_NUMBER(NAME, text, value, ...) case OP_##NAME: return value;
#include "table.h"
    }
    UNKNOWN_OP(op);
    return NAN;
}

#define OF_TWO(NAME, text, kind, value, reads_a, pullback_a, reads_b, pullback_b, ...) \
    static inline double op_pullback_a_of_##NAME(double g OP_PARAMETERS_##reads_a(double)) { \
        (void)g; \
        return pullback_a; \
    } \
    static inline double op_pullback_b_of_##NAME(double g OP_PARAMETERS_##reads_b(double)) { \
        (void)g; \
        return pullback_b; \
    }
#include "table.h"

/* x's share of the adjoint g. */
static inline double op_pullback_a(int op, double x, double y, double g) {
    switch (op) {
#define OF_TWO(NAME, text, kind, value, reads, ...) \
    case OP_##NAME: return op_pullback_a_of_##NAME(g OP_ARGUMENTS_##reads);
#define BY_NUMBER(NAME, text, value, reads, pullback_a, ...) case OP_##NAME: return pullback_a;
#include "table.h"
    }
    UNKNOWN_OP(op);
    return NAN;
}

/* y's share; z is the value. Nobody needs it where y is a number. */
static inline double op_pullback_b(int op, double x, double y, double z, double g) {
    switch (op) {
#define OF_TWO(NAME, text, kind, value, reads_a, pullback_a, reads_b, ...) \
    case OP_##NAME: return op_pullback_b_of_##NAME(g OP_ARGUMENTS_##reads_b);
#include "table.h"
    }
    UNKNOWN_OP(op);
    return NAN;
}

/* --- texts --- */

/* What `_op` shows; a dot shows its activation's, and a power's number is appended. */
static inline const char *op_text(int op) {
    switch (op) {
#define NODE(NAME, text) case OP_##NAME: return text;
#define OF_TWO(NAME, text, ...) case OP_##NAME: return text;
#define BY_NUMBER(NAME, text, ...) case OP_##NAME: return text;
#define FUNCTION(NAME, name, text, ...) case OP_##NAME: return text;
#include "table.h"
    }
    UNKNOWN_OP(op);
    return "?";
}

#endif
