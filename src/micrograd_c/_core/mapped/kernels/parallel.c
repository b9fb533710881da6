/* A loop whose rounds are shared out among threads of the operating system. */

#include "kernels.h"

typedef struct {
    void (*work)(void *context, int64_t k);
    void *context;
    int64_t first, count, step;
} Share;

static void take(const Share *share) {
    int64_t k;
    for (k = share->first; k < share->count; k += share->step)
        share->work(share->context, k);
}

#if defined(_WIN32)

void micrograd_c_parallel(void (*work)(void *, int64_t), void *context, int64_t count, int threads) {
    Share all = {work, context, 0, count, 1};
    (void)threads;
    take(&all);
}

#else

#include <pthread.h>

static void *run(void *share) {
    take(share);
    return NULL;
}

void micrograd_c_parallel(void (*work)(void *, int64_t), void *context, int64_t count, int threads) {
    pthread_t started[MOST_THREADS];
    Share shares[MOST_THREADS];
    int others = 0, k;
    if (threads > MOST_THREADS)
        threads = MOST_THREADS;
    if (threads > count)
        threads = count > 0 ? (int)count : 1;
    for (k = 0; k < threads; k++) {
        Share share = {work, context, k, count, threads};
        shares[k] = share;
    }
    while (others + 1 < threads && pthread_create(&started[others], NULL, run, &shares[others + 1]) == 0)
        others++;
    take(&shares[0]);
    for (k = others + 1; k < threads; k++)
        take(&shares[k]);
    for (k = 0; k < others; k++)
        pthread_join(started[k], NULL);
}

#endif
