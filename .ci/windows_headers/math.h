/* Declarations that stand in for Windows' headers, which are not here: what our C uses of them. See by_clang in
   ../run. */
#define INFINITY __builtin_inf()
#define NAN __builtin_nan("")
double acos(double), asin(double), atan(double), atan2(double, double), ceil(double), cos(double), cosh(double);
double erf(double), erfc(double), exp(double), expm1(double), fabs(double), floor(double), log(double), log1p(double);
double pow(double, double), sin(double), sinh(double), sqrt(double), tan(double), tanh(double);
