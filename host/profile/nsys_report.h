/* SPDX-License-Identifier: Apache-2.0
 * What an exported report of Nsight Systems says about a program's work on GPUs, or about our own work on a CPU.
 *
 * Tables and columns are looked for by name, whatever version wrote them. Times are nanoseconds since the session
 * began, intervals half open; numbers of processes, threads and streams are the report's. Nothing else of a report is
 * read: it also holds the environment of the program that was profiled. */
#ifndef TRIBUTARY_PROFILE_NSYS_REPORT_H
#define TRIBUTARY_PROFILE_NSYS_REPORT_H

#include "profile/nsys_names.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A stream is only named by all four: different processes and contexts use the same numbers. On a CPU, a thread:
 * device and context are -1, and `number` is the thread's. */
typedef struct trib_nsys_stream {
    int64_t process; /* globalPid: pid = process >> 24 & 0xffffff */
    int64_t device, context, number;
    uint32_t name; /* given to it by the program; TRIB_NSYS_NONE: none */
} trib_nsys_stream;

typedef enum trib_nsys_kind {
    TRIB_NSYS_KERNEL,
    TRIB_NSYS_COPY,
    TRIB_NSYS_SET,
    TRIB_NSYS_GRAPH, /* a launch of a graph that was recorded as one block */
    TRIB_NSYS_RANGE  /* our work on a CPU, as its thread's range says */
} trib_nsys_kind;
enum { TRIB_NSYS_KINDS = TRIB_NSYS_RANGE + 1 };

#define TRIB_NSYS_NO_TIME INT64_MIN

/* Work on a stream. Sorted by start. */
typedef struct trib_nsys_op {
    int64_t start, end;  /* end >= start */
    int64_t issued;      /* when the call that gave it to the device returned, at most `start`; or TRIB_NSYS_NO_TIME */
    int64_t called;      /* when that call began, or TRIB_NSYS_NO_TIME; of our work on a CPU, `start` */
    int64_t correlation; /* with that call; -1: none */
    uint32_t name;
    uint16_t stream;
    uint8_t kind;   /* a trib_nsys_kind */
    bool in_graph;  /* a graph's launch ran it */
    uint32_t range; /* NVTX range of that call: innermost on its thread; or TRIB_NSYS_NONE */
    uint32_t layer; /* our range of the layer it belongs to: that of the call, or in a graph of its capture; or NONE */
} trib_nsys_op;

/* An NVTX range, pushed and popped on one thread. Sorted by thread, start and falling end, so that it comes after those
 * that enclose it. Ranges of several domains may overlap in part: the parent goes on where this one starts, and may end
 * before it does. Who follows parents looks at their ends, too. */
typedef struct trib_nsys_range {
    int64_t start, end; /* INT64_MAX: never closed */
    uint32_t thread;
    uint32_t name;
    uint32_t domain;
    uint32_t parent;  /* the innermost that goes on at its start; TRIB_NSYS_NONE: none */
    int32_t category; /* 0: none */
    int32_t payload;  /* of our ranges; -1: none */
} trib_nsys_range;

typedef struct trib_nsys_domain {
    int64_t process, id;
    uint32_t name;
    bool ours;
} trib_nsys_domain;

/* A node of a graph as it was created; its original's if it was cloned. */
typedef struct trib_nsys_node {
    int64_t process, id, original; /* original: -1 none */
    int64_t start;
    uint32_t thread, layer;
} trib_nsys_node;

typedef struct trib_nsys_gpu {
    int64_t device;
    uint32_t name;
} trib_nsys_gpu;
enum { TRIB_NSYS_MOST_GPUS = 64, TRIB_NSYS_DEEPEST = 256 /* ranges within each other */ };

typedef struct trib_nsys_report {
    trib_nsys_names names;
    int64_t *threads; /* globalTid; a thread is its index here */
    size_t thread_count, thread_capacity;
    trib_nsys_range *ranges;
    size_t range_count, range_capacity;
    trib_nsys_domain *domains;
    size_t domain_count, domain_capacity;
    trib_nsys_node *nodes;
    size_t node_count, node_capacity;
    trib_nsys_stream *streams;
    size_t stream_count, stream_capacity;
    trib_nsys_op *ops;
    size_t op_count, op_capacity;
    trib_nsys_map thread_map, domain_map, node_map, stream_map;
    int64_t kinds[TRIB_NSYS_KINDS]; /* ops of each */
    int64_t untimed;                /* ops without times (start and end 0) or with impossible ones: left out */
    int64_t uncalled;               /* ops of a GPU whose call the report does not have */
    int64_t in_graphs;              /* ops that a graph's launch ran */
    int64_t deep_threads;           /* whose ranges are left out: too many enclose one another */
    int64_t loose_ranges;           /* that begin and end on any thread (nvtxRangeStart): not used */
    trib_nsys_gpu gpus[TRIB_NSYS_MOST_GPUS];
    int gpu_count;
    bool on_cpu;
} trib_nsys_report;

/* Reads an export (.sqlite), or a report (.nsys-rep) that the program nsys, found on PATH, exports into a temporary
 * file first. `stop` is asked now and then; true ends it with TRIB_CANCELLED. NULL: never. Fails with TRIB_BAD_DATA if
 * the file is no export, is damaged, or contradicts itself; and if it holds neither work of a GPU nor ours. */
trib_status trib_nsys_read(const char *path, trib_nsys_stop stop, trib_nsys_report **out);
void trib_nsys_release(trib_nsys_report *report); /* NULL is fine */

/* NULL: not known. */
const char *trib_nsys_gpu_name(const trib_nsys_report *report, int64_t device);
/* The range at this time on this thread that is innermost; TRIB_NSYS_NONE: none. */
uint32_t trib_nsys_range_at(const trib_nsys_report *report, uint32_t thread, int64_t time);
/* Our range of a layer that is `range` or around it, and goes on at `time`; TRIB_NSYS_NONE: none. */
uint32_t trib_nsys_layer_of(const trib_nsys_report *report, uint32_t range, int64_t time);

#ifdef __cplusplus
}
#endif
#endif
