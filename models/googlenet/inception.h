/* SPDX-License-Identifier: Apache-2.0
 * The paper's table of Inception modules. */
#ifndef TRIBUTARY_MODELS_INCEPTION_H
#define TRIBUTARY_MODELS_INCEPTION_H

/* One row of Table 1 at width 1: channels into the module, and out of each of its convolutions. */
typedef struct trib_inception {
    const char *name;
    int in, c1x1, c3x3_reduce, c3x3, c5x5_reduce, c5x5, pool_proj;
} trib_inception;

enum { TRIB_INCEPTION_COUNT = 9 };
extern const trib_inception trib_inceptions[TRIB_INCEPTION_COUNT];

#endif
