/* SPDX-License-Identifier: Apache-2.0
 * Operators that hand on what they read, depending on an attribute or an input. */
#include "formats/onnx.h"

bool trib_onnx_is_float(uint64_t type)
{
    return type == TRIB_ONNX_F32 || type == TRIB_ONNX_F16 || type == TRIB_ONNX_F64 || type == TRIB_ONNX_BF16;
}

/* The third input, which a model for inference does not have, or has as a constant. */
static bool may_drop(const trib_onnx_model *model, const trib_onnx_node *node)
{
    trib_onnx_constant mode;
    if (node->input_count < 3 || !trib_pb_size(trib_onnx_input(model, node, 2))) return false;
    const trib_status s = trib_onnx_fold(model, trib_onnx_input(model, node, 2), &mode);
    if (trib_failed(&s)) return true;
    if (mode.kind == TRIB_ONNX_FILL) return mode.fill != 0;
    return mode.kind != TRIB_ONNX_WHOLE || mode.count != 1 || mode.whole[0] != 0;
}

const char *trib_onnx_changes(const trib_onnx_model *model, const trib_onnx_node *node)
{
    if (trib_onnx_is(node, "Cast") && !trib_onnx_is_float((uint64_t)trib_onnx_int(node, "to", 0)))
        return "its type, to, is none of float, float16, bfloat16 and double, so it changes values";
    if (trib_onnx_is(node, "Dropout") && may_drop(model, node))
        return "it is exported for training (training_mode); export it with eval()";
    return NULL;
}
