/* Residuals and Jacobian of bundle adjustment by hand, what ba.py is measured against: derivatives on paper, one
   observation at a time, not in lanes. With a turn r, its rotation R, and x = point - centre,

       d (R x) / d r = -R [x] (r r^T + (R^T - 1) [r]) / |r|^2      [x] is the matrix of y -> x cross y

   which is Gallego and Yezzi, A compact formula for the derivative of a 3-D rotation in exponential coordinates, 2015.
   Built by by_hand.py with -O3 -march=native -ffast-math. */

#include <math.h>

enum { CAMERA = 11, ROW = 15 };

#define INLINE static inline __attribute__((always_inline))

/* The rows of the rotation about r, whose length squared is given. */
INLINE void rotation(const double *r, double square, double R[3][3]) {
    double angle = sqrt(square), c = cos(angle), s = sin(angle) / angle, e = (1 - c) / square;
    R[0][0] = c + e * r[0] * r[0];
    R[0][1] = e * r[0] * r[1] - s * r[2];
    R[0][2] = e * r[0] * r[2] + s * r[1];
    R[1][0] = e * r[1] * r[0] + s * r[2];
    R[1][1] = c + e * r[1] * r[1];
    R[1][2] = e * r[1] * r[2] - s * r[0];
    R[2][0] = e * r[2] * r[0] - s * r[1];
    R[2][1] = e * r[2] * r[1] + s * r[0];
    R[2][2] = c + e * r[2] * r[2];
}

INLINE double dot(const double *a, const double *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

double objective(const double *restrict cameras, const double *restrict points, const double *restrict weights,
                 const double *restrict seen, const long long *restrict camera_of, const long long *restrict point_of,
                 long long count, double *restrict out, double *restrict of_weights) {
    for (long long k = 0; k < count; k++) {
        const double *a = cameras + CAMERA * camera_of[k], *point = points + 3 * point_of[k];
        double R[3][3], r[3] = {a[0], a[1], a[2]}, x[3] = {point[0] - a[3], point[1] - a[4], point[2] - a[5]};
        rotation(r, dot(r, r), R);
        double z = 1 / dot(R[2], x), u = dot(R[0], x) * z, v = dot(R[1], x) * z, s = u * u + v * v;
        double bend = a[6] * (1 + a[9] * s + a[10] * s * s);
        out[2 * k] = weights[k] * (u * bend + a[7] - seen[2 * k]);
        out[2 * k + 1] = weights[k] * (v * bend + a[8] - seen[2 * k + 1]);
        of_weights[k] = 1 - weights[k] * weights[k];
    }
    return 0;
}

double jacobian(const double *restrict cameras, const double *restrict points, const double *restrict weights,
                const double *restrict seen, const long long *restrict camera_of, const long long *restrict point_of,
                long long count, double *restrict out) {
    for (long long k = 0; k < count; k++) {
        const double *a = cameras + CAMERA * camera_of[k], *point = points + 3 * point_of[k];
        double R[3][3], r[3] = {a[0], a[1], a[2]}, x[3] = {point[0] - a[3], point[1] - a[4], point[2] - a[5]};
        double square = dot(r, r), w = weights[k];
        rotation(r, square, R);
        double z = 1 / dot(R[2], x), f[2] = {dot(R[0], x) * z, dot(R[1], x) * z};
        double s = f[0] * f[0] + f[1] * f[1], bend = 1 + a[9] * s + a[10] * s * s, slope = 2 * (a[9] + 2 * a[10] * s);

        /* the columns of r r^T + (R^T - 1) [r], each crossed with x; column j of [r] is r cross the j-th direction */
        double crossed[3][3], inverse = 1 / square;
        double columns[3][3] = {{0, r[2], -r[1]}, {-r[2], 0, r[0]}, {r[1], -r[0], 0}};
        for (int j = 0; j < 3; j++) {
            double m[3];
            for (int i = 0; i < 3; i++)
                m[i] = (r[i] * r[j] + R[0][i] * columns[j][0] + R[1][i] * columns[j][1] + R[2][i] * columns[j][2]
                        - columns[j][i]) * inverse;
            crossed[j][0] = x[1] * m[2] - x[2] * m[1];
            crossed[j][1] = x[2] * m[0] - x[0] * m[2];
            crossed[j][2] = x[0] * m[1] - x[1] * m[0];
        }
        for (int i = 0; i < 2; i++) {
            double *row = out + ROW * (2 * k + i);
            double by_u = w * a[6] * ((i == 0) * bend + slope * f[i] * f[0]) * z;
            double by_v = w * a[6] * ((i == 1) * bend + slope * f[i] * f[1]) * z;
            double by_z = -by_u * f[0] - by_v * f[1];
            double by_x[3];
            for (int j = 0; j < 3; j++)
                by_x[j] = by_u * R[0][j] + by_v * R[1][j] + by_z * R[2][j];
            for (int j = 0; j < 3; j++) {
                row[j] = -dot(by_x, crossed[j]);
                row[3 + j] = -by_x[j];
                row[11 + j] = by_x[j];
            }
            row[6] = w * f[i] * bend;
            row[7] = (i == 0) * w;
            row[8] = (i == 1) * w;
            row[9] = w * a[6] * f[i] * s;
            row[10] = w * a[6] * f[i] * s * s;
            row[14] = f[i] * bend * a[6] + a[7 + i] - seen[2 * k + i];
        }
    }
    return 0;
}
