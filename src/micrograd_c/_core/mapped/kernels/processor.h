/* Which instruction sets an x86-64 processor has, as it says itself, and intrinsics for them.

   Registers wider than 16 bytes can only be used if the operating system saves them: OSXSAVE and then XCR0 tell. */

#ifndef MICROGRAD_C_PROCESSOR_H
#define MICROGRAD_C_PROCESSOR_H

#include <cpuid.h>
#include <immintrin.h>
#include <stddef.h>
#ifdef IMMINTRIN_IS_NOT_ALL
#include <smmintrin.h>
#include <avxintrin.h>
#include <avx2intrin.h>
#include <fmaintrin.h>
#include <avx512fintrin.h>
#endif

enum InstructionSet { OF_AVX2 = 1, OF_AVX512 = 2 };     /* with fma; with dq and vl */

/* Bits of XCR0: the registers of 16 bytes and of 32; and masks, and all of 64. */
enum { SAVES_32 = 0x06, SAVES_64 = 0xe6 };

static int ask_processor(void) {
    const unsigned int of_avx2 = bit_AVX2, of_avx512 = bit_AVX512F | bit_AVX512DQ | bit_AVX512VL;
    unsigned int a, b, d, features, more, saves;
    int sets = 0;
    if (__get_cpuid_max(0, NULL) < 7)
        return 0;
    __cpuid(1, a, b, features, d);
    if (!(features & bit_OSXSAVE))
        return 0;
    __cpuid_count(7, 0, a, more, b, d);
    __asm__ volatile ("xgetbv" : "=a"(saves), "=d"(d) : "c"(0));
    if ((saves & SAVES_32) == SAVES_32 && (features & bit_FMA) && (more & of_avx2) == of_avx2)
        sets |= OF_AVX2;
    if ((saves & SAVES_64) == SAVES_64 && (more & of_avx512) == of_avx512)
        sets |= OF_AVX512;
    return sets;
}

/* It is asked once: in a virtual machine an answer may take a tenth of a millisecond. Threads that are first at the same
   time find the same. */
static int processor_has(enum InstructionSet set) {
    static int known = -1;
    if (known < 0)
        known = ask_processor();
    return known & set;
}

#endif
