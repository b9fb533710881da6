/* The functions of the table of ops for lanes of rows: included by lanes.h for each instruction set. Unless said
   otherwise they are from FreeBSD's msun, whose bounds are below 1 ulp. exp, log, tanh, sin, cos and some powers are
   not libm's to the bit. */

/* 2^k for a whole k from -1022 to 1023 */
ALWAYS_INLINE Lanes LANES(power_of_two)(Lanes k) {
    return NUMBERS((BITS(k + ROUNDER) - BITS(LANES(all)(ROUNDER)) + 1023) << 52);
}

/* e^x is 2^k (1 + high - rest) */
ALWAYS_INLINE Lanes LANES(exp_parts)(Lanes x, Lanes *k, Lanes *high) {
    Lanes low, r, t, c;
    *k = (x * 1.44269504088896338700e+00 + ROUNDER) - ROUNDER;
    *high = x - *k * 6.93147180369123816490e-01;
    low = *k * 1.90821492927058770002e-10;
    r = *high - low;
    t = r * r;
    c = r - t * (1.66666666666666019037e-01 + t * (-2.77777777770155933842e-03 + t * (6.61375632143793436117e-05
            + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    return low - (r * c) / (2.0 - c);
}

/* x 2^k for whole k, where 2^k may be too large for a double, or too small */
ALWAYS_INLINE Lanes LANES(scaled)(Lanes x, Lanes k) {
    Lanes half = (k * 0.5 + ROUNDER) - ROUNDER;
    return x * LANES(power_of_two)(half) * LANES(power_of_two)(k - half);
}

ALWAYS_INLINE Lanes LANES(exp)(Lanes x) {
    Lanes k, high, rest;
    Lanes limited = LANES(select)(MASK(x > 710.0), LANES(all)(710.0), x);
    limited = LANES(select)(MASK(limited < -746.0), LANES(all)(-746.0), limited);
    rest = LANES(exp_parts)(limited, &k, &high);
    return LANES(select)(MASK(x == x), LANES(scaled)(1.0 - (rest - high), k), x);
}

/* 2^k (1 + high - rest) - 1 is 2^k ((1 - 2^-k) + high - rest), whose first sum is exact where it matters */
ALWAYS_INLINE Lanes LANES(expm1)(Lanes x) {
    Lanes k, high, rest, most;
    Lanes limited = LANES(select)(MASK(x > 710.0), LANES(all)(710.0), x);
    limited = LANES(select)(MASK(limited < -50.0), LANES(all)(-50.0), limited);
    rest = LANES(exp_parts)(limited, &k, &high);
    most = LANES(select)(MASK(k > 100.0), LANES(all)(100.0), k);    /* 2^-k is nothing beside 1 from there on */
    high = LANES(scaled)((1.0 - LANES(power_of_two)(-most)) + high - rest, k);
    return LANES(select)(MASK(x == x) & MASK(x != 0.0), high, x);   /* -0.0 stays what it is, too */
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
    y = LANES(select)(MASK(x < INFINITY), y, x);       /* also for NaN */
    y = LANES(select)(MASK(x == 0.0), LANES(all)(-INFINITY), y);
    return LANES(select)(MASK(x < 0.0), LANES(all)(NAN), y);
}

/* log(u), plus what is lost in u = 1 + x, divided by u */
ALWAYS_INLINE Lanes LANES(log1p)(Lanes x) {
    Lanes u = 1.0 + x;
    Lanes larger = u - x;
    Lanes lost = (1.0 - larger) + (x - (u - larger));
    Lanes y = LANES(log)(u);
    Bits plain = MASK(u > 0.0) & MASK(u < INFINITY) & MASK(x != 0.0);
    y = LANES(select)(plain, y + lost / u, y);
    return LANES(select)(MASK(x == 0.0), x, y);     /* -0.0, too */
}

/* from Cephes below 0.625, by exp above */
ALWAYS_INLINE Lanes LANES(tanh)(Lanes x) {
    Lanes size = LANES(magnitude)(x);
    Lanes z = x * x;
    Lanes above = z * (z * -9.64399179425052238628e-1 + -9.92877231001918586564e1) + -1.61468768441708447952e3;
    Lanes below = z * (z * (z + 1.12811678491632931402e2) + 2.23548839060100448583e3) + 4.84406305325125486048e3;
    Lanes small = x + x * z * (above / below);
    Lanes large = 1.0 - 2.0 / (LANES(exp)(size + size) + 1.0);
    return LANES(with_sign)(LANES(select)(MASK(size < 0.625), small, large), x);      /* -0.0, too */
}

ALWAYS_INLINE Lanes LANES(sigmoid)(Lanes x) {
    Lanes e = LANES(exp)(-LANES(magnitude)(x));
    return LANES(select)(MASK(x >= 0.0), LANES(all)(1.0), e) / (1.0 + e);
}

ALWAYS_INLINE Lanes LANES(softplus)(Lanes x) {
    return LANES(select)(MASK(x > 0.0), x, LANES(all)(0.0)) + LANES(log1p)(LANES(exp)(-LANES(magnitude)(x)));
}

/* of the normal distribution, by libm */
static Lanes LANES(below)(Lanes x) {
    int k;
    for (k = 0; k < LANE_COUNT; k++)
        LANE(x, k) = op_below(LANE(x, k));
    return x;
}

/* erf and erfc, by libm */
static Lanes LANES(erf)(Lanes x) {
    int k;
    for (k = 0; k < LANE_COUNT; k++)
        LANE(x, k) = erf(LANE(x, k));
    return x;
}

static Lanes LANES(erfc)(Lanes x) {
    int k;
    for (k = 0; k < LANE_COUNT; k++)
        LANE(x, k) = erfc(LANE(x, k));
    return x;
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

/* below 2^52, adding that leaves whole numbers */
ALWAYS_INLINE Lanes LANES(floor)(Lanes x) {
    Lanes size = LANES(magnitude)(x);
    Lanes whole = LANES(with_sign)((size + 4503599627370496.0) - 4503599627370496.0, x);
    Lanes lower = whole - LANES(select)(MASK(whole > x), LANES(all)(1.0), LANES(all)(0.0));
    return LANES(select)(MASK(size < 4503599627370496.0), LANES(with_sign)(lower, x), x);      /* -0.0, too */
}

/* sinh and cosh by e^|x|, or where that may be too large, by its root */
ALWAYS_INLINE Lanes LANES(sinh)(Lanes x) {
    Lanes size = LANES(magnitude)(x);
    Lanes t = LANES(expm1)(size);
    Lanes root = LANES(exp)(0.5 * size);
    t = LANES(select)(MASK(size > 700.0), 0.5 * root * root, 0.5 * (t + t / (t + 1.0)));
    return LANES(with_sign)(t, x);
}

ALWAYS_INLINE Lanes LANES(cosh)(Lanes x) {
    Lanes size = LANES(magnitude)(x);
    Lanes e = LANES(exp)(size);
    Lanes root = LANES(exp)(0.5 * size);
    return LANES(select)(MASK(size > 700.0), 0.5 * root * root, 0.5 * e + 0.5 / e);
}

/* from Cephes: beyond tan(pi / 8) by an angle that is known, and that between it and the wanted one */
ALWAYS_INLINE Lanes LANES(atan)(Lanes x) {
    Lanes size = LANES(magnitude)(x);
    Bits far = MASK(size > 2.41421356237309504880), middle = MASK(size > 0.66);
    Lanes from = LANES(select)(far, LANES(all)(1.57079632679489661923), LANES(select)(
        middle, LANES(all)(0.785398163397448309616), LANES(all)(0.0)));
    Lanes lost = LANES(select)(far, LANES(all)(6.123233995736765886130e-17), LANES(select)(
        middle, LANES(all)(3.061616997868382943065e-17), LANES(all)(0.0)));
    Lanes t = LANES(select)(far, -1.0 / size, LANES(select)(middle, (size - 1.0) / (size + 1.0), size));
    Lanes z = t * t;
    Lanes above = z * (-6.485021904942025371773e1 + z * (-1.228866684490136173410e2 + z * (-7.500855792314704667340e1
            + z * (-1.615753718733365076637e1 + z * -8.750608600031904122785e-1))));
    Lanes below = 1.945506571482613964425e2 + z * (4.853903996359136964868e2 + z * (4.328810604912902668951e2
            + z * (1.650270098316988542046e2 + z * (2.485846490142306297962e1 + z))));
    return LANES(with_sign)(from + (t * (above / below) + lost + t), x);
}

/* the same angle by the smaller of the two by the larger, from whichever axis is nearer */
ALWAYS_INLINE Lanes LANES(atan2)(Lanes x, Lanes y) {
    Lanes height = LANES(magnitude)(x), width = LANES(magnitude)(y);
    Bits steep = MASK(height > width);
    Bits behind = MASK(LANES(with_sign)(LANES(all)(1.0), y) < 0.0);     /* -0.0, too */
    Lanes small = LANES(select)(steep, width, height), large = LANES(select)(steep, height, width);
    Lanes ratio = LANES(select)(MASK(small == large), LANES(all)(1.0), small / large);
    Lanes angle = LANES(atan)(LANES(select)(MASK(large == 0.0), LANES(all)(0.0), ratio));
    angle = LANES(select)(
        steep, 1.57079632679489661923 - (angle - 6.123233995736765886130e-17), angle);
    angle = LANES(select)(behind, 3.14159265358979323846 - (angle - 1.224646799147353177226e-16), angle);
    return LANES(select)(MASK(x == x) & MASK(y == y), LANES(with_sign)(angle, x), x + y);
}

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

/* from Cephes: below 0.625, and above, where it is pi / 2 less by what follows from 1 - |x| */
ALWAYS_INLINE Lanes LANES(asin)(Lanes x) {
    Lanes size = LANES(magnitude)(x);
    Lanes z = size * size;
    Lanes rest = 1.0 - size;
    Lanes above = z * (-8.198089802484824371615e0 + z * (1.956261983317594739197e1 + z * (-1.626247967210700244449e1
            + z * (5.444622390564711410273e0 + z * (-6.019598008014123785661e-1 + z * 4.253011369004428248960e-3)))));
    Lanes below = -4.918853881490881290097e1 + z * (1.395105614657485689735e2 + z * (-1.471791292232726029859e2
            + z * (7.049610280856842141659e1 + z * (-1.474091372988853791896e1 + z))));
    Lanes near = size + size * (above / below);
    Lanes root = LANES(sqrt)(rest + rest);
    above = rest * (2.853665548261061424989e1 + rest * (-2.556901049652824852289e1 + rest * (6.968710824104713396794e0
            + rest * (-5.634242780008963776856e-1 + rest * 2.967721961301243206100e-3))));
    below = 3.424398657913078477438e2 + rest * (-3.838770957603691357202e2 + rest * (1.470656354026814941758e2
            + rest * (-2.194779531642920639778e1 + rest)));
    rest = 0.785398163397448309616 - root;
    rest = rest - (root * (above / below) - 6.123233995736765886130e-17) + 0.785398163397448309616;
    return LANES(with_sign)(LANES(select)(MASK(size > 0.625), rest, near), x);      /* beyond 1 the root is NaN */
}

ALWAYS_INLINE Lanes LANES(acos)(Lanes x) {
    Lanes twice = 2.0 * LANES(asin)(LANES(sqrt)(0.5 - 0.5 * LANES(magnitude)(x)));
    Lanes middle = 0.785398163397448309616 - LANES(asin)(x) + 6.123233995736765886130e-17 + 0.785398163397448309616;
    return LANES(select)(MASK(x > 0.5), twice, LANES(select)(MASK(x < -0.5), 3.14159265358979323846 - twice, middle));
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
        Lanes root = LANES(sqrt)(x) + 0.0;      /* -0.0 gives 0.0, as with pow */
        root = LANES(select)(MASK(x == -INFINITY), LANES(all)(INFINITY), root);
        if (y == 0.5)
            return root;
        if (y == -0.5)
            return 1.0 / root;
        x = LANES(magnitude)(x);    /* where it was negative, the root is NaN */
        return y == 1.5 ? x * root : 1.0 / x / root;
    }
    return LANES(libm_pow)(x, LANES(all)(y));
}

ALWAYS_INLINE Lanes LANES(relu)(Lanes x) { return LANES(select)(MASK(x < 0.0), LANES(all)(0.0), x); }
