/* A training step of the GPT of examples/gpt.py by hand in C, float64: what a mapped GPT is measured against. gpt_one.c
   and gpt_batch.c go forward and backward; this is Adam, with PyTorch's arithmetic, and whole steps. Built by gpt.py
   with -O3 -march=native -ffast-math, which vmap itself may not use. */

#include "gpt_step.h"

#include <math.h>

static double gradients[PARAMETERS];

static void adam(double *restrict w, double *restrict means, double *restrict squares, double rate, int step) {
    double size = rate / (1 - pow(0.9, step)), correction = 1 / sqrt(1 - pow(0.999, step));
    const double *restrict g = gradients;
    for (int k = 0; k < PARAMETERS; k++) {
        means[k] += (1 - 0.9) * (g[k] - means[k]);
        squares[k] = 0.999 * squares[k] + (1 - 0.999) * g[k] * g[k];
        w[k] -= size * means[k] / (sqrt(squares[k]) * correction + 1e-8);
    }
}

/* Steps count from 1. */
double step_of_one(double *w, double *means, double *squares, const int *tokens, int length, double rate, int step) {
    double loss = gradients_of_one(w, gradients, tokens, length);
    adam(w, means, squares, rate, step);
    return loss;
}

double step_of_batch(double *w, double *means, double *squares, const int (*tokens)[TOKENS], const int *lengths,
                     int documents, double rate, int step) {
    double loss = gradients_of_batch(w, gradients, tokens, lengths, documents);
    adam(w, means, squares, rate, step);
    return loss;
}
