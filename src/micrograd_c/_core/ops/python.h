/* The table of ops as Python sees it: texts, errors, and what its rows say. Needs Python.h, which Cython includes. */

#ifndef MICROGRAD_C_OPS_PYTHON_H
#define MICROGRAD_C_OPS_PYTHON_H

#include "ops.h"

/* A new reference to op_text(op), the same object each time; NULL, with an error set, if there is no memory. */
static inline PyObject *op_text_object(int op) {
    static PyObject *texts[OP_COUNT];
    if (op < 0 || op >= OP_COUNT) {
        UNKNOWN_OP(op);
        op = OP_LEAF;
    }
    if (!texts[op])
        texts[op] = PyUnicode_InternFromString(op_text(op));
    Py_XINCREF(texts[op]);
    return texts[op];
}

/* NULL for an op that cannot raise. */
static inline PyObject *op_error(int op) {
    switch (op) {
#define OP_RAISES_NEVER NULL
#define OP_RAISES_OverflowError PyExc_OverflowError
#define OP_RAISES_ValueError PyExc_ValueError
#define FUNCTION(NAME, name, text, activation, about, error, ...) case OP_##NAME: return OP_RAISES_##error;
#include "table.h"
    }
    UNKNOWN_OP(op);
    return NULL;
}

typedef struct {
    int op, ulp, reads;
    const char *name, *text, *activation, *about, *complaint, *slope, *recorded;
} FunctionRow;

static const FunctionRow function_rows[] = {
#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, reads, slope, \
                 ulp, lane_value, lane_slope, recorded) \
    {OP_##NAME, ulp, OP_FUNCTION_READS_##reads, #name, text, activation, about, complaint, #slope, recorded},
#include "table.h"
};

typedef struct {
    int op;
    const char *name, *text, *value, *pullback_a, *pullback_b, *recorded_a, *recorded_b;
} TwoRow;

static const TwoRow two_rows[] = {
#define OF_TWO(NAME, text, kind, value, reads_a, pullback_a, reads_b, pullback_b, lane_value, lane_pullback_a, \
               lane_pullback_b, recorded_a, recorded_b) \
    {OP_##NAME, #NAME, text, #value, #pullback_a, #pullback_b, recorded_a, recorded_b},
#define BY_NUMBER(NAME, text, value, reads, pullback_a, lane_value, lane_pullback_a, recorded_a) \
    {OP_##NAME, #NAME, text, #value, #pullback_a, "", recorded_a, ""},
#include "table.h"
};

enum { TWO_COUNT = sizeof two_rows / sizeof *two_rows };

enum { FUNCTION_COUNT = sizeof function_rows / sizeof *function_rows };

/* NULL, and no error set, if the op is no function. */
static inline const FunctionRow *function_row(int op) {
    int k;
    for (k = 0; k < FUNCTION_COUNT; k++)
        if (function_rows[k].op == op)
            return function_rows + k;
    return NULL;
}

#endif
