// SPDX-License-Identifier: Apache-2.0
#include "fakecuda/cudnn_fake.h"

namespace fakecuda::cudnn
{

namespace
{

struct Rule {
    cudnnBackendAttributeType_t type;
    std::int64_t least, most; // elements
    bool required;
};
using Rules = std::map<cudnnBackendAttributeName_t, Rule>;

constexpr auto descriptor = CUDNN_TYPE_BACKEND_DESCRIPTOR;
constexpr std::int64_t many = std::int64_t(1) << 40;

const Rule one_descriptor = { descriptor, 1, 1, true };
const Rule one_integer = { CUDNN_TYPE_INT64, 1, 1, true };
const Rule one_type = { CUDNN_TYPE_DATA_TYPE, 1, 1, true };
const Rule one_float = { CUDNN_TYPE_FLOAT, 1, 1, false };

const std::map<cudnnBackendDescriptorType_t, Rules> all = {
    { CUDNN_BACKEND_TENSOR_DESCRIPTOR,
      { { CUDNN_ATTR_TENSOR_UNIQUE_ID, one_integer },
        { CUDNN_ATTR_TENSOR_DATA_TYPE, one_type },
        { CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, one_integer },
        { CUDNN_ATTR_TENSOR_DIMENSIONS, { CUDNN_TYPE_INT64, 1, CUDNN_DIM_MAX, true } },
        { CUDNN_ATTR_TENSOR_STRIDES, { CUDNN_TYPE_INT64, 1, CUDNN_DIM_MAX, true } },
        { CUDNN_ATTR_TENSOR_IS_VIRTUAL, { CUDNN_TYPE_BOOLEAN, 1, 1, false } } } },
    { CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR,
      { { CUDNN_ATTR_CONVOLUTION_COMP_TYPE, one_type },
        { CUDNN_ATTR_CONVOLUTION_CONV_MODE, { CUDNN_TYPE_CONVOLUTION_MODE, 1, 1, true } },
        { CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, one_integer },
        { CUDNN_ATTR_CONVOLUTION_DILATIONS, { CUDNN_TYPE_INT64, 2, 3, true } },
        { CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, { CUDNN_TYPE_INT64, 2, 3, true } },
        { CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, { CUDNN_TYPE_INT64, 2, 3, true } },
        { CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, { CUDNN_TYPE_INT64, 2, 3, true } } } },
    { CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
      { { CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, one_float },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, one_float } } },
    { CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
      { { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, one_float },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, one_float } } },
    { CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
      { { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, one_descriptor },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, one_float },
        { CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, one_float } } },
    { CUDNN_BACKEND_POINTWISE_DESCRIPTOR,
      { { CUDNN_ATTR_POINTWISE_MODE, { CUDNN_TYPE_POINTWISE_MODE, 1, 1, true } },
        { CUDNN_ATTR_POINTWISE_MATH_PREC, one_type } } },
    { CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
      { { CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, one_descriptor },
        { CUDNN_ATTR_OPERATION_POINTWISE_XDESC, one_descriptor },
        { CUDNN_ATTR_OPERATION_POINTWISE_BDESC, { descriptor, 1, 1, false } },
        { CUDNN_ATTR_OPERATION_POINTWISE_YDESC, one_descriptor } } },
    { CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, { { CUDNN_ATTR_OPERATIONGRAPH_OPS, { descriptor, 1, many, true } } } },
    { CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR,
      { { CUDNN_ATTR_DEVICEPROP_DEVICE_ID, { CUDNN_TYPE_INT32, 1, 1, false } },
        { CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, { CUDNN_TYPE_CHAR, 1, many, false } } } },
    { CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR,
      { { CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, one_descriptor },
        { CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, one_descriptor },
        { CUDNN_ATTR_ENGINEHEUR_MODE, { CUDNN_TYPE_HEUR_MODE, 1, 1, true } } } },
    { CUDNN_BACKEND_ENGINE_DESCRIPTOR,
      { { CUDNN_ATTR_ENGINE_OPERATION_GRAPH, one_descriptor },
        { CUDNN_ATTR_ENGINE_DEVICEPROP, one_descriptor },
        { CUDNN_ATTR_ENGINE_GLOBAL_INDEX, one_integer } } },
    { CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR,
      { { CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, { CUDNN_TYPE_KNOB_TYPE, 1, 1, true } },
        { CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, one_integer } } },
    { CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
      { { CUDNN_ATTR_ENGINECFG_ENGINE, one_descriptor },
        { CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, { descriptor, 1, CUDNN_KNOB_TYPE_COUNTS, false } } } },
    { CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR,
      { { CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, one_descriptor },
        { CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, { descriptor, 1, 1, false } },
        { CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, { CUDNN_TYPE_CHAR, 1, many, false } } } },
    { CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR,
      { { CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, { CUDNN_TYPE_INT64, 1, many, true } },
        { CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, { CUDNN_TYPE_VOID_PTR, 1, many, true } },
        { CUDNN_ATTR_VARIANT_PACK_WORKSPACE, { CUDNN_TYPE_VOID_PTR, 1, 1, false } } } },
};

} // namespace

std::size_t size_of(cudnnBackendAttributeType_t type)
{
    switch (type) {
    case CUDNN_TYPE_INT64: return sizeof(std::int64_t);
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR: return sizeof(void *);
    case CUDNN_TYPE_FLOAT:
    case CUDNN_TYPE_INT32: return 4;
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR: return 1;
    case CUDNN_TYPE_DATA_TYPE:
    case CUDNN_TYPE_CONVOLUTION_MODE:
    case CUDNN_TYPE_POINTWISE_MODE:
    case CUDNN_TYPE_HEUR_MODE:
    case CUDNN_TYPE_KNOB_TYPE: return sizeof(int);
    default: return 0;
    }
}

bool is_descriptor_type(int type) { return all.count(cudnnBackendDescriptorType_t(type)) != 0; }

void check_attribute(cudnnBackendDescriptorType_t type, cudnnBackendAttributeName_t name,
                     cudnnBackendAttributeType_t value_type, std::int64_t count)
{
    const Rules &rules = all.at(type);
    auto found = rules.find(name);
    if (found == rules.end())
        throw Refusal { CUDNN_STATUS_BAD_PARAM,
                        "descriptor " + std::to_string(type) + " has no attribute " + std::to_string(name) };
    const Rule &rule = found->second;
    if (rule.type != value_type)
        throw Refusal { CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, "attribute " + std::to_string(name) + ": attrType" };
    if (count < rule.least || count > rule.most)
        throw Refusal { CUDNN_STATUS_BAD_PARAM, "attribute " + std::to_string(name) + ": elemCount" };
}

void check_complete(const Body &body)
{
    for (const auto &[name, rule] : all.at(body.type))
        if (rule.required && !body.has(name))
            throw Refusal { CUDNN_STATUS_BAD_PARAM, "attribute " + std::to_string(name) + " is not set" };
    for (const auto &[name, value] : body.values)
        for (const BodyPointer &other : value.bodies)
            if (!other->finalized)
                throw Refusal { CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED,
                                "attribute " + std::to_string(name) + " is not finalized" };
}

} // namespace fakecuda::cudnn
