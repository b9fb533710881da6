/* Vectors of LANE_COUNT doubles, and of as many integers of 64 bits: as compilers with vector types have them, or, one
   lane at a time, for any compiler. Undone at the end of lanes.h, for the next instruction set. */

#if LANE_COUNT > 1
#define MASK(condition) ((Bits)(condition))
#define BITS(x) ((Bits)(x))
#define NUMBERS(x) ((Lanes)(x))
#define LANE(x, k) ((x)[k])
#else
#define MASK(condition) ((Bits)0 - (Bits)(condition))
#define BITS(x) LANES(bits)(x)
#define NUMBERS(x) LANES(numbers)(x)
#define LANE(x, k) (*(&(x) + (k)))
static inline uint64_t LANES(bits)(double x) { uint64_t bits; memcpy(&bits, &x, sizeof bits); return bits; }
static inline double LANES(numbers)(uint64_t bits) { double x; memcpy(&x, &bits, sizeof x); return x; }
#endif

#if LANE_COUNT == 1
typedef double LANES(Vector);
typedef uint64_t LANES(BitVector);
#define LANE_NUMBERS 0
#define SUM(x) (x)
#else
typedef double LANES(Vector) AS_VECTOR(8 * LANE_COUNT);
typedef uint64_t LANES(BitVector) AS_VECTOR(8 * LANE_COUNT);
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
