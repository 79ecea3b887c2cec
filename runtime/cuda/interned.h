/* SPDX-License-Identifier: Apache-2.0
 * Names and notes that a device returns: each is kept once, as long as the device lives. */
#ifndef TRIBUTARY_RUNTIME_CUDA_INTERNED_H
#define TRIBUTARY_RUNTIME_CUDA_INTERNED_H

#include <pthread.h>
#include <stddef.h>

#include "tributary/status.h"

typedef struct trib_cuda_interned {
    pthread_mutex_t lock;
    char **list;
    size_t count, capacity;
} trib_cuda_interned;

void trib_cuda_interned_open(trib_cuda_interned *interned);
void trib_cuda_interned_close(trib_cuda_interned *interned);
/* `text` is copied. */
trib_status trib_cuda_intern(trib_cuda_interned *interned, const char *text, const char **kept);

#endif
