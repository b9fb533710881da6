/* The table of ops for lanes: values, slopes and pullbacks of LANE_COUNT rows at once. */

/* Value and slope of the functions of one operand x; y is the value. */
ALWAYS_INLINE Lanes LANES(value)(int op, Lanes x) {
    switch (op) {
#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, reads, slope, \
                 ulp, lane_value, lane_slope, recorded) \
    case OP_##NAME: return lane_value;
#include "ops/table.h"
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, reads, slope, \
                 ulp, lane_value, lane_slope, recorded) \
    ALWAYS_INLINE Lanes LANES(slope_of_##NAME)(int op OP_PARAMETERS_##reads(Lanes)) { (void)op; return lane_slope; }
#include "ops/table.h"

ALWAYS_INLINE Lanes LANES(slope)(int op, Lanes x, Lanes y) {
    switch (op) {
#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, reads, ...) \
    case OP_##NAME: return LANES(slope_of_##NAME)(op OP_ARGUMENTS_##reads);
#include "ops/table.h"
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

/* Value and pullbacks of the ops of two, x and y; z is the value, g its adjoint. */
ALWAYS_INLINE Lanes LANES(value_of_two)(int op, Lanes x, Lanes y) {
    switch (op) {
#define OF_TWO(NAME, text, kind, value, reads_a, pullback_a, reads_b, pullback_b, lane_value, ...) \
    case OP_##NAME: return lane_value;
#include "ops/table.h"
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

#define OF_TWO(NAME, text, kind, value, reads_a, pullback_a, reads_b, pullback_b, lane_value, lane_pullback_a, \
               lane_pullback_b, ...) \
    ALWAYS_INLINE Lanes LANES(pullback_a_of_##NAME)(Lanes g OP_PARAMETERS_##reads_a(Lanes)) { \
        (void)g; \
        return lane_pullback_a; \
    } \
    ALWAYS_INLINE Lanes LANES(pullback_b_of_##NAME)(Lanes g OP_PARAMETERS_##reads_b(Lanes)) { \
        (void)g; \
        return lane_pullback_b; \
    }
#include "ops/table.h"

ALWAYS_INLINE Lanes LANES(pullback_a)(int op, Lanes x, Lanes y, Lanes g) {
    switch (op) {
#define OF_TWO(NAME, text, kind, value, reads_a, ...) \
    case OP_##NAME: return LANES(pullback_a_of_##NAME)(g OP_ARGUMENTS_##reads_a);
#include "ops/table.h"
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

ALWAYS_INLINE Lanes LANES(pullback_b)(int op, Lanes x, Lanes y, Lanes z, Lanes g) {
    switch (op) {
#define OF_TWO(NAME, text, kind, value, reads_a, pullback_a, reads_b, ...) \
    case OP_##NAME: return LANES(pullback_b_of_##NAME)(g OP_ARGUMENTS_##reads_b);
#include "ops/table.h"
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

/* Value and pullback of the ops of an operand and a number. */
ALWAYS_INLINE Lanes LANES(value_by_number)(int op, Lanes x, double y) {
    switch (op) {
#define BY_NUMBER(NAME, text, value, reads, pullback_a, lane_value, lane_pullback_a, ...) \
    case OP_##NAME: return lane_value;
#include "ops/table.h"
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

ALWAYS_INLINE Lanes LANES(pullback_by_number)(int op, Lanes x, double y, Lanes g) {
    switch (op) {
#define BY_NUMBER(NAME, text, value, reads, pullback_a, lane_value, lane_pullback_a, ...) \
    case OP_##NAME: return lane_pullback_a;
#include "ops/table.h"
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}
