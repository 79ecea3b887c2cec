// SPDX-License-Identifier: Apache-2.0
// A graph's training loss in double, written down once more, layer by layer, as the papers state it: what central
// differences of whole networks are taken of. Slow; shares no code with the library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tributary.h"

namespace support
{

// One tensor per layer, N,C,H,W.
class DoubleNetwork
{
  public:
    // `losses`: outputs and weights, as in trib_training. Dropout does nothing; batch norm has the batch's statistics.
    DoubleNetwork(const trib_graph *graph, std::vector<trib_loss> losses, const std::vector<float> &input,
                  const std::vector<std::int32_t> &labels);
    // Sum of weight * mean cross-entropy, with a vector of values per parameter of the graph.
    double loss(const std::vector<std::vector<double>> &parameters);
    // The smallest |x| that a ReLU read, and the smallest lead of a pool's maximum: how far from a kink the last loss
    // was.
    double distance_to_kink() const { return kink_; }

  private:
    using Tensor = std::vector<double>;
    struct Shape {
        int c, h, w;
        std::size_t elements() const { return std::size_t(c) * std::size_t(h) * std::size_t(w); }
    };
    Shape shape(int layer) const;
    Tensor compute(const trib_layer &layer, const std::vector<std::vector<double>> &parameters);
    Tensor conv(const trib_layer &layer, const std::vector<double> &w, const std::vector<double> *bias) const;
    Tensor batch_norm(const trib_layer &layer, const std::vector<double> &scale,
                      const std::vector<double> &shift) const;
    Tensor pool(const trib_layer &layer);
    Tensor adaptive(const trib_layer &layer) const;
    Tensor lrn(const trib_layer &layer) const;
    Tensor linear(const trib_layer &layer, const std::vector<double> &w, const std::vector<double> *bias) const;
    Tensor concat(const trib_layer &layer) const;
    Tensor relu(const trib_layer &layer);
    double cross_entropy(int layer) const;

    const trib_graph *graph_;
    std::vector<trib_loss> losses_;
    std::vector<std::int32_t> labels_;
    std::vector<Tensor> values_; // of each layer
    Tensor input_;
    int n_;
    double kink_ = 0;
};

} // namespace support
