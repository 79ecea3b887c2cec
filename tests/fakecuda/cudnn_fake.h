// SPDX-License-Identifier: Apache-2.0
// A simulated cuDNN: the part of the graph API that runtime/cuda calls, with the checks of the real one (observed with
// 9.19), on the CPU. Its heuristics offer good engines and bad ones: that copy slices through the workspace, need much
// of it, compute imprecisely or in no fixed order, are refused when the plan is made, fail to compile, or are wrong
// where real ones are.
//
//   cudnn_api.cc          entry points
//   cudnn_attributes.cc   which descriptor has which attributes
//   cudnn_graph.cc        what a convolution graph must look like
//   cudnn_engines.cc      the engines, heuristics, plans and their JSON
//   cudnn_compute.cc      the arithmetic
#pragma once

#include <cudnn_graph.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fakecuda::cudnn
{

// Thrown inside, returned as a status at the entry points; the text is that of cudnnGetLastErrorString.
struct Refusal {
    cudnnStatus_t status;
    std::string text;
};

struct Body;
using BodyPointer = std::shared_ptr<Body>;

struct Value {
    std::int64_t count = 0;
    std::vector<char> bytes;
    std::vector<BodyPointer> bodies; // for descriptors
};

// A tensor of a convolution, N,C,H,W or K,C,R,S.
struct Tensor {
    std::int64_t id = 0, type = 0, alignment = 0;
    std::int64_t extent[4] = {}, stride[4] = {};
    std::int64_t elements() const { return extent[0] * extent[1] * extent[2] * extent[3]; }
    std::int64_t element_bytes() const { return type == CUDNN_DATA_FLOAT ? 4 : 2; }
    std::int64_t packed_bytes() const { return elements() * element_bytes(); }
    std::int64_t span_bytes() const; // from the first to the last element
    bool sliced() const { return stride[3] != extent[1]; }
};

enum class Direction { forward, dgrad, wgrad };

struct Convolution {
    Direction direction = Direction::forward;
    Tensor x, w, y, bias;
    bool has_bias = false, relu = false;
    bool adds = false;                                    // to what x holds, of dgrad
    bool wide_filter() const { return w.type != x.type; } // of wgrad: float32 from 16 bits
    std::int64_t stride[2] = {}, before[2] = {};
};

struct Config {
    std::int64_t engine = 0;
    std::vector<std::pair<std::int64_t, std::int64_t>> knobs; // type, value
};

// The body of a descriptor. Other descriptors that refer to it keep it alive.
struct Body {
    cudnnBackendDescriptorType_t type;
    bool finalized = false;
    std::map<cudnnBackendAttributeName_t, Value> values;
    // Made by finalizing:
    std::shared_ptr<Convolution> convolution; // graphs, engines, configurations, plans
    std::string card;                         // device properties, and what was made for them
    Config config;                            // engines, configurations, plans
    std::int64_t workspace = 0;               // plans

    bool has(cudnnBackendAttributeName_t name) const { return values.count(name) != 0; }
    std::vector<std::int64_t> integers(cudnnBackendAttributeName_t name) const;
    std::int64_t integer(cudnnBackendAttributeName_t name) const { return integers(name).at(0); }
    // Of a 4-byte enumeration, float or int32.
    template <typename T>
    T value(cudnnBackendAttributeName_t name) const
    {
        return *reinterpret_cast<const T *>(values.at(name).bytes.data());
    }
    BodyPointer body(cudnnBackendAttributeName_t name) const { return values.at(name).bodies.at(0); }
};

// Which values a descriptor takes; throws when this is none of them (cudnn_attributes.cc).
void check_attribute(cudnnBackendDescriptorType_t type, cudnnBackendAttributeName_t name,
                     cudnnBackendAttributeType_t value_type, std::int64_t count);
// That nothing is missing or not finalized.
void check_complete(const Body &body);
std::size_t size_of(cudnnBackendAttributeType_t type); // 0: none of those known
bool is_descriptor_type(int type);

void finalize_tensor(Body &body);
void finalize_operation(Body &body);
void finalize_graph(Body &body);

void finalize_card(Body &body);
void finalize_engine(Body &body);
void finalize_plan(Body &body);
std::string plan_json(const Body &plan);
std::vector<Config> heuristics(const Convolution &c, cudnnBackendHeurMode_t mode);
std::vector<cudnnBackendNumericalNote_t> numerical_notes(const Config &config);
std::vector<cudnnBackendBehaviorNote_t> behavior_notes(const Config &config);
std::int64_t workspace_of(const Convolution &c, const Config &config);

// How an engine computes.
struct Arithmetic {
    bool tf32;      // factors have 10 bits of fraction
    bool keeps_nan; // through ReLU; else NaN becomes 0
    float error;    // added to each result of wgrad
};
Arithmetic arithmetic_of(const Convolution &c, const Config &config);

struct Pointers {
    char *x, *w, *y, *bias;
};
void compute(const Convolution &c, const Arithmetic &how, const Pointers &pointers);

} // namespace fakecuda::cudnn
