// SPDX-License-Identifier: Apache-2.0
// What the C references of training make of an op.
#include "tributary/training_kernels.h"

#include <array>
#include <cstring>

#include "conformance/op_case.h"

namespace conformance
{

bool is_training(const trib_op_desc &d)
{
    return d.kind >= TRIB_CONV2D_BACKWARD_DATA ||
           ((d.kind == TRIB_CONV2D || d.kind == TRIB_LINEAR) && d.input_count > 1);
}

namespace
{

// A weight's values are [n][h][w][c]; references take them in O,I,R,S order.
Values turned(const trib_view &v, const Values &from, bool to_oirs)
{
    Values to(from.size());
    const std::size_t pixels = std::size_t(v.h) * v.w, channels = std::size_t(v.c);
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::size_t k = i / pixels / channels, pixel = i / channels % pixels, c = i % channels;
        const std::size_t oirs = (k * channels + c) * pixels + pixel;
        to[to_oirs ? oirs : i] = from[to_oirs ? i : oirs];
    }
    return to;
}

template <typename T>
std::vector<T> whole(const Values &values)
{
    std::vector<T> result;
    for (float value : values) result.push_back(T(value));
    return result;
}

std::size_t elements(const trib_view &v) { return std::size_t(v.n) * v.c * v.h * v.w; }

// The op's operands, dense.
class Reference
{
  public:
    explicit Reference(const OpCase &op) : op_(op), d_(op.desc), g_(window_of(op.desc))
    {
        for (int i = 0; i < d_.output_count; ++i) results_.emplace_back(elements(d_.outputs[i]));
        for (std::size_t i = 0; i < results_.size(); ++i)
            if (op.updates[i] >= 0) results_[i] = op.inputs[std::size_t(op.updates[i])];
        if (d_.accumulate) results_[0] = op.initial;
        const trib_view &first = d_.inputs[0];
        rows_ = std::int64_t(first.n) * first.h * first.w;
        gradient_ = { rows_, first.c, first.c, first.c, first.c };
        pixel_ = { rows_, first.c, first.c, first.c, d_.relu };
    }

    std::vector<Values> operator()()
    {
        if (!windows() && !linear() && !pixels() && !batch_norm()) updates();
        return results_;
    }

  private:
    const float *in(std::size_t i) const { return op_.inputs[i].data(); }
    float *out(std::size_t i) { return i < results_.size() ? results_[i].data() : nullptr; }
    Values weight() const { return turned(d_.inputs[1], op_.inputs[1], true); }
    const float *bias() const { return d_.has_bias ? in(2) : nullptr; }

    bool windows()
    {
        const bool add = d_.accumulate;
        switch (d_.kind) {
        case TRIB_CONV2D: trib_ref_conv2d(&g_, in(0), weight().data(), bias(), out(0)); return true;
        case TRIB_CONV2D_BACKWARD_DATA:
            trib_ref_conv2d_backward_data(&g_, in(0), weight().data(), out(0), add);
            return true;
        case TRIB_CONV2D_BACKWARD_WEIGHT:
            trib_ref_conv2d_backward_weight(&g_, in(0), in(1), out(0));
            results_[0] = turned(d_.outputs[0], results_[0], false);
            return true;
        case TRIB_MAX_POOL2D_INDEXED: {
            std::vector<std::uint8_t> index(results_[1].size());
            trib_ref_max_pool2d_indexed(&g_, in(0), out(0), index.data(), g_.c);
            results_[1].assign(index.begin(), index.end());
            return true;
        }
        case TRIB_MAX_POOL2D_BACKWARD:
            trib_ref_max_pool2d_backward(&g_, in(0), whole<std::uint8_t>(op_.inputs[1]).data(), g_.c, out(0), add);
            return true;
        case TRIB_AVG_POOL2D_BACKWARD: trib_ref_avg_pool2d_backward(&g_, in(0), out(0), add); return true;
        case TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD:
            trib_ref_adaptive_avg_pool2d_backward(&g_, in(0), out(0), add);
            return true;
        default: return false;
        }
    }

    bool linear()
    {
        const bool of_weight = d_.kind == TRIB_LINEAR_BACKWARD_WEIGHT;
        const trib_view &x = d_.kind == TRIB_LINEAR_BACKWARD_DATA ? d_.outputs[0] : d_.inputs[0];
        const int out_channels = d_.attributes.linear.out;
        const trib_linear_geometry l = { x.n, x.c, x.h, x.w, out_channels, x.c, out_channels, d_.relu };
        switch (d_.kind) {
        case TRIB_LINEAR: trib_ref_linear(&l, in(0), weight().data(), bias(), out(0)); break;
        case TRIB_LINEAR_BACKWARD_DATA:
            trib_ref_linear_backward_data(&l, in(0), weight().data(), out(0), d_.accumulate);
            break;
        case TRIB_LINEAR_BACKWARD_WEIGHT: trib_ref_linear_backward_weight(&l, in(0), in(1), out(0)); break;
        default: return false;
        }
        if (of_weight) results_[0] = turned(d_.outputs[0], results_[0], false);
        return true;
    }

    bool pixels()
    {
        const trib_lrn &lrn = d_.attributes.lrn;
        const trib_view &x = d_.inputs[0];
        switch (d_.kind) {
        case TRIB_BIAS_BACKWARD: trib_ref_bias_backward(&gradient_, in(0), out(0)); return true;
        case TRIB_RELU_BACKWARD: trib_ref_relu_backward(&gradient_, in(0), in(1), out(0), out(1)); return true;
        case TRIB_LRN_BACKWARD:
            trib_ref_lrn_backward(&gradient_, lrn.size, lrn.alpha, lrn.beta, lrn.k, in(0), in(1), out(0));
            return true;
        case TRIB_DROPOUT_TRAINING: {
            const trib_step_controls c = controls();
            const trib_dropout &a = d_.attributes.dropout;
            const trib_dropout_geometry g = {
                x.n, x.c, std::int64_t(x.h) * x.w, x.c, x.c, a.p, c.seed, c.step, a.salt
            };
            trib_ref_dropout(&g, in(0), out(0));
            return true;
        }
        default: return false;
        }
    }

    bool batch_norm()
    {
        const trib_batch_statistics &a = d_.attributes.batch_statistics;
        switch (d_.kind) {
        case TRIB_BATCH_STATISTICS: {
            const trib_batch_norm_parameters p = { in(1), in(2), a.eps, a.momentum };
            trib_ref_batch_statistics(&pixel_, in(0), &p, out(0), out(1), out(2));
            return true;
        }
        case TRIB_BATCH_NORM_APPLY: trib_ref_batch_norm_apply(&pixel_, in(0), in(1), out(0)); return true;
        case TRIB_BATCH_NORM_BACKWARD:
            trib_ref_batch_norm_backward(&gradient_, d_.relu, in(0), in(1), in(2), out(0), out(1), out(2));
            return true;
        default: return false;
        }
    }

    void updates()
    {
        const trib_step_controls c = controls();
        const std::int64_t count = d_.inputs[0].c;
        if (d_.kind == TRIB_CROSS_ENTROPY) {
            const trib_cross_entropy &a = d_.attributes.cross_entropy;
            const trib_cross_entropy_geometry g = { d_.inputs[0].n, int(count),  int(count),
                                                    int(count),     a.smoothing, a.weight * c.loss_scale };
            trib_ref_cross_entropy(&g, in(0), whole<std::int32_t>(op_.inputs[1]).data(), out(0), out(1));
        } else if (d_.kind == TRIB_SCALE_CONTROLS) {
            trib_step_controls scaled;
            trib_ref_scale_controls(&c, reinterpret_cast<const trib_loss_scale *>(in(1)), &scaled);
            results_[0] = bytes_of(scaled);
        } else if (d_.kind == TRIB_CHECK_GRADIENTS) {
            trib_step_controls checked = c;
            trib_ref_check_gradients(count, in(0), &checked);
            results_[0] = bytes_of(checked);
        } else if (d_.kind == TRIB_ADJUST_LOSS_SCALE) {
            trib_ref_adjust_loss_scale(d_.attributes.adjust_loss_scale.growth_interval, &c,
                                       reinterpret_cast<trib_loss_scale *>(out(0)));
        } else if (d_.kind == TRIB_SUM_GRADIENTS) {
            trib_ref_sum_gradients(count, c.add_to_sum, in(1), out(0));
        } else if (c.no_update) { // what is updated stays
        } else if (d_.kind == TRIB_SGD) {
            const trib_sgd &a = d_.attributes.sgd;
            const trib_sgd_step step = { c.lr * a.rate, c.momentum, c.weight_decay * a.decay, c.loss_scale,
                                         a.nesterov };
            trib_ref_sgd(count, &step, in(1), out(0), out(1));
        } else if (d_.kind == TRIB_CLIP_GRADIENTS) {
            double squares = 0;
            for (int k = 0; k < d_.output_count; ++k) squares += trib_ref_squares(d_.inputs[k].c, in(k));
            const float factor = trib_ref_clip_factor(squares, c.clip_norm, c.loss_scale);
            for (int k = 0; k < d_.output_count; ++k)
                for (int i = 0; i < d_.inputs[k].c; ++i) out(k)[i] = in(k)[i] * factor;
        } else {
            trib_ref_moving_average(count, c.average_decay, in(1), out(0));
        }
    }

    // Of the ops that have them: the last input but that of a loss scale.
    trib_step_controls controls() const
    {
        const bool first = d_.kind == TRIB_SCALE_CONTROLS || d_.kind == TRIB_ADJUST_LOSS_SCALE;
        const std::vector<std::uint8_t> bytes = whole<std::uint8_t>(first ? op_.inputs.front() : op_.inputs.back());
        trib_step_controls result;
        std::memcpy(&result, bytes.data(), sizeof result);
        return result;
    }

    static Values bytes_of(const trib_step_controls &controls)
    {
        std::array<std::uint8_t, sizeof controls> bytes;
        std::memcpy(bytes.data(), &controls, sizeof controls);
        return Values(bytes.begin(), bytes.end());
    }

    const OpCase &op_;
    const trib_op_desc &d_;
    trib_window_geometry g_;
    std::int64_t rows_ = 0;
    trib_gradient_geometry gradient_ = {};
    trib_pixel_geometry pixel_ = {};
    std::vector<Values> results_;
};

} // namespace

std::vector<Values> training_reference(const OpCase &op) { return Reference(op)(); }

} // namespace conformance
