"""The C face of rows.h."""

from libc.stdint cimport int64_t, uint8_t

cdef extern from "tape/rows.h" nogil:
    uint8_t bits_of_any(const uint8_t *bytes, int64_t count)
    uint8_t bits_of_all(const uint8_t *bytes, int64_t count)
    void add_multiples(double *to, const double *numbers, double factor, int64_t count)
    void add_row(double *to, const double *numbers, int64_t count)
    void clear_bits(uint8_t *bytes, uint8_t bits, int64_t count)
    int64_t set_bits(uint8_t *bytes, uint8_t bits, uint8_t seen, int64_t count)
