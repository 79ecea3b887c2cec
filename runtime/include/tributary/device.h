/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a place to compute (the "where"): stream-ordered memory, streams, events, copies and ops.
 *
 * Two drivers implement this contract: `cpu` (worker threads as streams, oneDNN) and `cuda`. One conformance suite
 * (tests/conformance) is run on every device that exists.
 *
 * Stream order. Work given to one stream runs in the order it was given. Work on different streams runs in any order
 * unless an event orders it: trib_event_record(e, a) then trib_stream_wait(b, e) makes everything given to `b` later
 * wait for everything given to `a` before the record. A wait refers to the latest record made before the wait was
 * issued; waiting for an event that was never recorded does nothing. Calls that take a stream return before the work is
 * done and report its failure at the next trib_stream_synchronize of that stream or of one that waits for it.
 *
 * Threads. A device may be used from several threads; one stream from one thread at a time.
 *
 * Processes. A device and all that was created from it belong to the process that opened it. In a child of fork() every
 * call with one of them fails with TRIB_INVALID_ARGUMENT, and destroying them does nothing: their memory stays until
 * the child ends. The child opens a device of its own: "cpu" always; "cuda" only if no ancestor had used CUDA,
 * which does not survive fork(). */
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
    int threads;          /* cpu: cores to use at most, 0: as cpus.h counts them */
    int64_t memory_limit; /* bytes of device memory at most, 0: no limit */
    /* cuda: a file that remembers, per library version and card, which implementation was fastest; made when missing,
     * written by trib_device_save_choices and when the device is closed. NULL: nothing is remembered. */
    const char *choices_path;
    /* cuda: "h200" and so on (trib_device_targets): a card that need not be here. Plans can be made for it; nothing can
     * be allocated or run. NULL: a card of this machine. */
    const char *target;
} trib_device_options;

/* `spec`: "auto" (the first CUDA device that works, else the CPU), "cpu", "cuda" or "cuda:N". `options` may be NULL.
 * The owner closes the device after everything created from it is destroyed. */
trib_status trib_device_open(const char *spec, const trib_device_options *options, trib_device **out);
void trib_device_close(trib_device *device);

typedef struct trib_device_info {
    char spec[32];         /* "cpu", "cuda:0" */
    char name[128];        /* "AMD EPYC 9554", "NVIDIA H200" */
    char instructions[64]; /* cpu: "avx512_core_bf16"; cuda: "sm_90" */
    char library[384];     /* "oneDNN 2.6.3 (OpenMP)", "cuDNN 9.19.0, cuBLAS 13.0", or why there is none */
    int cores;             /* cpu: cores used; cuda: multiprocessors */
    int64_t memory_bytes;
    int64_t cache_bytes; /* cuda: the L2, which all multiprocessors share; 0: not known */
    bool has_capture;
    bool normalises; /* has TRIB_PREPROCESS: plans may take 8-bit pixels */
    bool host;       /* device memory is host memory, and every core works best on images of its own (see session.h) */
    /* Activation layouts this device computes in, best first. */
    int layout_count;
    trib_layout layouts[TRIB_LAYOUT_COUNT];
    /* Channels a convolution's input should be a multiple of: an image is padded to it when it enters. */
    int channel_multiple;
    unsigned precisions; /* bit 1u << trib_precision: what it computes in */
    /* What the card can do at most, for rooflines: bytes per second of a copy (read and written both counted), products
     * per precision in FLOP/s. 0 where not known. */
    double copy_rate, math_rate[TRIB_PRECISION_COUNT];
    const char *rates_source; /* where these numbers come from; NULL without them */
} trib_device_info;

const trib_device_info *trib_device_get_info(const trib_device *device);

/* What this build knows of and whether it is usable here: one line of text each ("cuda: not built"). `index` from 0;
 * NULL past the end. */
typedef struct trib_device_listing {
    char spec[32];
    bool available;
    char description[256]; /* name and libraries when available, else the reason and what to do */
} trib_device_listing;
int trib_device_list(trib_device_listing *listings, int capacity); /* returns how many there are */

/* Cards that options.target may name: 0, 1, ...; NULL past the last, and in a build without CUDA at once. */
const char *trib_device_targets(int index);

/* ---- memory ---- */

typedef struct trib_memory_stats {
    int64_t current_bytes, peak_bytes, limit_bytes; /* limit 0: none */
    int64_t allocation_count;                       /* since the device was opened */
} trib_memory_stats;

/* Stream-ordered: usable by work given to `stream` from now on; freed once work given to `stream` so far is done.
 * Aligned to 256 bytes. Fails with TRIB_OUT_OF_MEMORY naming the bytes asked for, in use, and the limit. */
trib_status trib_device_alloc(trib_device *device, trib_stream *stream, size_t bytes, void **out);
void trib_device_free(trib_device *device, trib_stream *stream, void *memory); /* NULL is fine */
trib_memory_stats trib_device_memory(const trib_device *device);
void trib_device_set_memory_limit(trib_device *device, int64_t bytes); /* 0: none; does not touch what is allocated */

/* Host memory for what is copied to the device and back. On a GPU it is page-locked: it is copied as it lies, without
 * the host's help, while the device computes; ordinary memory passes through page-locked blocks piece by piece. Any
 * thread may use it, and so may any device. Aligned to 256 bytes; not initialised. Locked pages are taken from the
 * whole system, and locking them takes long: allocate once, use again. Counted and limited apart from device memory;
 * fails with TRIB_OUT_OF_MEMORY naming the bytes asked for, in use, and the limit. */
trib_status trib_host_alloc(trib_device *device, size_t bytes, void **out);
/* Work that uses it must have been waited for. NULL is fine. */
void trib_host_free(trib_device *device, void *memory);
trib_memory_stats trib_host_memory(const trib_device *device);
void trib_host_set_memory_limit(trib_device *device, int64_t bytes); /* 0: none; does not touch what is allocated */

/* ---- streams and events ---- */

typedef struct trib_stream_options {
    const char *name; /* shown by profilers and debuggers; may be NULL */
    int threads;      /* cpu: most cores an op on this stream may use, 0: all */
    int priority;     /* cuda: higher runs first; hint */
} trib_stream_options;

trib_status trib_stream_create(trib_device *device, const trib_stream_options *options, trib_stream **out);
/* Waits for its work first. */
void trib_stream_destroy(trib_stream *stream);
/* Waits until all work given to `stream` is done; returns, once, the first failure since the last call. */
trib_status trib_stream_synchronize(trib_stream *stream);

trib_status trib_event_create(trib_device *device, trib_event **out);
void trib_event_destroy(trib_event *event); /* safe while waits for it are pending */
trib_status trib_event_record(trib_event *event, trib_stream *stream);
trib_status trib_stream_wait(trib_stream *stream, trib_event *event);
/* Waits until the work before the latest record is done. Fails when that work did; its stream's next synchronisation
 * reports that, too. */
trib_status trib_event_synchronize(trib_event *event);
/* Nanoseconds between two completed records; TRIB_INVALID_ARGUMENT when either was not recorded or has not completed.
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
 * trib_capture_end. Every such stream must be joined back into `stream` first, or end fails with TRIB_INVALID_ARGUMENT.
 */
trib_status trib_capture_begin(trib_stream *stream);
trib_status trib_capture_end(trib_stream *stream, trib_capture **out);
/* Ends a capture as trib_capture_end does, and puts what was recorded in the place of what `capture` holds: launches
 * from now on run the new work; one on its way is not disturbed. Where the work is the same but for addresses and
 * sizes, this costs much less than a new capture. On failure `capture` is what it was. */
trib_status trib_capture_replace(trib_stream *stream, trib_capture *capture);
/* Runs the recorded work in the order of `stream`; one launch at a time per capture. */
trib_status trib_capture_launch(trib_capture *capture, trib_stream *stream);
void trib_capture_destroy(trib_capture *capture);

/* ---- ops ---- */

/* Ways to run `desc` here, best first, at most `capacity`; *count = 0 when there is none, and then `reason` (may be
 * NULL, else at least TRIB_MESSAGE_SIZE bytes) says why. The plain C reference is listed only with `include_reference`.
 */
trib_status trib_op_implementations(trib_device *device, const trib_op_desc *desc, bool include_reference,
                                    trib_implementation *out, int capacity, int *count, char *reason);

/* What was fastest for `desc` when it was measured, on this kind of card with these libraries: *name (owned by the
 * device), or NULL when none was measured or the device remembers nothing. */
trib_status trib_op_recall(trib_device *device, const trib_op_desc *desc, const char **name, int64_t *nanoseconds);
trib_status trib_op_remember(trib_device *device, const trib_op_desc *desc, const char *name, int64_t nanoseconds);
/* Writes what was remembered to options.choices_path; nothing to do without one. */
trib_status trib_device_save_choices(trib_device *device);

/* Prepares an op: builds primitives. `implementation` is a name from trib_op_implementations. A handle is immutable and
 * keeps no parameters: several streams may run it at once, each with its own memory. */
trib_status trib_op_create(trib_device *device, const trib_op_desc *desc, const char *implementation,
                           trib_op_handle **out);
void trib_op_destroy(trib_op_handle *op);
/* The library's own name for what was chosen ("jit:avx512_core"), for reports; "" when it has none. */
const char *trib_op_detail(const trib_op_handle *op);
/* Packs parameters, in stream order: brings them into the form that runs of this op read, and of no other op or
 * implementation. Needed once, and again whenever they have changed. `packed` has the implementation's packed_bytes,
 * `workspace` its packing_bytes (NULL when that is 0), both the caller's and aligned to 256. `parameters` is copied;
 * what it points to must stay until the work is done. */
trib_status trib_op_pack(trib_op_handle *op, trib_stream *stream, const trib_op_parameters *parameters, void *packed,
                         void *workspace);
/* Pointers in the order of desc->inputs and desc->outputs, each to the first element of its slice. `packed`: what
 * trib_op_pack wrote, ordered before this by the caller; NULL for an op without parameters. `workspace` has the
 * implementation's workspace_bytes, aligned to 256; NULL when that is 0. */
trib_status trib_op_run(trib_op_handle *op, trib_stream *stream, const void *const *inputs, void *const *outputs,
                        const void *packed, void *workspace);

TRIB_END_DECLS
#endif
