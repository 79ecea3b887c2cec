/* SPDX-License-Identifier: Apache-2.0
 * Names and notes that a device hands out: each kept once, for as long as the device lives. */
#ifndef TRIBUTARY_RUNTIME_CUDA_TEXTS_H
#define TRIBUTARY_RUNTIME_CUDA_TEXTS_H

#include <pthread.h>
#include <stddef.h>

#include "tributary/status.h"

typedef struct trib_cuda_texts {
    pthread_mutex_t lock;
    char **list;
    size_t count, capacity;
} trib_cuda_texts;

void trib_cuda_texts_open(trib_cuda_texts *texts);
void trib_cuda_texts_close(trib_cuda_texts *texts);
/* `text` itself may go away. */
trib_status trib_cuda_texts_keep(trib_cuda_texts *texts, const char *text, const char **kept);

#endif
