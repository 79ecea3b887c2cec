/* SPDX-License-Identifier: Apache-2.0
 * A build without oneDNN: everything runs, but slowly. */
#include <stdio.h>

#include "cpu/libraries/onednn.h"
#include "cpu/ops/op.h"

trib_status trib_onednn_open(trib_onednn **out)
{
    *out = NULL;
    return trib_success();
}

void trib_onednn_close(trib_onednn *library) { (void)library; }

void trib_onednn_describe(trib_device_info *info)
{
    snprintf(info->library, sizeof info->library, "plain C only, slow; built without oneDNN");
}

trib_status trib_onednn_stream_create(trib_onednn *library, struct dnnl_stream **out)
{
    (void)library;
    *out = NULL;
    return trib_success();
}

void trib_onednn_stream_destroy(struct dnnl_stream *stream) { (void)stream; }
void trib_onednn_op_destroy(trib_onednn_op *op) { (void)op; }

static trib_status offer(trib_cpu_device *device, const trib_op_desc *desc, trib_implementation *out, int capacity,
                         int *count, char *reason)
{
    (void)device, (void)desc, (void)out, (void)capacity, (void)count;
    snprintf(reason, TRIB_MESSAGE_SIZE,
             "this build has no oneDNN: install libdnnl-dev and build again, or ask for the reference");
    return trib_success();
}

static trib_status prepare(trib_cpu_device *device, trib_cpu_op *op, const char *name)
{
    (void)device;
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: \"%s\" needs oneDNN, which this build does not have",
                      trib_kind_name(op->desc.kind), name);
}

const trib_cpu_backend trib_cpu_onednn_backend = { offer, prepare };
