/* The kernels, written once for vectors of LANE_COUNT doubles. kernels.c includes this for each instruction set, and
   defines what names become, LANES(name), and the sizes of tiles. The order of operations is the eager engine's; only
   exp, log, tanh, sin, cos and some powers differ, by 2 ulp. */

#include "vectors.h"
#include "ops/lane_functions.h"
#include "rules.h"
#include "layers.h"

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

static void LANES(products_forward)(const Products *products, const Instruction *it, double *slots, int32_t width,
                                    int32_t vectors, const double *numbers) {
    double *out = slots + (int64_t)it->out * width;
    int32_t v, k;
    EACH(v) {
        Lanes sum = it->flags & B_UNIFORM ? LANES(all)(numbers[it->b]) : LOAD(slots + (int64_t)it->b * width, v);
        for (k = 0; k < products->count; k++)
            sum += LOAD(slots + (int64_t)products->a[k] * width, v) * LOAD(slots + (int64_t)products->b[k] * width, v);
        STORE(out, v, sum);
    }
}

static void LANES(gather_forward)(const Gather *gather, int uniform, double *out, const double *slots,
                                  const double *numbers) {
    const double *from = uniform ? numbers : slots;
    int k;
    for (k = 0; k < MOST_LANES; k++)
        out[k] = from[gather->from[k]];
}

/* Which of a take's uses an index is for; -1 if it is none. */
ALWAYS_INLINE int64_t LANES(use_at)(const Take *take, double index) {
    if (!(index >= -take->count && index < take->count) || index != floor(index))
        return -1;
    return take->first + (int64_t)index + (index < 0 ? take->count : 0);
}

static void LANES(take_forward)(const Take *take, const Instruction *it, const double *slots, int32_t width,
                                int32_t rows, double *out, const double *numbers) {
    const double *index = slots + (int64_t)it->a * width;
    int32_t k;
    for (k = 0; k < (rows + LANE_COUNT - 1) / LANE_COUNT * LANE_COUNT; k++) {
        int64_t use = LANES(use_at)(take, it->flags & A_UNIFORM ? numbers[it->a] : index[k]);
        out[k] = use < 0 ? NAN : numbers[use];
    }
}

static void LANES(take_backward)(const Take *take, const Instruction *it, const double *slots, const double *adjoints,
                                 int32_t width, int32_t rows, const double *numbers, int fresh, double *totals) {
    const double *index = slots + (int64_t)it->a * width;
    const double *g = adjoints + (int64_t)it->adjoint * width;
    int32_t k;
    if (fresh && !take->adds)
        memset(totals + take->first, 0, take->count * sizeof(double));
    for (k = 0; k < rows; k++) {
        int64_t use = LANES(use_at)(take, it->flags & A_UNIFORM ? numbers[it->a] : index[k]);
        if (use >= 0)
            totals[use] += g[k];
    }
}

static void LANES(loop_forward)(const Loop *loop, double *slots, int32_t width, int32_t rows, const double *numbers);

static void LANES(forward)(const Code *code, double *slots, int32_t width, int32_t rows_of_block, const double *numbers) {
    int32_t k, v;
    for (k = 0; k < code->count; k++) {
        const Instruction *it = code->instructions + k;
        const int32_t rows = it->lanes ? it->lanes : rows_of_block;
        const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
        double *out = slots + (int64_t)it->out * width;
        switch (it->op) {
        case DO_LAYER: LANES(layer_forward)(code->layers + it->a, slots, width, vectors, numbers); break;
        case DO_PRODUCTS: LANES(products_forward)(code->products + it->a, it, slots, width, vectors, numbers); break;
        case DO_GATHER:
            LANES(gather_forward)(code->gathers + it->a, it->flags & A_UNIFORM, out, slots, numbers);
            break;
        case DO_LOOP: LANES(loop_forward)(code->loops + it->a, slots, width, rows, numbers); break;
        case DO_TAKE: LANES(take_forward)(code->takes + it->b, it, slots, width, rows, out, numbers); break;
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

/* Gives an operand its share of the adjoint, `amount`, an expression of v. An operand that has rows has a slot for its
   adjoint, one vector after the other; the first share starts it, others are added:

       slot    [ v = 0 | v = 1 | v = 2 | ... ]      target[v] (+)= amount(v)

   A uniform operand is the same number for all rows. All shares of one use of it go into one number, the sum over the
   lanes of a sum per lane. Lanes beyond the last row must add nothing, not even 0 * infinity:

       sum     [ lane 0 | lane 1 | ... ]            lane k: amount(0)[k] + amount(1)[k] + ...
       total   (+)= lane 0 + lane 1 + ...
*/
#define GIVE(to, uniform, first, amount)                                                            \
    if (uniform) {                                                                                  \
        Lanes sum = LANES(all)(0.0);                                                                \
        for (v = 0; v < rows / LANE_COUNT; v++) sum += amount;                                      \
        if (v < vectors) sum = LANES(select)(LANES(rows_of)(v, rows), sum + (amount), sum);         \
        totals[to] = fresh ? SUM(sum) : totals[to] + SUM(sum);                                      \
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

/* A uniform operand has no slot: its number, taken for that of a slot, may lie beyond the array of slots. */
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

static void LANES(push_products)(const Products *products, const Instruction *it, const double *slots, double *adjoints,
                                 int32_t width, int32_t rows, int fresh, double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    const double *g = adjoints + (int64_t)it->adjoint * width;
    int32_t v, k;
    if (it->adjoint_b >= 0) {
        GIVE(it->adjoint_b, it->flags & B_UNIFORM, it->flags & B_FIRST, LOAD(g, v))
    }
    for (k = 0; k < products->count; k++) {
        const double *a = slots + (int64_t)products->a[k] * width;
        const double *b = slots + (int64_t)products->b[k] * width;
        if (products->adjoint_a[k] >= 0) {
            GIVE(products->adjoint_a[k], 0, products->first_a[k], LOAD(b, v) * LOAD(g, v))
        }
        if (products->adjoint_b[k] >= 0) {
            GIVE(products->adjoint_b[k], 0, products->first_b[k], LOAD(a, v) * LOAD(g, v))
        }
    }
}

static void LANES(gather_backward)(const Gather *gather, const Instruction *it, double *adjoints, int fresh,
                                   double *totals) {
    const double *g = adjoints + (int64_t)it->adjoint * MOST_LANES;
    int32_t k;
    if (it->flags & A_UNIFORM) {
        for (k = 0; k < it->lanes; k++) {
            double *total = totals + gather->from[k];
            *total = fresh ? g[k] : *total + g[k];      /* no other instruction has these uses */
        }
        return;
    }
    for (k = 0; k < gather->count; k++)
        if (gather->first[k])
            memset(adjoints + (int64_t)gather->to[k] * MOST_LANES, 0, MOST_LANES * sizeof(double));
    for (k = 0; k < it->lanes; k++)
        adjoints[gather->from[k]] += g[k];
}

static void LANES(loop_backward)(const Loop *loop, const double *slots, double *adjoints, int32_t width, int32_t rows,
                                 const double *numbers, int fresh, double *totals);

static void LANES(backward)(const Code *code, const double *slots, double *adjoints, int32_t width,
                            int32_t rows_of_block, const double *numbers, int fresh, double *totals) {
    int32_t k, v;
    for (k = code->count - 1; k >= 0; k--) {
        const Instruction *it = code->instructions + k;
        const int32_t rows = it->lanes ? it->lanes : rows_of_block;
        const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
        const double *g;
        if (it->adjoint < 0)
            continue;
        g = adjoints + (int64_t)it->adjoint * width;
        switch (it->op) {
        case DO_LAYER:
            LANES(layer_backward)(code->layers + it->a, slots, adjoints, width, rows, numbers, fresh, totals);
            break;
        case DO_PRODUCTS:
            LANES(push_products)(code->products + it->a, it, slots, adjoints, width, rows, fresh, totals);
            break;
        case DO_GATHER:
            LANES(gather_backward)(code->gathers + it->a, it, adjoints, fresh, totals);
            break;
        case DO_LOOP:
            LANES(loop_backward)(code->loops + it->a, slots, adjoints, width, rows, numbers, fresh, totals);
            break;
        case DO_TAKE:
            LANES(take_backward)(code->takes + it->b, it, slots, adjoints, width, rows, numbers, fresh, totals);
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

#include "loops.h"

#undef GIVE
#undef EACH
#undef LOAD
#undef STORE
#undef Lanes
#undef Bits
#undef LANE_NUMBERS
#undef SUM
#undef MASK
#undef BITS
#undef NUMBERS
#undef LANE
