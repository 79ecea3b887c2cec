/* SPDX-License-Identifier: Apache-2.0
 * The CPU device: streams are worker threads with a queue of work, events are recorded by those threads, and work holds
 * one of the device's core tokens per thread, so that no more threads run than there are cores. */
#ifndef TRIBUTARY_RUNTIME_CPU_DEVICE_H
#define TRIBUTARY_RUNTIME_CPU_DEVICE_H

#include <pthread.h>

#include "cpu/tokens.h"
#include "device/driver.h"

typedef struct trib_cpu_capture trib_cpu_capture;
struct trib_onednn;

typedef struct trib_cpu_device {
    trib_device base;
    trib_cpu_tokens tokens;
    pthread_mutex_t memory_lock;
    trib_memory_stats memory, host_memory; /* under memory_lock */
    /* Guards captures being recorded: streams' `capture` and `lane`, and the list below. */
    pthread_mutex_t capture_lock;
    trib_cpu_capture *recording; /* linked by `next` */
    uint64_t capture_count;
    struct trib_onednn *onednn; /* NULL: built without it */
} trib_cpu_device;

static inline trib_cpu_device *trib_cpu_of(trib_device *device) { return (trib_cpu_device *)device; }

#endif
