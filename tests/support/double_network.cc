// SPDX-License-Identifier: Apache-2.0
#include "support/double_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace support
{

DoubleNetwork::DoubleNetwork(const trib_graph *graph, std::vector<trib_loss> losses, const std::vector<float> &input,
                             const std::vector<std::int32_t> &labels)
    : graph_(graph), losses_(std::move(losses)), labels_(labels), input_(input.begin(), input.end()),
      n_(int(labels.size()))
{
}

DoubleNetwork::Shape DoubleNetwork::shape(int layer) const
{
    const trib_layer *l = trib_graph_layer(graph_, layer);
    return { l->c, l->h, l->w };
}

DoubleNetwork::Tensor DoubleNetwork::conv(const trib_layer &l, const std::vector<double> &w,
                                          const std::vector<double> *bias) const
{
    const trib_conv2d &a = l.attributes.conv2d;
    const Shape in = shape(l.inputs[0]), out = { l.c, l.h, l.w };
    const Tensor &x = values_[std::size_t(l.inputs[0])];
    Tensor y(std::size_t(n_) * out.elements());
    std::size_t at = 0;
    for (int n = 0; n < n_; ++n)
        for (int k = 0; k < out.c; ++k)
            for (int p = 0; p < out.h; ++p)
                for (int q = 0; q < out.w; ++q) {
                    double sum = bias ? (*bias)[std::size_t(k)] : 0;
                    for (int c = 0; c < in.c; ++c)
                        for (int r = 0; r < a.r; ++r)
                            for (int s = 0; s < a.s; ++s) {
                                int i = p * a.stride_h + r - a.pad.top, j = q * a.stride_w + s - a.pad.left;
                                if (i < 0 || j < 0 || i >= in.h || j >= in.w) continue;
                                sum += x[std::size_t(((n * in.c + c) * in.h + i) * in.w + j)] *
                                       w[std::size_t(((k * in.c + c) * a.r + r) * a.s + s)];
                            }
                    y[at++] = sum;
                }
    return y;
}

DoubleNetwork::Tensor DoubleNetwork::batch_norm(const trib_layer &l, const std::vector<double> &scale,
                                                const std::vector<double> &shift) const
{
    const std::size_t pixels = std::size_t(l.h) * std::size_t(l.w), channels = std::size_t(l.c);
    const double count = double(pixels) * n_;
    Tensor y = values_[std::size_t(l.inputs[0])];
    for (std::size_t c = 0; c < channels; ++c) {
        auto each = [&](auto visit) {
            for (std::size_t n = 0; n < std::size_t(n_); ++n)
                for (std::size_t i = 0; i < pixels; ++i) visit(y[(n * channels + c) * pixels + i]);
        };
        double mean = 0, var = 0;
        each([&](double &v) { mean += v / count; });
        each([&](double &v) { var += (v - mean) * (v - mean) / count; });
        const double root = std::sqrt(var + double(l.attributes.batch_norm.eps));
        each([&](double &v) { v = (v - mean) / root * scale[c] + shift[c]; });
    }
    return y;
}

DoubleNetwork::Tensor DoubleNetwork::pool(const trib_layer &l)
{
    const trib_pool2d &a = l.attributes.pool2d;
    const Shape in = shape(l.inputs[0]);
    const Tensor &x = values_[std::size_t(l.inputs[0])];
    const bool largest = l.kind == TRIB_MAX_POOL2D;
    Tensor y;
    for (int plane = 0; plane < n_ * in.c; ++plane)
        for (int p = 0; p < l.h; ++p)
            for (int q = 0; q < l.w; ++q) {
                const int top = p * a.stride_h - a.pad.top, left = q * a.stride_w - a.pad.left;
                // Averages divide by the elements inside the image and its stated padding.
                const int rows = std::min(top + a.r, in.h + a.pad.bottom) - top;
                const int columns = std::min(left + a.s, in.w + a.pad.right) - left;
                double first = -std::numeric_limits<double>::infinity(), second = first, sum = 0;
                for (int i = std::max(top, 0); i < std::min(top + a.r, in.h); ++i)
                    for (int j = std::max(left, 0); j < std::min(left + a.s, in.w); ++j) {
                        double v = x[std::size_t((plane * in.h + i) * in.w + j)];
                        sum += v;
                        second = std::max(second, std::min(v, first));
                        first = std::max(first, v);
                    }
                // Zeros of a ReLU tie, and stay tied.
                if (largest && first > 0) kink_ = std::min(kink_, first - second);
                y.push_back(largest ? first : sum / (rows * columns));
            }
    return y;
}

DoubleNetwork::Tensor DoubleNetwork::adaptive(const trib_layer &l) const
{
    const Shape in = shape(l.inputs[0]);
    const Tensor &x = values_[std::size_t(l.inputs[0])];
    Tensor y;
    for (int plane = 0; plane < n_ * in.c; ++plane)
        for (int p = 0; p < l.h; ++p)
            for (int q = 0; q < l.w; ++q) {
                const int i0 = p * in.h / l.h, i1 = ((p + 1) * in.h + l.h - 1) / l.h;
                const int j0 = q * in.w / l.w, j1 = ((q + 1) * in.w + l.w - 1) / l.w;
                double sum = 0;
                for (int i = i0; i < i1; ++i)
                    for (int j = j0; j < j1; ++j) sum += x[std::size_t((plane * in.h + i) * in.w + j)];
                y.push_back(sum / ((i1 - i0) * (j1 - j0)));
            }
    return y;
}

DoubleNetwork::Tensor DoubleNetwork::lrn(const trib_layer &l) const
{
    const trib_lrn &a = l.attributes.lrn;
    const int pixels = l.h * l.w, before = a.size / 2, after = a.size - 1 - before;
    const Tensor &x = values_[std::size_t(l.inputs[0])];
    Tensor y(x.size());
    for (int n = 0; n < n_; ++n)
        for (int c = 0; c < l.c; ++c)
            for (int i = 0; i < pixels; ++i) {
                auto at = [&](int channel) { return std::size_t((n * l.c + channel) * pixels + i); };
                double sum = 0;
                for (int k = std::max(c - before, 0); k <= std::min(c + after, l.c - 1); ++k)
                    sum += x[at(k)] * x[at(k)];
                y[at(c)] = x[at(c)] * std::pow(double(a.k) + double(a.alpha) / a.size * sum, -double(a.beta));
            }
    return y;
}

DoubleNetwork::Tensor DoubleNetwork::linear(const trib_layer &l, const std::vector<double> &w,
                                            const std::vector<double> *bias) const
{
    const std::size_t in = shape(l.inputs[0]).elements();
    const Tensor &x = values_[std::size_t(l.inputs[0])];
    Tensor y;
    for (std::size_t n = 0; n < std::size_t(n_); ++n)
        for (std::size_t k = 0; k < std::size_t(l.c); ++k) {
            double sum = bias ? (*bias)[k] : 0;
            for (std::size_t i = 0; i < in; ++i) sum += x[n * in + i] * w[k * in + i];
            y.push_back(sum);
        }
    return y;
}

DoubleNetwork::Tensor DoubleNetwork::concat(const trib_layer &l) const
{
    Tensor y;
    for (int n = 0; n < n_; ++n)
        for (int k = 0; k < l.input_count; ++k) {
            const Tensor &x = values_[std::size_t(l.inputs[k])];
            const auto image = std::ptrdiff_t(shape(l.inputs[k]).elements());
            y.insert(y.end(), x.begin() + n * image, x.begin() + (n + 1) * image);
        }
    return y;
}

DoubleNetwork::Tensor DoubleNetwork::relu(const trib_layer &l)
{
    Tensor y = values_[std::size_t(l.inputs[0])];
    for (double &v : y) {
        kink_ = std::min(kink_, std::fabs(v));
        v = std::max(v, 0.0);
    }
    return y;
}

DoubleNetwork::Tensor DoubleNetwork::compute(const trib_layer &l, const std::vector<std::vector<double>> &parameters)
{
    auto value = [&](trib_role role) {
        return l.parameters[role] >= 0 ? &parameters[std::size_t(l.parameters[role])] : nullptr;
    };
    switch (l.kind) {
    case TRIB_INPUT: return input_;
    case TRIB_CONV2D: return conv(l, *value(TRIB_WEIGHT), value(TRIB_BIAS));
    case TRIB_BATCH_NORM: return batch_norm(l, *value(TRIB_BN_WEIGHT), *value(TRIB_BN_BIAS));
    case TRIB_RELU: return relu(l);
    case TRIB_MAX_POOL2D:
    case TRIB_AVG_POOL2D: return pool(l);
    case TRIB_ADAPTIVE_AVG_POOL2D: return adaptive(l);
    case TRIB_LRN: return lrn(l);
    case TRIB_CONCAT: return concat(l);
    case TRIB_LINEAR: return linear(l, *value(TRIB_WEIGHT), value(TRIB_BIAS));
    case TRIB_DROPOUT: return values_[std::size_t(l.inputs[0])];
    default: return {}; // softmax, which no loss reads
    }
}

double DoubleNetwork::cross_entropy(int layer) const
{
    const std::size_t classes = shape(layer).elements();
    double total = 0;
    for (std::size_t n = 0; n < std::size_t(n_); ++n) {
        const double *row = &values_[std::size_t(layer)][n * classes];
        const double most = *std::max_element(row, row + classes);
        double sum = 0;
        for (std::size_t c = 0; c < classes; ++c) sum += std::exp(row[c] - most);
        total += std::log(sum) + most - row[labels_[n]];
    }
    return total / n_;
}

double DoubleNetwork::loss(const std::vector<std::vector<double>> &parameters)
{
    double total = 0;
    kink_ = std::numeric_limits<double>::infinity();
    values_.clear();
    for (int i = 0; i < trib_graph_layer_count(graph_); ++i)
        values_.push_back(compute(*trib_graph_layer(graph_, i), parameters));
    for (const trib_loss &loss : losses_)
        for (int i = 0; i < trib_graph_output_count(graph_); ++i)
            if (std::string(trib_graph_output(graph_, i)->name) == loss.output)
                total += double(loss.weight) * cross_entropy(trib_graph_output(graph_, i)->layer);
    return total;
}

} // namespace support
