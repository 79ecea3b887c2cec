// SPDX-License-Identifier: Apache-2.0
// The engines, with the numbers, knobs and workspaces seen with cuDNN 9.19 for H200, and a few made up for being bad.
#include "fakecuda/cudnn_fake.h"

#include <cmath>
#include <cstring>
#include <sstream>

namespace fakecuda::cudnn
{

namespace
{

enum class Copies { none, slices, all }; // all: to another layout

struct Engine {
    std::int64_t number;
    Copies copies;
    std::int64_t scratch; // bytes, whatever the tensors
    std::vector<cudnnBackendNumericalNote_t> notes;
    std::vector<cudnnBackendBehaviorNote_t> behaviours;
};

constexpr auto tensor_core = CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
constexpr std::int64_t refused_value = 999;   // of any knob
constexpr std::int64_t broken_engine = 90;    // fails to compile
constexpr std::int64_t split_tile = 5;        // of engine 41: sums in parts
constexpr std::int64_t imprecise_engine = 17; // without a note that says so

const Engine engines[] = {
    { 41, Copies::slices, 131, { tensor_core }, {} },
    { 10, Copies::slices, 0, { tensor_core }, {} },
    { 7,
      Copies::none,
      0,
      { tensor_core },
      { CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION, CUDNN_BEHAVIOR_NOTE_SUPPORTS_CUDA_GRAPH_NATIVE_API } },
    { 51, Copies::slices, 131, { tensor_core }, {} },
    { 26, Copies::all, 16, { tensor_core }, {} },
    { 11, Copies::none, 0, {}, {} },
    { 8,
      Copies::none,
      0,
      {},
      { CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION, CUDNN_BEHAVIOR_NOTE_SUPPORTS_CUDA_GRAPH_NATIVE_API } },
    { 44, Copies::slices, 4096, {}, {} },
    { 67, Copies::slices, 131, { tensor_core }, {} },
    { 65, Copies::slices, 0, { tensor_core }, {} },
    { 1, Copies::slices, 864, {}, {} },
    { imprecise_engine, Copies::none, 0, {}, {} },
    // Never to be chosen:
    { 29, Copies::none, (std::int64_t(1) << 32) + 4096, { tensor_core }, {} },
    { 30, Copies::none, 0, { tensor_core, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC }, {} },
    { 31, Copies::none, 0, { tensor_core, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS }, {} },
    { 32, Copies::none, 0, { tensor_core, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION }, {} },
    { 33, Copies::none, 0, { tensor_core, CUDNN_NUMERICAL_NOTE_WINOGRAD }, {} },
    { broken_engine, Copies::none, 0, { tensor_core }, { CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION } },
};

const Engine *find(std::int64_t number)
{
    for (const Engine &engine : engines)
        if (engine.number == number) return &engine;
    return nullptr;
}

const Engine &engine_of(const Config &config) { return *find(config.engine); }

// As on the H100, where 9.19 offers other slices, too; for a described card it offers none.
bool takes_gradient(const Convolution &c) { return c.wide_filter() && (c.y.extent[1] % 8 == 0 || !c.y.sliced()); }

// Whether the real library's engine would do this at all.
bool suits(const Convolution &c, std::int64_t engine)
{
    const bool single = c.x.type == CUDNN_DATA_FLOAT, forward = c.direction == Direction::forward;
    const bool wide_bias = c.has_bias && c.bias.type == CUDNN_DATA_FLOAT;
    const bool relu_alone = c.relu && !c.has_bias; // no precompiled engine has that
    switch (engine) {
    case 41:
    case 10: return forward && !single && !wide_bias;
    case 7: return !single && (forward ? wide_bias : c.direction == Direction::wgrad && takes_gradient(c));
    case 51: return forward && single;
    case 26: return forward && single;
    case 8: return forward && single && relu_alone;
    case 11:
    case 44: return forward && single && !relu_alone;
    case 67: return c.direction == Direction::dgrad;
    case 65: return c.direction == Direction::wgrad && !c.wide_filter();
    case 1: return !forward && single;
    case imprecise_engine: return c.direction == Direction::wgrad && single;
    case 31: return single;
    case 33: return !single;
    default: return true;
    }
}

void check_config(const Convolution &c, const Config &config)
{
    bool refused = !find(config.engine) || !suits(c, config.engine);
    for (const auto &knob : config.knobs) refused = refused || knob.second == refused_value;
    if (refused) throw Refusal { CUDNN_STATUS_NOT_SUPPORTED, "engine " + std::to_string(config.engine) };
    if (config.engine == broken_engine) throw Refusal { CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED, "nvrtc" };
}

// ---- plans as text: integers in brackets ----

void write_tensor(std::ostream &out, const Tensor &t)
{
    out << t.id << ' ' << t.type << ' ' << t.alignment << ' ';
    for (int i = 0; i < 4; ++i) out << t.extent[i] << ' ' << t.stride[i] << ' ';
}

void read_tensor(std::istream &in, Tensor &t)
{
    in >> t.id >> t.type >> t.alignment;
    for (int i = 0; i < 4; ++i) in >> t.extent[i] >> t.stride[i];
}

const std::string json_begin = "{\"cudnnVersion\":" + std::to_string(CUDNN_VERSION) + ",\"card\":";

void read_json(Body &plan, const std::string &json)
{
    const std::string begin = json_begin + std::to_string(std::hash<std::string>()(plan.card)) + ",\"plan\":[";
    if (json.compare(0, json_begin.size(), json_begin) != 0 || json.back() != '}')
        throw Refusal { CUDNN_STATUS_BAD_PARAM, "!d.IsObject()" };
    if (json.compare(0, begin.size(), begin) != 0)
        throw Refusal { CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH, "plan of another card" };
    std::istringstream in(json.substr(begin.size()));
    auto c = std::make_shared<Convolution>();
    int direction = 0;
    std::size_t knobs = 0;
    in >> direction >> c->has_bias >> c->relu >> c->adds >> c->stride[0] >> c->stride[1] >> c->before[0] >>
        c->before[1];
    for (Tensor *t : { &c->x, &c->w, &c->y, &c->bias }) read_tensor(in, *t);
    in >> plan.config.engine >> knobs;
    if (!in || knobs > CUDNN_KNOB_TYPE_COUNTS) throw Refusal { CUDNN_STATUS_BAD_PARAM, "!json_object.HasMember(key)" };
    plan.config.knobs.resize(knobs);
    for (auto &knob : plan.config.knobs) in >> knob.first >> knob.second;
    if (!in) throw Refusal { CUDNN_STATUS_BAD_PARAM, "!json_object.HasMember(key)" };
    c->direction = Direction(direction);
    plan.convolution = c;
}

} // namespace

std::string plan_json(const Body &plan)
{
    const Convolution &c = *plan.convolution;
    std::ostringstream out;
    out << json_begin << std::hash<std::string>()(plan.card) << ",\"plan\":[" << int(c.direction) << ' ' << c.has_bias
        << ' ' << c.relu << ' ' << c.adds << ' ' << c.stride[0] << ' ' << c.stride[1] << ' ' << c.before[0] << ' '
        << c.before[1] << ' ';
    for (const Tensor *t : { &c.x, &c.w, &c.y, &c.bias }) write_tensor(out, *t);
    out << plan.config.engine << ' ' << plan.config.knobs.size();
    for (const auto &knob : plan.config.knobs) out << ' ' << knob.first << ' ' << knob.second;
    out << "]}";
    return out.str();
}

std::vector<Config> heuristics(const Convolution &c, cudnnBackendHeurMode_t mode)
{
    if (mode == CUDNN_HEUR_MODE_FALLBACK) {
        if (suits(c, 8)) return { { 31, {} }, { 8, {} } };
        return {};
    }
    // Bad ones first: who takes the first without looking fails.
    const std::vector<Config> list = {
        { 41, { { CUDNN_KNOB_TYPE_TILE_SIZE, refused_value } } },
        { 31, {} },
        { 32, {} },
        { 30, {} },
        { 33, {} },
        { broken_engine, {} },
        { 29, { { CUDNN_KNOB_TYPE_SPLIT_K_BUF, -1 } } },
        { 51, { { CUDNN_KNOB_TYPE_TILE_SIZE, 7 }, { CUDNN_KNOB_TYPE_IDX_MODE, 0 } } },
        { 41, { { CUDNN_KNOB_TYPE_TILE_SIZE, 0 }, { CUDNN_KNOB_TYPE_IDX_MODE, 0 } } },
        { 41, { { CUDNN_KNOB_TYPE_TILE_SIZE, 3 }, { CUDNN_KNOB_TYPE_IDX_MODE, 0 } } },
        { 41, { { CUDNN_KNOB_TYPE_TILE_SIZE, split_tile }, { CUDNN_KNOB_TYPE_IDX_MODE, 0 } } },
        { 26, { { CUDNN_KNOB_TYPE_TILE_SIZE, 8 } } },
        { 10, { { CUDNN_KNOB_TYPE_TILE_SIZE, 1 } } },
        { 7, { { CUDNN_KNOB_TYPE_KERNEL_CFG, 21 } } },
        { 7, { { CUDNN_KNOB_TYPE_KERNEL_CFG, 22 } } },
        { 67, { { CUDNN_KNOB_TYPE_TILE_SIZE, 0 } } },
        { 65, { { CUDNN_KNOB_TYPE_TILE_SIZE, 1 } } },
        { 44, { { CUDNN_KNOB_TYPE_TILE_SIZE, 2 } } },
        { 11, { { CUDNN_KNOB_TYPE_TILE_SIZE, 4 } } },
        { imprecise_engine, {} },
        { 1, { { CUDNN_KNOB_TYPE_TILE_SIZE, 6 } } },
    };
    std::vector<Config> offered;
    for (const Config &config : list)
        if (suits(c, config.engine)) offered.push_back(config);
    return offered;
}

std::vector<cudnnBackendNumericalNote_t> numerical_notes(const Config &config) { return engine_of(config).notes; }
std::vector<cudnnBackendBehaviorNote_t> behavior_notes(const Config &config) { return engine_of(config).behaviours; }

namespace
{

// Pixels begin at multiples of 16 bytes.
bool begins_evenly(const Tensor &t) { return t.stride[3] * t.element_bytes() % 16 == 0; }

// Measured with 9.19 on an H100: no error is reported.
float error_of(const Convolution &c, std::int64_t engine)
{
    if (c.direction != Direction::wgrad) return 0;
    if (engine == imprecise_engine) return 1e-4f;
    for (const Tensor *t : { &c.x, &c.y }) {
        if (begins_evenly(*t)) continue;
        if (t->type != CUDNN_DATA_FLOAT) return NAN;
        if (engine == 1 && t->sliced()) return 1;
    }
    return 0;
}

} // namespace

// Kernels that cuDNN 9.19 compiles at run time keep NaN (according to the machine code for sm_90); of others nothing is
// known.
Arithmetic arithmetic_of(const Convolution &c, const Config &config)
{
    const Engine &engine = engine_of(config);
    Arithmetic how = { false, false, error_of(c, config.engine) };
    for (auto note : engine.notes) how.tf32 = how.tf32 || (note == tensor_core && c.x.type == CUDNN_DATA_FLOAT);
    for (auto note : engine.behaviours)
        how.keeps_nan = how.keeps_nan || note == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION;
    return how;
}

std::int64_t workspace_of(const Convolution &c, const Config &config)
{
    const Engine &engine = engine_of(config);
    std::int64_t bytes = engine.scratch;
    for (const auto &knob : config.knobs)
        if (config.engine == 41 && knob.first == CUDNN_KNOB_TYPE_TILE_SIZE && knob.second == split_tile)
            bytes = (std::int64_t(1) << 18) + 195; // whole tiles of float32, and counters
    for (const Tensor *t : { &c.x, &c.y })
        if (engine.copies == Copies::all || (engine.copies == Copies::slices && t->sliced()))
            bytes += t->packed_bytes();
    return bytes;
}

void finalize_card(Body &body)
{
    if (body.has(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION)) {
        const auto &bytes = body.values.at(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION).bytes;
        body.card.assign(bytes.begin(), bytes.end());
        for (const char *member : { "\"maxGridSize\"", "\"multiProcessorCount\"", "\"deviceVer\"" })
            if (body.card.find(member) == std::string::npos)
                throw Refusal { CUDNN_STATUS_BAD_PARAM, std::string("!json_object.HasMember(") + member + ")" };
    } else if (body.has(CUDNN_ATTR_DEVICEPROP_DEVICE_ID)) {
        int count = 0;
        const int device = body.value<std::int32_t>(CUDNN_ATTR_DEVICEPROP_DEVICE_ID);
        if (cudaGetDeviceCount(&count) != cudaSuccess || device < 0 || device >= count)
            throw Refusal { CUDNN_STATUS_NOT_INITIALIZED, "cudaDeviceGetAttribute" };
        body.card = "device " + std::to_string(device);
    } else
        throw Refusal { CUDNN_STATUS_BAD_PARAM, "device properties from nothing" };
}

void finalize_engine(Body &body)
{
    body.convolution = body.body(CUDNN_ATTR_ENGINE_OPERATION_GRAPH)->convolution;
    body.card = body.body(CUDNN_ATTR_ENGINE_DEVICEPROP)->card;
    body.config.engine = body.integer(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
    if (!find(body.config.engine) || !suits(*body.convolution, body.config.engine))
        throw Refusal { CUDNN_STATUS_NOT_SUPPORTED, "engine " + std::to_string(body.config.engine) };
}

void finalize_plan(Body &body)
{
    const Body &card = *body.body(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP);
    body.card = card.card;
    if (body.has(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION)) {
        const auto &bytes = body.values.at(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION).bytes;
        read_json(body, std::string(bytes.begin(), bytes.end()));
    } else if (body.has(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)) {
        const Body &config = *body.body(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
        body.convolution = config.convolution;
        body.config = config.config;
    } else
        throw Refusal { CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "assert_finalized == true" };
    check_config(*body.convolution, body.config);
    body.workspace = workspace_of(*body.convolution, body.config);
}

} // namespace fakecuda::cudnn
