/* The GPT of examples/gpt.py forward and backward, one document at a time: the numbers of a position are neighbours, so
   all positions and a matrix of weights make one matrix product. Only attention turns this around, and has positions as
   neighbours: a head has but four numbers. */

#include "gpt_step.h"
#include "lanes.h"

#include <math.h>
#include <string.h>

enum { ROWS = REGISTERS == 32 ? 8 : 4, WIDE = 2 * LANES, PADDED = 32 /* VOCABULARY, to whole vectors */ };

#define ALIGNED __attribute__((aligned(64)))
#define NEVER -1e300                    /* a score, of what has no chance: -ffast-math knows no infinity */

/* --- matrix products --- */

INLINE void product_block(int count, int inner, const double *a, int a_row, int a_inner, const double *b, int b_step,
                          double *out, int out_step, const double *start) {
    Lanes sums[ROWS][2];
    for (int p = 0; p < count; p++)
        for (int q = 0; q < 2; q++)
            sums[p][q] = start ? LOOSE(start + p * out_step + q * LANES) : all(0);
#pragma GCC unroll 1                    /* or -ffast-math would split sums into more than there are registers */
    for (int k = 0; k < inner; k++)
        for (int p = 0; p < count; p++)
            for (int q = 0; q < 2; q++)
                sums[p][q] += a[p * a_row + k * a_inner] * LOOSE(b + k * b_step + q * LANES);
    for (int p = 0; p < count; p++)
        for (int q = 0; q < 2; q++)
            LOOSE(out + p * out_step + q * LANES) = sums[p][q];
}

/* out = start + a b; a[row * a_row + k * a_inner] is of a. Blocks are of nearly the same number of rows. */
INLINE void product(int rows, int columns, int inner, const double *a, int a_row, int a_inner, const double *b,
                    int b_step, double *out, int out_step, const double *start) {
    for (int left = rows, blocks = (rows + ROWS - 1) / ROWS; blocks > 0; blocks--) {
        int count = (left + blocks - 1) / blocks;
        for (int c = 0; c < columns; c += WIDE) {
#define CASE(n) case n: \
    product_block(n, inner, a, a_row, a_inner, b + c, b_step, out + c, out_step, start ? start + c : 0); break;
            switch (count) {
                CASE(1) CASE(2) CASE(3) CASE(4)
#if BYTES == 64
                CASE(5) CASE(6) CASE(7) CASE(8)
#endif
            }
        }
        a += count * a_row;
        out += count * out_step;
        start = start ? start + count * out_step : 0;
        left -= count;
    }
}

/* Rows are positions: x to the outputs of a matrix that is turned, and back to its inputs by the matrix as it is. */
#define FLAT(rows) ((double *)(rows))
#define FORWARD(x, turned, outputs, inputs, out, start) \
    product(length, outputs, inputs, FLAT(x), inputs, 1, FLAT(turned), outputs, FLAT(out), outputs, start)
#define BACKWARD(d_out, step, at, outputs, inputs, d_in) \
    product(length, inputs, outputs, FLAT(d_out), step, 1, w + (at), inputs, FLAT(d_in), inputs, 0)
#define GRADIENT(d_out, step, at, outputs, inputs, in) \
    product(outputs, inputs, length, FLAT(d_out), 1, step, FLAT(in), inputs, g + (at), inputs, 0)

/* Columns for rows. */
INLINE void turn_matrix(const double *from, int rows, int columns, double *to, int to_step) {
    for (int r = 0; r + LANES <= rows; r += LANES)
        for (int c = 0; c < columns; c += LANES) {
            Lanes block[LANES];
            for (int k = 0; k < LANES; k++)
                block[k] = LOOSE(from + (r + k) * columns + c);
            turn(block);
            for (int k = 0; k < LANES; k++)
                LOOSE(to + (c + k) * to_step + r) = block[k];
        }
    for (int r = rows - rows % LANES; r < rows; r++)
        for (int c = 0; c < columns; c++)
            to[c * to_step + r] = from[r * columns + c];
}

/* --- the parts of the model --- */

INLINE void norm(int length, double x[][WIDTH], double out[][WIDTH], double *scales) {
    for (int t = 0; t < length; t++) {
        double sum = 0;
        for (int k = 0; k < WIDTH; k++)
            sum += x[t][k] * x[t][k];
        scales[t] = 1 / sqrt(sum / WIDTH + EPSILON);
        for (int k = 0; k < WIDTH; k++)
            out[t][k] = x[t][k] * scales[t];
    }
}

/* d_x = start + */
INLINE void norm_back(int length, double normed[][WIDTH], double *scales, double d_normed[][WIDTH],
                      double start[][WIDTH], double d_x[][WIDTH]) {
    for (int t = 0; t < length; t++) {
        double sum = 0;
        for (int k = 0; k < WIDTH; k++)
            sum += d_normed[t][k] * normed[t][k];
        sum /= WIDTH;
        for (int k = 0; k < WIDTH; k++)
            d_x[t][k] = (start ? start[t][k] : 0) + scales[t] * (d_normed[t][k] - normed[t][k] * sum);
    }
}

enum { MOST = POSITIONS / LANES };              /* vectors of positions */
typedef Lanes Weights[POSITIONS][HEADS][MOST];  /* of what is read, by head, by who reads */

#define QUERY(head) ((head) * KINDS * HEAD)
#define KEY(head) (QUERY(head) + HEAD)
#define VALUE(head) (KEY(head) + HEAD)
#define FOUR(p) (*(UnalignedFour *)(p))
#define WEIGHT(weights, s, head, t) (((const double *)(weights)[s][head])[t])
#define EACH_HEAD for (int head = 0; head < HEADS; head++)
#define EACH_VECTOR_FROM(s) for (int v = (s) / LANES; v < vectors; v++)     /* nobody reads what comes later */

/* Heads take turns at each step: one waits for itself. */
static void attend(int length, double read[][READ], Weights weights, double found[][WIDTH]) {
    static const double penalties[2 * POSITIONS] = {NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER,
                                                    NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER};
    int vectors = (length + LANES - 1) / LANES;
    Lanes queries[HEADS][HEAD][MOST], highest[HEADS][MOST], sums[HEADS][MOST];
    EACH_HEAD {
        for (int t = 0; t < vectors * LANES; t++)
            for (int k = 0; k < HEAD; k++)
                ((double *)queries[head][k])[t] = read[t][QUERY(head) + k] * 0.5;
        EACH_VECTOR_FROM(0) {
            highest[head][v] = all(NEVER);
            sums[head][v] = all(0);
        }
    }
    for (int s = 0; s < length; s++)
        EACH_VECTOR_FROM(s) EACH_HEAD {
            Lanes score = LOOSE(penalties + POSITIONS - s + v * LANES);
            for (int k = 0; k < HEAD; k++)
                score += read[s][KEY(head) + k] * queries[head][k][v];
            weights[s][head][v] = score;
            highest[head][v] = largest(highest[head][v], score);
        }
    for (int s = 0; s < length; s++)
        EACH_VECTOR_FROM(s) EACH_HEAD
            sums[head][v] += weights[s][head][v] = exponential(weights[s][head][v] - highest[head][v]);
    EACH_VECTOR_FROM(0) EACH_HEAD sums[head][v] = 1 / sums[head][v];
    for (int s = 0; s < length; s++)
        EACH_VECTOR_FROM(s) EACH_HEAD weights[s][head][v] *= sums[head][v];
    for (int t = 0; t < length; t++) {
        Four sum[HEADS] = {{0}};
        for (int s = 0; s <= t; s++)
            EACH_HEAD sum[head] += WEIGHT(weights, s, head, t) * FOUR(read[s] + VALUE(head));
        EACH_HEAD FOUR(found[t] + head * HEAD) = sum[head];
    }
}

static void attend_back(int length, double read[][READ], Weights weights, double found[][WIDTH],
                        double d_found[][WIDTH], double d_read[][READ]) {
    int vectors = (length + LANES - 1) / LANES;
    Lanes above[HEADS][HEAD][MOST], sums[HEADS][MOST];
    static Weights d_scores;
    for (int t = 0; t < vectors * LANES; t++)
        EACH_HEAD {
            double sum = 0;
            for (int k = head * HEAD; k < (head + 1) * HEAD; k++) {
                ((double *)above[head][k % HEAD])[t] = d_found[t][k];
                sum += d_found[t][k] * found[t][k];
            }
            ((double *)sums[head])[t] = sum;
        }
    for (int s = 0; s < length; s++)
        EACH_VECTOR_FROM(s) EACH_HEAD {
            Lanes d_weight = -sums[head][v];
            for (int k = 0; k < HEAD; k++)
                d_weight += read[s][VALUE(head) + k] * above[head][k][v];
            d_scores[s][head][v] = 0.5 * weights[s][head][v] * d_weight;
        }
    for (int s = 0; s < length; s++)
        EACH_HEAD {
            Four d_query = {0}, d_key = {0}, d_value = {0};
            for (int t = 0; t <= s; t++)
                d_query += WEIGHT(d_scores, t, head, s) * FOUR(read[t] + KEY(head));
            for (int t = s; t < length; t++) {
                d_key += WEIGHT(d_scores, s, head, t) * FOUR(read[t] + QUERY(head));
                d_value += WEIGHT(weights, s, head, t) * FOUR(d_found[t] + head * HEAD);
            }
            FOUR(d_read[s] + QUERY(head)) = d_query;
            FOUR(d_read[s] + KEY(head)) = d_key;
            FOUR(d_read[s] + VALUE(head)) = d_value;
        }
}

/* Makes the derivatives of logits, and returns the loss. */
static double surprise(int length, double logits[][PADDED], const int *targets) {
    double sums[POSITIONS], loss = 0;
    for (int t = 0; t < length; t++) {
        double highest = logits[t][0];
        Lanes sum = all(0), *vectors = (Lanes *)logits[t];
        for (int k = 1; k < VOCABULARY; k++)
            highest = logits[t][k] > highest ? logits[t][k] : highest;
        loss += highest - logits[t][targets[t]];
        for (int k = VOCABULARY; k < PADDED; k++)
            logits[t][k] = NEVER;
        for (int v = 0; v < PADDED / LANES; v++)
            sum += vectors[v] = exponential(vectors[v] - highest);
        sums[t] = total(sum);
        sum = all(1 / (sums[t] * length));
        for (int v = 0; v < PADDED / LANES; v++)
            vectors[v] *= sum;
        logits[t][targets[t]] -= 1.0 / length;
    }
    for (int t = 0; t < length; t++)
        loss += log(sums[t]);
    return loss / length;
}

/* --- forward and backward --- */

typedef double Rows[POSITIONS][WIDTH];

double gradients_of_one(const double *w, double *g, const int *tokens, int length) {
    static ALIGNED double heads[WIDTH][READ], output[WIDTH][WIDTH], expand[WIDTH][HIDDEN], contract[HIDDEN][WIDTH],
        predict[WIDTH][PADDED];                                                                         /* turned */
    static ALIGNED Rows embedded, normed, found, attended, normed_again, contracted, result;
    static ALIGNED Rows d_normed, d_contracted, d_attended, d_found, d_embedded;
    static ALIGNED double read[POSITIONS][READ], hidden[POSITIONS][HIDDEN], logits[POSITIONS][PADDED];
    static ALIGNED double d_read[POSITIONS][READ], d_hidden[POSITIONS][HIDDEN];
    static Weights weights;
    double scales[POSITIONS], scales_again[POSITIONS], scales_last[POSITIONS], loss;

    turn_matrix(w + AT_HEADS, READ, WIDTH, FLAT(heads), READ);
    turn_matrix(w + AT_OUTPUT, WIDTH, WIDTH, FLAT(output), WIDTH);
    turn_matrix(w + AT_EXPAND, HIDDEN, WIDTH, FLAT(expand), HIDDEN);
    turn_matrix(w + AT_CONTRACT, WIDTH, HIDDEN, FLAT(contract), WIDTH);
    turn_matrix(w + AT_PREDICT, VOCABULARY, WIDTH, FLAT(predict), PADDED);

    for (int t = 0; t < length; t++)
        for (int k = 0; k < WIDTH; k++)
            embedded[t][k] = w[AT_CHARACTERS + tokens[t] * WIDTH + k] + w[AT_POSITIONS + t * WIDTH + k];
    norm(length, embedded, normed, scales);
    FORWARD(normed, heads, READ, WIDTH, read, 0);
    attend(length, read, weights, found);
    FORWARD(found, output, WIDTH, WIDTH, attended, FLAT(embedded));
    norm(length, attended, normed_again, scales_again);
    FORWARD(normed_again, expand, HIDDEN, WIDTH, hidden, 0);
    for (int t = 0; t < length; t++)
        for (int k = 0; k < HIDDEN; k++)
            hidden[t][k] = hidden[t][k] > 0 ? hidden[t][k] : 0;
    FORWARD(hidden, contract, WIDTH, HIDDEN, contracted, FLAT(attended));
    norm(length, contracted, result, scales_last);
    FORWARD(result, predict, PADDED, WIDTH, logits, 0);
    loss = surprise(length, logits, tokens + 1);

    BACKWARD(logits, PADDED, AT_PREDICT, VOCABULARY, WIDTH, d_normed);
    GRADIENT(logits, PADDED, AT_PREDICT, VOCABULARY, WIDTH, result);
    norm_back(length, result, scales_last, d_normed, 0, d_contracted);
    BACKWARD(d_contracted, WIDTH, AT_CONTRACT, WIDTH, HIDDEN, d_hidden);
    GRADIENT(d_contracted, WIDTH, AT_CONTRACT, WIDTH, HIDDEN, hidden);
    for (int t = 0; t < length; t++)
        for (int k = 0; k < HIDDEN; k++)
            d_hidden[t][k] = hidden[t][k] > 0 ? d_hidden[t][k] : 0;
    BACKWARD(d_hidden, HIDDEN, AT_EXPAND, HIDDEN, WIDTH, d_normed);
    GRADIENT(d_hidden, HIDDEN, AT_EXPAND, HIDDEN, WIDTH, normed_again);
    norm_back(length, normed_again, scales_again, d_normed, d_contracted, d_attended);
    BACKWARD(d_attended, WIDTH, AT_OUTPUT, WIDTH, WIDTH, d_found);
    GRADIENT(d_attended, WIDTH, AT_OUTPUT, WIDTH, WIDTH, found);
    attend_back(length, read, weights, found, d_found, d_read);
    BACKWARD(d_read, READ, AT_HEADS, READ, WIDTH, d_normed);
    GRADIENT(d_read, READ, AT_HEADS, READ, WIDTH, normed);
    norm_back(length, normed, scales, d_normed, d_attended, d_embedded);
    memset(g, 0, AT_HEADS * sizeof *g);
    for (int t = 0; t < length; t++)
        for (int k = 0; k < WIDTH; k++) {
            g[AT_CHARACTERS + tokens[t] * WIDTH + k] += d_embedded[t][k];
            g[AT_POSITIONS + t * WIDTH + k] = d_embedded[t][k];
        }
    return loss;
}
