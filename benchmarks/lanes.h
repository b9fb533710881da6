/* Vectors of doubles as wide as the machine's registers, for the programs by hand in C: wider ones would be split, and
   go through memory. */

#ifndef LANES_H
#define LANES_H

#if defined __AVX512F__
#include <immintrin.h>
#define BYTES 64
#elif defined __AVX__
#define BYTES 32
#else
#define BYTES 16
#endif

enum { LANES = BYTES / sizeof(double), REGISTERS = BYTES == 64 ? 32 : 16 };

typedef double Lanes __attribute__((vector_size(BYTES)));
typedef Lanes Unaligned __attribute__((aligned(8)));
typedef double Four __attribute__((vector_size(32)));
typedef Four UnalignedFour __attribute__((aligned(8)));
typedef long long Masks __attribute__((vector_size(BYTES)));

#define LOOSE(p) (*(Unaligned *)(p))
#define INLINE static inline __attribute__((always_inline))

INLINE Lanes all(double x) { return (Lanes){0} + x; }
INLINE Lanes kept(Masks mask, Lanes x) { return (Lanes)(mask & (Masks)x); }
INLINE Lanes chosen(Masks mask, Lanes x, Lanes y) { return (Lanes)((mask & (Masks)x) | (~mask & (Masks)y)); }

INLINE Lanes largest(Lanes x, Lanes y) {
#if BYTES == 64
    return _mm512_max_pd(x, y);         /* which the compiler does not find */
#else
    return chosen(x > y, x, y);
#endif
}

INLINE double total(Lanes x) {
    double sum = 0;
    for (int k = 0; k < LANES; k++)
        sum += x[k];
    return sum;
}

#if defined __clang__
#define SHUFFLED(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define SHUFFLED(x, y, ...) __builtin_shuffle(x, y, (Masks){__VA_ARGS__})
#endif
#define EXCHANGE(name, low, high) INLINE void name(Lanes *x, Lanes *y) { Lanes one = low; *y = high; *x = one; }

/* Every second lane, pair or four of x changes places with the one before it in y. */
#if BYTES == 64
EXCHANGE(exchange_lanes, SHUFFLED(*x, *y, 0, 8, 2, 10, 4, 12, 6, 14), SHUFFLED(*x, *y, 1, 9, 3, 11, 5, 13, 7, 15))
EXCHANGE(exchange_pairs, SHUFFLED(*x, *y, 0, 1, 8, 9, 4, 5, 12, 13), SHUFFLED(*x, *y, 2, 3, 10, 11, 6, 7, 14, 15))
EXCHANGE(exchange_fours, SHUFFLED(*x, *y, 0, 1, 2, 3, 8, 9, 10, 11), SHUFFLED(*x, *y, 4, 5, 6, 7, 12, 13, 14, 15))
#elif BYTES == 32
EXCHANGE(exchange_lanes, SHUFFLED(*x, *y, 0, 4, 2, 6), SHUFFLED(*x, *y, 1, 5, 3, 7))
EXCHANGE(exchange_pairs, SHUFFLED(*x, *y, 0, 1, 4, 5), SHUFFLED(*x, *y, 2, 3, 6, 7))
#else
EXCHANGE(exchange_lanes, SHUFFLED(*x, *y, 0, 2), SHUFFLED(*x, *y, 1, 3))
#endif

/* Columns for rows, of as many vectors as there are lanes. */
INLINE void turn(Lanes *x) {
    for (int k = 0; k < LANES; k += 2)
        exchange_lanes(&x[k], &x[k + 1]);
#if BYTES >= 32
    for (int k = 0; k < LANES; k += k % 2 ? 3 : 1)
        exchange_pairs(&x[k], &x[k + 2]);
#endif
#if BYTES == 64
    for (int k = 0; k < 4; k++)
        exchange_fours(&x[k], &x[k + 4]);
#endif
}

/* to[k] += the sum of the lanes of x[k], for four; all at once takes fewer shuffles than one by one. Overwrites x. */
INLINE void add_totals(double *to, Lanes *x) {
#if BYTES >= 32
    exchange_lanes(&x[0], &x[1]);
    exchange_lanes(&x[2], &x[3]);
    x[0] += x[1];
    x[2] += x[3];
    exchange_pairs(&x[0], &x[2]);
    union { Lanes whole; Four fours[LANES / 4]; } sums = {x[0] + x[2]};
    for (int k = 1; k < LANES / 4; k++)
        sums.fours[0] += sums.fours[k];
    *(UnalignedFour *)to += sums.fours[0];
#else
    for (int k = 0; k < 4; k++)
        to[k] += total(x[k]);
#endif
}

/* Of x <= 0, to the last digit but one: a power of 2, and a polynomial between -log(2) / 2 and log(2) / 2. */
INLINE Lanes exponential(Lanes x) {
    static const double parts[] = {
        1.0, 1.0, 0.5000000000000019, 0.1666666666666668, 0.04166666666648795, 0.008333333333319589,
        0.0013888888952352863, 0.00019841269890076403, 2.4801485441561313e-05, 2.755724088722987e-06,
        2.763265472252779e-07, 2.511004920481866e-08,
    };
    x = largest(x, all(-700));
    Lanes rounded = x * 1.4426950408889634 + 0x1.8p52;      /* its last bits are the power */
    Masks power = (Masks)rounded << 52;
#if defined __AVX512F__
    __asm__("" : "+v"(rounded));        /* -ffast-math would leave out adding and subtracting */
#elif defined __x86_64__
    __asm__("" : "+x"(rounded));
#else
    __asm__("" : "+m"(rounded));
#endif
    Lanes whole = rounded - 0x1.8p52;
    Lanes rest = (x - whole * 0x1.62e42fefa0000p-1) - whole * 0x1.cf79abc9e3b3ap-40;
    Lanes sum = all(parts[11]);
    for (int k = 10; k >= 0; k--)
        sum = sum * rest + parts[k];
    return (Lanes)((Masks)sum + power);
}

#endif
