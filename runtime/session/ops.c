/* SPDX-License-Identifier: Apache-2.0 */
#include "session/ops.h"

#include "tributary/internal/alloc.h"

trib_status trib_check_parameters(const trib_graph *graph, const trib_tensor *parameters)
{
    char found[TRIB_SHAPE_TEXT], wanted[TRIB_SHAPE_TEXT];
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        const trib_parameter *p = trib_graph_parameter(graph, i);
        const trib_tensor *t = parameters ? &parameters[i] : NULL;
        if (!t || !t->data) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "parameter %s is not given", p->name);
        if (!trib_shape_equal(&t->shape, &p->shape))
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "parameter %s is %s; %s is needed", p->name,
                              trib_shape_text(&t->shape, found), trib_shape_text(&p->shape, wanted));
        if (!trib_dtype_is_float(t->dtype))
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "parameter %s is %s; f32, f16 or bf16 is needed", p->name,
                              trib_dtype_name(t->dtype));
    }
    return trib_success();
}

trib_status trib_ops_create(trib_device *device, const trib_plan *p, trib_op_handle ***out)
{
    trib_op_handle **ops = *out = trib_alloc_zeroed((size_t)p->op_count, sizeof(trib_op_handle *));
    if (!ops) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d ops", p->op_count);
    for (int i = 0; i < p->op_count; ++i) {
        const trib_plan_op *op = &p->ops[i];
        if (!op->implementation) continue;
        trib_status status = trib_op_create(device, &op->desc, op->implementation, &ops[i]);
        trib_add_context(&status, "layer %s", op->name);
        if (trib_failed(&status)) return status;
    }
    return trib_success();
}

void trib_ops_destroy(const trib_plan *p, trib_op_handle **ops)
{
    for (int i = 0; ops && i < p->op_count; ++i) trib_op_destroy(ops[i]);
    trib_free(ops);
}
