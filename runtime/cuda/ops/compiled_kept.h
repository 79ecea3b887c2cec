/* SPDX-License-Identifier: Apache-2.0
 * Convolutions that were compiled to answer what a device offers, or that an op had which is gone, kept for whoever
 * creates the next op: compiling takes up to half a second. Several may have the same key. Threads may share it. */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_COMPILED_KEPT_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_COMPILED_KEPT_H

#include <pthread.h>

#include "choices/choice_cache.h"
#include "cuda/libraries/cudnn_conv.h"

/* GoogLeNet has 57 convolutions, other ones in a fused schedule, and their gradients in training. */
enum { TRIB_MOST_COMPILED_KEPT = 256 };

typedef struct trib_compiled_kept {
    pthread_mutex_t lock;
    int count;
    struct {
        char key[TRIB_CHOICE_KEY_SIZE];
        trib_compiled_conv *conv;
    } items[TRIB_MOST_COMPILED_KEPT];
} trib_compiled_kept;

void trib_compiled_kept_open(trib_compiled_kept *kept);
void trib_compiled_kept_close(trib_compiled_kept *kept);

bool trib_compiled_kept_has(trib_compiled_kept *kept, const char *key);
/* `conv` is `kept`'s from here on; when there is no room it is destroyed, and will be compiled once more. */
void trib_compiled_kept_put(trib_compiled_kept *kept, const char *key, trib_compiled_conv *conv);
/* The caller's from here on; NULL when there is none of that key. */
trib_compiled_conv *trib_compiled_kept_take(trib_compiled_kept *kept, const char *key);

#endif
