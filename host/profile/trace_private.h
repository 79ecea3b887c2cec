/* SPDX-License-Identifier: Apache-2.0
 * What the files that write a trace share. */
#ifndef TRIBUTARY_HOST_PROFILE_TRACE_PRIVATE_H
#define TRIBUTARY_HOST_PROFILE_TRACE_PRIVATE_H

#include "profile/trace_json.h"
#include "profile/writer.h"

/* Tracks are sorted by their number. A process has a number that no track has: otherwise that track is called its main
 * thread. */
enum { TRACE_MODULES = 1, TRACE_PATH, TRACE_STREAMS, TRACE_FIRST_PROCESS = 1000 };

/* The trace being written. */
typedef struct trace_writer {
    trib_writer *file;
    trib_trace_counts *counts;
    int process;    /* of the lane that is written */
    int64_t origin; /* time 0 of the part */
    int64_t events; /* written so far */
    int64_t flows;  /* the number of the last arrow */
} trace_writer;

/* An event up to its arguments: {"ph":"X","pid":1000,"tid":3,"ts":1.234. Close it with trace_end. */
void trib_event_begin(trace_writer *w, char phase, int track, int64_t at);
void trib_event_string(trace_writer *w, const char *key, const char *value); /* ,"key":"value" */
/* "key":12.345: a time in microseconds, to the nanosecond. */
void trib_event_time(trib_text *text, const char *key, int64_t ns);
void trib_event_end(trace_writer *w);

static inline bool trace_is_slice(const trib_profile_graph *g, const trib_profile *p, int op)
{
    return g->ops[op].runs && p->ops[op].to > p->ops[op].from;
}

/* The slices of a run: modules, critical path, bars, ops. Each slice comes after those around it. */
void trib_trace_write_slices(trace_writer *w, const trib_trace_part *part, const trib_trace_run *run);
/* The arrows of a run, after its slices: a viewer takes an arrow's end for that of the slice it has seen last. */
trib_status trib_trace_write_flows(trace_writer *w, const trib_trace_part *part, const trib_profile *profile);
/* The counters of one lane, from all of its runs. */
trib_status trib_trace_write_counters(trace_writer *w, const trib_trace_part *part, int lane);

#endif
