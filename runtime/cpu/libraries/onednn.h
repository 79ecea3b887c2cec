/* SPDX-License-Identifier: Apache-2.0
 * The CPU device's interface to oneDNN. In a build without oneDNN (onednn_absent.c) all of it exists but offers
 * nothing. Other files know no oneDNN types. */
#ifndef TRIBUTARY_RUNTIME_CPU_LIBRARIES_ONEDNN_H
#define TRIBUTARY_RUNTIME_CPU_LIBRARIES_ONEDNN_H

#include "device/driver.h"

struct dnnl_stream;
typedef struct trib_onednn trib_onednn;
typedef struct trib_onednn_op trib_onednn_op;

/* *out is NULL in a build without oneDNN, or if it cannot be loaded: ops that need it then fail with the reason. */
trib_status trib_onednn_open(trib_onednn **out);
void trib_onednn_close(trib_onednn *library); /* NULL is fine, here and below */
/* Fills in library and, if it is loaded, replaces instructions and layouts by its own. */
void trib_onednn_describe(trib_device_info *info);

trib_status trib_onednn_stream_create(trib_onednn *library, struct dnnl_stream **out);
void trib_onednn_stream_destroy(struct dnnl_stream *stream);

void trib_onednn_op_destroy(trib_onednn_op *op);

/* The OpenMP team of the calling thread, in the run time that oneDNN uses. Before trib_cpu_omp_find, which is called
 * when oneDNN is loaded, and without OpenMP, they do nothing and return 1. */
void trib_cpu_omp_find(void *onednn);
void trib_cpu_omp_set_threads(int threads);
int trib_cpu_omp_get_threads(void);

#endif
