/* SPDX-License-Identifier: Apache-2.0
 * What an op needs to be timed: a stream, events, parameters, and inputs and outputs that the device does not find in
 * its cache where the network would not either. */
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
    trib_op_parameters parameters; /* NULL where the op has none */
    void *memory[2 + TRIB_RIG_MOST_SETS * (TRIB_MAX_INPUTS + TRIB_MAX_OUTPUTS)];
    int memory_count, first_count; /* of parameters and all sets, of parameters and the first */
} trib_rig;

/* On failure it is half built and must still be closed. */
trib_status trib_rig_open(trib_rig *rig, trib_device *device, const trib_op_desc *desc);
void trib_rig_close(trib_rig *rig);
/* Gives all sets back but one. False when there was no other. Nothing runs on them. */
bool trib_rig_shrink(trib_rig *rig);

/* Sets of inputs and outputs, `bytes` each, that are used in turn on a device with so large a cache. An op whose
 * tensors fit into a quarter of it finds them there in a network, too: whoever made them has just written them. Of
 * larger ones there are so many that together they are twice the cache. */
int trib_rig_sets(int64_t bytes, int64_t cache_bytes);

#endif
