/* Compiles lanes.h once for each instruction set, and chooses among them when the program runs. */

#include "kernels.h"
#include "unknown_op.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* MICROGRAD_C_SCALAR: what a compiler without vector types gets. In a checked build those kernels are there beside the
   others, as "scalar", so that they are tested wherever the others are. */
#if defined(AS_VECTOR) && !defined(MICROGRAD_C_SCALAR)
#define HAS_VECTORS 1
#else
#define HAS_VECTORS 0
#endif

#if HAS_VECTORS && defined(BEGIN_TARGET)
#define CAN_CHOOSE 1
#include "processor.h"
#else
#define CAN_CHOOSE 0
#endif
#if HAS_VECTORS && defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

/* Adding this to a small number rounds that to a whole one, whose two's complement is then in the low bits. */
#define ROUNDER 6755399441055744.0

/* For each instruction set: MULTIPLY_ADD, for gradients only, as values are rounded after the product, like the eager
   engine's; SQUARE_ROOTS, if there is such an instruction, since a loop of sqrt would have to set errno; and tiles as
   large as its registers can hold. */

/* 16 registers, and no fused multiply-add; every processor of this architecture has these */
#define LANES(name) name##_baseline
#if HAS_VECTORS
#define LANE_COUNT 2
#else
#define LANE_COUNT 1
#endif
#define MULTIPLY_ADD(x, y, z) ((x) * (y) + (z))
#if CAN_CHOOSE
#define SQUARE_ROOTS(x) ((Lanes)_mm_sqrt_pd((__m128d)(x)))
#elif HAS_VECTORS && defined(__wasm_simd128__)
#define SQUARE_ROOTS(x) ((Lanes)wasm_f64x2_sqrt((v128_t)(x)))
#endif
#define OUTPUTS_AT_ONCE 4
#define VECTORS_AT_ONCE 2
#define COLUMNS_AT_ONCE 2
#define INPUTS_AT_ONCE 4
#include "lanes.h"
#undef LANES
#undef LANE_COUNT
#undef MULTIPLY_ADD
#undef SQUARE_ROOTS

#if CAN_CHOOSE

/* 16 registers */
BEGIN_TARGET("avx2,fma")
#define LANES(name) name##_avx2
#define LANE_COUNT 4
#define MULTIPLY_ADD(x, y, z) ((Lanes)_mm256_fmadd_pd((__m256d)(x), (__m256d)(y), (__m256d)(z)))
#define SQUARE_ROOTS(x) ((Lanes)_mm256_sqrt_pd((__m256d)(x)))
#include "lanes.h"
#undef LANES
#undef LANE_COUNT
#undef MULTIPLY_ADD
#undef SQUARE_ROOTS
#undef COLUMNS_AT_ONCE
#undef INPUTS_AT_ONCE
END_TARGET

/* 32 registers */
BEGIN_TARGET("avx512f,avx512dq,avx512vl" WIDE_VECTORS)
#define LANES(name) name##_avx512
#define LANE_COUNT 8
#define MULTIPLY_ADD(x, y, z) ((Lanes)_mm512_fmadd_pd((__m512d)(x), (__m512d)(y), (__m512d)(z)))
#define SQUARE_ROOTS(x) ((Lanes)_mm512_sqrt_pd((__m512d)(x)))
#define COLUMNS_AT_ONCE 4
#define INPUTS_AT_ONCE 8
#include "lanes.h"
#undef LANES
#undef LANE_COUNT
#undef MULTIPLY_ADD
#undef SQUARE_ROOTS
END_TARGET

#endif

#if HAS_VECTORS && defined(MICROGRAD_C_CHECKED)
#define HAS_SCALAR 1
#define LANES(name) name##_scalar
#define LANE_COUNT 1
#define MULTIPLY_ADD(x, y, z) ((x) * (y) + (z))
#include "lanes.h"
#else
#define HAS_SCALAR 0
#endif

static const Kernels *available(int k) {
    static const Kernels baseline = {"baseline", lanes_baseline, forward_baseline, backward_baseline};
#if CAN_CHOOSE
    static const Kernels avx2 = {"avx2", lanes_avx2, forward_avx2, backward_avx2};
    static const Kernels avx512 = {"avx512", lanes_avx512, forward_avx512, backward_avx512};
    if (processor_has(OF_AVX512) && k-- == 0)
        return &avx512;
    if (processor_has(OF_AVX2) && k-- == 0)
        return &avx2;
#endif
#if HAS_SCALAR
    static const Kernels scalar = {"scalar", lanes_scalar, forward_scalar, backward_scalar};
    if (k == 1)
        return &scalar;
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
