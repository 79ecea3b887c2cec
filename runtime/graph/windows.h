/* SPDX-License-Identifier: Apache-2.0
 * Rules for the rows in kinds.c of kinds that slide a window over their input. */
#ifndef TRIBUTARY_RUNTIME_GRAPH_WINDOWS_H
#define TRIBUTARY_RUNTIME_GRAPH_WINDOWS_H

#include "graph/kinds.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Output extent of a sliding window, with the ceil rule of Caffe and PyTorch; 0 if no window fits. */
int trib_window_extent(int in, int window, int stride, int pad_begin, int pad_end, bool ceil_mode);

void trib_conv2d_resolve(trib_attributes *a, const trib_extent *in);
trib_status trib_conv2d_check(const trib_attributes *a);
trib_status trib_conv2d_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out);
bool trib_conv2d_parameter(const trib_attributes *a, trib_extent in, trib_role role, trib_shape *shape);
int64_t trib_conv2d_operations(const trib_attributes *a, trib_extent in, trib_extent out);
void trib_conv2d_describe(const trib_attributes *a, const trib_fields *fields);

void trib_pool2d_resolve(trib_attributes *a, const trib_extent *in);
trib_status trib_pool2d_check(const trib_attributes *a);
trib_status trib_pool2d_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out);
int64_t trib_pool2d_operations(const trib_attributes *a, trib_extent in, trib_extent out);
void trib_pool2d_describe(const trib_attributes *a, const trib_fields *fields);

#ifdef __cplusplus
}
#endif
#endif
