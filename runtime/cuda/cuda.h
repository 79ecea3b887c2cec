/* SPDX-License-Identifier: Apache-2.0
 * The CUDA device: streams, events and captured graphs of the CUDA runtime, one memory pool per opened device, and
 * pinned buffers through which copies to and from ordinary host memory pass.
 *
 * A failure that CUDA calls sticky ends the device: the first one is kept, and every later call returns it. */
#ifndef TRIBUTARY_RUNTIME_CUDA_CUDA_H
#define TRIBUTARY_RUNTIME_CUDA_CUDA_H

#include <cuda_runtime_api.h>
#include <pthread.h>
#include <stdatomic.h>

#include "cuda/check.h"
#include "cuda/texts.h"
#include "device/driver.h"

typedef struct trib_cuda_stream trib_cuda_stream;
typedef struct trib_cuda_event trib_cuda_event;
typedef struct trib_cuda_capture trib_cuda_capture;
typedef struct trib_cuda_block trib_cuda_block;

enum { TRIB_CUDA_MAX_PROVIDERS = 4 }; /* ways of running ops, see ops.h */

/* ---- pool.c: device memory ---- */

typedef struct trib_cuda_allocation {
    void *memory;
    size_t bytes;
    uint64_t capture_id;   /* freed while this capture was being recorded: given back when it ends */
    cudaStream_t freed_on; /* then: where */
} trib_cuda_allocation;

typedef struct trib_cuda_memory {
    pthread_mutex_t lock;
    cudaMemPool_t pool;
    trib_cuda_allocation *live; /* sorted by address */
    size_t count, capacity;
    trib_memory_stats stats;
} trib_cuda_memory;

/* ---- host_memory.c: what callers allocate to copy from and to ---- */

typedef struct trib_cuda_host_memory {
    pthread_mutex_t lock;
    struct trib_cuda_host_block *blocks;
    trib_memory_stats stats;
} trib_cuda_host_memory;

/* ---- staging.c: pinned host memory ---- */

enum { TRIB_CUDA_BLOCK_SIZES = 13 }; /* 4 KiB to 16 MiB, powers of two */

typedef struct trib_cuda_staging {
    pthread_mutex_t lock;
    struct {
        trib_cuda_block *idle, *first, *last; /* first to last: given to a stream, oldest first */
    } sizes[TRIB_CUDA_BLOCK_SIZES];
    struct trib_cuda_slab *slabs;
    size_t bytes; /* of all slabs */
} trib_cuda_staging;

/* ---- the device ---- */

typedef struct trib_cuda_device {
    trib_device base;
    int ordinal;
    int least_priority, greatest_priority; /* CUDA's numbers: the greatest priority is the smallest number */
    atomic_bool lost;
    pthread_mutex_t failure_lock;
    trib_status failure; /* why the device is lost */

    pthread_mutex_t objects_lock; /* the two lists below */
    trib_cuda_stream *streams;    /* all there are, in use or idle; linked by `next` */
    trib_cuda_event *idle_events;
    trib_cuda_stream *side; /* for memory work that must not go to a caller's stream */

    trib_cuda_memory memory;
    trib_cuda_host_memory host_memory;
    trib_cuda_staging staging;

    pthread_mutex_t capture_lock; /* which streams record into which capture */
    trib_cuda_capture *recording;
    uint64_t capture_count;

    void *providers[TRIB_CUDA_MAX_PROVIDERS]; /* their state for this device */
    trib_cuda_texts texts;                    /* names of implementations */
    struct trib_plan_cache *choices;          /* choices.h */
    const char *described;                    /* cuDNN's description of a card that is not here; else NULL */
} trib_cuda_device;

static inline trib_cuda_device *trib_cuda_of(const trib_device *device) { return (trib_cuda_device *)device; }

/* The first thing every call does: fails when the device is lost, else makes it this thread's current device. */
trib_status trib_cuda_enter(trib_cuda_device *device);
/* After a call of a library that reports failures in its own way: names the error of CUDA behind it, if there is one,
 * and ends the device when that is a sticky one. */
void trib_cuda_note_failure(trib_cuda_device *device, trib_status *failure);
/* Ends the device because of `failure`, unless it is lost already. */
void trib_cuda_lose(trib_cuda_device *device, const trib_status *failure);

/* ---- streams (stream.c) ---- */

struct trib_cuda_stream {
    trib_stream base;
    cudaStream_t handle;
    char name[64];
    int priority; /* CUDA's number */
    bool idle;    /* destroyed by its owner, kept for the next one */
    _Atomic(trib_cuda_capture *) capture;
    trib_cuda_stream *next;
    void *providers[TRIB_CUDA_MAX_PROVIDERS]; /* what a provider keeps for this stream, e.g. a library handle */
};

trib_status trib_cuda_stream_create(trib_device *device, const trib_stream_options *options, trib_stream **out);
void trib_cuda_stream_destroy(trib_stream *stream);
trib_status trib_cuda_stream_synchronize(trib_stream *stream);
/* Waits until `stream` is idle, by any means; when that is impossible the device is lost. */
trib_status trib_cuda_drain(trib_cuda_device *device, cudaStream_t stream);
/* Waits until the whole device is idle, because of a `failure` after which nothing less will do; when that is
 * impossible the device is lost. */
void trib_cuda_drain_all(trib_cuda_device *device, const trib_status *failure);
/* Makes a stream that its owner has destroyed available again. */
void trib_cuda_stream_retire(trib_cuda_stream *stream);
void trib_cuda_streams_close(trib_cuda_device *device);

/* ---- events (event.c) ---- */

struct trib_cuda_event {
    trib_event base;
    pthread_mutex_t lock;
    cudaEvent_t handle;
    bool recorded;
    uint64_t capture_id; /* the capture its latest record belongs to; 0: none */
    trib_cuda_event *next;
};

trib_status trib_cuda_event_create(trib_device *device, trib_event **out);
void trib_cuda_event_destroy(trib_event *event);
trib_status trib_cuda_event_record(trib_event *event, trib_stream *stream);
trib_status trib_cuda_stream_wait(trib_stream *stream, trib_event *event);
trib_status trib_cuda_event_synchronize(trib_event *event);
trib_status trib_cuda_event_elapsed(trib_event *start, trib_event *end, int64_t *nanoseconds);
void trib_cuda_events_close(trib_cuda_device *device);

/* ---- names shown by profilers (nvtx.c) ---- */

void trib_cuda_name_stream(const trib_cuda_stream *stream);
/* An event has no name of its own: it is called like the stream that records it. */
void trib_cuda_name_event(const trib_cuda_event *event, const trib_cuda_stream *stream);

/* ---- memory (pool.c) ---- */

trib_status trib_cuda_memory_open(trib_cuda_device *device);
void trib_cuda_memory_close(trib_cuda_device *device);
/* `stream` NULL: usable by every stream at once. */
trib_status trib_cuda_alloc(trib_device *device, trib_stream *stream, size_t bytes, void **out);
/* `stream` NULL: once the work given to all streams so far is done. */
void trib_cuda_free(trib_device *device, trib_stream *stream, void *memory);
/* New device memory, usable by every stream, with what is at `source`; freed with stream NULL. */
trib_status trib_cuda_upload(trib_cuda_device *device, const void *source, size_t bytes, void **out);
trib_memory_stats trib_cuda_memory_stats(const trib_device *device);
void trib_cuda_set_memory_limit(trib_device *device, int64_t bytes);
/* Gives back what was freed while that capture was being recorded. */
void trib_cuda_free_captured(trib_cuda_device *device, uint64_t capture_id);

/* ---- page-locked memory of callers (host_memory.c) ---- */

void trib_cuda_host_memory_open(trib_cuda_device *device);
void trib_cuda_host_memory_close(trib_cuda_device *device);
trib_status trib_cuda_host_alloc(trib_device *device, size_t bytes, void **out);
void trib_cuda_host_free(trib_device *device, void *memory);
trib_memory_stats trib_cuda_host_memory_stats(const trib_device *device);
void trib_cuda_host_set_memory_limit(trib_device *device, int64_t bytes);

/* ---- pinned blocks (staging.c) and copies (copy.c) ---- */

struct trib_cuda_block {
    trib_cuda_block *next;
    void *memory;
    cudaEvent_t done; /* recorded after its last use */
    int size;         /* index of its size */
    /* What a host function copies, in stream order. */
    void *target;
    const void *source;
    size_t bytes;
};

void trib_cuda_staging_open(trib_cuda_device *device);
void trib_cuda_staging_close(trib_cuda_device *device);
size_t trib_cuda_block_room(size_t bytes); /* of the block that a copy of `bytes` gets: may be less */
trib_status trib_cuda_block_take(trib_cuda_device *device, size_t bytes, trib_cuda_block **out);
/* The block may be used again once the work given to `stream` so far is done. */
void trib_cuda_block_give(trib_cuda_device *device, trib_cuda_block *block, cudaStream_t stream);
/* The same, when `done` has been recorded already, or never. */
void trib_cuda_block_give_recorded(trib_cuda_device *device, trib_cuda_block *block);

trib_status trib_cuda_copy_to_device(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_cuda_copy_to_host(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_cuda_copy_on_device(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_cuda_fill_zero(trib_stream *stream, void *target, size_t bytes);

/* ---- capture (capture.c) ---- */

trib_status trib_cuda_capture_begin(trib_stream *stream);
trib_status trib_cuda_capture_end(trib_stream *stream, trib_capture **out);
trib_status trib_cuda_capture_replace(trib_stream *stream, trib_capture *capture);
trib_status trib_cuda_capture_launch(trib_capture *capture, trib_stream *stream);
void trib_cuda_capture_destroy(trib_capture *capture);
/* The id of the capture that `stream` records into, or 0. */
uint64_t trib_cuda_capture_id(trib_cuda_stream *stream);
/* Orders `stream` after an event that was recorded in capture `id`, or any event when `stream` is capturing (then `id`
 * may be 0); the stream joins the capture if it must. */
trib_status trib_cuda_capture_wait(trib_cuda_stream *stream, trib_cuda_event *event);
/* Keeps `block` for as long as what `stream` records may be launched. */
void trib_cuda_capture_keep(trib_cuda_stream *stream, trib_cuda_block *block);
/* Lets the side stream wait for what `stream` was given so far, unless that records: then it waited when the capture
 * began. `reached` is used for it. */
trib_status trib_cuda_side_follow(trib_cuda_device *device, trib_cuda_stream *stream, cudaEvent_t reached);
/* The owner of a capturing stream destroys it: what it was recording cannot be finished. False: it is still part of a
 * capture, whose end retires it. */
bool trib_cuda_capture_abandon(trib_cuda_stream *stream);

#endif
