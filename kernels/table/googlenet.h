/* SPDX-License-Identifier: Apache-2.0
 * GoogLeNet at 224x224 as far as kernels see it. */
#ifndef TRIBUTARY_KERNEL_GOOGLENET_H
#define TRIBUTARY_KERNEL_GOOGLENET_H

#include "table/problem.h"

typedef struct trib_module {
    const char *name;
    int side, in;
    int k1x1, reduce_3x3, k3x3, reduce_5x5, k5x5, pool_proj;
} trib_module;

enum { TRIB_MODULES = 9 };

static inline const trib_module *trib_module_at(int index)
{
    static const trib_module modules[TRIB_MODULES] = {
        /*              side   in  1x1 3x3r  3x3 5x5r  5x5 pool_proj */
        { "inception_3a", 28, 192, 64, 96, 128, 16, 32, 32 },
        { "inception_3b", 28, 256, 128, 128, 192, 32, 96, 64 },
        { "inception_4a", 14, 480, 192, 96, 208, 16, 48, 64 },
        { "inception_4b", 14, 512, 160, 112, 224, 24, 64, 64 },
        { "inception_4c", 14, 512, 128, 128, 256, 24, 64, 64 },
        { "inception_4d", 14, 512, 112, 144, 288, 32, 64, 64 },
        { "inception_4e", 14, 528, 256, 160, 320, 32, 128, 128 },
        { "inception_5a", 7, 832, 256, 160, 320, 32, 128, 128 },
        { "inception_5b", 7, 832, 384, 192, 384, 48, 128, 128 },
    };
    return &modules[index];
}

/* Channels of the concatenation. */
static inline int trib_module_out(const trib_module *m) { return m->k1x1 + m->k3x3 + m->k5x5 + m->pool_proj; }

#endif
