/* Loops: the code of a step, run for one step after the other, and backward from the last one. */

ALWAYS_INLINE void LANES(copy)(const double *from, double *to, int32_t vectors) {
    int32_t v;
    EACH(v) STORE(to, v, LOAD(from, v));
}

/* What is at a place, for all rows. */
ALWAYS_INLINE void LANES(fetch)(int32_t place, const double *slots, int32_t width, const double *numbers, double *to,
                                int32_t vectors) {
    int32_t v;
    if (place >= 0) {
        const double *from = slots + (int64_t)place * width;
        if (from != to)     /* an input that is there already */
            LANES(copy)(from, to, vectors);
    } else
        EACH(v) STORE(to, v, LANES(all)(numbers[~place]));
}

/* What a step gets, and what is the same for all of them. */
static void LANES(fetch_step)(const Loop *loop, int32_t step, const double *slots, double *to, int32_t width,
                              int32_t vectors, const double *numbers, int with_sames) {
    int32_t k;
    to += (int64_t)loop->carried * width;
    for (k = 0; k < loop->got; k++)
        LANES(fetch)(loop->gets[(int64_t)step * loop->got + k], slots, width, numbers, to + (int64_t)k * width, vectors);
    if (!with_sames)
        return;
    to += (int64_t)loop->got * width;
    for (k = 0; k < loop->same; k++)
        LANES(fetch)(loop->sames[k], slots, width, numbers, to + (int64_t)k * width, vectors);
}

/* If steps share their slots: save what one has given, and carry on what it has left. All of that is read before any of
   it is written, as its slots are others than those where it goes. */
static void LANES(carry_on)(const Loop *loop, int32_t step, double *slots, double *shared, int32_t width,
                            int32_t vectors) {
    int32_t k;
    for (k = 0; k < loop->given; k++) {
        int32_t end = loop->ends[loop->carried + (int64_t)step * loop->given + k];
        if (end >= 0)
            LANES(copy)(shared + (int64_t)loop->outs[loop->carried + k] * width, slots + (int64_t)end * width, vectors);
    }
    for (k = 0; k < loop->carried; k++)
        LANES(copy)(shared + (int64_t)loop->outs[k] * width, shared + (int64_t)k * width, vectors);
}

static void LANES(loop_forward)(const Loop *loop, double *slots, int32_t width, int32_t rows, const double *numbers) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    double *here = slots + (int64_t)loop->first * width;
    int32_t k, t;
    for (k = 0; k < loop->carried; k++)
        LANES(fetch)(loop->starts[k], slots, width, numbers, here + (int64_t)k * width, vectors);
    for (t = 0; t < loop->steps; t++) {
        LANES(fetch_step)(loop, t, slots, here, width, vectors, numbers, loop->stride || t == 0);
        if (loop->kept >= 0)
            for (k = 0; k < loop->carried; k++)
                LANES(copy)(here + (int64_t)k * width,
                            slots + (loop->kept + (int64_t)t * loop->carried + k) * width, vectors);
        LANES(forward)(loop->code, here, width, rows, numbers + loop->first_use);
        if (!loop->stride)
            LANES(carry_on)(loop, t, slots, here, width, vectors);
        here += (int64_t)loop->stride * width;
    }
    if (!loop->stride)
        for (k = 0; k < loop->carried; k++)
            if (loop->ends[k] >= 0)
                LANES(copy)(here + (int64_t)k * width, slots + (int64_t)loop->ends[k] * width, vectors);
}

/* Gives a place its share of the adjoint. */
static void LANES(give_place)(int32_t to, int first, const double *amount, double *adjoints, int32_t width, int32_t rows,
                              int fresh, double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    int32_t v;
    if (to == NO_PLACE)
        return;
    GIVE(to < 0 ? ~to : to, to < 0, first, LOAD(amount, v))
}

static void LANES(loop_backward)(const Loop *loop, const double *slots, double *adjoints, int32_t width, int32_t rows,
                                 const double *numbers, int fresh, double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    double *inner = adjoints + (int64_t)loop->inner * width;
    double *shared = (double *)slots + (int64_t)loop->first * width;    /* a step that is run again writes to its slots */
    const uint8_t *reached = NULL;      /* of the step after this one */
    int32_t k, t;
    if (fresh)
        memset(totals + loop->first_use, 0, (size_t)loop->uses * sizeof(double));
    for (t = loop->steps - 1; t >= 0; t--) {
        const LoopPart *part = loop->parts[t];
        const double *here = shared + (int64_t)t * loop->stride * width;
        if (part == NULL) {
            reached = NULL;
            continue;
        }
        if (!loop->stride) {
            for (k = 0; k < loop->carried; k++)
                LANES(copy)(slots + (loop->kept + (int64_t)t * loop->carried + k) * width,
                            shared + (int64_t)k * width, vectors);
            LANES(fetch_step)(loop, t, slots, shared, width, vectors, numbers, 1);
            LANES(forward)(loop->code, shared, width, rows, numbers + loop->first_use);
        }
        for (k = 0; k < loop->carried + loop->given; k++) {
            const int64_t end = k < loop->carried ? k : (int64_t)t * loop->given + k;
            const double *from = adjoints + (int64_t)loop->adjoint_ends[end] * width;
            if (!part->asked[k])
                continue;
            if (k < loop->carried && t < loop->steps - 1)
                from = inner + (int64_t)loop->adjoint_ins[k] * width;
            LANES(copy)(from, inner + (int64_t)loop->adjoint_outs[k] * width, vectors);
        }
        LANES(backward)(&part->code, here, inner, width, rows, numbers + loop->first_use, 0, totals + loop->first_use);
        reached = part->reached;
        for (k = 0; k < loop->got; k++)
            if (reached[loop->carried + k])
                LANES(give_place)(loop->adjoint_gets[(int64_t)t * loop->got + k],
                                  loop->first_gets[(int64_t)t * loop->got + k],
                                  inner + (int64_t)loop->adjoint_ins[loop->carried + k] * width, adjoints, width, rows,
                                  fresh, totals);
        for (k = loop->carried + loop->got; k < loop->carried + loop->got + loop->same; k++)
            if (reached[k])
                LANES(give_place)(loop->adjoint_sames[k - loop->carried - loop->got],
                                  loop->first_sames[k - loop->carried - loop->got] == t,
                                  inner + (int64_t)loop->adjoint_ins[k] * width, adjoints, width, rows, fresh, totals);
    }
    for (k = 0; k < loop->carried; k++)
        if (reached != NULL && reached[k])
            LANES(give_place)(loop->adjoint_starts[k], loop->first_starts[k],
                              inner + (int64_t)loop->adjoint_ins[k] * width, adjoints, width, rows, fresh, totals);
}
