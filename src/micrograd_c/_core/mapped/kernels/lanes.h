/* The kernels, written once for vectors of LANE_COUNT doubles. kernels.c includes this for each instruction set, with
   LANES(name) for what names become and the sizes of tiles. Order of operations is the eager engine's; only exp, log,
   tanh, sin, cos and some powers differ, by 2 ulp. */

#ifndef MICROGRAD_C_LANES_H
#define MICROGRAD_C_LANES_H

#if HAS_VECTORS
#define MASK(condition) ((Bits)(condition))
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define BITS(x) ((Bits)(x))
#define NUMBERS(x) ((Lanes)(x))
#define LANE(x, k) ((x)[k])
#else   /* one lane at a time */
#define MASK(condition) ((Bits)0 - (Bits)(condition))
#define ALWAYS_INLINE static inline
static inline uint64_t BITS(double x) { uint64_t bits; memcpy(&bits, &x, sizeof bits); return bits; }
static inline double NUMBERS(uint64_t bits) { double x; memcpy(&x, &bits, sizeof x); return x; }
#define LANE(x, k) (*(&(x) + (k)))
#endif

/* Added to a small number, rounds it to a whole one, whose two's complement is then in the low bits. */
#define ROUNDER 6755399441055744.0

#endif

#if LANE_COUNT == 1
typedef double LANES(Vector);
typedef uint64_t LANES(BitVector);
#define LANE_NUMBERS 0
#define SUM(x) (x)
#else
typedef double LANES(Vector) __attribute__((vector_size(8 * LANE_COUNT), aligned(8)));
typedef uint64_t LANES(BitVector) __attribute__((vector_size(8 * LANE_COUNT), aligned(8)));
#if LANE_COUNT == 2
#define LANE_NUMBERS {0, 1}
#define SUM(x) ((x)[0] + (x)[1])
#elif LANE_COUNT == 4
#define LANE_NUMBERS {0, 1, 2, 3}
#define SUM(x) (((x)[0] + (x)[2]) + ((x)[1] + (x)[3]))
#else
#define LANE_NUMBERS {0, 1, 2, 3, 4, 5, 6, 7}
#define SUM(x) ((((x)[0] + (x)[4]) + ((x)[2] + (x)[6])) + (((x)[1] + (x)[5]) + ((x)[3] + (x)[7])))
#endif
#endif
enum { LANES(lanes) = LANE_COUNT };
#define Lanes LANES(Vector)
#define Bits LANES(BitVector)

#define LOAD(pointer, v) (((const Lanes *)(pointer))[v])
#define STORE(pointer, v, x) (((Lanes *)(pointer))[v] = (x))

ALWAYS_INLINE Lanes LANES(all)(double x) { return x - (Lanes){0}; }    /* not 0 + x, which loses the sign of -0.0 */

ALWAYS_INLINE Lanes LANES(select)(Bits mask, Lanes yes, Lanes no) {
    return NUMBERS((mask & BITS(yes)) | (~mask & BITS(no)));
}

ALWAYS_INLINE Lanes LANES(magnitude)(Lanes x) { return NUMBERS(BITS(x) & ~((uint64_t)1 << 63)); }

ALWAYS_INLINE Lanes LANES(with_sign)(Lanes x, Lanes sign) {
    return NUMBERS(BITS(x) | (BITS(sign) & ((uint64_t)1 << 63)));
}

#include "ops/lane_functions.h"

/* --- the table of ops --- */

/* Of the functions of one operand x, y being the value. */
ALWAYS_INLINE Lanes LANES(value)(int op, Lanes x) {
    switch (op) {
#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, reads, slope, \
                 ulp, lane_value, lane_slope) \
    case OP_##NAME: return lane_value;
#include "ops/table.h"
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

#define FUNCTION(NAME, name, text, activation, about, error, complaint, result_is_int, keeps_int, value, reads, slope, \
                 ulp, lane_value, lane_slope) \
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
               lane_pullback_b) \
    ALWAYS_INLINE Lanes LANES(pullback_a_of_##NAME)(Lanes g OP_PARAMETERS_##reads_a(Lanes)) { \
        (void)g; \
        return lane_pullback_a; \
    } \
    ALWAYS_INLINE Lanes LANES(pullback_b_of_##NAME)(Lanes g OP_PARAMETERS_##reads_b(Lanes)) { return lane_pullback_b; }
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

/* Of an operand and a number. */
ALWAYS_INLINE Lanes LANES(value_by_number)(int op, Lanes x, double y) {
    switch (op) {
#define BY_NUMBER(NAME, text, value, reads, pullback_a, lane_value, lane_pullback_a) case OP_##NAME: return lane_value;
#include "ops/table.h"
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

ALWAYS_INLINE Lanes LANES(pullback_by_number)(int op, Lanes x, double y, Lanes g) {
    switch (op) {
#define BY_NUMBER(NAME, text, value, reads, pullback_a, lane_value, lane_pullback_a) \
    case OP_##NAME: return lane_pullback_a;
#include "ops/table.h"
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

/* --- sums over rows --- */

/* The lanes of vector v that are rows. */
ALWAYS_INLINE Bits LANES(rows_of)(int32_t v, int32_t rows) {
    const Bits lane = LANE_NUMBERS;
    return MASK(lane < (uint64_t)(rows - v * LANE_COUNT));
}

#if LANE_COUNT == 8 && (defined(__clang__) || __GNUC__ >= 12)
/* SUM of eight vectors at once, with the same order of additions. */
ALWAYS_INLINE void LANES(sum_each)(const Lanes *x, double *sums) {
    int k;
    Lanes fours[4], twos[2], total;
    for (k = 0; k < 4; k++)     /* of two vectors, lanes 0 + 4, 1 + 5, 2 + 6, 3 + 7 each */
        fours[k] = __builtin_shufflevector(x[2 * k], x[2 * k + 1], 0, 1, 2, 3, 8, 9, 10, 11)
                 + __builtin_shufflevector(x[2 * k], x[2 * k + 1], 4, 5, 6, 7, 12, 13, 14, 15);
    for (k = 0; k < 2; k++)
        twos[k] = __builtin_shufflevector(fours[2 * k], fours[2 * k + 1], 0, 1, 4, 5, 8, 9, 12, 13)
                + __builtin_shufflevector(fours[2 * k], fours[2 * k + 1], 2, 3, 6, 7, 10, 11, 14, 15);
    total = __builtin_shufflevector(twos[0], twos[1], 0, 2, 4, 6, 8, 10, 12, 14)
          + __builtin_shufflevector(twos[0], twos[1], 1, 3, 5, 7, 9, 11, 13, 15);
    STORE(sums, 0, total);
}
#endif

/* What is left of the lanes' sums: one number for each use of a uniform number. */
static void LANES(total)(const double *sums, int32_t count, double *gradients) {
    int32_t k = 0;
#if LANE_COUNT == 8 && (defined(__clang__) || __GNUC__ >= 12)
    for (; k + 8 <= count; k += 8)
        LANES(sum_each)((const Lanes *)sums + k, gradients + k);
#endif
    for (; k < count; k++)
        gradients[k] = SUM(LOAD(sums, k));
}

/* --- layers --- */

ALWAYS_INLINE void LANES(layer_tile)(const Layer *layer, double *slots, int32_t width, int32_t v, const double *numbers,
                                     int32_t i, const int many, const int vectors) {
    const double *weights = numbers + layer->weights + (int64_t)i * layer->inputs;
    const double *biases = numbers + layer->biases + i;
    const int32_t inputs = layer->inputs;
    Lanes sums[OUTPUTS_AT_ONCE][VECTORS_AT_ONCE];
    int32_t j;
    int p, q;
    for (p = 0; p < many; p++)
        for (q = 0; q < vectors; q++)
            sums[p][q] = LANES(all)(biases[p]);
    for (j = 0; j < inputs; j++) {
        const double *x = slots + (int64_t)layer->in[j] * width;
        for (p = 0; p < many; p++)
            for (q = 0; q < vectors; q++)
                sums[p][q] += weights[(int64_t)p * inputs + j] * LOAD(x, v + q);
    }
    for (p = 0; p < many; p++)
        for (q = 0; q < vectors; q++) {
            double *out = slots + (int64_t)layer->out[i + p] * width;
            STORE(out, v + q, layer->activation == OP_RELU ? LANES(relu)(sums[p][q]) : sums[p][q]);
        }
}

static void LANES(layer_forward)(const Layer *layer, double *slots, int32_t width, int32_t vectors,
                                 const double *numbers) {
    int32_t i = 0, v;
    for (; i + OUTPUTS_AT_ONCE <= layer->outputs; i += OUTPUTS_AT_ONCE) {
        for (v = 0; v + VECTORS_AT_ONCE <= vectors; v += VECTORS_AT_ONCE)
            LANES(layer_tile)(layer, slots, width, v, numbers, i, OUTPUTS_AT_ONCE, VECTORS_AT_ONCE);
        for (; v < vectors; v++)
            LANES(layer_tile)(layer, slots, width, v, numbers, i, OUTPUTS_AT_ONCE, 1);
    }
    for (; i < layer->outputs; i++)
        for (v = 0; v < vectors; v++)
            LANES(layer_tile)(layer, slots, width, v, numbers, i, 1, 1);
    if (layer->activation != DO_MOVE && layer->activation != OP_RELU)
        for (i = 0; i < layer->outputs; i++) {
            double *out = slots + (int64_t)layer->out[i] * width;
            for (v = 0; v < vectors; v++)
                STORE(out, v, LANES(value)(layer->activation, LOAD(out, v)));
        }
}

ALWAYS_INLINE void LANES(input_tile)(const Layer *layer, double *adjoints, int32_t width, int32_t v,
                                     const double *numbers, int32_t j, const int many, const int vectors) {
    const double *weights = numbers + layer->weights + j;
    Lanes sums[INPUTS_AT_ONCE][VECTORS_AT_ONCE];
    int32_t i;
    int p, q;
    for (p = 0; p < many; p++)
        for (q = 0; q < vectors; q++)
            sums[p][q] = LANES(all)(0.0);
    for (i = 0; i < layer->outputs; i++) {
        const double *g = adjoints + (int64_t)layer->adjoint_out[i] * width;
        for (p = 0; p < many; p++)
            for (q = 0; q < vectors; q++)
                sums[p][q] = MULTIPLY_ADD(LANES(all)(weights[(int64_t)i * layer->inputs + p]), LOAD(g, v + q), sums[p][q]);
    }
    for (p = 0; p < many; p++)
        for (q = 0; q < vectors; q++) {
            double *to = adjoints + (int64_t)layer->adjoint_in[j + p] * width;
            STORE(to, v + q, layer->first_in[j + p] ? sums[p][q] : LOAD(to, v + q) + sums[p][q]);
        }
}

/* Several inputs at once if all of them ask for an adjoint, in slots of their own. */
ALWAYS_INLINE int LANES(inputs_at_once)(const Layer *layer, int32_t j) {
    const int32_t *to = layer->adjoint_in + j;
    int p, q;
    if (j + INPUTS_AT_ONCE > layer->inputs)
        return 0;
    for (p = 0; p < INPUTS_AT_ONCE; p++) {
        if (to[p] < 0)
            return 0;
        for (q = 0; q < p; q++)
            if (to[p] == to[q])
                return 0;
    }
    return 1;
}

/* The gradients of `many` outputs' weights for `columns` inputs, a sum a lane: adds to those, or starts them. */
ALWAYS_INLINE void LANES(weight_tile)(const Layer *layer, const double *slots, const double *adjoints, int32_t width,
                                      int32_t rows, int32_t i, int32_t j, const int many, const int columns, int fresh,
                                      double *totals) {
    const int32_t whole = rows / LANE_COUNT;
    const double *xs[COLUMNS_AT_ONCE], *gs[OUTPUTS_AT_ONCE];
    Lanes *to = (Lanes *)totals + layer->weights + (int64_t)i * layer->inputs + j;
    Lanes sums[OUTPUTS_AT_ONCE][COLUMNS_AT_ONCE];
    int32_t v;
    int p, q;
    for (q = 0; q < columns; q++)
        xs[q] = slots + (int64_t)layer->in[j + q] * width;
    for (p = 0; p < many; p++)
        gs[p] = adjoints + (int64_t)layer->adjoint_out[i + p] * width;
    for (p = 0; p < many; p++)
        for (q = 0; q < columns; q++)
            sums[p][q] = fresh ? LANES(all)(0.0) : to[(int64_t)p * layer->inputs + q];
    for (v = 0; v < whole; v++)
        for (p = 0; p < many; p++)
            for (q = 0; q < columns; q++)
                sums[p][q] = MULTIPLY_ADD(LOAD(gs[p], v), LOAD(xs[q], v), sums[p][q]);
    if (v * LANE_COUNT < rows) {    /* what is no row adds nothing, not even 0 * infinity */
        const Bits mask = LANES(rows_of)(v, rows);
        for (p = 0; p < many; p++)
            for (q = 0; q < columns; q++)
                sums[p][q] = LANES(select)(mask, MULTIPLY_ADD(LOAD(gs[p], v), LOAD(xs[q], v), sums[p][q]), sums[p][q]);
    }
    for (p = 0; p < many; p++)
        for (q = 0; q < columns; q++)
            to[(int64_t)p * layer->inputs + q] = sums[p][q];
}

/* The adjoints of `many` outputs become those of their sums, before the activation; and the biases' gradients. */
ALWAYS_INLINE void LANES(output_tile)(const Layer *layer, const int activation, const double *slots, double *adjoints,
                                      int32_t width, int32_t rows, int32_t i, const int many, int fresh,
                                      double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    Lanes *to = (Lanes *)totals + layer->biases + i;
    Lanes sums[OUTPUTS_AT_ONCE], g;
    const double *ys[OUTPUTS_AT_ONCE];
    double *gs[OUTPUTS_AT_ONCE];
    int32_t v;
    int p;
    for (p = 0; p < many; p++) {
        ys[p] = slots + (int64_t)layer->out[i + p] * width;
        gs[p] = adjoints + (int64_t)layer->adjoint_out[i + p] * width;
        sums[p] = fresh || !layer->wants_weights ? LANES(all)(0.0) : to[p];
    }
    for (v = 0; v < vectors; v++)
        for (p = 0; p < many; p++) {
            g = LOAD(gs[p], v);
            if (activation != DO_MOVE) {
                g *= LANES(slope)(activation, LOAD(ys[p], v), LOAD(ys[p], v));     /* none of these asks for x */
                STORE(gs[p], v, g);
            }
            if ((v + 1) * LANE_COUNT > rows)
                g = LANES(select)(LANES(rows_of)(v, rows), g, LANES(all)(0.0));
            sums[p] += g;
        }
    if (layer->wants_weights)
        for (p = 0; p < many; p++)
            to[p] = sums[p];
}

ALWAYS_INLINE void LANES(output_tiles)(const Layer *layer, const int activation, const double *slots, double *adjoints,
                                       int32_t width, int32_t rows, int fresh, double *totals) {
    int32_t i;
    for (i = 0; i + OUTPUTS_AT_ONCE <= layer->outputs; i += OUTPUTS_AT_ONCE)
        LANES(output_tile)(layer, activation, slots, adjoints, width, rows, i, OUTPUTS_AT_ONCE, fresh, totals);
    for (; i < layer->outputs; i++)
        LANES(output_tile)(layer, activation, slots, adjoints, width, rows, i, 1, fresh, totals);
}

static void LANES(layer_backward)(const Layer *layer, const double *slots, double *adjoints, int32_t width,
                                  int32_t rows, const double *numbers, int fresh, double *totals) {
    int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT, i, j, v;
    switch (layer->activation) {
    case DO_MOVE: LANES(output_tiles)(layer, DO_MOVE, slots, adjoints, width, rows, fresh, totals); break;
#define FUNCTION(NAME, name, text, activation, ...) \
    case OP_##NAME: \
        if (sizeof(activation) == 1) UNKNOWN_OP(OP_##NAME); \
        else LANES(output_tiles)(layer, OP_##NAME, slots, adjoints, width, rows, fresh, totals); \
        break;
#include "ops/table.h"
    default: UNKNOWN_OP(layer->activation);
    }
    if (layer->wants_weights) {
        for (i = 0; i + OUTPUTS_AT_ONCE <= layer->outputs; i += OUTPUTS_AT_ONCE) {
            for (j = 0; j + COLUMNS_AT_ONCE <= layer->inputs; j += COLUMNS_AT_ONCE)
                LANES(weight_tile)(layer, slots, adjoints, width, rows, i, j, OUTPUTS_AT_ONCE, COLUMNS_AT_ONCE, fresh,
                                   totals);
            for (; j < layer->inputs; j++)
                LANES(weight_tile)(layer, slots, adjoints, width, rows, i, j, OUTPUTS_AT_ONCE, 1, fresh, totals);
        }
        for (; i < layer->outputs; i++) {
            for (j = 0; j + COLUMNS_AT_ONCE <= layer->inputs; j += COLUMNS_AT_ONCE)
                LANES(weight_tile)(layer, slots, adjoints, width, rows, i, j, 1, COLUMNS_AT_ONCE, fresh, totals);
            for (; j < layer->inputs; j++)
                LANES(weight_tile)(layer, slots, adjoints, width, rows, i, j, 1, 1, fresh, totals);
        }
    }
    for (j = 0; j < layer->inputs; ) {
        if (LANES(inputs_at_once)(layer, j)) {
            for (v = 0; v + VECTORS_AT_ONCE <= vectors; v += VECTORS_AT_ONCE)
                LANES(input_tile)(layer, adjoints, width, v, numbers, j, INPUTS_AT_ONCE, VECTORS_AT_ONCE);
            for (; v < vectors; v++)
                LANES(input_tile)(layer, adjoints, width, v, numbers, j, INPUTS_AT_ONCE, 1);
            j += INPUTS_AT_ONCE;
        } else {
            if (layer->adjoint_in[j] >= 0)
                for (v = 0; v < vectors; v++)
                    LANES(input_tile)(layer, adjoints, width, v, numbers, j, 1, 1);
            j++;
        }
    }
}

/* --- single instructions --- */

#define EACH(v) for (v = 0; v < vectors; v++)

ALWAYS_INLINE void LANES(apply)(int op, const double *a, double *out, int32_t vectors) {
    int32_t v;
    EACH(v) STORE(out, v, LANES(value)(op, LOAD(a, v)));
}

ALWAYS_INLINE void LANES(apply_both)(int op, const Instruction *it, const double *slots, int32_t width, double *out,
                                     const double *numbers, int32_t vectors) {
    int32_t v;
    if (it->flags & B_UNIFORM) {
        const double *a = slots + (int64_t)it->a * width;
        Lanes y = LANES(all)(numbers[it->b]);
        EACH(v) STORE(out, v, LANES(value_of_two)(op, LOAD(a, v), y));
    } else if (it->flags & A_UNIFORM) {
        const double *b = slots + (int64_t)it->b * width;
        Lanes x = LANES(all)(numbers[it->a]);
        EACH(v) STORE(out, v, LANES(value_of_two)(op, x, LOAD(b, v)));
    } else {
        const double *a = slots + (int64_t)it->a * width;
        const double *b = slots + (int64_t)it->b * width;
        EACH(v) STORE(out, v, LANES(value_of_two)(op, LOAD(a, v), LOAD(b, v)));
    }
}

ALWAYS_INLINE void LANES(apply_by_number)(int op, const double *a, double number, double *out, int32_t vectors) {
    int32_t v;
    EACH(v) STORE(out, v, LANES(value_by_number)(op, LOAD(a, v), number));
}

static void LANES(forward)(const Code *code, double *slots, int32_t width, int32_t rows, const double *numbers) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    int32_t k, v;
    for (k = 0; k < code->count; k++) {
        const Instruction *it = code->instructions + k;
        double *out = slots + (int64_t)it->out * width;
        switch (it->op) {
        case DO_LAYER: LANES(layer_forward)(code->layers + it->a, slots, width, vectors, numbers); break;
#define OF_TWO(NAME, ...) \
        case OP_##NAME: LANES(apply_both)(OP_##NAME, it, slots, width, out, numbers, vectors); break;
#define BY_NUMBER(NAME, ...) \
        case OP_##NAME: \
            LANES(apply_by_number)(OP_##NAME, slots + (int64_t)it->a * width, numbers[it->b], out, vectors); \
            break;
#define FUNCTION(NAME, ...) \
        case OP_##NAME: LANES(apply)(OP_##NAME, slots + (int64_t)it->a * width, out, vectors); break;
#include "ops/table.h"
        case DO_MOVE:
        case OP_STOP:
            if (it->flags & A_UNIFORM) {
                EACH(v) STORE(out, v, LANES(all)(numbers[it->a]));
            } else {
                const double *a = slots + (int64_t)it->a * width;
                EACH(v) STORE(out, v, LOAD(a, v));
            }
            break;
        default:
            UNKNOWN_OP(it->op);
        }
    }
}

/* What an operand gets: to its adjoint slot, or, a sum a lane, to the total of that use of a uniform. */
#define GIVE(to, uniform, first, amount)                                                            \
    if (uniform) {                                                                                  \
        Lanes sum = fresh ? LANES(all)(0.0) : LOAD(totals, to);                                     \
        for (v = 0; v < rows / LANE_COUNT; v++) sum += amount;                                      \
        if (v < vectors) sum = LANES(select)(LANES(rows_of)(v, rows), sum + (amount), sum);         \
        STORE(totals, to, sum);                                                                     \
    } else {                                                                                        \
        double *target = adjoints + (int64_t)(to) * width;                                          \
        if (first) EACH(v) STORE(target, v, amount);                                                \
        else EACH(v) STORE(target, v, LOAD(target, v) + amount);                                    \
    }

ALWAYS_INLINE void LANES(push)(int op, const Instruction *it, const double *slots, double *adjoints, int32_t width,
                               int32_t rows, int fresh, double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    const double *x = slots + (int64_t)it->a * width;
    const double *y = slots + (int64_t)it->out * width;
    const double *g = adjoints + (int64_t)it->adjoint * width;
    int32_t v;
    if (it->adjoint_a >= 0) {
        GIVE(it->adjoint_a, 0, it->flags & A_FIRST, LANES(slope)(op, LOAD(x, v), LOAD(y, v)) * LOAD(g, v))
    }
}

/* A uniform operand has no slot: what would be its place in the array of slots may lie beyond it. */
ALWAYS_INLINE void LANES(push_both)(int op, const Instruction *it, const double *slots, double *adjoints,
                                    int32_t width, int32_t rows, const double *numbers, int fresh,
                                    double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    const int a_uniform = it->flags & A_UNIFORM, b_uniform = it->flags & B_UNIFORM;
    const double *a = a_uniform ? NULL : slots + (int64_t)it->a * width;
    const double *b = b_uniform ? NULL : slots + (int64_t)it->b * width;
    const double *z = slots + (int64_t)it->out * width;
    const double *g = adjoints + (int64_t)it->adjoint * width;
    const Lanes ua = LANES(all)(a_uniform ? numbers[it->a] : 0.0), ub = LANES(all)(b_uniform ? numbers[it->b] : 0.0);
    int32_t v;
#define X (a_uniform ? ua : LOAD(a, v))
#define Y (b_uniform ? ub : LOAD(b, v))
    if (it->adjoint_a >= 0) {
        GIVE(it->adjoint_a, a_uniform, it->flags & A_FIRST, LANES(pullback_a)(op, X, Y, LOAD(g, v)))
    }
    if (it->adjoint_b >= 0) {
        GIVE(it->adjoint_b, b_uniform, it->flags & B_FIRST, LANES(pullback_b)(op, X, Y, LOAD(z, v), LOAD(g, v)))
    }
#undef X
#undef Y
}

ALWAYS_INLINE void LANES(push_by_number)(int op, const Instruction *it, const double *slots, double *adjoints,
                                         int32_t width, int32_t rows, double number, int fresh, double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    const double *x = slots + (int64_t)it->a * width;
    const double *g = adjoints + (int64_t)it->adjoint * width;
    int32_t v;
    if (it->adjoint_a >= 0) {
        GIVE(it->adjoint_a, 0, it->flags & A_FIRST, LANES(pullback_by_number)(op, LOAD(x, v), number, LOAD(g, v)))
    }
}

static void LANES(backward)(const Code *code, const double *slots, double *adjoints, int32_t width, int32_t rows,
                            const double *numbers, int fresh, double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    int32_t k, v;
    for (k = code->count - 1; k >= 0; k--) {
        const Instruction *it = code->instructions + k;
        const double *g;
        if (it->adjoint < 0)
            continue;
        g = adjoints + (int64_t)it->adjoint * width;
        switch (it->op) {
        case DO_LAYER:
            LANES(layer_backward)(code->layers + it->a, slots, adjoints, width, rows, numbers, fresh, totals);
            break;
#define OF_TWO(NAME, ...) \
        case OP_##NAME: \
            LANES(push_both)(OP_##NAME, it, slots, adjoints, width, rows, numbers, fresh, totals); \
            break;
#define BY_NUMBER(NAME, ...) \
        case OP_##NAME: \
            LANES(push_by_number)(OP_##NAME, it, slots, adjoints, width, rows, numbers[it->b], fresh, totals); \
            break;
#define FUNCTION(NAME, ...) \
        case OP_##NAME: LANES(push)(OP_##NAME, it, slots, adjoints, width, rows, fresh, totals); break;
#include "ops/table.h"
        case DO_MOVE:
            if (it->adjoint_a >= 0) {
                GIVE(it->adjoint_a, it->flags & A_UNIFORM, it->flags & A_FIRST, LOAD(g, v))
            }
            break;
        case OP_STOP:
            break;
        default:
            UNKNOWN_OP(it->op);
        }
    }
}

#undef GIVE
#undef EACH
#undef LOAD
#undef STORE
#undef Lanes
#undef Bits
#undef LANE_NUMBERS
#undef SUM
