/* Compiles lanes.h once for each instruction set, and chooses among them when the program runs. */

#include "kernels.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"    /* how vectors are returned changes only between functions of this file */
#endif

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#define CAN_CHOOSE 1
#else
#define CAN_CHOOSE 0
#endif

#if CAN_CHOOSE
#include <immintrin.h>
#endif

/* MULTIPLY_ADD is for gradients only: values are rounded after the product, as the eager engine's. */

#define LANES(name) name##_baseline
#define MULTIPLY_ADD(x, y, z) ((x) * (y) + (z))
/* tiles as large as fit the registers, 16 of them here */
#define VECTORS_AT_ONCE 1
#define INPUTS_AT_ONCE 4
#define WEIGHTS_AT_ONCE 2
#define OUTPUTS_AT_ONCE 4
#include "lanes.h"
#undef LANES

#if CAN_CHOOSE

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
#define LANES(name) name##_avx2
#include "lanes.h"
#undef LANES
#undef MULTIPLY_ADD
#undef VECTORS_AT_ONCE
#undef INPUTS_AT_ONCE
#undef WEIGHTS_AT_ONCE
#undef OUTPUTS_AT_ONCE
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512"))), \
                             apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")
#endif
#define LANES(name) name##_avx512
#define MULTIPLY_ADD(x, y, z) ((Lanes)_mm512_fmadd_pd((__m512d)(x), (__m512d)(y), (__m512d)(z)))
#define VECTORS_AT_ONCE 2
#define INPUTS_AT_ONCE 8
#define WEIGHTS_AT_ONCE 4
#define OUTPUTS_AT_ONCE 4
#include "lanes.h"
#undef LANES
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

static const Kernels *available(int k) {
    static const Kernels baseline = {"baseline", forward_baseline, backward_baseline, total_baseline};
#if CAN_CHOOSE
    static const Kernels avx2 = {"avx2", forward_avx2, backward_avx2, total_avx2};
    static const Kernels avx512 = {"avx512", forward_avx512, backward_avx512, total_avx512};
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && k-- == 0)
        return &avx512;
    if (__builtin_cpu_supports("avx2") && k-- == 0)
        return &avx2;
#endif
    return k == 0 ? &baseline : NULL;
}

const char *micrograd_c_kernel_name(int k) {
    const Kernels *kernels = available(k);
    return kernels == NULL ? NULL : kernels->name;
}

const Kernels *micrograd_c_kernels(const char *name) {
    const Kernels *kernels;
    int k;
    for (k = 0; (kernels = available(k)) != NULL; k++)
        if (name == NULL || strcmp(name, kernels->name) == 0)
            return kernels;
    return NULL;
}
