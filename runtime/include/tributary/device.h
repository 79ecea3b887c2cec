/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a place to compute (the "where"): stream-ordered memory, streams, events, copies and ops.
 *
 * Two drivers implement this contract: `cpu` (worker threads as streams, oneDNN) and `cuda`. One conformance suite
 * (tests/conformance) runs on every device.
 *
 * Stream order. Work given to one stream runs in the order it was given. Work on different streams runs in any order
 * unless an event orders it: trib_event_record(e, a) then trib_stream_wait(b, e) makes all later work of `b` wait for
 * the work that `a` had before the record. A wait refers to the latest record made before the wait was issued; waiting
 * for an event that was never recorded does nothing. Calls that take a stream return before the work is done and report
 * its failure at the next trib_stream_synchronize of that stream or of one that waits for it.
 *
 * Threads. A device may be used from several threads; one stream from one thread at a time.
 *
 * Processes. A device and everything created from it belong to the process that opened it. In a child of fork(), every
 * call with one of them fails with TRIB_INVALID_ARGUMENT, and destroying them does nothing: their memory is kept until
 * the child ends. The child can open its own device: "cpu" always; "cuda" only if no ancestor used CUDA, which does not
 * survive fork(). */
#ifndef TRIBUTARY_DEVICE_H
#define TRIBUTARY_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/op.h"
#include "tributary/status.h"

TRIB_BEGIN_DECLS

/* The CPU, or one GPU. */
typedef struct trib_device trib_device;
/* A queue of work on a device. */
typedef struct trib_stream trib_stream;
/* A point in a stream's work that others can wait for. */
typedef struct trib_event trib_event;
/* Recorded work that can be launched many times. */
typedef struct trib_capture trib_capture;
/* An op prepared to run. */
typedef struct trib_op_handle trib_op_handle;

typedef struct trib_device_options {
    int threads;          /* cpu: maximum number of cores; 0: as in cpus.h */
    int64_t memory_limit; /* limit of device memory in bytes; 0: none */
    /* cuda: a file that stores the fastest implementations per library version and card; created if missing, written by
     * trib_device_save_choices and when the device is closed. NULL: nothing is stored. */
    const char *choices_path;
    /* cuda: a card that need not be in this machine, such as "h200" (see trib_device_targets). Plans can be made for
     * it, but nothing can be allocated or run. NULL: a card of this machine. */
    const char *target;
} trib_device_options;

/* `spec`: "auto" (the first working CUDA device, otherwise the CPU), "cpu", "cuda" or "cuda:N". `options` may be NULL.
 * The owner closes the device after everything created from it is destroyed. */
trib_status trib_device_open(const char *spec, const trib_device_options *options, trib_device **out);
void trib_device_close(trib_device *device);

typedef struct trib_device_info {
    char spec[32];         /* "cpu", "cuda:0" */
    char name[128];        /* "AMD EPYC 9554", "NVIDIA H200" */
    char instructions[64]; /* cpu: "avx512_core_bf16"; cuda: "sm_90" */
    char library[384];     /* "oneDNN 2.6.3 (OpenMP)", "cuDNN 9.19.0, cuBLAS 13.0", or why it is missing */
    int cores;             /* cpu: cores used; cuda: multiprocessors */
    int64_t memory_bytes;
    int64_t cache_bytes; /* cuda: the L2 cache, shared by all multiprocessors; 0: unknown */
    bool has_capture;
    bool normalises; /* has TRIB_PREPROCESS: plans may take 8-bit pixels */
    bool host;       /* device memory is host memory, and every core works best on images of its own (see session.h) */
    /* Activation layouts this device computes in, best first. */
    int layout_count;
    trib_layout layouts[TRIB_LAYOUT_COUNT];
    /* Channels of a convolution's input should be a multiple of this; images are padded to it on input. */
    int channel_multiple;
    unsigned precisions; /* bit 1u << trib_precision for each supported one */
    /* Limits of the card, for rooflines: bytes per second of a copy (reads plus writes), products per precision in
     * FLOP/s. 0 if unknown. */
    double copy_rate, math_rate[TRIB_PRECISION_COUNT];
    const char *rates_source; /* where these numbers come from; NULL without them */
} trib_device_info;

const trib_device_info *trib_device_get_info(const trib_device *device);

/* A device that this build supports, and whether it is usable here. */
typedef struct trib_device_listing {
    char spec[32];
    bool available;
    char description[256]; /* name and libraries if available, otherwise the reason and what to do */
} trib_device_listing;
/* Fills at most `capacity` listings; returns the number of devices. */ int
trib_device_list(trib_device_listing *listings, int capacity);

/* Cards that options.target may name: 0, 1, ...; NULL past the last. A build without CUDA has none. */
const char *trib_device_targets(int index);

/* ---- memory ---- */

typedef struct trib_memory_stats {
    int64_t current_bytes, peak_bytes, limit_bytes; /* limit 0: none */
    int64_t allocation_count;                       /* since the device was opened */
} trib_memory_stats;

/* Stream-ordered: usable by later work of `stream`; freed once the earlier work of `stream` is done. Aligned to 256
 * bytes. Fails with TRIB_OUT_OF_MEMORY naming the bytes asked for, in use, and the limit. */
trib_status trib_device_alloc(trib_device *device, trib_stream *stream, size_t bytes, void **out);
/* `memory` NULL is fine. `stream` NULL: at once; all work that uses the memory has been waited for. */
void trib_device_free(trib_device *device, trib_stream *stream, void *memory);
trib_memory_stats trib_device_memory(const trib_device *device);
void trib_device_set_memory_limit(trib_device *device, int64_t bytes); /* 0: none; does not touch what is allocated */

/* Host memory for copies to the device and back. For a GPU it is page-locked, so that it is copied directly, without
 * the host's help, while the device computes; ordinary memory passes through page-locked blocks piece by piece. Any
 * thread and any device may use it. Aligned to 256 bytes; not initialised. Locked pages are a resource of the whole
 * system, and locking them is slow: allocate once and reuse. Counted and limited separately from device memory; fails
 * with TRIB_OUT_OF_MEMORY naming the bytes asked for, in use, and the limit. */
trib_status trib_host_alloc(trib_device *device, size_t bytes, void **out);
/* Wait for the work that uses it first. NULL is fine. */
void trib_host_free(trib_device *device, void *memory);
trib_memory_stats trib_host_memory(const trib_device *device);
void trib_host_set_memory_limit(trib_device *device, int64_t bytes); /* 0: none; does not touch what is allocated */

/* ---- streams and events ---- */

typedef struct trib_stream_options {
    const char *name; /* shown by profilers and debuggers; may be NULL */
    int threads;      /* cpu: maximum cores of an op on this stream; 0: all */
    int priority;     /* cuda: higher runs first; a hint */
} trib_stream_options;

trib_status trib_stream_create(trib_device *device, const trib_stream_options *options, trib_stream **out);
/* Waits for its work, then destroys it. */
void trib_stream_destroy(trib_stream *stream);
/* Waits until all work given to `stream` is done; returns the first failure since the last call, once. */
trib_status trib_stream_synchronize(trib_stream *stream);

trib_status trib_event_create(trib_device *device, trib_event **out);
void trib_event_destroy(trib_event *event); /* safe while waits for it are pending */
trib_status trib_event_record(trib_event *event, trib_stream *stream);
trib_status trib_stream_wait(trib_stream *stream, trib_event *event);
/* Waits until the work before the latest record is done. Fails if that work failed; the next synchronisation of its
 * stream reports the failure as well. */
trib_status trib_event_synchronize(trib_event *event);
/* Nanoseconds between two completed records; TRIB_INVALID_ARGUMENT if either was not recorded or has not completed.
 */
trib_status trib_event_elapsed(trib_event *start, trib_event *end, int64_t *nanoseconds);

/* ---- copies: `bytes` from source to target, in stream order. Host memory must stay valid until the stream is
 * synchronised. ---- */

trib_status trib_copy_to_device(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_copy_to_host(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_copy_on_device(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_fill_zero(trib_stream *stream, void *target, size_t bytes);

/* ---- capture (optional: trib_device_info.has_capture): record work once, launch it many times ---- */

/* Work given to `stream`, and to streams that come to depend on it through events, is recorded instead of run, until
 * trib_capture_end, which fails with TRIB_INVALID_ARGUMENT unless all those streams were joined back into `stream`. */
trib_status trib_capture_begin(trib_stream *stream);
trib_status trib_capture_end(trib_stream *stream, trib_capture **out);
/* Ends a capture as trib_capture_end does, and replaces the content of `capture`: later launches run the new work; a
 * running one is not affected. If only addresses and sizes differ, this costs much less than a new capture. On failure
 * `capture` is unchanged. */
trib_status trib_capture_replace(trib_stream *stream, trib_capture *capture);
/* Runs the recorded work in the order of `stream`; one launch at a time per capture. */
trib_status trib_capture_launch(trib_capture *capture, trib_stream *stream);
void trib_capture_destroy(trib_capture *capture);

/* ---- ops ---- */

/* Implementations of `desc` on this device, best first, at most `capacity`. If there are none, *count = 0 and `reason`
 * (NULL, or at least TRIB_MESSAGE_SIZE bytes) says why. The plain C reference is listed only with `include_reference`.
 */
trib_status trib_op_implementations(trib_device *device, const trib_op_desc *desc, bool include_reference,
                                    trib_implementation *out, int capacity, int *count, char *reason);

/* The stored fastest implementation of `desc` for this kind of card and these libraries: *name (owned by the device),
 * or NULL if none was measured or the device stores nothing. */
trib_status trib_op_recall(trib_device *device, const trib_op_desc *desc, const char **name, int64_t *nanoseconds);
trib_status trib_op_remember(trib_device *device, const trib_op_desc *desc, const char *name, int64_t nanoseconds);
/* Writes stored results to options.choices_path; does nothing without one. */
trib_status trib_device_save_choices(trib_device *device);

/* Prepares an op: builds primitives. `implementation` is a name from trib_op_implementations. A handle is immutable and
 * keeps no parameters: several streams may run it at once, each with its own memory. A library that compiles when it is
 * asked to may refuse now what it offered: TRIB_UNSUPPORTED; not the implementation that was listed first. */
trib_status trib_op_create(trib_device *device, const trib_op_desc *desc, const char *implementation,
                           trib_op_handle **out);
void trib_op_destroy(trib_op_handle *op);
/* The library's own name of the implementation ("jit:avx512_core"), for reports; "" if there is none. */
const char *trib_op_detail(const trib_op_handle *op);
/* Packs parameters, in stream order, into the form that this op reads (not other ops or implementations). Needed once,
 * and again whenever they change. `packed` has the implementation's packed_bytes, `workspace` its packing_bytes (NULL
 * when that is 0), both the caller's and aligned to 256. `parameters` is copied; the values it points to must stay
 * valid until the work is done. */
trib_status trib_op_pack(trib_op_handle *op, trib_stream *stream, const trib_op_parameters *parameters, void *packed,
                         void *workspace);
/* Pointers in the order of desc->inputs and desc->outputs, each to the first element of its slice. `packed`: the result
 * of trib_op_pack, which the caller orders before this; NULL for an op without parameters. `workspace` has the
 * implementation's workspace_bytes, aligned to 256; NULL when that is 0. */
trib_status trib_op_run(trib_op_handle *op, trib_stream *stream, const void *const *inputs, void *const *outputs,
                        const void *packed, void *workspace);

TRIB_END_DECLS
#endif
