/* One training step of micrograd's demo, MLP(2, [16, 16, 1]) on whole batches, written by hand for SIMD lanes: what
   vmap is measured against. Rows are lanes; x[k] is a column of `rows` doubles, `rows` a multiple of 8, which is one of
   LANES on any machine. Built by vmap.py with -O3 -march=native -ffast-math, which vmap itself may not use. */

#include "lanes.h"

#include <string.h>

enum { WIDTH = 16, MOST = 1032 };      /* were it 1024, all columns would compete for the same few lines of the cache */

static double h1[WIDTH][MOST], h2[WIDTH][MOST], g1[WIDTH][MOST], g2[WIDTH][MOST], g3[MOST];

#define AT(p, v) (((Unaligned *)(p))[v])

INLINE Lanes relu(Lanes x) { return kept(x > 0, x); }
INLINE Lanes positive(Lanes y) { return kept(y > 0, all(1)); }

/* out = relu(w in + b), four outputs at a time */
static void forward(const double *w, int stride, int inputs, double (*in)[MOST], double (*out)[MOST], int vectors) {
    for (int i = 0; i < WIDTH; i += 4)
        for (int v = 0; v < vectors; v++) {
            Lanes s[4];
            for (int p = 0; p < 4; p++)
                s[p] = all(0) + w[(i + p) * stride + inputs];
            for (int j = 0; j < inputs; j++)
                for (int p = 0; p < 4; p++)
                    s[p] += w[(i + p) * stride + j] * AT(in[j], v);
            for (int p = 0; p < 4; p++)
                AT(out[i + p], v) = relu(s[p]);
        }
}

static void weights(double *d, int stride, int inputs, double (*in)[MOST], double (*g)[MOST], int vectors) {
    for (int i = 0; i < WIDTH; i += 4)
        for (int j = 0; j < inputs; j += 2) {
            Lanes s[4][2];
            memset(s, 0, sizeof s);
            for (int v = 0; v < vectors; v++)
                for (int q = 0; q < 2; q++)
                    for (int p = 0; p < 4; p++)
                        s[p][q] += AT(g[i + p], v) * AT(in[j + q], v);
            for (int q = 0; q < 2; q++)
                for (int p = 0; p < 4; p++)
                    d[(i + p) * stride + j + q] = total(s[p][q]);
        }
    for (int i = 0; i < WIDTH; i++) {
        Lanes s = {0};
        for (int v = 0; v < vectors; v++)
            s += AT(g[i], v);
        d[i * stride + inputs] = total(s);
    }
}

/* Weights in micrograd's order: 16 times (2 weights, bias), 16 times (16 weights, bias), 16 weights, bias. Returns the
   loss; `real` of the rows count. */
double step(double *w, double (*x)[MOST], const double *y, int rows, int real, double decay, double rate) {
    double d[337], *w1 = w, *w2 = w + 48, *w3 = w + 48 + 272, loss = 0, squares = 0;
    int vectors = rows / LANES;
    forward(w1, 3, 2, x, h1, vectors);
    forward(w2, 17, 16, h1, h2, vectors);
    for (int v = 0; v < vectors; v++) {
        Lanes s = all(0) + w3[16], margin, active, label = AT(y, v);
        for (int j = 0; j < 16; j++)
            s += w3[j] * AT(h2[j], v);
        margin = 1.0 - label * s;
        for (int k = 0; k < LANES; k++)     /* rows that are none */
            if (v * LANES + k >= real)
                margin[k] = 0;
        active = positive(margin);
        loss += total(margin * active);
        AT(g3, v) = -label * active * (1.0 / real);
    }
    for (int j = 0; j < 16; j++) {
        Lanes s = {0};
        for (int v = 0; v < vectors; v++)
            s += AT(g3, v) * AT(h2[j], v);
        d[320 + j] = total(s);
    }
    {
        Lanes s = {0};
        for (int v = 0; v < vectors; v++)
            s += AT(g3, v);
        d[336] = total(s);
    }
    for (int j = 0; j < 16; j++)
        for (int v = 0; v < vectors; v++)
            AT(g2[j], v) = w3[j] * AT(g3, v) * positive(AT(h2[j], v));
    weights(d + 48, 17, 16, h1, g2, vectors);
    for (int j = 0; j < 16; j += 4)
        for (int v = 0; v < vectors; v++) {
            Lanes s[4];
            memset(s, 0, sizeof s);
            for (int i = 0; i < 16; i++)
                for (int p = 0; p < 4; p++)
                    s[p] += w2[i * 17 + j + p] * AT(g2[i], v);
            for (int p = 0; p < 4; p++)
                AT(g1[j + p], v) = s[p] * positive(AT(h1[j + p], v));
        }
    weights(d, 3, 2, x, g1, vectors);
    for (int k = 0; k < 337; k++) {
        squares += w[k] * w[k];
        w[k] -= rate * (d[k] + 2 * decay * w[k]);
    }
    return loss / real + decay * squares;
}
