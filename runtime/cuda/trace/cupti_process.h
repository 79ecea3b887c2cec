/* SPDX-License-Identifier: Apache-2.0
 * What the two files of the process's use of CUPTI share: calls (cupti_session.c) and callbacks (cupti_callbacks.c). */
#ifndef TRIBUTARY_RUNTIME_CUDA_TRACE_CUPTI_PROCESS_H
#define TRIBUTARY_RUNTIME_CUDA_TRACE_CUPTI_PROCESS_H

#include "cuda/libraries/cupti_functions.h"
#include "cuda/trace/cupti_session.h"

enum { TRIB_CUPTI_BUFFERS = 4, TRIB_CUPTI_BUFFER_BYTES = 1 << 19 };

typedef struct trib_cupti_process {
    pthread_mutex_t lock;
    const trib_cuda_device *device; /* subscribed until it is closed; NULL: not subscribed */
    CUpti_SubscriberHandle subscriber;
    uint32_t version;
    trib_cupti_observation *observations;
    uint8_t *buffers[TRIB_CUPTI_BUFFERS]; /* free ones */
    int buffer_count;
    trib_cupti_works works; /* that arrived and have not been sorted out */
    size_t dropped;
} trib_cupti_process;

extern trib_cupti_process trib_cupti;

/* CUPTI's callbacks: on threads of its own, and on those that give work. */
void CUPTIAPI trib_cupti_buffer_requested(uint8_t **buffer, size_t *size, size_t *records);
void CUPTIAPI trib_cupti_buffer_completed(CUcontext context, uint32_t stream, uint8_t *buffer, size_t size,
                                          size_t valid);
void CUPTIAPI trib_cupti_callback(void *user, CUpti_CallbackDomain domain, CUpti_CallbackId id, const void *data);

#endif
