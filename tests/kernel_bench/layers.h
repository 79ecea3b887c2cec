// SPDX-License-Identifier: Apache-2.0
// The layers of plans as an owned list.
#pragma once

#include <gtest/gtest.h>

#include "benches/kernels/layers.h"

class Layers
{
  public:
    explicit Layers(int batch) { add(batch); }
    ~Layers() { bench_layers_destroy(&layers_); }
    Layers(const Layers &) = delete;
    Layers &operator=(const Layers &) = delete;
    void add(int batch)
    {
        const trib_status status = bench_layers_add(&layers_, batch);
        EXPECT_EQ(status.code, TRIB_OK) << status.message;
    }
    const bench_layer *begin() const { return layers_.list; }
    const bench_layer *end() const { return layers_.list + layers_.count; }
    int count() const { return layers_.count; }
    const bench_layers *get() const { return &layers_; }

  private:
    bench_layers layers_ = {};
};
