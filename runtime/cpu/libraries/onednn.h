/* SPDX-License-Identifier: Apache-2.0
 * oneDNN as the CPU device uses it. Everything here also exists in a build without oneDNN (onednn_absent.c) and then
 * offers nothing. Other files know no oneDNN types. */
#ifndef TRIBUTARY_RUNTIME_CPU_LIBRARIES_ONEDNN_H
#define TRIBUTARY_RUNTIME_CPU_LIBRARIES_ONEDNN_H

#include "device/driver.h"

struct dnnl_stream;
typedef struct trib_onednn trib_onednn;
typedef struct trib_onednn_op trib_onednn_op;

/* *out is NULL in a build without oneDNN, and where it cannot be loaded: what needs it fails then, with the reason. */
trib_status trib_onednn_open(trib_onednn **out);
void trib_onednn_close(trib_onednn *library); /* NULL is fine, here and below */
/* Fills in library, and, where there is one, its instructions and layouts in place of those that are there. */
void trib_onednn_describe(trib_device_info *info);

trib_status trib_onednn_stream_create(trib_onednn *library, struct dnnl_stream **out);
void trib_onednn_stream_destroy(struct dnnl_stream *stream);

void trib_onednn_op_destroy(trib_onednn_op *op);

/* The OpenMP team of the calling thread, in the run time that oneDNN uses. Before trib_cpu_omp_find, called when oneDNN
 * has been loaded, and where there is no OpenMP, they do nothing and say 1. */
void trib_cpu_omp_find(void *onednn);
void trib_cpu_omp_set_threads(int threads);
int trib_cpu_omp_get_threads(void);

#endif
