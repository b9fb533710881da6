/* The GPT of examples/gpt.py forward and backward, many documents at a time: each number is that of as many documents
   as a few vectors hold, so that weights are read once for all of these. Matrix products keep a block of sums in
   registers. What weights' gradients need is kept for all positions, so that each is summed over lanes but once.
   Documents of a group go as far as its longest: sort them by length. */

#include "gpt_step.h"
#include "lanes.h"

#include <math.h>
#include <string.h>

enum { VECTORS = 4, GROUP = VECTORS * LANES, ROWS = REGISTERS == 32 ? 4 : 3, COLUMNS = 4 };

typedef Lanes Number[VECTORS];          /* of each document of a group */

/* What the way back needs of one position; d_x is the derivative of the loss with respect to x. */
typedef struct {
    Number normed[WIDTH], scale;                            /* what attention reads */
    Number read[READ], weights[HEADS][POSITIONS], found[WIDTH];
    Number normed_again[WIDTH], scale_again, hidden[HIDDEN], result[WIDTH], scale_last;
    Number d_read[READ], d_found[WIDTH], d_attended[WIDTH], d_hidden[HIDDEN], d_contracted[WIDTH], d_logits[VOCABULARY];
} Position;

enum { STRIDE = sizeof(Position) / sizeof(Number) };

static Position all_positions[POSITIONS];

#define EACH_VECTOR for (int v = 0; v < VECTORS; v++)
#define OF(number, document) (((double *)(number))[document])

/* --- matrix products --- */

INLINE void product_block(int count, const double *w, int out_step, int in_step, int inner, Number *in, Number *out,
                          const Number *start, const Number *gates) {
    Lanes sums[ROWS][VECTORS];
    for (int p = 0; p < count; p++)
        EACH_VECTOR sums[p][v] = start ? start[p][v] : all(0);
    for (int k = 0; k < inner; k++)
        for (int p = 0; p < count; p++)
            EACH_VECTOR sums[p][v] += w[p * out_step + k * in_step] * in[k][v];
    for (int p = 0; p < count; p++)
        EACH_VECTOR {
            Lanes gate = gates == out ? sums[p][v] : gates ? gates[p][v] : all(1);
            out[p][v] = kept(gate > 0, sums[p][v]);
        }
}

/* out = start + w in, where w[o * out_step + k * in_step] leads from in[k] to out[o]. With gates, out is 0 where these
   are not above 0; out may be its own. */
INLINE void product(const double *w, int out_step, int in_step, int outer, int inner, Number *in, Number *out,
                    const Number *start, const Number *gates) {
    int o = 0;
#define BLOCK(count) product_block(count, w + o * out_step, out_step, in_step, inner, in, out + o, \
                                   start ? start + o : 0, gates == out ? out + o : gates ? gates + o : 0)
    for (; o + ROWS <= outer; o += ROWS)
        BLOCK(ROWS);
    if (outer % ROWS)
        BLOCK(outer % ROWS);
}

#define FORWARD(at, outer, inner, in, out, start, gates) \
    product(w + (at), inner, 1, outer, inner, in, out, start, gates)
#define BACKWARD(at, outer, inner, d_out, d_in, gates) \
    product(w + (at), 1, inner, inner, outer, d_out, d_in, 0, gates)

INLINE void gradient_block(int count, double *g, int columns, Number *d_out, Number *in, int length) {
    Lanes sums[ROWS][COLUMNS];
    memset(sums, 0, sizeof sums);
    for (int t = 0; t < length; t++)
#pragma GCC unroll 1                    /* or -ffast-math would split sums into more than there are registers */
        EACH_VECTOR
            for (int p = 0; p < count; p++)
                for (int q = 0; q < COLUMNS; q++)
                    sums[p][q] += d_out[t * STRIDE + p][v] * in[t * STRIDE + q][v];
    for (int p = 0; p < count; p++)
        add_totals(g + p * columns, sums[p]);
}

/* g += d_out in^T, summed over documents and positions; d_out and in are those of the first position */
INLINE void gradient(double *g, int rows, int columns, Number *d_out, Number *in, int length) {
    int r = 0;
    for (; r + ROWS <= rows; r += ROWS)
        for (int c = 0; c < columns; c += COLUMNS)
            gradient_block(ROWS, g + r * columns + c, columns, d_out + r, in + c, length);
    if (rows % ROWS)
        for (int c = 0; c < columns; c += COLUMNS)
            gradient_block(rows % ROWS, g + r * columns + c, columns, d_out + r, in + c, length);
}

/* --- the parts of the model --- */

INLINE void norm(Number *x, Number *out, Number scale) {
    EACH_VECTOR {
        Lanes sum = all(0);
        for (int k = 0; k < WIDTH; k++)
            sum += x[k][v] * x[k][v];
        sum = sum * (1.0 / WIDTH) + EPSILON;
        for (int k = 0; k < LANES; k++)
            sum[k] = 1 / sqrt(sum[k]);
        scale[v] = sum;
        for (int k = 0; k < WIDTH; k++)
            out[k][v] = x[k][v] * sum;
    }
}

/* d_x = start + what comes back */
INLINE void norm_back(Number *normed, Number scale, Number *d_normed, const Number *start, Number *d_x) {
    EACH_VECTOR {
        Lanes sum = all(0);
        for (int k = 0; k < WIDTH; k++)
            sum += d_normed[k][v] * normed[k][v];
        sum *= 1.0 / WIDTH;
        for (int k = 0; k < WIDTH; k++)
            d_x[k][v] = (start ? start[k][v] : all(0)) + scale[v] * (d_normed[k][v] - normed[k][v] * sum);
    }
}

static void attend(Position *first, int length, int head) {
    int to_query = head * KINDS * HEAD, to_key = to_query + HEAD, to_value = to_key + HEAD;
    for (int t = 0; t < length; t++) {
        Number query[HEAD], found[HEAD], highest, sum, scores[POSITIONS];
        EACH_VECTOR {
            highest[v] = all(-HUGE_VAL);
            sum[v] = all(0);
            for (int k = 0; k < HEAD; k++) {
                query[k][v] = first[t].read[to_query + k][v] * 0.5;
                found[k][v] = all(0);
            }
        }
        for (int s = 0; s <= t; s++)
            EACH_VECTOR {
                Lanes score = all(0);
                for (int k = 0; k < HEAD; k++)
                    score += query[k][v] * first[s].read[to_key + k][v];
                scores[s][v] = score;
                highest[v] = largest(highest[v], score);
            }
        for (int s = 0; s <= t; s++)
            EACH_VECTOR {
                Lanes weight = exponential(scores[s][v] - highest[v]);
                sum[v] += weight;
                scores[s][v] = weight;
                for (int k = 0; k < HEAD; k++)
                    found[k][v] += weight * first[s].read[to_value + k][v];
            }
        EACH_VECTOR sum[v] = 1 / sum[v];
        for (int s = 0; s <= t; s++)
            EACH_VECTOR first[t].weights[head][s][v] = scores[s][v] * sum[v];
        for (int k = 0; k < HEAD; k++)
            EACH_VECTOR first[t].found[head * HEAD + k][v] = found[k][v] * sum[v];
    }
}

static void attend_back(Position *first, int length, int head) {
    int to_query = head * KINDS * HEAD, to_key = to_query + HEAD, to_value = to_key + HEAD;
    Number d_query[POSITIONS][HEAD], sums[POSITIONS];
    for (int t = 0; t < length; t++)
        EACH_VECTOR {
            sums[t][v] = all(0);
            for (int k = 0; k < HEAD; k++) {
                d_query[t][k][v] = all(0);
                sums[t][v] += first[t].d_found[head * HEAD + k][v] * first[t].found[head * HEAD + k][v];
            }
        }
    for (int s = 0; s < length; s++)
#pragma GCC unroll 1                    /* likewise */
        EACH_VECTOR {
            Lanes key[HEAD], value[HEAD], d_key[HEAD] = {{0}}, d_value[HEAD] = {{0}};
            for (int k = 0; k < HEAD; k++) {
                key[k] = first[s].read[to_key + k][v];
                value[k] = first[s].read[to_value + k][v];
            }
            for (int t = s; t < length; t++) {
                Number *above = first[t].d_found + head * HEAD, *query = first[t].read + to_query;
                Lanes weight = first[t].weights[head][s][v], d_weight = -sums[t][v];
                for (int k = 0; k < HEAD; k++)
                    d_weight += above[k][v] * value[k];
                d_weight *= weight;
                for (int k = 0; k < HEAD; k++) {
                    d_value[k] += weight * above[k][v];
                    d_key[k] += d_weight * query[k][v];
                    d_query[t][k][v] += d_weight * key[k];
                }
            }
            for (int k = 0; k < HEAD; k++) {
                first[s].d_read[to_query + k][v] = d_query[s][k][v] * 0.5;
                first[s].d_read[to_key + k][v] = d_key[k] * 0.5;
                first[s].d_read[to_value + k][v] = d_value[k];
            }
        }
}

/* --- forward and backward --- */

static void embed(const double *w, Number *x, const int *tokens, int t) {
    for (int k = 0; k < WIDTH; k += LANES)
        EACH_VECTOR {
            Lanes rows[LANES];
            for (int d = 0; d < LANES; d++)
                rows[d] = LOOSE(w + AT_CHARACTERS + tokens[v * LANES + d] * WIDTH + k) +
                          LOOSE(w + AT_POSITIONS + t * WIDTH + k);
            turn(rows);
            for (int p = 0; p < LANES; p++)
                x[k + p][v] = rows[p];
        }
}

static void embed_back(double *g, Number *d_x, const int *tokens, int t) {
    for (int k = 0; k < WIDTH; k += LANES)
        EACH_VECTOR {
            Lanes rows[LANES], sum = all(0);
            for (int p = 0; p < LANES; p++)
                rows[p] = d_x[k + p][v];
            turn(rows);
            for (int d = 0; d < LANES; d++) {
                LOOSE(g + AT_CHARACTERS + tokens[v * LANES + d] * WIDTH + k) += rows[d];
                sum += rows[d];
            }
            LOOSE(g + AT_POSITIONS + t * WIDTH + k) += sum;
        }
}

/* Makes the derivatives of logits. Returns the loss; shares[d] is how much a document's count. */
static double surprise(Number *logits, const int *targets, const double *shares) {
    Number highest, sums;
    double loss = 0;
    EACH_VECTOR highest[v] = logits[0][v];
    for (int k = 1; k < VOCABULARY; k++)
        EACH_VECTOR highest[v] = largest(highest[v], logits[k][v]);
    for (int d = 0; d < GROUP; d++)
        loss += shares[d] * (OF(highest, d) - OF(logits[targets[d]], d));
    EACH_VECTOR sums[v] = all(0);
    for (int k = 0; k < VOCABULARY; k++)
        EACH_VECTOR sums[v] += logits[k][v] = exponential(logits[k][v] - highest[v]);
    EACH_VECTOR highest[v] = LOOSE(shares + v * LANES) / sums[v];
    for (int k = 0; k < VOCABULARY; k++)
        EACH_VECTOR logits[k][v] *= highest[v];
    for (int d = 0; d < GROUP; d++)
        loss += shares[d] * log(OF(sums, d));
    for (int d = 0; d < GROUP; d++)
        OF(logits[targets[d]], d) -= shares[d];
    return loss;
}

static double gradients_of_group(const double *w, double *g, int tokens[TOKENS][GROUP], double shares[][GROUP],
                                 int length) {
    Position *first = all_positions;
    Number embedded[POSITIONS][WIDTH];
    double loss = 0;
    for (int t = 0; t < length; t++) {
        embed(w, embedded[t], tokens[t], t);
        norm(embedded[t], first[t].normed, first[t].scale);
        FORWARD(AT_HEADS, READ, WIDTH, first[t].normed, first[t].read, 0, 0);
    }
    for (int head = 0; head < HEADS; head++)
        attend(first, length, head);
    for (int t = 0; t < length; t++) {
        Position *at = first + t;
        Number x[WIDTH], d_normed[WIDTH];
        FORWARD(AT_OUTPUT, WIDTH, WIDTH, at->found, x, embedded[t], 0);
        norm(x, at->normed_again, at->scale_again);
        FORWARD(AT_EXPAND, HIDDEN, WIDTH, at->normed_again, at->hidden, 0, at->hidden);
        FORWARD(AT_CONTRACT, WIDTH, HIDDEN, at->hidden, x, x, 0);
        norm(x, at->result, at->scale_last);
        FORWARD(AT_PREDICT, VOCABULARY, WIDTH, at->result, at->d_logits, 0, 0);
        loss += surprise(at->d_logits, tokens[t + 1], shares[t]);

        BACKWARD(AT_PREDICT, VOCABULARY, WIDTH, at->d_logits, d_normed, 0);
        norm_back(at->result, at->scale_last, d_normed, 0, at->d_contracted);
        BACKWARD(AT_CONTRACT, WIDTH, HIDDEN, at->d_contracted, at->d_hidden, at->hidden);
        BACKWARD(AT_EXPAND, HIDDEN, WIDTH, at->d_hidden, d_normed, 0);
        norm_back(at->normed_again, at->scale_again, d_normed, at->d_contracted, at->d_attended);
        BACKWARD(AT_OUTPUT, WIDTH, WIDTH, at->d_attended, at->d_found, 0);
    }
    for (int head = 0; head < HEADS; head++)
        attend_back(first, length, head);
    for (int t = 0; t < length; t++) {
        Number d_normed[WIDTH], d_x[WIDTH];
        BACKWARD(AT_HEADS, READ, WIDTH, first[t].d_read, d_normed, 0);
        norm_back(first[t].normed, first[t].scale, d_normed, first[t].d_attended, d_x);
        embed_back(g, d_x, tokens[t], t);
    }
    gradient(g + AT_HEADS, READ, WIDTH, first->d_read, first->normed, length);
    gradient(g + AT_OUTPUT, WIDTH, WIDTH, first->d_attended, first->found, length);
    gradient(g + AT_EXPAND, HIDDEN, WIDTH, first->d_hidden, first->normed_again, length);
    gradient(g + AT_CONTRACT, WIDTH, HIDDEN, first->d_contracted, first->hidden, length);
    gradient(g + AT_PREDICT, VOCABULARY, WIDTH, first->d_logits, first->result, length);
    return loss;
}

double gradients_of_batch(const double *w, double *g, const int (*tokens)[TOKENS], const int *lengths, int documents) {
    double loss = 0;
    memset(g, 0, PARAMETERS * sizeof *g);
    for (int from = 0; from < documents; from += GROUP) {
        int turned[TOKENS][GROUP] = {{0}}, longest = 0;         /* where there is no document, a's that count nothing */
        double shares[POSITIONS][GROUP] = {{0}};
        for (int d = 0; d < GROUP && from + d < documents; d++) {
            int length = lengths[from + d];
            longest = length > longest ? length : longest;
            for (int t = 0; t <= length; t++)
                turned[t][d] = tokens[from + d][t];
            for (int t = 0; t < length; t++)
                shares[t][d] = 1.0 / length / documents;
        }
        loss += gradients_of_group(w, g, turned, shares, longest);
    }
    return loss;
}
