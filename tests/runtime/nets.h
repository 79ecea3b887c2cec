// SPDX-License-Identifier: Apache-2.0
// Small networks and owned wrappers for the runtime's tests.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "support/support.h"

namespace nets
{

struct Free {
    void operator()(trib_graph *g) const { trib_graph_destroy(g); }
    void operator()(trib_plan *p) const { trib_plan_destroy(p); }
    void operator()(trib_device *d) const { trib_device_close(d); }
    void operator()(trib_session *s) const { trib_session_destroy(s); }
};
using Graph = std::unique_ptr<trib_graph, Free>;
using Plan = std::unique_ptr<trib_plan, Free>;
using Device = std::unique_ptr<trib_device, Free>;
using Session = std::unique_ptr<trib_session, Free>;

// conv -> four branches as in an Inception module -> pool -> linear -> softmax; with batch norm or with bias + LRN.
Graph inception(bool batch_norm, int size = 14);
// Every kind of op of GoogLeNet's plans in a few layers: the stem with both its pairs of pool and LRN, modules, and the
// classifier. Few channels: `width` of most layers; few pixels: modules see size/4 x size/4.
Graph little_googlenet(int modules = 2, int size = 8, int width = 8);
// Later Inceptions in little: asymmetric filters, convolutions without padding, branches that end in a stride, an
// average pool before a projection, and a fork inside a branch. 7 classes.
Graph nested();
Graph googlenet(const trib_network *variant, int size = 224, int classes = 1000, bool aux = false);

Device cpu(int threads = 0);

// Values for every parameter of a graph, from a fixed formula.
class Parameters
{
  public:
    explicit Parameters(const trib_graph *graph);
    const trib_tensor *data() const { return tensors_.data(); }
    trib_tensor &operator[](int i) { return tensors_[std::size_t(i)]; }

  private:
    std::vector<trib_tensor> tensors_;
    std::vector<std::vector<float>> values_;
};

// How many layers of each branch of a fork count in its stages (trib_fork_schedule).
std::vector<int> layers_of_branches(const trib_graph *graph, int fork);
// By chance, stages for branches of so many layers: "1110-0112", with barriers "11/00-12".
std::string any_stages(const std::vector<int> &layers, std::uint64_t seed, bool barriers);

// A schedule for the plan and one for each fork, by chance; some forks have none of their own, some have stages.
class Schedules
{
  public:
    Schedules(const trib_graph *graph, std::uint64_t seed);
    trib_plan_options options() const; // points into this

  private:
    trib_schedule all_;
    std::deque<std::string> stages_;
    std::vector<trib_fork_schedule> forks_;
};

std::vector<float> input_for(const trib_graph *graph, int images);

Plan plan(const trib_graph *graph, trib_device *device, const trib_plan_options &options);
Session session(const trib_graph *graph, trib_device *device, const trib_session_options &options);

} // namespace nets
