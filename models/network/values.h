/* SPDX-License-Identifier: Apache-2.0
 * Values made for the parameters of a graph, and the numbers they are made of. */
#ifndef TRIBUTARY_MODELS_NETWORK_VALUES_H
#define TRIBUTARY_MODELS_NETWORK_VALUES_H

#include "tributary/network.h"

/* The sequence called `name`, and its i-th number in [0,1): trib_uniform without computing the hash of the name anew.
 */
uint64_t trib_stream_of(const char *name, uint64_t seed);
double trib_uniform_at(uint64_t stream, uint64_t i);

/* Writes the `count` values of one parameter. */
typedef void (*trib_fill)(const void *context, const trib_graph *graph, int parameter, int64_t count, float *values);

/* Fills each parameter for which `wanted` is true (NULL: all) in one new block of float32; the other elements of
 * `parameters` are left alone. Freed with trib_parameters_free. */
trib_status trib_parameters_make(const trib_graph *graph, const bool *wanted, trib_fill fill, const void *context,
                                 trib_tensor *parameters, void **storage);

#endif
