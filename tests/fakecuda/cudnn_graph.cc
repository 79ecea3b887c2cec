// SPDX-License-Identifier: Apache-2.0
#include "fakecuda/cudnn_fake.h"

#include <algorithm>

namespace fakecuda::cudnn
{

namespace
{

[[noreturn]] void refuse(const char *text) { throw Refusal { CUDNN_STATUS_BAD_PARAM, text }; }

void expect(bool condition, const char *text)
{
    if (!condition) refuse(text);
}

bool is_virtual(const Body &tensor)
{
    return tensor.has(CUDNN_ATTR_TENSOR_IS_VIRTUAL) && tensor.value<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL);
}

Tensor read_tensor(const Body &body)
{
    expect(body.type == CUDNN_BACKEND_TENSOR_DESCRIPTOR, "not a tensor");
    Tensor t;
    t.id = body.integer(CUDNN_ATTR_TENSOR_UNIQUE_ID);
    t.type = body.value<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE);
    t.alignment = body.integer(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
    auto extents = body.integers(CUDNN_ATTR_TENSOR_DIMENSIONS), strides = body.integers(CUDNN_ATTR_TENSOR_STRIDES);
    expect(extents.size() == 4, "a convolution's tensor has four dimensions");
    std::copy(extents.begin(), extents.end(), t.extent);
    std::copy(strides.begin(), strides.end(), t.stride);
    return t;
}

bool known_type(std::int64_t type)
{
    return type == CUDNN_DATA_FLOAT || type == CUDNN_DATA_HALF || type == CUDNN_DATA_BFLOAT16;
}

void check_convolution(const Convolution &c, const Body &d)
{
    const auto dilations = d.integers(CUDNN_ATTR_CONVOLUTION_DILATIONS);
    const auto after = d.integers(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
    expect(d.value<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) == CUDNN_CROSS_CORRELATION,
           "the simulation only has cross-correlation");
    expect(d.value<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) == CUDNN_DATA_FLOAT,
           "the simulation only sums in float");
    expect(dilations[0] == 1 && dilations[1] == 1, "the simulation has no dilation");
    expect(c.x.extent[1] == c.w.extent[1] && c.y.extent[1] == c.w.extent[0] && c.x.extent[0] == c.y.extent[0],
           "channels or images of x, w and y do not match");
    // A virtual w may be wider; a real one is refused with "no plan", as by 9.19.
    expect(c.x.type == c.w.type || (c.direction == Direction::wgrad && c.w.type == CUDNN_DATA_FLOAT),
           "x and w are of different types");
    for (int i = 0; i < 2; ++i) {
        std::int64_t room = c.x.extent[2 + i] + c.before[i] + after[i] - c.w.extent[2 + i];
        expect(c.stride[i] > 0 && c.before[i] >= 0 && after[i] >= 0 && room >= 0, "strides or paddings");
        expect(room / c.stride[i] + 1 == c.y.extent[2 + i], "y's extents do not follow from x, w, strides, paddings");
    }
    for (const Tensor *t : { &c.x, &c.w, &c.y }) {
        expect(t->stride[1] == 1 && t->stride[3] >= t->extent[1] && t->stride[2] == t->stride[3] * t->extent[3] &&
                   t->stride[0] == t->stride[2] * t->extent[2],
               "the simulation only has NHWC");
        expect(known_type(t->type), "data type");
    }
    expect(!c.w.sliced(), "the simulation only has packed filters");
}

struct Names {
    cudnnBackendDescriptorType_t type;
    Direction direction;
    cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
};
const Names all_names[] = {
    { CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, Direction::forward,
      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA },
    { CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, Direction::dgrad,
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA },
    { CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, Direction::wgrad,
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA },
};

const Names *names_of(const Body &operation)
{
    for (const Names &names : all_names)
        if (names.type == operation.type) return &names;
    return nullptr;
}

cudnnBackendAttributeName_t result_of(const Names &names)
{
    return names.direction == Direction::forward ? names.y : names.direction == Direction::dgrad ? names.x : names.w;
}

std::shared_ptr<Convolution> read_convolution(const Body &operation, const Names &names)
{
    auto c = std::make_shared<Convolution>();
    const Body &d = *operation.body(names.convolution);
    expect(d.type == CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, "not a convolution");
    c->direction = names.direction;
    c->x = read_tensor(*operation.body(names.x));
    c->w = read_tensor(*operation.body(names.w));
    c->y = read_tensor(*operation.body(names.y));
    for (int i = 0; i < 2; ++i) {
        c->stride[i] = d.integers(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES)[std::size_t(i)];
        c->before[i] = d.integers(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS)[std::size_t(i)];
    }
    const float beta = operation.value<float>(names.beta);
    c->adds = beta == 1;
    expect(operation.value<float>(names.alpha) == 1 && (beta == 0 || (c->adds && c->direction == Direction::dgrad)),
           "the simulation only adds to the gradient of the input, and scales nothing");
    check_convolution(*c, d);
    return c;
}

// Bias or ReLU after the previous operations.
void add_pointwise(Convolution &c, const Body &operation)
{
    expect(operation.type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, "graph pattern");
    const Body &what = *operation.body(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    const Tensor in = read_tensor(*operation.body(CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
    const Tensor out = read_tensor(*operation.body(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
    expect(in.id == c.y.id && is_virtual(*operation.body(CUDNN_ATTR_OPERATION_POINTWISE_XDESC)),
           "operations are not connected by a virtual tensor");
    expect(std::equal(in.extent, in.extent + 4, out.extent), "a pointwise operation changes the extents");
    const bool add = operation.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    const auto mode = what.value<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
    if (mode == CUDNN_POINTWISE_ADD && add && !c.has_bias && !c.relu) {
        c.has_bias = true;
        c.bias = read_tensor(*operation.body(CUDNN_ATTR_OPERATION_POINTWISE_BDESC));
        expect(c.bias.extent[0] == 1 && c.bias.extent[1] == out.extent[1] && c.bias.elements() == out.extent[1],
               "the bias is not one per channel");
        expect(known_type(c.bias.type), "data type of the bias");
    } else if (mode == CUDNN_POINTWISE_RELU_FWD && !add && !c.relu)
        c.relu = true;
    else
        throw Refusal { CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "the simulation has bias, then ReLU" };
    c.y = out;
}

// The gradient of the filter into a wider tensor.
void add_identity(Convolution &c, const Body &operation)
{
    expect(operation.type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, "graph pattern");
    const Body &what = *operation.body(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    const Body &in = *operation.body(CUDNN_ATTR_OPERATION_POINTWISE_XDESC);
    const Tensor out = read_tensor(*operation.body(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
    expect(c.direction == Direction::wgrad && is_virtual(in) && read_tensor(in).id == c.w.id,
           "only the gradient of the filter goes through another operation");
    expect(what.value<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE) == CUDNN_POINTWISE_IDENTITY &&
               !operation.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC),
           "the simulation has the identity there");
    expect(std::equal(c.w.extent, c.w.extent + 4, out.extent) && out.type == CUDNN_DATA_FLOAT && c.wide_filter(),
           "a wider tensor of the same extents");
    c.w = out;
}

} // namespace

std::int64_t Tensor::span_bytes() const
{
    std::int64_t last = 0;
    for (int i = 0; i < 4; ++i) last += (extent[i] - 1) * stride[i];
    return (last + 1) * element_bytes();
}

void finalize_tensor(Body &body)
{
    const auto extents = body.integers(CUDNN_ATTR_TENSOR_DIMENSIONS),
               strides = body.integers(CUDNN_ATTR_TENSOR_STRIDES);
    const std::int64_t alignment = body.integer(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
    expect(extents.size() == strides.size(), "_nbDims != _nbStrides");
    expect(alignment > 0 && (alignment & (alignment - 1)) == 0, "alignment is no power of two");
    for (std::size_t i = 0; i < extents.size(); ++i) expect(extents[i] > 0 && strides[i] > 0, "dim or stride <= 0");
}

void finalize_operation(Body &body)
{
    if (const Names *names = names_of(body)) body.convolution = read_convolution(body, *names);
}

void finalize_graph(Body &body)
{
    const auto &operations = body.values.at(CUDNN_ATTR_OPERATIONGRAPH_OPS).bodies;
    expect(operations[0]->convolution != nullptr, "the simulation's graphs begin with a convolution");
    auto c = std::make_shared<Convolution>(*operations[0]->convolution);
    for (std::size_t i = 1; i < operations.size(); ++i)
        c->direction == Direction::forward ? add_pointwise(*c, *operations[i]) : add_identity(*c, *operations[i]);
    const Body &last = *operations.back();
    const Names *names = names_of(last);
    const Body &result = *last.body(names ? result_of(*names) : CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
    expect(!is_virtual(result), "the result is virtual");
    if (names && c->wide_filter())
        throw Refusal { CUDNN_STATUS_NOT_SUPPORTED, "no plan for a wider filter that is not behind a virtual one" };
    expect(c->y.type == c->x.type, "x and y are of different types");
    body.convolution = c;
}

} // namespace fakecuda::cudnn
