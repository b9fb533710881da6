/* Which instruction sets an x86-64 processor has, as it says itself, and intrinsics for them.

   Registers wider than 16 bytes can only be used if the operating system saves them: OSXSAVE and then XCR0 tell. */

#ifndef MICROGRAD_C_PROCESSOR_H
#define MICROGRAD_C_PROCESSOR_H

#include <cpuid.h>
#include <immintrin.h>
#ifdef IMMINTRIN_IS_NOT_ALL
#include <smmintrin.h>
#include <avxintrin.h>
#include <avx2intrin.h>
#include <fmaintrin.h>
#include <avx512fintrin.h>
#endif

/* What functions of one BEGIN_TARGET need. */
typedef struct {
    unsigned int leaf_1_ecx, leaf_7_ebx;
    unsigned int saved;     /* bits of XCR0 */
} Needs;

static const Needs OF_AVX2 = {bit_OSXSAVE | bit_FMA, bit_AVX2, 0x06};     /* saved: of 16 bytes, of 32 */
static const Needs OF_AVX512 = {bit_OSXSAVE, bit_AVX512F | bit_AVX512DQ | bit_AVX512VL, 0xe6};   /* and masks, of 64 */

static int processor_has(const Needs needs) {
    unsigned int eax, ebx, ecx, edx;
    if (!__get_cpuid_count(1, 0, &eax, &ebx, &ecx, &edx) || (ecx & needs.leaf_1_ecx) != needs.leaf_1_ecx)
        return 0;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (ebx & needs.leaf_7_ebx) != needs.leaf_7_ebx)
        return 0;
    __asm__ volatile ("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return (eax & needs.saved) == needs.saved;
}

#endif
