/* SPDX-License-Identifier: Apache-2.0
 * Everything for timing an op: a stream, events, parameters, and inputs and outputs that are in the device's cache only
 * if they would be in a network. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_MEASURE_RIG_H
#define TRIBUTARY_RUNTIME_LOWERING_MEASURE_RIG_H

#include "tributary/device.h"

enum { TRIB_RIG_MOST_SETS = 8 };

typedef struct trib_rig_set {
    void *inputs[TRIB_MAX_INPUTS], *outputs[TRIB_MAX_OUTPUTS]; /* first elements of the slices */
} trib_rig_set;

typedef struct trib_rig {
    trib_device *device;
    trib_stream *stream;
    trib_event *start, *end;
    trib_rig_set sets[TRIB_RIG_MOST_SETS]; /* used in turn */
    int set_count;
    trib_op_parameters parameters; /* NULL if the op has none */
    void *memory[2 + TRIB_RIG_MOST_SETS * (TRIB_MAX_INPUTS + TRIB_MAX_OUTPUTS)];
    int memory_count, first_count; /* of parameters and all sets, of parameters and the first */
} trib_rig;

/* Close it also on failure. */
trib_status trib_rig_open(trib_rig *rig, trib_device *device, const trib_op_desc *desc);
void trib_rig_close(trib_rig *rig);
/* Frees all sets but one. False if there was only one. No work may use them. */
bool trib_rig_shrink(trib_rig *rig);

/* Sets of inputs and outputs, `bytes` each, that are used in turn on a device with so large a cache. If an op's tensors
 * fit into a quarter of the cache, a network has just written them, so they are in the cache as well. Of larger ones
 * there are enough sets for twice the cache. */
int trib_rig_sets(int64_t bytes, int64_t cache_bytes);

#endif
