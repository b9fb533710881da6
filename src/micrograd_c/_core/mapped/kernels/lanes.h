/* The kernels, written once for vectors of LANE_COUNT doubles. kernels.c includes this for each instruction set, with
   LANES(name) for what names become and the sizes of tiles. Order of operations is the eager engine's; only exp, log,
   tanh, sin, cos and some powers differ, by 2 ulp. */

#ifndef MICROGRAD_C_LANES_H
#define MICROGRAD_C_LANES_H

#if HAS_VECTORS
#define MASK(condition) ((Bits)(condition))
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define BITS(x) ((Bits)(x))
#define NUMBERS(x) ((Lanes)(x))
#define LANE(x, k) ((x)[k])
#else   /* one lane at a time */
#define MASK(condition) ((Bits)0 - (Bits)(condition))
#define ALWAYS_INLINE static inline
static inline uint64_t BITS(double x) { uint64_t bits; memcpy(&bits, &x, sizeof bits); return bits; }
static inline double NUMBERS(uint64_t bits) { double x; memcpy(&x, &bits, sizeof x); return x; }
#define LANE(x, k) (*(&(x) + (k)))
#endif

/* Added to a small number, rounds it to a whole one, whose two's complement is then in the low bits. */
#define ROUNDER 6755399441055744.0

#endif

#if LANE_COUNT == 1
typedef double LANES(Vector);
typedef uint64_t LANES(BitVector);
#define LANE_NUMBERS 0
#define SUM(x) (x)
#else
typedef double LANES(Vector) __attribute__((vector_size(8 * LANE_COUNT), aligned(8)));
typedef uint64_t LANES(BitVector) __attribute__((vector_size(8 * LANE_COUNT), aligned(8)));
#if LANE_COUNT == 2
#define LANE_NUMBERS {0, 1}
#define SUM(x) ((x)[0] + (x)[1])
#elif LANE_COUNT == 4
#define LANE_NUMBERS {0, 1, 2, 3}
#define SUM(x) (((x)[0] + (x)[2]) + ((x)[1] + (x)[3]))
#else
#define LANE_NUMBERS {0, 1, 2, 3, 4, 5, 6, 7}
#define SUM(x) ((((x)[0] + (x)[4]) + ((x)[2] + (x)[6])) + (((x)[1] + (x)[5]) + ((x)[3] + (x)[7])))
#endif
#endif
enum { LANES(lanes) = LANE_COUNT };
#define Lanes LANES(Vector)
#define Bits LANES(BitVector)

#define LOAD(pointer, v) (((const Lanes *)(pointer))[v])
#define STORE(pointer, v, x) (((Lanes *)(pointer))[v] = (x))

ALWAYS_INLINE Lanes LANES(all)(double x) { return x - (Lanes){0}; }    /* not 0 + x, which loses the sign of -0.0 */

ALWAYS_INLINE Lanes LANES(select)(Bits mask, Lanes yes, Lanes no) {
    return NUMBERS((mask & BITS(yes)) | (~mask & BITS(no)));
}

ALWAYS_INLINE Lanes LANES(magnitude)(Lanes x) { return NUMBERS(BITS(x) & ~((uint64_t)1 << 63)); }

ALWAYS_INLINE Lanes LANES(with_sign)(Lanes x, Lanes sign) {
    return NUMBERS(BITS(x) | (BITS(sign) & ((uint64_t)1 << 63)));
}

/* --- functions; what is not said otherwise is from FreeBSD's msun, whose bounds are below 1 ulp --- */

/* 2^k for a whole k from -1022 to 1023 */
ALWAYS_INLINE Lanes LANES(power_of_two)(Lanes k) {
    return NUMBERS((BITS(k + ROUNDER) - BITS(LANES(all)(ROUNDER)) + 1023) << 52);
}

ALWAYS_INLINE Lanes LANES(exp)(Lanes x) {
    Lanes k, half, high, low, r, t, c, y;
    Bits number = MASK(x == x);
    Lanes limited = LANES(select)(MASK(x > 710.0), LANES(all)(710.0), x);
    limited = LANES(select)(MASK(limited < -746.0), LANES(all)(-746.0), limited);
    k = (limited * 1.44269504088896338700e+00 + ROUNDER) - ROUNDER;
    high = limited - k * 6.93147180369123816490e-01;
    low = k * 1.90821492927058770002e-10;
    r = high - low;
    t = r * r;
    c = r - t * (1.66666666666666019037e-01 + t * (-2.77777777770155933842e-03 + t * (6.61375632143793436117e-05
            + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    y = 1.0 - ((low - (r * c) / (2.0 - c)) - high);
    half = (k * 0.5 + ROUNDER) - ROUNDER;
    return LANES(select)(number, y * LANES(power_of_two)(half) * LANES(power_of_two)(k - half), x);
}

ALWAYS_INLINE Lanes LANES(log)(Lanes x) {
    Bits tiny = MASK(x < 2.2250738585072014e-308);
    Lanes scaled = LANES(select)(tiny, x * 18014398509481984.0, x);
    Bits bits = BITS(scaled) + (0x3ff0000000000000u - 0x3fe6a09e00000000u);
    Lanes k = NUMBERS((bits >> 52) + BITS(LANES(all)(ROUNDER))) - (ROUNDER + 1023.0);
    Lanes f = NUMBERS((bits & 0x000fffffffffffffu) + 0x3fe6a09e00000000u) - 1.0;
    Lanes half_square = 0.5 * f * f;
    Lanes s = f / (2.0 + f);
    Lanes z = s * s;
    Lanes w = z * z;
    Lanes odd = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    Lanes even = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01
            + w * 1.479819860511658591e-01)));
    Lanes y;
    k = LANES(select)(tiny, k - 54.0, k);
    y = s * (half_square + even + odd) + k * 1.90821492927058770002e-10 - half_square + f
            + k * 6.93147180369123816490e-01;
    y = LANES(select)(MASK(x < INFINITY), y, x);       /* also for no number */
    y = LANES(select)(MASK(x == 0.0), LANES(all)(-INFINITY), y);
    return LANES(select)(MASK(x < 0.0), LANES(all)(NAN), y);
}

/* Cephes below 0.625, by exp above */
ALWAYS_INLINE Lanes LANES(tanh)(Lanes x) {
    Lanes size = LANES(magnitude)(x);
    Lanes z = x * x;
    Lanes above = z * (z * -9.64399179425052238628e-1 + -9.92877231001918586564e1) + -1.61468768441708447952e3;
    Lanes below = z * (z * (z + 1.12811678491632931402e2) + 2.23548839060100448583e3) + 4.84406305325125486048e3;
    Lanes small = x + x * z * (above / below);
    Lanes large = 1.0 - 2.0 / (LANES(exp)(size + size) + 1.0);
    return LANES(with_sign)(LANES(select)(MASK(size < 0.625), small, large), x);      /* of -0.0, too */
}

ALWAYS_INLINE Lanes LANES(sigmoid)(Lanes x) {
    Lanes e = LANES(exp)(-LANES(magnitude)(x));
    return LANES(select)(MASK(x >= 0.0), LANES(all)(1.0), e) / (1.0 + e);
}

/* sine or, a quarter turn further, cosine; lanes beyond 2^19 quarter turns are left to libm */
ALWAYS_INLINE Lanes LANES(wave)(Lanes x, uint64_t quarter, double (*libm)(double)) {
    Lanes far = NUMBERS(~MASK(LANES(magnitude)(x) < 823549.0) & BITS(LANES(all)(1.0)));
    Lanes rounded = x * 6.36619772367581382433e-01 + ROUNDER;
    Lanes n = rounded - ROUNDER;
    Bits turn = BITS(rounded) + quarter;
    Lanes t = x - n * 1.57079632673412561417e+00;
    Lanes w = n * 6.07710050630396597660e-11;
    Lanes r = t - w;
    Lanes lost = (t - r) - w + -(n * 2.02226624879595063154e-21);
    Lanes y = r + lost;
    Lanes tail = (r - y) + lost;
    Lanes z = y * y;
    Lanes v = z * y;
    Lanes s = 8.33333333332248946124e-03 + z * (-1.98412698298579493134e-04 + z * (2.75573137070700676789e-06
            + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)));
    Lanes c = z * (4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03 + z * (2.48015872894767294178e-05
            + z * (-2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
    Lanes half = 0.5 * z;
    Lanes one = 1.0 - half;
    Lanes result;
    s = y - ((z * (0.5 * tail - v * s) - tail) - v * -1.66666666666666324348e-01);
    c = one + (((1.0 - one) - half) + (z * c - y * tail));
    result = LANES(select)(MASK((turn & 1) != 0), c, s);
    result = NUMBERS(BITS(result) ^ ((turn & 2) << 62));
    if (SUM(far) != 0.0) {
        int k;
        for (k = 0; k < LANE_COUNT; k++)
            if (LANE(far, k) != 0.0)
                LANE(result, k) = libm(LANE(x, k));
    }
    return result;
}

ALWAYS_INLINE Lanes LANES(sin)(Lanes x) {
    /* the reduction loses the sign of -0.0 */
    return LANES(select)(MASK(x == 0.0), x, LANES(wave)(x, 0, sin));
}

ALWAYS_INLINE Lanes LANES(cos)(Lanes x) { return LANES(wave)(x, 1, cos); }

ALWAYS_INLINE Lanes LANES(sqrt)(Lanes x) {
#ifdef SQUARE_ROOTS
    return SQUARE_ROOTS(x);
#else
    int k;
    for (k = 0; k < LANE_COUNT; k++)
        LANE(x, k) = sqrt(LANE(x, k));
    return x;
#endif
}

static Lanes LANES(libm_pow)(Lanes x, Lanes y) {
    int k;
    for (k = 0; k < LANE_COUNT; k++)
        LANE(x, k) = pow(LANE(x, k), LANE(y, k));
    return x;
}

ALWAYS_INLINE Lanes LANES(power)(Lanes x, double y) {
    if (y == 2.0)
        return x * x;
    if (y == 1.0)
        return x;
    if (y == 0.0)
        return LANES(all)(1.0);
    if (y == -1.0)
        return 1.0 / x;
    if (y == 3.0)
        return x * x * x;
    if (y == -2.0) {
        x = 1.0 / x;    /* first: the square of x may be too large or too small where its inverse is not */
        return x * x;
    }
    if (y == 0.5 || y == -0.5 || y == 1.5 || y == -1.5) {
        Lanes root = LANES(sqrt)(x) + 0.0;      /* of -0.0: 0.0, as of pow */
        root = LANES(select)(MASK(x == -INFINITY), LANES(all)(INFINITY), root);
        if (y == 0.5)
            return root;
        if (y == -0.5)
            return 1.0 / root;
        x = LANES(magnitude)(x);    /* where it was negative, the root is no number */
        return y == 1.5 ? x * root : 1.0 / x / root;
    }
    return LANES(libm_pow)(x, LANES(all)(y));
}

ALWAYS_INLINE Lanes LANES(relu)(Lanes x) { return LANES(select)(MASK(x < 0.0), LANES(all)(0.0), x); }

/* As in ops/rules.pxd. Value and slope of the functions of one operand x, y being the value. */
ALWAYS_INLINE Lanes LANES(value)(int op, Lanes x) {
    switch (op) {
    case DO_RELU: return LANES(relu)(x);
    case DO_EXP: return LANES(exp)(x);
    case DO_LOG: return LANES(log)(x);
    case DO_TANH: return LANES(tanh)(x);
    case DO_SIGMOID: return LANES(sigmoid)(x);
    case DO_SQRT: return LANES(sqrt)(x);
    case DO_SIN: return LANES(sin)(x);
    case DO_COS: return LANES(cos)(x);
    case DO_ABS: return LANES(magnitude)(x);
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

ALWAYS_INLINE Lanes LANES(slope)(int op, Lanes x, Lanes y) {
    Lanes zero = LANES(all)(0.0), one = LANES(all)(1.0);
    switch (op) {
    case DO_RELU: return LANES(select)(MASK(y > 0.0), one, zero);
    case DO_EXP: return y;
    case DO_LOG: return 1.0 / x;
    case DO_TANH: return 1.0 - y * y;
    case DO_SIGMOID: return y * (1.0 - y);
    case DO_SQRT: return 0.5 / y;
    case DO_SIN: return LANES(cos)(x);
    case DO_COS: return -LANES(sin)(x);
    case DO_ABS: return LANES(select)(MASK(x > 0.0), one, LANES(select)(MASK(x < 0.0), -one, zero));
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

/* Value and pullbacks of the ops of two, x and y; z is the value, g its adjoint. */
ALWAYS_INLINE Lanes LANES(value_of_two)(int op, Lanes x, Lanes y) {
    Lanes nothing = LANES(all)(-0.0);
    switch (op) {
    case DO_ADD: return x + y;
    case DO_MUL: return x * y;
    case DO_POW: return LANES(libm_pow)(x, y);
    case DO_MAXIMUM: return LANES(select)(MASK(x >= y) | MASK(x != x), x, y);
    case DO_MINIMUM: return LANES(select)(MASK(x <= y) | MASK(x != x), x, y);
    case DO_PICK: return LANES(select)(MASK(x != 0.0), y, nothing);
    case DO_PICK_NOT: return LANES(select)(MASK(x == 0.0), y, nothing);
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

ALWAYS_INLINE Lanes LANES(pullback_a)(int op, Lanes x, Lanes y, Lanes g) {
    Lanes zero = LANES(all)(0.0);
    switch (op) {
    case DO_ADD: return g;
    case DO_MUL: return y * g;
    case DO_POW: return LANES(select)(MASK(y == 0.0), zero, y * LANES(libm_pow)(x, y - 1.0) * g);
    case DO_MAXIMUM: return LANES(select)(MASK(x < y), zero, LANES(select)(MASK(x == y), 0.5 * g, g));
    case DO_MINIMUM: return LANES(select)(MASK(x > y), zero, LANES(select)(MASK(x == y), 0.5 * g, g));
    case DO_PICK:
    case DO_PICK_NOT: return zero;
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

ALWAYS_INLINE Lanes LANES(pullback_b)(int op, Lanes x, Lanes y, Lanes z, Lanes g) {
    Lanes zero = LANES(all)(0.0);
    switch (op) {
    case DO_ADD: return g;
    case DO_MUL: return x * g;
    case DO_POW: return LANES(select)(MASK(x == 0.0) & MASK(y >= 0.0), zero, z * LANES(log)(x)) * g;
    case DO_MAXIMUM: return LANES(select)(MASK(x > y), zero, LANES(select)(MASK(x == y), 0.5 * g, g));
    case DO_MINIMUM: return LANES(select)(MASK(x < y), zero, LANES(select)(MASK(x == y), 0.5 * g, g));
    case DO_PICK: return LANES(select)(MASK(x != 0.0), g, zero);
    case DO_PICK_NOT: return LANES(select)(MASK(x == 0.0), g, zero);
    }
    UNKNOWN_OP(op);
    return LANES(all)(NAN);
}

/* Of x ** y, y being a number. */
ALWAYS_INLINE Lanes LANES(power_pullback)(Lanes x, double y, Lanes g) {
    return y == 0.0 ? LANES(all)(0.0) : y * LANES(power)(x, y - 1.0) * g;
}

/* --- sums over rows --- */

/* The lanes of vector v that are rows. */
ALWAYS_INLINE Bits LANES(rows_of)(int32_t v, int32_t rows) {
    const Bits lane = LANE_NUMBERS;
    return MASK(lane < (uint64_t)(rows - v * LANE_COUNT));
}

#if LANE_COUNT == 8 && (defined(__clang__) || __GNUC__ >= 12)
/* SUM of eight vectors at once, with the same order of additions. */
ALWAYS_INLINE void LANES(sum_each)(const Lanes *x, double *sums) {
    int k;
    Lanes fours[4], twos[2], total;
    for (k = 0; k < 4; k++)     /* of two vectors, lanes 0 + 4, 1 + 5, 2 + 6, 3 + 7 each */
        fours[k] = __builtin_shufflevector(x[2 * k], x[2 * k + 1], 0, 1, 2, 3, 8, 9, 10, 11)
                 + __builtin_shufflevector(x[2 * k], x[2 * k + 1], 4, 5, 6, 7, 12, 13, 14, 15);
    for (k = 0; k < 2; k++)
        twos[k] = __builtin_shufflevector(fours[2 * k], fours[2 * k + 1], 0, 1, 4, 5, 8, 9, 12, 13)
                + __builtin_shufflevector(fours[2 * k], fours[2 * k + 1], 2, 3, 6, 7, 10, 11, 14, 15);
    total = __builtin_shufflevector(twos[0], twos[1], 0, 2, 4, 6, 8, 10, 12, 14)
          + __builtin_shufflevector(twos[0], twos[1], 1, 3, 5, 7, 9, 11, 13, 15);
    STORE(sums, 0, total);
}
#endif

/* What is left of the lanes' sums: one number for each use of a uniform number. */
static void LANES(total)(const double *sums, int32_t count, double *gradients) {
    int32_t k = 0;
#if LANE_COUNT == 8 && (defined(__clang__) || __GNUC__ >= 12)
    for (; k + 8 <= count; k += 8)
        LANES(sum_each)((const Lanes *)sums + k, gradients + k);
#endif
    for (; k < count; k++)
        gradients[k] = SUM(LOAD(sums, k));
}

/* --- layers --- */

ALWAYS_INLINE void LANES(layer_tile)(const Layer *layer, double *slots, int32_t width, int32_t v, const double *numbers,
                                     int32_t i, const int many, const int vectors) {
    const double *weights = numbers + layer->weights + (int64_t)i * layer->inputs;
    const double *biases = numbers + layer->biases + i;
    const int32_t inputs = layer->inputs;
    Lanes sums[OUTPUTS_AT_ONCE][VECTORS_AT_ONCE];
    int32_t j;
    int p, q;
    for (p = 0; p < many; p++)
        for (q = 0; q < vectors; q++)
            sums[p][q] = LANES(all)(biases[p]);
    for (j = 0; j < inputs; j++) {
        const double *x = slots + (int64_t)layer->in[j] * width;
        for (p = 0; p < many; p++)
            for (q = 0; q < vectors; q++)
                sums[p][q] += weights[(int64_t)p * inputs + j] * LOAD(x, v + q);
    }
    for (p = 0; p < many; p++)
        for (q = 0; q < vectors; q++) {
            double *out = slots + (int64_t)layer->out[i + p] * width;
            STORE(out, v + q, layer->activation == DO_RELU ? LANES(relu)(sums[p][q]) : sums[p][q]);
        }
}

static void LANES(layer_forward)(const Layer *layer, double *slots, int32_t width, int32_t vectors,
                                 const double *numbers) {
    int32_t i = 0, v;
    for (; i + OUTPUTS_AT_ONCE <= layer->outputs; i += OUTPUTS_AT_ONCE) {
        for (v = 0; v + VECTORS_AT_ONCE <= vectors; v += VECTORS_AT_ONCE)
            LANES(layer_tile)(layer, slots, width, v, numbers, i, OUTPUTS_AT_ONCE, VECTORS_AT_ONCE);
        for (; v < vectors; v++)
            LANES(layer_tile)(layer, slots, width, v, numbers, i, OUTPUTS_AT_ONCE, 1);
    }
    for (; i < layer->outputs; i++)
        for (v = 0; v < vectors; v++)
            LANES(layer_tile)(layer, slots, width, v, numbers, i, 1, 1);
    if (layer->activation == DO_TANH || layer->activation == DO_SIGMOID)
        for (i = 0; i < layer->outputs; i++) {
            double *out = slots + (int64_t)layer->out[i] * width;
            for (v = 0; v < vectors; v++)
                STORE(out, v, LANES(value)(layer->activation, LOAD(out, v)));
        }
}

ALWAYS_INLINE void LANES(input_tile)(const Layer *layer, double *adjoints, int32_t width, int32_t v,
                                     const double *numbers, int32_t j, const int many, const int vectors) {
    const double *weights = numbers + layer->weights + j;
    Lanes sums[INPUTS_AT_ONCE][VECTORS_AT_ONCE];
    int32_t i;
    int p, q;
    for (p = 0; p < many; p++)
        for (q = 0; q < vectors; q++)
            sums[p][q] = LANES(all)(0.0);
    for (i = 0; i < layer->outputs; i++) {
        const double *g = adjoints + (int64_t)layer->adjoint_out[i] * width;
        for (p = 0; p < many; p++)
            for (q = 0; q < vectors; q++)
                sums[p][q] = MULTIPLY_ADD(LANES(all)(weights[(int64_t)i * layer->inputs + p]), LOAD(g, v + q), sums[p][q]);
    }
    for (p = 0; p < many; p++)
        for (q = 0; q < vectors; q++) {
            double *to = adjoints + (int64_t)layer->adjoint_in[j + p] * width;
            STORE(to, v + q, layer->first_in[j + p] ? sums[p][q] : LOAD(to, v + q) + sums[p][q]);
        }
}

/* Several inputs at once if all of them ask for an adjoint, in slots of their own. */
ALWAYS_INLINE int LANES(inputs_at_once)(const Layer *layer, int32_t j) {
    const int32_t *to = layer->adjoint_in + j;
    int p, q;
    if (j + INPUTS_AT_ONCE > layer->inputs)
        return 0;
    for (p = 0; p < INPUTS_AT_ONCE; p++) {
        if (to[p] < 0)
            return 0;
        for (q = 0; q < p; q++)
            if (to[p] == to[q])
                return 0;
    }
    return 1;
}

/* The gradients of `many` outputs' weights for `columns` inputs, a sum a lane: adds to those, or starts them. */
ALWAYS_INLINE void LANES(weight_tile)(const Layer *layer, const double *slots, const double *adjoints, int32_t width,
                                      int32_t rows, int32_t i, int32_t j, const int many, const int columns, int fresh,
                                      double *totals) {
    const int32_t whole = rows / LANE_COUNT;
    const double *xs[COLUMNS_AT_ONCE], *gs[OUTPUTS_AT_ONCE];
    Lanes *to = (Lanes *)totals + layer->weights + (int64_t)i * layer->inputs + j;
    Lanes sums[OUTPUTS_AT_ONCE][COLUMNS_AT_ONCE];
    int32_t v;
    int p, q;
    for (q = 0; q < columns; q++)
        xs[q] = slots + (int64_t)layer->in[j + q] * width;
    for (p = 0; p < many; p++)
        gs[p] = adjoints + (int64_t)layer->adjoint_out[i + p] * width;
    for (p = 0; p < many; p++)
        for (q = 0; q < columns; q++)
            sums[p][q] = fresh ? LANES(all)(0.0) : to[(int64_t)p * layer->inputs + q];
    for (v = 0; v < whole; v++)
        for (p = 0; p < many; p++)
            for (q = 0; q < columns; q++)
                sums[p][q] = MULTIPLY_ADD(LOAD(gs[p], v), LOAD(xs[q], v), sums[p][q]);
    if (v * LANE_COUNT < rows) {    /* what is no row adds nothing, not even 0 * infinity */
        const Bits mask = LANES(rows_of)(v, rows);
        for (p = 0; p < many; p++)
            for (q = 0; q < columns; q++)
                sums[p][q] = LANES(select)(mask, MULTIPLY_ADD(LOAD(gs[p], v), LOAD(xs[q], v), sums[p][q]), sums[p][q]);
    }
    for (p = 0; p < many; p++)
        for (q = 0; q < columns; q++)
            to[(int64_t)p * layer->inputs + q] = sums[p][q];
}

/* The adjoints of `many` outputs become those of their sums, before the activation; and the biases' gradients. */
ALWAYS_INLINE void LANES(output_tile)(const Layer *layer, const int activation, const double *slots, double *adjoints,
                                      int32_t width, int32_t rows, int32_t i, const int many, int fresh,
                                      double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    Lanes *to = (Lanes *)totals + layer->biases + i;
    Lanes sums[OUTPUTS_AT_ONCE], g;
    const double *ys[OUTPUTS_AT_ONCE];
    double *gs[OUTPUTS_AT_ONCE];
    int32_t v;
    int p;
    for (p = 0; p < many; p++) {
        ys[p] = slots + (int64_t)layer->out[i + p] * width;
        gs[p] = adjoints + (int64_t)layer->adjoint_out[i + p] * width;
        sums[p] = fresh || !layer->wants_weights ? LANES(all)(0.0) : to[p];
    }
    for (v = 0; v < vectors; v++)
        for (p = 0; p < many; p++) {
            g = LOAD(gs[p], v);
            if (activation != DO_MOVE) {
                g *= LANES(slope)(activation, LOAD(ys[p], v), LOAD(ys[p], v));     /* none of these asks for x */
                STORE(gs[p], v, g);
            }
            if ((v + 1) * LANE_COUNT > rows)
                g = LANES(select)(LANES(rows_of)(v, rows), g, LANES(all)(0.0));
            sums[p] += g;
        }
    if (layer->wants_weights)
        for (p = 0; p < many; p++)
            to[p] = sums[p];
}

ALWAYS_INLINE void LANES(output_tiles)(const Layer *layer, const int activation, const double *slots, double *adjoints,
                                       int32_t width, int32_t rows, int fresh, double *totals) {
    int32_t i;
    for (i = 0; i + OUTPUTS_AT_ONCE <= layer->outputs; i += OUTPUTS_AT_ONCE)
        LANES(output_tile)(layer, activation, slots, adjoints, width, rows, i, OUTPUTS_AT_ONCE, fresh, totals);
    for (; i < layer->outputs; i++)
        LANES(output_tile)(layer, activation, slots, adjoints, width, rows, i, 1, fresh, totals);
}

static void LANES(layer_backward)(const Layer *layer, const double *slots, double *adjoints, int32_t width,
                                  int32_t rows, const double *numbers, int fresh, double *totals) {
    int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT, i, j, v;
    switch (layer->activation) {
    case DO_RELU: LANES(output_tiles)(layer, DO_RELU, slots, adjoints, width, rows, fresh, totals); break;
    case DO_TANH: LANES(output_tiles)(layer, DO_TANH, slots, adjoints, width, rows, fresh, totals); break;
    case DO_SIGMOID: LANES(output_tiles)(layer, DO_SIGMOID, slots, adjoints, width, rows, fresh, totals); break;
    case DO_MOVE: LANES(output_tiles)(layer, DO_MOVE, slots, adjoints, width, rows, fresh, totals); break;
    default: UNKNOWN_OP(layer->activation);
    }
    if (layer->wants_weights) {
        for (i = 0; i + OUTPUTS_AT_ONCE <= layer->outputs; i += OUTPUTS_AT_ONCE) {
            for (j = 0; j + COLUMNS_AT_ONCE <= layer->inputs; j += COLUMNS_AT_ONCE)
                LANES(weight_tile)(layer, slots, adjoints, width, rows, i, j, OUTPUTS_AT_ONCE, COLUMNS_AT_ONCE, fresh,
                                   totals);
            for (; j < layer->inputs; j++)
                LANES(weight_tile)(layer, slots, adjoints, width, rows, i, j, OUTPUTS_AT_ONCE, 1, fresh, totals);
        }
        for (; i < layer->outputs; i++) {
            for (j = 0; j + COLUMNS_AT_ONCE <= layer->inputs; j += COLUMNS_AT_ONCE)
                LANES(weight_tile)(layer, slots, adjoints, width, rows, i, j, 1, COLUMNS_AT_ONCE, fresh, totals);
            for (; j < layer->inputs; j++)
                LANES(weight_tile)(layer, slots, adjoints, width, rows, i, j, 1, 1, fresh, totals);
        }
    }
    for (j = 0; j < layer->inputs; ) {
        if (LANES(inputs_at_once)(layer, j)) {
            for (v = 0; v + VECTORS_AT_ONCE <= vectors; v += VECTORS_AT_ONCE)
                LANES(input_tile)(layer, adjoints, width, v, numbers, j, INPUTS_AT_ONCE, VECTORS_AT_ONCE);
            for (; v < vectors; v++)
                LANES(input_tile)(layer, adjoints, width, v, numbers, j, INPUTS_AT_ONCE, 1);
            j += INPUTS_AT_ONCE;
        } else {
            if (layer->adjoint_in[j] >= 0)
                for (v = 0; v < vectors; v++)
                    LANES(input_tile)(layer, adjoints, width, v, numbers, j, 1, 1);
            j++;
        }
    }
}

/* --- single instructions --- */

#define EACH(v) for (v = 0; v < vectors; v++)

ALWAYS_INLINE void LANES(apply)(int op, const double *a, double *out, int32_t vectors) {
    int32_t v;
    EACH(v) STORE(out, v, LANES(value)(op, LOAD(a, v)));
}

ALWAYS_INLINE void LANES(apply_both)(int op, const Instruction *it, const double *slots, int32_t width, double *out,
                                     const double *numbers, int32_t vectors) {
    int32_t v;
    if (it->flags & B_UNIFORM) {
        const double *a = slots + (int64_t)it->a * width;
        Lanes y = LANES(all)(numbers[it->b]);
        EACH(v) STORE(out, v, LANES(value_of_two)(op, LOAD(a, v), y));
    } else if (it->flags & A_UNIFORM) {
        const double *b = slots + (int64_t)it->b * width;
        Lanes x = LANES(all)(numbers[it->a]);
        EACH(v) STORE(out, v, LANES(value_of_two)(op, x, LOAD(b, v)));
    } else {
        const double *a = slots + (int64_t)it->a * width;
        const double *b = slots + (int64_t)it->b * width;
        EACH(v) STORE(out, v, LANES(value_of_two)(op, LOAD(a, v), LOAD(b, v)));
    }
}

#define ONE(name) case name: LANES(apply)(name, slots + (int64_t)it->a * width, out, vectors); break
#define TWO(name) case name: LANES(apply_both)(name, it, slots, width, out, numbers, vectors); break

static void LANES(forward)(const Code *code, double *slots, int32_t width, int32_t rows, const double *numbers) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    int32_t k, v;
    for (k = 0; k < code->count; k++) {
        const Instruction *it = code->instructions + k;
        double *out = slots + (int64_t)it->out * width;
        switch (it->op) {
        case DO_LAYER: LANES(layer_forward)(code->layers + it->a, slots, width, vectors, numbers); break;
        TWO(DO_ADD); TWO(DO_MUL); TWO(DO_POW); TWO(DO_MAXIMUM); TWO(DO_MINIMUM); TWO(DO_PICK); TWO(DO_PICK_NOT);
        ONE(DO_RELU); ONE(DO_EXP); ONE(DO_LOG); ONE(DO_TANH); ONE(DO_SIGMOID); ONE(DO_SQRT); ONE(DO_SIN);
        ONE(DO_COS); ONE(DO_ABS);
        case DO_POWER: {
            const double exponent = numbers[it->b];
            const double *a = slots + (int64_t)it->a * width;
            EACH(v) STORE(out, v, LANES(power)(LOAD(a, v), exponent));
            break;
        }
        case DO_MOVE:
        case DO_STOP:
            if (it->flags & A_UNIFORM) {
                EACH(v) STORE(out, v, LANES(all)(numbers[it->a]));
            } else {
                const double *a = slots + (int64_t)it->a * width;
                EACH(v) STORE(out, v, LOAD(a, v));
            }
            break;
        default:
            UNKNOWN_OP(it->op);
        }
    }
}

#undef ONE
#undef TWO

/* What an operand gets: to its adjoint slot, or, a sum a lane, to the total of that use of a uniform. */
#define GIVE(to, uniform, first, amount)                                                            \
    if (uniform) {                                                                                  \
        Lanes sum = fresh ? LANES(all)(0.0) : LOAD(totals, to);                                     \
        for (v = 0; v < rows / LANE_COUNT; v++) sum += amount;                                      \
        if (v < vectors) sum = LANES(select)(LANES(rows_of)(v, rows), sum + (amount), sum);         \
        STORE(totals, to, sum);                                                                     \
    } else {                                                                                        \
        double *target = adjoints + (int64_t)(to) * width;                                          \
        if (first) EACH(v) STORE(target, v, amount);                                                \
        else EACH(v) STORE(target, v, LOAD(target, v) + amount);                                    \
    }

ALWAYS_INLINE void LANES(push)(int op, const Instruction *it, const double *slots, double *adjoints, int32_t width,
                               int32_t rows, int fresh, double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    const double *x = slots + (int64_t)it->a * width;
    const double *y = slots + (int64_t)it->out * width;
    const double *g = adjoints + (int64_t)it->adjoint * width;
    int32_t v;
    if (it->adjoint_a >= 0) {
        GIVE(it->adjoint_a, 0, it->flags & A_FIRST, LANES(slope)(op, LOAD(x, v), LOAD(y, v)) * LOAD(g, v))
    }
}

/* A uniform operand has no slot: what would be its place in the array of slots may lie beyond it. */
ALWAYS_INLINE void LANES(push_both)(int op, const Instruction *it, const double *slots, double *adjoints,
                                    int32_t width, int32_t rows, const double *numbers, int fresh,
                                    double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    const int a_uniform = it->flags & A_UNIFORM, b_uniform = it->flags & B_UNIFORM;
    const double *a = a_uniform ? NULL : slots + (int64_t)it->a * width;
    const double *b = b_uniform ? NULL : slots + (int64_t)it->b * width;
    const double *z = slots + (int64_t)it->out * width;
    const double *g = adjoints + (int64_t)it->adjoint * width;
    const Lanes ua = LANES(all)(a_uniform ? numbers[it->a] : 0.0), ub = LANES(all)(b_uniform ? numbers[it->b] : 0.0);
    int32_t v;
#define X (a_uniform ? ua : LOAD(a, v))
#define Y (b_uniform ? ub : LOAD(b, v))
    if (it->adjoint_a >= 0) {
        GIVE(it->adjoint_a, a_uniform, it->flags & A_FIRST, LANES(pullback_a)(op, X, Y, LOAD(g, v)))
    }
    if (it->adjoint_b >= 0) {
        GIVE(it->adjoint_b, b_uniform, it->flags & B_FIRST, LANES(pullback_b)(op, X, Y, LOAD(z, v), LOAD(g, v)))
    }
#undef X
#undef Y
}

#define ONE(name) case name: LANES(push)(name, it, slots, adjoints, width, rows, fresh, totals); break
#define TWO(name) \
    case name: LANES(push_both)(name, it, slots, adjoints, width, rows, numbers, fresh, totals); break

static void LANES(backward)(const Code *code, const double *slots, double *adjoints, int32_t width, int32_t rows,
                            const double *numbers, int fresh, double *totals) {
    const int32_t vectors = (rows + LANE_COUNT - 1) / LANE_COUNT;
    int32_t k, v;
    for (k = code->count - 1; k >= 0; k--) {
        const Instruction *it = code->instructions + k;
        const double *g;
        if (it->adjoint < 0)
            continue;
        g = adjoints + (int64_t)it->adjoint * width;
        switch (it->op) {
        case DO_LAYER:
            LANES(layer_backward)(code->layers + it->a, slots, adjoints, width, rows, numbers, fresh, totals);
            break;
        TWO(DO_ADD); TWO(DO_MUL); TWO(DO_POW); TWO(DO_MAXIMUM); TWO(DO_MINIMUM); TWO(DO_PICK); TWO(DO_PICK_NOT);
        ONE(DO_RELU); ONE(DO_EXP); ONE(DO_LOG); ONE(DO_TANH); ONE(DO_SIGMOID); ONE(DO_SQRT); ONE(DO_SIN);
        ONE(DO_COS); ONE(DO_ABS);
        case DO_MOVE:
            if (it->adjoint_a >= 0) {
                GIVE(it->adjoint_a, it->flags & A_UNIFORM, it->flags & A_FIRST, LOAD(g, v))
            }
            break;
        case DO_POWER: {
            const double exponent = numbers[it->b];
            const double *x = slots + (int64_t)it->a * width;
            if (it->adjoint_a >= 0) {
                GIVE(it->adjoint_a, 0, it->flags & A_FIRST,
                     LANES(power_pullback)(LOAD(x, v), exponent, LOAD(g, v)))
            }
            break;
        }
        case DO_STOP:
            break;
        default:
            UNKNOWN_OP(it->op);
        }
    }
}

#undef ONE
#undef TWO
#undef GIVE
#undef EACH
#undef LOAD
#undef STORE
#undef Lanes
#undef Bits
#undef LANE_NUMBERS
#undef SUM
