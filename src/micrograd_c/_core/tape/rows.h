/* Loops over entries of the tape's arrays that lie side by side, as those of a layer's weights do. Most are short. */

#ifndef MICROGRAD_C_ROWS_H
#define MICROGRAD_C_ROWS_H

#include <stdint.h>
#include <string.h>

#include "ops/compiler.h"

/* Combine count bytes, at least one, into a word: eight at a time, the last ones again where they are not. Compilers'
   own vectors take longer to set up. `found` is what combining leaves alone. */
#define COMBINED(bytes, count, found, COMBINE) \
    uint64_t eight; \
    if (count >= 8) { \
        int64_t k; \
        for (k = 0; k < count - 8; k += 8) { \
            memcpy(&eight, bytes + k, 8); \
            found COMBINE eight; \
        } \
        memcpy(&eight, bytes + count - 8, 8); \
        found COMBINE eight; \
        found COMBINE found >> 32; \
        found COMBINE found >> 16; \
        found COMBINE found >> 8; \
    } else { \
        do \
            found COMBINE bytes[--count]; \
        while (count > 0); \
    }

/* The bits that any of so many bytes has. */
ALWAYS_INLINE uint8_t bits_of_any(const uint8_t *bytes, int64_t count) {
    uint64_t found = 0;
    COMBINED(bytes, count, found, |=)
    return (uint8_t)found;
}

/* The bits that all of so many bytes have. */
ALWAYS_INLINE uint8_t bits_of_all(const uint8_t *bytes, int64_t count) {
    uint64_t found = ~(uint64_t)0;
    COMBINED(bytes, count, found, &=)
    return (uint8_t)found;
}

#undef COMBINED

/* Clear these bits of each byte. */
ALWAYS_INLINE void clear_bits(uint8_t *bytes, uint8_t bits, int64_t count) {
    int64_t k;
    for (k = 0; k < count; k++)
        bytes[k] &= (uint8_t)~bits;
}

/* Set these bits of each byte. Returns how many bytes had none of `seen` before. */
ALWAYS_INLINE int64_t set_bits(uint8_t *bytes, uint8_t bits, uint8_t seen, int64_t count) {
    int64_t found = 0;
    while (count > 0) {
        uint8_t unseen = 0;     /* in bytes, which compilers count in vectors: of no more than that holds */
        int64_t some = count < UINT8_MAX ? count : UINT8_MAX;
        int64_t k;
        for (k = 0; k < some; k++) {
            unseen += !(bytes[k] & seen);
            bytes[k] |= bits;
        }
        found += unseen;
        bytes += some;
        count -= some;
    }
    return found;
}

/* to[k] += numbers[k] * factor; the arrays do not overlap. */
ALWAYS_INLINE void add_multiples(double *RESTRICT to, const double *RESTRICT numbers, double factor, int64_t count) {
    int64_t k;
    for (k = 0; k < count; k++)
        to[k] += numbers[k] * factor;
}

/* to[k] += numbers[k]; the arrays do not overlap. */
ALWAYS_INLINE void add_row(double *RESTRICT to, const double *RESTRICT numbers, int64_t count) {
    int64_t k;
    for (k = 0; k < count; k++)
        to[k] += numbers[k];
}

#endif
