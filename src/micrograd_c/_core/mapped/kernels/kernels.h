/* Programs of vmap as the kernels see them: instructions over slots of lanes, a lane being a row of the batch.

A slot is an array of `width` doubles, one for each row of a block; slot k begins at slots + k * width. Numbers that are
the same for all rows, such as weights, are listed once for each use, in the order of the instructions that use them.
Knows nothing of Python, of the tape, or of where rows come from. */

#ifndef MICROGRAD_C_KERNELS_H
#define MICROGRAD_C_KERNELS_H

#include <stdint.h>

#include "ops/ops.h"

/* Sums over rows are taken lane by lane over a block, then over the lanes, the blocks of a chunk, and the chunks: so the
   number of threads does not show. */
enum { MOST_LANES = 8, LEAST_CHUNK = 256, MOST_CHUNK = 2048, MOST_THREADS = 64 };     /* rows in a chunk */

/* An instruction does an op of the table, or one of these. LOOP_END is none: what a loop leaves. */
enum Instruct { DO_MOVE = OP_LEAF, DO_LAYER = OP_COUNT, DO_PRODUCTS, DO_GATHER, DO_TAKE, DO_LOOP, LOOP_END };

enum InstructionFlag {
    A_UNIFORM = 1,  /* a is the number of a use of a uniform, not of a slot */
    B_UNIFORM = 2,
    A_FIRST = 4,    /* nothing was added to a's adjoint before: store, do not add */
    B_FIRST = 8
};

typedef struct {
    int32_t op;
    int32_t out;        /* slot */
    int32_t a, b;       /* slots or uses; for DO_LAYER, DO_PRODUCTS, DO_GATHER and DO_LOOP, a is the number of that;
                           for DO_TAKE, b is */
    int32_t adjoint;    /* adjoint slot of out, -1 if it is not needed */
    int32_t adjoint_a;  /* adjoint slot of a, or its use; -1 if it is not needed */
    int32_t adjoint_b;
    int32_t flags;
    int32_t lanes;      /* of a packed program: how many lanes it is for; else 0, and it is for all rows of the block */
} Instruction;

/* out[i] = activation(start[i] + weight[i][0] * in[0] + weight[i][1] * in[1] + ...), where start[i] is a bias, or varies
   from row to row as the inputs do. */
typedef struct Layer {
    int32_t inputs, outputs;
    int32_t activation;             /* an op, or DO_MOVE for none */
    int32_t weights;                /* the first one's use; the others follow, row by row */
    int32_t biases;                 /* the first one's, if there are any */
    int32_t wants_weights;          /* 1: the weights' gradients are summed here, those of `others`, too */
    int32_t wants_biases;
    int32_t adds_weights;           /* 1: their totals have something already from layers of the same uses */
    int32_t adds_biases;
    int32_t group;                  /* layers of the same weights and group may be summed together; 0: it is alone */
    int32_t lanes;                  /* as of its instruction */
    const struct Layer *others;     /* one that leaves its weights' gradients to this one, or NULL; it may have others */
    const int32_t *in;              /* slots */
    const int32_t *starts;          /* likewise; NULL if there are biases */
    const int32_t *out;
    const int32_t *adjoint_in;      /* adjoint slots, -1 for one that is not needed */
    const int32_t *adjoint_starts;
    const int32_t *first_in;        /* 1: nothing was added to that adjoint before */
    const int32_t *first_starts;
    const int32_t *adjoint_out;
} Layer;

/* out = start + a[0] * b[0] + a[1] * b[1] + ..., where all factors vary from row to row. The start is the instruction's b. */
typedef struct {
    int32_t count;
    const int32_t *a;               /* slots */
    const int32_t *b;
    const int32_t *adjoint_a;       /* adjoint slots, -1 for one that is not needed */
    const int32_t *adjoint_b;
    const int32_t *first_a;         /* 1: nothing was added to that adjoint before; a[0] comes before b[0], and so on */
    const int32_t *first_b;
} Products;

/* out = the use of number first + index, where the index, the instruction's a, varies from row to row; -1 is the last one.
   NaN for an index that is none. */
typedef struct {
    int32_t first, count;           /* uses */
    int32_t adds;                   /* 1: their totals have something already */
} Take;

/* out[k] = the number at place from[k], which is slot * MOST_LANES + lane; or, with A_UNIFORM, that of a use. Of packed
   programs, whose slots are of MOST_LANES lanes, and have adjoint slots of the same numbers. */
typedef struct {
    int32_t from[MOST_LANES];       /* beyond the instruction's lanes, the last one again */
    int32_t count;
    const int32_t *to;              /* the adjoint slots that those places are in, each once */
    const int32_t *first;           /* 1: nothing was added to that adjoint slot before */
} Gather;

typedef struct Code {
    const Instruction *instructions;
    const Layer *layers;
    const Products *products;
    const Gather *gathers;
    const Take *takes;
    const struct Loop *loops;
    int32_t count;
} Code;

/* What a step of a loop does backward if gradients come to some of its outputs. */
typedef struct {
    Code code;
    const uint8_t *asked;       /* by output: 1 if a gradient comes to it */
    const uint8_t *reached;     /* by input: 1 if one goes on to it */
} LoopPart;

/* A loop: code that is run once for each step, in slots of its own, which begin with what a step reads: what is carried,
   what the step gets, and what is the same for all steps. It leaves what is carried on, and what the step gives.

   A place is a slot, or, below 0, ~use of a uniform. Lists of what steps get or give have those of the first step first. */
typedef struct Loop {
    int32_t steps, carried, got, same, given;
    int32_t first;                  /* the slot where the first step's begin */
    int32_t stride;                 /* the next step's begin so many slots later, where this one has left what is carried
                                       on; 0: steps share their slots, and `kept` has what was carried to each */
    int32_t kept;                   /* a slot, where there are `carried` for each step; -1: no backward pass needs them */
    int32_t first_use, uses;        /* of the code's uniforms */
    const Code *code;
    const int32_t *starts;          /* places: of what is carried to the first step, */
    const int32_t *gets;            /* of what steps get, */
    const int32_t *sames;           /* and of what is the same */
    const int32_t *outs;            /* slots of a step: of what is carried on, and of what it gives */
    const int32_t *ends;            /* slots, if steps share theirs: of what is carried at last, and of what steps give; -1
                                       for one that nobody reads */
    int32_t inner;                  /* the adjoint slot where a step's begin */
    const int32_t *adjoint_outs;    /* adjoint slots of a step: of its outputs, -1 for one without a gradient, */
    const int32_t *adjoint_ins;     /* and of its inputs */
    const int32_t *adjoint_ends;    /* adjoint slots, or -1: of what is carried at last, and of what steps give */
    const int32_t *adjoint_starts;  /* places, or NO_PLACE: of what is carried to the first step, */
    const int32_t *adjoint_gets;
    const int32_t *adjoint_sames;
    const LoopPart *const *parts;   /* by step; NULL for one to which no gradient comes */
    const uint8_t *first_starts;    /* 1: nothing was added to that adjoint before */
    const uint8_t *first_gets;
    const int32_t *first_sames;     /* the step before which nothing was added; -1 if something was */
} Loop;

enum { NO_PLACE = INT32_MIN };

/* `numbers` and `totals` have a number for each use; of totals, only those that a gradient goes to are written. `width` is a multiple of MOST_LANES, `rows` at most width. */
typedef struct {
    const char *name;
    int lanes;      /* in a vector, MOST_LANES at most */
    /* One block of rows. */
    void (*forward)(const Code *code, double *slots, int32_t width, int32_t rows, const double *numbers);
    /* Needs all that forward wrote, and the adjoints of outputs; adds to the totals, or, if fresh, starts them. */
    void (*backward)(const Code *code, const double *slots, double *adjoints, int32_t width, int32_t rows,
                     const double *numbers, int fresh, double *totals);
} Kernels;

/* The fastest set of kernels for this processor, or the one of that name; NULL if it has none of that name. */
const Kernels *micrograd_c_kernels(const char *name);

/* The name of the k-th set that this processor can run, fastest first; NULL after the last one. */
const char *micrograd_c_kernel_name(int k);

/* Call work(context, k) for all k below count, in `threads` threads, MOST_THREADS at most, or in fewer if no more can be
   started. The calls for k, k + threads, k + 2 * threads and so on are made by the same thread, in this order. */
void micrograd_c_parallel(void (*work)(void *context, int64_t k), void *context, int64_t count, int threads);

#endif
