// SPDX-License-Identifier: Apache-2.0
// A network in training on the cpu, with a batch of its own.
#pragma once

#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/nets.h"
#include "tributary/internal/fault.h"

namespace training
{

inline const trib_loss one_loss[] = { { "logits", 1 } };
inline const trib_loss three_losses[] = { { "logits", 1 }, { "aux1", 0.3f }, { "aux2", 0.3f } };

inline trib_training training_of(const trib_loss *losses, int count)
{
    trib_training t = {};
    t.losses = losses;
    t.loss_count = count;
    return t;
}

inline trib_plan_options options_of(const trib_training &t, int batch, trib_schedule schedule = TRIB_SERIAL)
{
    trib_plan_options o = trib_plan_default_options();
    o.batch = batch;
    o.schedule = schedule;
    o.training = &t;
    return o;
}

// Parameters rounded to 16 bits.
class Halves
{
  public:
    explicit Halves(const trib_graph *graph) : full_(graph)
    {
        for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
            trib_tensor t = full_.data()[i];
            std::int64_t count = 0;
            EXPECT_OK(trib_shape_count(&t.shape, &count));
            for (std::int64_t k = 0; k < count; ++k)
                values_.push_back(trib_f32_to_bf16(static_cast<const float *>(t.data)[k]));
            t.dtype = TRIB_BF16;
            tensors_.push_back(t);
        }
        std::size_t first = 0;
        for (trib_tensor &t : tensors_) {
            std::int64_t count = 0;
            EXPECT_OK(trib_shape_count(&t.shape, &count));
            t.data = values_.data() + first;
            first += std::size_t(count);
        }
    }
    const trib_tensor *data() const { return tensors_.data(); }

  private:
    nets::Parameters full_;
    std::vector<trib_tensor> tensors_;
    std::vector<std::uint16_t> values_;
};

struct Free {
    void operator()(trib_trainer *t) const { trib_trainer_destroy(t); }
};
using Trainer = std::unique_ptr<trib_trainer, Free>;

// A trainer of a network, with a batch of its own.
class Trained
{
  public:
    Trained(const trib_graph *graph, const trib_training &training, int batch, trib_schedule schedule = TRIB_SERIAL,
            trib_launch launch = TRIB_EAGER, int threads = 2, std::int64_t failing = 0,
            const trib_tensor *parameters = nullptr, const std::function<void(trib_trainer_options &)> &change = {})
        : input(nets::input_for(graph, batch)), device_(nets::cpu(threads)), parameters_(graph)
    {
        trib_trainer_options o = {};
        o.plan = options_of(training, batch, schedule);
        o.launch = launch;
        if (change) change(o);
        trib_trainer *made = nullptr;
        if (failing) trib_fault_arm(failing, false);
        created = trib_trainer_create(device_.get(), graph, parameters ? parameters : parameters_.data(), &o, &made);
        trainer.reset(made);
        for (int i = 0; i < batch; ++i) labels.push_back(i % 3);
        controls.lr = 0.01f;
        controls.momentum = 0.9f;
        controls.weight_decay = 1e-3f;
        controls.average_decay = 0.5f;
        controls.loss_scale = 1;
        controls.seed = 7;
    }

    trib_status step()
    {
        const trib_plan *p = trib_trainer_plan(trainer.get());
        std::vector<void *> rows;
        for (int i = 0; i < p->output_count; ++i) {
            std::int64_t count = 0;
            EXPECT_OK(trib_shape_count(&p->outputs[i].shape, &count));
            outputs[p->outputs[i].name].assign(std::size_t(count), NAN);
            rows.push_back(outputs[p->outputs[i].name].data());
        }
        trib_status status = trib_trainer_step(trainer.get(), input.data(), labels.data(), &controls, rows.data());
        if (!trib_failed(&status)) ++controls.step;
        return status;
    }

    std::vector<float> read(int index) const
    {
        trib_trainer_tensor t = trib_trainer_tensor_at(trainer.get(), index);
        std::int64_t count = 0;
        EXPECT_OK(trib_shape_count(&t.shape, &count));
        std::vector<float> values(static_cast<std::size_t>(count), NAN);
        EXPECT_OK(trib_trainer_read(trainer.get(), index, values.data()));
        const float *own = trib_trainer_values(trainer.get(), index);
        EXPECT_TRUE(own && memcmp(own, values.data(), values.size() * sizeof *own) == 0) << t.name;
        return values;
    }

    // All tensors, one behind the other.
    std::vector<float> state() const
    {
        std::vector<float> all;
        for (int i = 0; i < trib_trainer_tensor_count(trainer.get()); ++i) {
            auto values = read(i);
            all.insert(all.end(), values.begin(), values.end());
        }
        return all;
    }

    std::vector<float> tensor(trib_tensor_role role, const char *name) const
    {
        int i = trib_trainer_find(trainer.get(), role, name);
        EXPECT_GE(i, 0) << name;
        return i < 0 ? std::vector<float>() : read(i);
    }

    trib_status created;
    std::vector<float> input;
    std::vector<std::int32_t> labels;
    trib_step_controls controls = {};
    std::map<std::string, std::vector<float>> outputs;

  private:
    nets::Device device_; // outlives the trainer
    nets::Parameters parameters_;

  public:
    Trainer trainer;
};

inline bool same_bits(const std::vector<float> &a, const std::vector<float> &b)
{
    return a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(float));
}

inline double mean(const std::vector<float> &v)
{
    double sum = 0;
    for (float x : v) sum += double(x);
    return sum / double(v.size());
}

} // namespace training
