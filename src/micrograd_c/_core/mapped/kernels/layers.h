/* Layers of neurons over the rows of a block, forward and backward, in tiles that stay in registers. */

/* --- sums over rows --- */

/* The lanes of vector v that are rows. */
ALWAYS_INLINE Bits LANES(rows_of)(int32_t v, int32_t rows) {
    const Bits lane = LANE_NUMBERS;
    return MASK(lane < (uint64_t)(rows - v * LANE_COUNT));
}

#if LANE_COUNT == 8 && defined(SHUFFLED)
/* SUM of eight vectors at once, with the same order of additions. */
ALWAYS_INLINE void LANES(sum_eight)(const Lanes *x, double *sums) {
    int k;
    Lanes fours[4], twos[2], total;
    for (k = 0; k < 4; k++)     /* of two vectors, lanes 0 + 4, 1 + 5, 2 + 6, 3 + 7 each */
        fours[k] = SHUFFLED(x[2 * k], x[2 * k + 1], 0, 1, 2, 3, 8, 9, 10, 11)
                 + SHUFFLED(x[2 * k], x[2 * k + 1], 4, 5, 6, 7, 12, 13, 14, 15);
    for (k = 0; k < 2; k++)
        twos[k] = SHUFFLED(fours[2 * k], fours[2 * k + 1], 0, 1, 4, 5, 8, 9, 12, 13)
                + SHUFFLED(fours[2 * k], fours[2 * k + 1], 2, 3, 6, 7, 10, 11, 14, 15);
    total = SHUFFLED(twos[0], twos[1], 0, 2, 4, 6, 8, 10, 12, 14)
          + SHUFFLED(twos[0], twos[1], 1, 3, 5, 7, 9, 11, 13, 15);
    STORE(sums, 0, total);
}
#endif

/* SUM of each of `count` vectors. */
ALWAYS_INLINE void LANES(sum_each)(const Lanes *x, const int count, double *sums) {
    int k = 0;
#if LANE_COUNT == 8 && defined(SHUFFLED)
    for (; k + 8 <= count; k += 8)
        LANES(sum_eight)(x + k, sums + k);
#endif
    for (; k < count; k++)
        sums[k] = SUM(x[k]);
}

/* --- layers --- */

ALWAYS_INLINE void LANES(layer_tile)(const Layer *layer, double *slots, int32_t width, int32_t v, const double *numbers,
                                     int32_t i, const int many, const int vectors) {
    const double *weights = numbers + layer->weights + (int64_t)i * layer->inputs;
    const double *biases = numbers + layer->biases + i;
    const int32_t inputs = layer->inputs;
    Lanes sums[2 * OUTPUTS_AT_ONCE][VECTORS_AT_ONCE];
    int32_t j;
    int p, q;
    for (p = 0; p < many; p++)
        for (q = 0; q < vectors; q++)
            sums[p][q] = layer->starts == NULL ? LANES(all)(biases[p])
                                               : LOAD(slots + (int64_t)layer->starts[i + p] * width, v + q);
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
    if (vectors == 1)   /* fewer sums would wait for their additions */
        for (; i + 2 * OUTPUTS_AT_ONCE <= layer->outputs; i += 2 * OUTPUTS_AT_ONCE)
            LANES(layer_tile)(layer, slots, width, 0, numbers, i, 2 * OUTPUTS_AT_ONCE, 1);
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

/* Whether the inputs from j on can be done at once: each of them needs an adjoint, in a slot of its own. */
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

/* The products of `many` outputs' adjoints and `columns` inputs of one layer, a sum per lane. */
ALWAYS_INLINE void LANES(add_products)(const Layer *layer, const double *slots, const double *adjoints, int32_t width,
                                       int32_t rows, int32_t i, int32_t j, const int many, const int columns,
                                       Lanes *sums) {
    const int32_t whole = rows / LANE_COUNT;
    const int32_t *in = layer->in + j, *adjoint_out = layer->adjoint_out + i;
    const double *xs[COLUMNS_AT_ONCE], *gs[OUTPUTS_AT_ONCE];
    int32_t v;
    int p, q;
    for (q = 0; q < columns; q++)
        xs[q] = slots + (int64_t)in[q] * width;
    for (p = 0; p < many; p++)
        gs[p] = adjoints + (int64_t)adjoint_out[p] * width;
    for (v = 0; v < whole; v++)
        for (p = 0; p < many; p++)
            for (q = 0; q < columns; q++)
                sums[p * columns + q] = MULTIPLY_ADD(LOAD(gs[p], v), LOAD(xs[q], v), sums[p * columns + q]);
    if (v * LANE_COUNT < rows) {    /* lanes beyond the last row add nothing, not even 0 * infinity */
        const Bits mask = LANES(rows_of)(v, rows);
        for (p = 0; p < many; p++)
            for (q = 0; q < columns; q++)
                sums[p * columns + q] = MULTIPLY_ADD(NUMBERS(BITS(LOAD(gs[p], v)) & mask), NUMBERS(BITS(LOAD(xs[q], v)) & mask),
                                          sums[p * columns + q]);
    }
}

/* The gradients of `many` outputs' weights for `columns` inputs, of all layers that are summed together: adds to the
   totals, or starts them. */
ALWAYS_INLINE void LANES(weight_tile)(const Layer *layer, const double *slots, const double *adjoints, int32_t width,
                                      int32_t rows, int32_t i, int32_t j, const int many, const int columns, int fresh,
                                      double *totals) {
    double *to = totals + layer->weights + (int64_t)i * layer->inputs + j;
    const int32_t inputs = layer->inputs;
    Lanes sums[OUTPUTS_AT_ONCE * COLUMNS_AT_ONCE];
    double found[OUTPUTS_AT_ONCE * COLUMNS_AT_ONCE];
    int p, q;
    for (p = 0; p < many * columns; p++)
        sums[p] = LANES(all)(0.0);
    for (; layer != NULL; layer = layer->others)
        LANES(add_products)(layer, slots, adjoints, width, layer->lanes ? layer->lanes : rows, i, j, many, columns, sums);
    LANES(sum_each)(sums, many * columns, found);
    for (p = 0; p < many; p++)
        for (q = 0; q < columns; q++)
            to[(int64_t)p * inputs + q] = fresh ? found[p * columns + q] : to[(int64_t)p * inputs + q] + found[p * columns + q];
}

/* Turn the adjoints of `many` outputs into those of their sums, before the activation; add up the biases' gradients, or
   give the sums' adjoints to what they start from. */
ALWAYS_INLINE void LANES(output_tile)(const Layer *layer, const int activation, const double *slots, double *adjoints,
                                      int32_t width, int32_t rows, int32_t i, const int many, int fresh,
                                      double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    double *to = totals + layer->biases + i, found[OUTPUTS_AT_ONCE];
    Lanes sums[OUTPUTS_AT_ONCE], g;
    const double *ys[OUTPUTS_AT_ONCE];
    double *gs[OUTPUTS_AT_ONCE];
    int32_t v;
    int p;
    for (p = 0; p < many; p++) {
        ys[p] = slots + (int64_t)layer->out[i + p] * width;
        gs[p] = adjoints + (int64_t)layer->adjoint_out[i + p] * width;
        sums[p] = LANES(all)(0.0);
    }
    for (v = 0; v < vectors; v++)
        for (p = 0; p < many; p++) {
            g = LOAD(gs[p], v);
            if (activation != DO_MOVE) {
                g *= LANES(slope)(activation, LOAD(ys[p], v), LOAD(ys[p], v));     /* none of these needs x */
                STORE(gs[p], v, g);
            }
            if ((v + 1) * LANE_COUNT > rows)
                g = LANES(select)(LANES(rows_of)(v, rows), g, LANES(all)(0.0));
            sums[p] += g;
        }
    if (layer->wants_biases) {
        LANES(sum_each)(sums, many, found);
        for (p = 0; p < many; p++)
            to[p] = fresh ? found[p] : to[p] + found[p];
    }
    if (layer->starts != NULL)
        for (p = 0; p < many; p++)
            if (layer->adjoint_starts[i + p] >= 0) {
                double *start = adjoints + (int64_t)layer->adjoint_starts[i + p] * width;
                for (v = 0; v < vectors; v++)
                    STORE(start, v, layer->first_starts[i + p] ? LOAD(gs[p], v) : LOAD(start, v) + LOAD(gs[p], v));
            }
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
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    const int starts_biases = fresh && !layer->adds_biases;
    int32_t i, j, v;
    fresh &= !layer->adds_weights;
    switch (layer->activation) {
    case DO_MOVE: LANES(output_tiles)(layer, DO_MOVE, slots, adjoints, width, rows, starts_biases, totals); break;
#define FUNCTION(NAME, name, text, activation, ...) \
    case OP_##NAME: \
        if (sizeof(activation) == 1) UNKNOWN_OP(OP_##NAME); \
        else LANES(output_tiles)(layer, OP_##NAME, slots, adjoints, width, rows, starts_biases, totals); \
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
