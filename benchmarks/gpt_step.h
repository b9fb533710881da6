/* The GPT of examples/gpt.py: its sizes, where each of its matrices begins among its parameters, and what gpt_one.c and
   gpt_batch.c compute. A row of tokens has room for a boundary at either end. */

#ifndef GPT_STEP_H
#define GPT_STEP_H

enum {
    VOCABULARY = 27, WIDTH = 16, HEADS = 4, HEAD = WIDTH / HEADS, POSITIONS = 16, HIDDEN = 4 * WIDTH,
    TOKENS = POSITIONS + 1,
    KINDS = 3,                          /* query, key, value: of each head in turn, HEAD rows each */
    READ = KINDS * WIDTH,
    AT_CHARACTERS = 0,
    AT_POSITIONS = AT_CHARACTERS + VOCABULARY * WIDTH,
    AT_HEADS = AT_POSITIONS + POSITIONS * WIDTH,
    AT_OUTPUT = AT_HEADS + READ * WIDTH,
    AT_EXPAND = AT_OUTPUT + WIDTH * WIDTH,
    AT_CONTRACT = AT_EXPAND + HIDDEN * WIDTH,
    AT_PREDICT = AT_CONTRACT + WIDTH * HIDDEN,
    PARAMETERS = AT_PREDICT + VOCABULARY * WIDTH,
};

#define EPSILON 1e-5                    /* of norm */

/* Both write all gradients and return the loss, the mean over documents of the mean over their positions. A document of
   `length` predictions has one token more. */
double gradients_of_one(const double *w, double *g, const int *tokens, int length);
double gradients_of_batch(const double *w, double *g, const int (*tokens)[TOKENS], const int *lengths, int documents);

#endif
