/* SPDX-License-Identifier: Apache-2.0
 * The CUDA device: streams, events and captured graphs of the CUDA runtime, one memory pool per opened device, and
 * page-locked blocks for copies to and from ordinary host memory.
 *
 * A failure that CUDA calls sticky ends the device: the first one is kept, and every later call returns it. */
#ifndef TRIBUTARY_RUNTIME_CUDA_DEVICE_H
#define TRIBUTARY_RUNTIME_CUDA_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cuda/errors.h"
#include "cuda/interned.h"
#include "cuda/memory/host_memory.h"
#include "cuda/memory/pool.h"
#include "cuda/memory/staging.h"
#include "device/driver.h"

typedef struct trib_cuda_stream trib_cuda_stream;
typedef struct trib_cuda_event trib_cuda_event;
typedef struct trib_cuda_capture trib_cuda_capture;

enum { TRIB_CUDA_MAX_PROVIDERS = 4 }; /* number of providers, see ops/ops.h */

typedef struct trib_cuda_device {
    trib_device base;
    int ordinal;
    int least_priority, greatest_priority; /* in CUDA's order: the greatest priority is the smallest number */
    atomic_bool lost;
    pthread_mutex_t failure_lock;
    trib_status failure; /* why the device is lost */

    pthread_mutex_t objects_lock; /* the two lists below */
    trib_cuda_stream *streams;    /* all of them, in use or idle; linked by `next` */
    trib_cuda_event *idle_events;
    trib_cuda_stream *side; /* for memory operations that must not be on a caller's stream */

    trib_cuda_memory memory;
    trib_cuda_host_memory host_memory;
    trib_cuda_staging staging;

    pthread_mutex_t capture_lock; /* which streams record into which capture */
    trib_cuda_capture *recording;
    uint64_t capture_count;

    void *providers[TRIB_CUDA_MAX_PROVIDERS]; /* their state for this device */
    trib_cuda_interned interned;              /* names of implementations */
    struct trib_choice_cache *choices;        /* ops/measured.h */
    const char *described;                    /* cuDNN's description of a card of another machine; otherwise NULL */
} trib_cuda_device;

static inline trib_cuda_device *trib_cuda_of(const trib_device *device) { return (trib_cuda_device *)device; }

/* Begins every call: fails if the device is lost, otherwise makes it this thread's current device. */
trib_status trib_cuda_enter(trib_cuda_device *device);
/* After a failure that a library reports in its own way: adds CUDA's error, if there is one, and ends the device if
 * that error is sticky. */
void trib_cuda_note_failure(trib_cuda_device *device, trib_status *failure);
/* Ends the device because of `failure`, unless it is already lost. */
void trib_cuda_lose(trib_cuda_device *device, const trib_status *failure);

#endif
