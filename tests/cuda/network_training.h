// SPDX-License-Identifier: Apache-2.0
// A small network in training on the simulated CUDA device: a trainer, its batch, and what a step leaves.
#pragma once

#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "runtime/nets.h"

namespace network
{

struct TrainingWay {
    bool batch_norm; // else biases and LRN
    trib_schedule schedule;
    trib_launch launch;
    trib_precision precision = TRIB_PRECISION_FP32;
    float loss_scale = 0; // that adapts
};

inline std::string name_of(const TrainingWay &way)
{
    std::string name = way.batch_norm ? "batch_norm_" : "lrn_";
    name += trib_schedule_name(way.schedule) + std::string(way.launch == TRIB_GRAPH ? "_graph" : "_eager");
    name += way.precision ? std::string("_") + trib_precision_name(way.precision) : "";
    return name + (way.loss_scale > 0 ? "_scaled" : "");
}

// Everything but the trainer.
class TrainingBatch
{
  public:
    static constexpr int images = 3;
    explicit TrainingBatch(bool batch_norm)
        : graph_(batch_norm ? nets::inception(true, 8) : nets::little_googlenet(1)), parameters_(graph_.get()),
          input_(nets::input_for(graph_.get(), images))
    {
        for (int i = 0; i < images; ++i) labels_.push_back(7 * i % 10);
        controls_.seed = 7;
        controls_.lr = 0.05f, controls_.momentum = 0.9f, controls_.weight_decay = 1e-3f;
        controls_.average_decay = 0.5f, controls_.loss_scale = 4, controls_.clip_norm = 0.1f;
    }

    trib_status create(trib_device *device, const TrainingWay &way, trib_trainer **out,
                       trib_timeline *timeline = nullptr) const
    {
        static const trib_loss loss = { "logits", 1 };
        trib_training training = {};
        training.losses = &loss;
        training.loss_count = 1;
        training.label_smoothing = 0.1f;
        training.average = training.clip = true;
        training.accumulate = 2;
        trib_trainer_options o = {};
        o.plan = trib_plan_default_options();
        o.plan.batch = images;
        training.loss_scale = way.loss_scale;
        training.loss_scale_growth = 3;
        o.plan.schedule = way.schedule;
        o.plan.precision = way.precision;
        o.plan.training = &training;
        o.launch = way.launch;
        o.timeline = timeline;
        return trib_trainer_create(device, graph_.get(), parameters_.data(), &o, out);
    }

    // Logits and losses are appended to *seen.
    trib_status step(trib_trainer *trainer, std::uint64_t number, std::vector<float> *seen) const
    {
        const trib_plan *plan = trib_trainer_plan(trainer);
        std::vector<std::vector<float>> outputs;
        std::vector<void *> rows;
        for (int i = 0; i < plan->output_count; ++i) {
            std::int64_t count = 0;
            EXPECT_OK(trib_shape_count(&plan->outputs[i].shape, &count));
            outputs.emplace_back(std::size_t(count), NAN);
        }
        for (auto &values : outputs) rows.push_back(values.data());
        trib_step_controls controls = controls_;
        controls.step = number;
        controls.add_to_sum = number % 2; // with an update each time, so that the next run shows it
        TRIB_TRY(trib_trainer_step(trainer, input_.data(), labels_.data(), &controls, rows.data()));
        for (auto &values : outputs) seen->insert(seen->end(), values.begin(), values.end());
        return trib_success();
    }

    // With them, a loss scale that adapts.
    using Tensors = std::vector<std::vector<float>>;
    static trib_status read(trib_trainer *trainer, Tensors *out)
    {
        out->clear();
        for (int i = 0; i < trib_trainer_tensor_count(trainer); ++i) {
            const trib_trainer_tensor t = trib_trainer_tensor_at(trainer, i);
            std::int64_t count = 0;
            EXPECT_OK(trib_shape_count(&t.shape, &count));
            out->emplace_back(std::size_t(count), NAN);
            TRIB_TRY(trib_trainer_read(trainer, i, out->back().data()));
        }
        if (trib_trainer_plan(trainer)->loss_scale < 0) return trib_success();
        trib_loss_scale scale;
        TRIB_TRY(trib_trainer_read_loss_scale(trainer, &scale));
        out->push_back({ scale.scale, scale.good_steps, scale.skipped_steps });
        return trib_success();
    }
    static trib_status write(trib_trainer *trainer, const Tensors &tensors)
    {
        const std::size_t count = std::size_t(trib_trainer_tensor_count(trainer));
        for (std::size_t i = 0; i < count; ++i) TRIB_TRY(trib_trainer_write(trainer, int(i), tensors[i].data()));
        if (tensors.size() == count) return trib_success();
        const std::vector<float> &v = tensors.back();
        const trib_loss_scale scale = { v[0], v[1], v[2], 0 };
        return trib_trainer_write_loss_scale(trainer, &scale);
    }

  private:
    nets::Graph graph_;
    nets::Parameters parameters_;
    std::vector<float> input_;
    std::vector<std::int32_t> labels_;
    trib_step_controls controls_ = {};
};

struct FreeTrainer {
    void operator()(trib_trainer *t) const { trib_trainer_destroy(t); }
};
using Trainer = std::unique_ptr<trib_trainer, FreeTrainer>;

// What was read, bit by bit, with no NaN in it: every tensor and every output.
struct Trained {
    std::vector<float> outputs;
    TrainingBatch::Tensors tensors;
    bool finite() const
    {
        for (float value : outputs)
            if (!std::isfinite(value)) return false;
        for (const auto &values : tensors)
            for (float value : values)
                if (!std::isfinite(value)) return false;
        return true;
    }
    bool operator==(const Trained &other) const
    {
        const auto same = [](const std::vector<float> &a, const std::vector<float> &b) {
            return a.size() == b.size() && (a.empty() || !std::memcmp(a.data(), b.data(), a.size() * sizeof(float)));
        };
        return same(outputs, other.outputs) && tensors.size() == other.tensors.size() &&
               std::equal(tensors.begin(), tensors.end(), other.tensors.begin(), same);
    }
};

} // namespace network
