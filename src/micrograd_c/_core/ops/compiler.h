/* All that compilers spell in different ways, or that only some of them have. No other source names a compiler or uses
   what is one's own; tests/test_sources.py sees to that. Flags are in setup.py.

   clang-cl, which stands in for MSVC, takes what clang takes. */

#ifndef MICROGRAD_C_COMPILER_H
#define MICROGRAD_C_COMPILER_H

#define COMPILER_TEXT(...) COMPILER_AS_TEXT(__VA_ARGS__)
#define COMPILER_AS_TEXT(...) #__VA_ARGS__

/* --- its name --- */

#if defined(__clang__)
#define COMPILER __VERSION__        /* begins with the vendor's name and Clang */
#elif defined(__GNUC__)
#define COMPILER "GCC " __VERSION__
#elif defined(_MSC_FULL_VER)
#define COMPILER "MSVC " COMPILER_TEXT(_MSC_FULL_VER)
#else
#define COMPILER "a compiler of unknown name"
#endif

/* --- numbers: what flags say to others, see setup.py --- */

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#endif
#if defined(_MSC_VER) && (!defined(__clang__) || __clang_major__ >= 15)
#include <math.h>
#pragma function(pow)
#endif

/* --- functions and variables --- */

#if defined(__GNUC__) || defined(__clang__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define OUT_OF_LINE static __attribute__((noinline, unused))
#define THREAD_LOCAL __thread
#elif defined(_MSC_VER)
#define ALWAYS_INLINE static __forceinline
#define OUT_OF_LINE static __declspec(noinline)
#define THREAD_LOCAL __declspec(thread)
#else
#define ALWAYS_INLINE static inline
#define OUT_OF_LINE static inline
#define THREAD_LOCAL _Thread_local
#endif

#if defined(_MSC_VER)
#define RESTRICT __restrict     /* restrict is C11 there, which is not the default */
#else
#define RESTRICT restrict
#endif

/* --- vectors --- */

/* AS_VECTOR(bytes), after the name in a typedef of a number: a vector of it, anywhere in memory. */
#if defined(__GNUC__) || defined(__clang__)
#define AS_VECTOR(bytes) __attribute__((vector_size(bytes), aligned(8)))
#endif

/* SHUFFLED(x, y, k, ...): the k-th lane of x, or of y after it, and so on. */
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define SHUFFLED __builtin_shufflevector
#endif

/* --- instruction sets --- */

/* BEGIN_TARGET(names) and END_TARGET: functions between them are for processors that have these instruction sets. gcc for
   Windows aligns stacks to 16 bytes, and spills larger vectors there as if they were aligned (its bug 54412). */
#if defined(__x86_64__) && defined(__clang__)
#define BEGIN_TARGET(names) \
    _Pragma(COMPILER_TEXT(clang attribute push(__attribute__((target(names))), apply_to = function)))
#define END_TARGET _Pragma("clang attribute pop")
#define WIDE_VECTORS ""
#if defined(_MSC_VER)
#define IMMINTRIN_IS_NOT_ALL    /* only what flags allow everywhere: others by their own headers */
#endif
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(_WIN32)
#define BEGIN_TARGET(names) _Pragma("GCC push_options") _Pragma(COMPILER_TEXT(GCC target(names)))
#define END_TARGET _Pragma("GCC pop_options")
#define WIDE_VECTORS ",prefer-vector-width=512"     /* or vectors of 64 bytes are split in two */
#endif

#endif
