/* SPDX-License-Identifier: Apache-2.0
 * How a report is read, in this order; each part adds to the report. */
#ifndef TRIBUTARY_PROFILE_NSYS_PRIVATE_H
#define TRIBUTARY_PROFILE_NSYS_PRIVATE_H

#include "profile/nsys_report.h"

/* All NVTX ranges, sorted, each with its parent, and the names of their domains. */
trib_status trib_nsys_read_ranges(trib_nsys_database *database, trib_nsys_report *report);
/* The nodes of graphs, each with the layer in whose range it was captured. */
trib_status trib_nsys_read_nodes(trib_nsys_database *database, trib_nsys_report *report);
/* Kernels, copies, sets and whole graphs, with their streams. */
trib_status trib_nsys_read_ops(trib_nsys_database *database, trib_nsys_report *report);
/* The calls that gave ops to the device, and thereby ranges and layers of ops. Sorts the ops. */
trib_status trib_nsys_read_calls(trib_nsys_database *database, trib_nsys_report *report);
/* Our ranges on the threads of a CPU, as ops, where there is no work of a GPU. */
trib_status trib_nsys_take_ranges(trib_nsys_report *report);
/* Names of streams and threads. */
trib_status trib_nsys_read_titles(trib_nsys_database *database, trib_nsys_report *report);

/* Goes through all rows of a table, which may be missing. */
typedef trib_status (*trib_nsys_take)(const trib_nsys_rows *rows, trib_nsys_report *report);
trib_status trib_nsys_each(trib_nsys_database *database, const char *table, const trib_nsys_column *columns, int count,
                           trib_nsys_take take, trib_nsys_report *report);

/* The index of a thread, added if need be. */
trib_status trib_nsys_thread_of(trib_nsys_report *report, int64_t global, uint32_t *out);
/* TRIB_NSYS_NONE if it is not there. */
uint32_t trib_nsys_node_find(const trib_nsys_report *report, int64_t process, int64_t id);
/* The index of a stream, added if need be. */
trib_status trib_nsys_stream_of(trib_nsys_report *report, const trib_nsys_stream *key, uint32_t *out);
trib_status trib_nsys_add_op(trib_nsys_report *report, const trib_nsys_op *op);

/* Makes room for one more element, or fails saying what there is no memory for. */
trib_status trib_nsys_room(void **items, size_t *capacity, size_t count, size_t size, const char *what);

static inline int64_t trib_nsys_process_of(int64_t thread) { return thread & ~INT64_C(0xffffff); }

#endif
