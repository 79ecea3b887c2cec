/* SPDX-License-Identifier: Apache-2.0
 * An op prepared for oneDNN: packing of its parameters, and running. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_ONEDNN_OP_H
#define TRIBUTARY_RUNTIME_CPU_OPS_ONEDNN_OP_H

#include "cpu/ops/onednn_recipe.h"
#include "cpu/ops/op.h"

struct trib_onednn_op {
    trib_onednn_recipe recipe;
    trib_cpu_device *device;
    dnnl_primitive_desc_t descriptor, packing;
    dnnl_primitive_t primitive, packs; /* packs: from plain weights to those of the primitive; NULL without weights */
    int64_t scratch_bytes;
};

/* ---- onednn_packing.c ---- */

/* Convolutions and linear layers. */
bool trib_onednn_has_weight(const trib_op_desc *desc);
/* Places of weight and bias in packed parameters. */
trib_packing trib_onednn_packing_of(const trib_op_desc *desc, const trib_onednn_recipe *r,
                                    dnnl_primitive_desc_t descriptor);
/* The reorder from plain weights to those that the primitive of `descriptor` reads. */
trib_status trib_onednn_describe_packing(trib_cpu_device *device, const trib_op_desc *desc, const trib_onednn_recipe *r,
                                         dnnl_primitive_desc_t descriptor, dnnl_primitive_desc_t *out);
/* Bytes of scratch memory while packing: weights with all channels of the primitive, then the reorder's own. */
int64_t trib_onednn_packing_scratch(const trib_op_desc *desc, const trib_onednn_recipe *r,
                                    dnnl_primitive_desc_t packing);
/* The weight in the primitive's format. */
trib_dnnl_md trib_onednn_packed_weight(dnnl_primitive_desc_t descriptor);
/* As trib_cpu_pack in op.h. */
trib_status trib_onednn_pack(const trib_cpu_op *op, const trib_cpu_worker *worker, const trib_op_parameters *parameters,
                             void *packed, void *workspace);

/* ---- onednn_run.c: as trib_cpu_run in op.h ---- */

trib_status trib_onednn_run(const trib_cpu_op *op, const trib_cpu_worker *worker, const void *const *inputs,
                            void *const *outputs, const void *packed, void *workspace);

#endif
