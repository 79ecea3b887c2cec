// SPDX-License-Identifier: Apache-2.0
#include "conformance/conv_training.h"

#include <cmath>
#include <random>
#include <sstream>

#include "conformance/op_run.h"

namespace conformance
{
namespace
{

trib_view view_of(trib_layout layout, int n, int c, int h, int w, int before, int behind)
{
    trib_view v = dense_view(layout, n, c, h, w);
    v.c_offset = before;
    v.c_total = before + c + behind;
    return v;
}

Values random_values(std::size_t count, float scale, unsigned seed)
{
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-scale, scale);
    Values values(count);
    for (float &value : values) value = uniform(random);
    return values;
}

trib_attributes linear_attributes(int out)
{
    trib_attributes a = {};
    a.linear.out = out;
    return a;
}

std::size_t elements(const trib_view &v) { return std::size_t(v.n) * v.c * v.h * v.w; }

} // namespace

std::vector<ConvProblem> googlenet_convolutions(int size)
{
    const int modules[][8] = { { 192, 64, 96, 128, 16, 32, 32, 8 },      { 256, 128, 128, 192, 32, 96, 64, 8 },
                               { 480, 192, 96, 208, 16, 48, 64, 16 },    { 512, 160, 112, 224, 24, 64, 64, 16 },
                               { 512, 128, 128, 256, 24, 64, 64, 16 },   { 512, 112, 144, 288, 32, 64, 64, 16 },
                               { 528, 256, 160, 320, 32, 128, 128, 16 }, { 832, 256, 160, 320, 32, 128, 128, 32 },
                               { 832, 384, 192, 384, 48, 128, 128, 32 } };
    std::vector<ConvProblem> all;
    auto add = [&](int c, int k, int extent, int taps, int stride) {
        all.push_back({ { TRIB_NCHW, 1, c, extent, extent }, { TRIB_NCHW, k }, taps, stride, taps / 2 });
    };
    add(3, 64, size, 7, 2);
    add(64, 64, size / 4, 1, 1);
    add(64, 192, size / 4, 3, 1);
    for (const auto &m : modules) {
        const int extent = size / m[7];
        add(m[0], m[1], extent, 1, 1);
        add(m[0], m[2], extent, 1, 1);
        add(m[2], m[3], extent, 3, 1);
        add(m[0], m[4], extent, 1, 1);
        add(m[4], m[5], extent, 5, 1);
        add(m[4], m[5], extent, 3, 1);
        add(m[0], m[6], extent, 1, 1);
    }
    add(512, 128, 4, 1, 1);
    add(528, 128, 4, 1, 1);
    return all;
}

ConvRun::ConvRun(const ConvProblem &p, trib_kind kind, int chunk, bool accumulate, bool filled)
{
    const trib_view x = view_of(p.x.layout, p.x.n, p.x.c, p.x.h, p.x.w, p.x.before, p.x.behind);
    const trib_view y = view_of(p.y.layout, p.x.n, p.y.c, p.outputs(p.x.h), p.outputs(p.x.w), p.y.before, p.y.behind);
    const trib_view w = dense_view(TRIB_NCHW, p.y.c, p.x.c, p.taps, p.taps), b = dense_view(TRIB_NCHW, 1, p.y.c, 1, 1);
    const bool forward = kind == TRIB_CONV2D || kind == TRIB_LINEAR;
    const bool data = kind == TRIB_CONV2D_BACKWARD_DATA || kind == TRIB_LINEAR_BACKWARD_DATA;
    const bool weight = !forward && !data;
    desc_.kind = kind;
    desc_.attributes.conv2d = { p.y.c, p.taps, p.taps, p.stride, p.stride, { p.pad, p.pad, p.pad, p.pad }, false };
    desc_.chunk = chunk;
    desc_.accumulate = accumulate;
    desc_.has_bias = forward && p.bias;
    desc_.relu = forward && p.relu;
    desc_.output_count = 1;
    desc_.input_count = desc_.has_bias ? 3 : 2;
    desc_.inputs[0] = data ? y : x;
    desc_.inputs[1] = weight ? y : w;
    desc_.inputs[2] = desc_.has_bias ? b : trib_view {};
    desc_.outputs[0] = forward ? y : data ? x : w;
    if (kind == TRIB_LINEAR || kind == TRIB_LINEAR_BACKWARD_DATA || kind == TRIB_LINEAR_BACKWARD_WEIGHT)
        desc_.attributes = linear_attributes(p.y.c);
    if (!filled) return;
    x_ = random_values(elements(x), 1, 1);
    y_ = random_values(elements(y), 1, 2);
    weight_ = random_values(elements(w), 1 / std::sqrt(float(p.x.c * p.taps * p.taps)), 3);
    bias_ = random_values(std::size_t(p.y.c), 1, 4);
    inputs_ = { data ? y_ : x_, weight ? y_ : weight_, bias_ };
    Values expected_y, dx, dw;
    compute(p, forward, data, expected_y, dx, dw);
    expected_ = forward ? expected_y : data ? dx : dw;
    before_ = accumulate ? random_values(expected_.size(), 1, 5) : Values(expected_.size(), NAN);
    if (accumulate)
        for (std::size_t i = 0; i < expected_.size(); ++i) expected_[i] += before_[i];
}

// All directions visit the same triples of x, y and w.
void ConvRun::compute(const ConvProblem &p, bool forward, bool data, Values &y, Values &dx, Values &dw) const
{
    const int outputs_h = p.outputs(p.x.h), outputs_w = p.outputs(p.x.w);
    std::vector<double> sum_y(y_.size()), sum_dx(x_.size()), sum_dw(weight_.size());
    for (int n = 0; n < p.x.n; ++n)
        for (int i = 0; i < outputs_h * outputs_w; ++i)
            for (int t = 0; t < p.taps * p.taps; ++t) {
                const int h = i / outputs_w * p.stride + t / p.taps - p.pad;
                const int w = i % outputs_w * p.stride + t % p.taps - p.pad;
                if (h < 0 || w < 0 || h >= p.x.h || w >= p.x.w) continue;
                const std::size_t at_x = ((std::size_t(n) * p.x.h + h) * p.x.w + w) * p.x.c;
                const std::size_t at_y = (std::size_t(n) * outputs_h * outputs_w + i) * p.y.c;
                for (int k = 0; k < p.y.c; ++k) {
                    const std::size_t at_w = (std::size_t(k) * p.taps * p.taps + t) * p.x.c;
                    const double dy = y_[at_y + k];
                    double sum = 0;
                    if (forward)
                        for (int c = 0; c < p.x.c; ++c) sum += double(x_[at_x + c]) * weight_[at_w + c];
                    else if (data)
                        for (int c = 0; c < p.x.c; ++c) sum_dx[at_x + c] += dy * weight_[at_w + c];
                    else
                        for (int c = 0; c < p.x.c; ++c) sum_dw[at_w + c] += dy * x_[at_x + c];
                    sum_y[at_y + k] += sum;
                }
            }
    for (std::size_t i = 0; i < sum_y.size(); ++i) {
        const double z = sum_y[i] + (desc_.has_bias ? bias_[i % std::size_t(p.y.c)] : 0);
        y.push_back(float(desc_.relu ? std::fmax(z, 0) : z));
    }
    dx.assign(sum_dx.begin(), sum_dx.end());
    dw.assign(sum_dw.begin(), sum_dw.end());
}

std::vector<std::string> ConvRun::implementations(trib_device *device) const
{
    trib_implementation all[8];
    int count = 0;
    EXPECT_OK(trib_op_implementations(device, &desc_, false, all, 8, &count, nullptr));
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.emplace_back(all[i].name);
    return names;
}

std::vector<std::string> ConvRun::details(trib_device *device) const
{
    std::vector<std::string> details;
    for (const std::string &name : implementations(device)) {
        trib_op_handle *handle = nullptr;
        EXPECT_OK(trib_op_create(device, &desc_, name.c_str(), &handle));
        Op op(handle);
        details.emplace_back(op ? trib_op_detail(op.get()) : "");
    }
    return details;
}

trib_status ConvRun::try_once(trib_device *device, const std::string &name, int threads,
                              std::vector<float> &whole) const
{
    trib_op_desc d = desc_;
    d.threads = threads;
    trib_stream_options options = {};
    options.threads = threads;
    trib_stream *stream = nullptr;
    TRIB_TRY(trib_stream_create(device, &options, &stream));
    Stream own_stream(stream);
    trib_implementation all[8];
    int count = 0;
    TRIB_TRY(trib_op_implementations(device, &d, false, all, 8, &count, nullptr));
    trib_op_handle *op = nullptr;
    TRIB_TRY(trib_op_create(device, &d, name.c_str(), &op));
    Op own_op(op);
    std::int64_t bytes = 0;
    for (int i = 0; i < count; ++i)
        if (name == all[i].name) bytes = all[i].workspace_bytes;
    return run(device, stream, op, bytes, whole);
}

namespace
{

// Device memory with values, freed in the order of its stream.
class Uploads
{
  public:
    Uploads(trib_device *device, trib_stream *stream) : device_(device), stream_(stream) {}
    ~Uploads()
    {
        for (void *memory : all_) trib_device_free(device_, stream_, memory);
        (void)trib_stream_synchronize(stream_);
    }
    Uploads(const Uploads &) = delete;
    Uploads &operator=(const Uploads &) = delete;
    trib_status bring(const std::vector<float> &values, char **out)
    {
        void *memory = nullptr;
        TRIB_TRY(trib_device_alloc(device_, stream_, values.size() * sizeof(float), &memory));
        all_.push_back(memory);
        *out = static_cast<char *>(memory);
        return trib_copy_to_device(stream_, memory, values.data(), values.size() * sizeof(float));
    }

  private:
    trib_device *device_;
    trib_stream *stream_;
    std::vector<void *> all_;
};

} // namespace

trib_status ConvRun::run(trib_device *device, trib_stream *stream, trib_op_handle *op, std::int64_t workspace_bytes,
                         std::vector<float> &whole) const
{
    enum { BEHIND = 64 };
    // What is read without having been written shows.
    std::vector<float> workspace(std::size_t(workspace_bytes) / sizeof(float) + BEHIND, NAN), behind(BEHIND, NAN);
    std::vector<std::vector<float>> sources;
    for (int i = 0; i < desc_.input_count; ++i) sources.push_back(pack(desc_.inputs[i], inputs_[std::size_t(i)], NAN));
    whole = pack(desc_.outputs[0], before_, canary_of(TRIB_F32));
    char *inputs[TRIB_MAX_INPUTS] = {}, *result = nullptr, *scratch = nullptr;
    Uploads uploads(device, stream);
    for (int i = 0; i < desc_.input_count; ++i) {
        TRIB_TRY(uploads.bring(sources[std::size_t(i)], &inputs[i]));
        inputs[i] += trib_view_offset(&desc_.inputs[i]);
    }
    TRIB_TRY(uploads.bring(whole, &result));
    TRIB_TRY(uploads.bring(workspace, &scratch));
    const void *const x[] = { inputs[0], inputs[1], inputs[2] };
    void *const y[] = { result + trib_view_offset(&desc_.outputs[0]) };
    TRIB_TRY(trib_op_run(op, stream, x, y, nullptr, scratch));
    TRIB_TRY(trib_copy_to_host(stream, whole.data(), result, whole.size() * sizeof(float)));
    TRIB_TRY(trib_copy_to_host(stream, behind.data(), scratch + (workspace.size() - BEHIND) * sizeof(float),
                               BEHIND * sizeof(float)));
    TRIB_TRY(trib_stream_synchronize(stream));
    for (float value : behind) EXPECT_TRUE(std::isnan(value)) << "more workspace is written to than was asked for";
    return trib_success();
}

testing::AssertionResult ConvRun::is_right(const std::vector<float> &whole) const
{
    const Values seen = unpack(desc_.outputs[0], whole);
    // Sums of a gradient of weights are as long as the batch has pixels.
    const trib_view &y = desc_.inputs[1];
    const bool weight = desc_.kind == TRIB_CONV2D_BACKWARD_WEIGHT || desc_.kind == TRIB_LINEAR_BACKWARD_WEIGHT;
    const double scale = weight ? std::sqrt(double(y.n) * y.h * y.w) : 1;
    const testing::AssertionResult close = close_to(seen, expected_, scale * tolerance_of(TRIB_PRECISION_FP32));
    if (!close) return close;
    const std::vector<float> around = pack(desc_.outputs[0], seen, canary_of(TRIB_F32));
    for (std::size_t i = 0; i < whole.size(); ++i)
        if (whole[i] != around[i]) return testing::AssertionFailure() << "a neighbour was written to, or padding";
    return testing::AssertionSuccess();
}

std::string ConvRun::describe() const
{
    std::ostringstream text;
    text << trib_kind_name(desc_.kind) << " in chunks of " << desc_.chunk << (desc_.accumulate ? ", added" : "");
    for (const trib_view *v : { &desc_.inputs[0], &desc_.inputs[1], &desc_.outputs[0] })
        text << ", " << trib_layout_name(v->layout) << " " << v->n << "x" << v->c << "x" << v->h << "x" << v->w << " ("
             << v->c_offset << " of " << v->c_total << ")";
    return text.str();
}

} // namespace conformance
