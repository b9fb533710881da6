/* A loop whose rounds are shared out among threads of the operating system. */

#include "kernels.h"

#include <stddef.h>

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

#include <process.h>
#include <windows.h>

typedef HANDLE Thread;

static unsigned __stdcall run(void *share) {
    take((const Share *)share);
    return 0;
}

static int start(Thread *thread, Share *share) {
    *thread = (HANDLE)_beginthreadex(NULL, 0, run, share, 0, NULL);
    return *thread != NULL;
}

static void join(Thread thread) {
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

#else

#include <pthread.h>

typedef pthread_t Thread;

static void *run(void *share) {
    take((const Share *)share);
    return NULL;
}

static int start(Thread *thread, Share *share) { return pthread_create(thread, NULL, run, share) == 0; }

static void join(Thread thread) { pthread_join(thread, NULL); }

#endif

void micrograd_c_parallel(void (*work)(void *, int64_t), void *context, int64_t count, int threads) {
    Thread started[MOST_THREADS];
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
    while (others + 1 < threads && start(&started[others], &shares[others + 1]))
        others++;
    take(&shares[0]);
    for (k = others + 1; k < threads; k++)
        take(&shares[k]);
    for (k = 0; k < others; k++)
        join(started[k]);
}
