// SPDX-License-Identifier: Apache-2.0
// The convolutions of both GoogLeNets as the CUDA device runs them.
#pragma once

extern "C" {
#include "cuda/libraries/cudnn_conv.h"
}

#include <string>
#include <vector>

struct Layer {
    std::string name;    // the first layer with this shape
    trib_conv_desc desc; // forward, one image, fp32: bias and ReLU fused, a branch's last one writing its concat slice
    bool sliced() const { return desc.y_pitch != desc.k; }
};

// Each shape once, at 224x224, aux heads included.
std::vector<Layer> googlenet_convolutions();
