/* UNKNOWN_OP(op): what code that tells ops apart does with one it does not know. In a checked build, with
   MICROGRAD_C_CHECKED, it ends the program with a message. Otherwise it does nothing, and that code returns NaN. */

#ifndef MICROGRAD_C_UNKNOWN_OP_H
#define MICROGRAD_C_UNKNOWN_OP_H

#ifdef MICROGRAD_C_CHECKED
#include <stdio.h>
#include <stdlib.h>
#define UNKNOWN_OP(op)                                                              \
    do {                                                                            \
        fprintf(stderr, "%s:%d: unknown op %d\n", __FILE__, __LINE__, (int)(op));   \
        abort();                                                                    \
    } while (0)
#else
#define UNKNOWN_OP(op) ((void)(op))
#endif

#endif
