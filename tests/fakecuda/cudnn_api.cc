// SPDX-License-Identifier: Apache-2.0
#include "fakecuda/cudnn_fake.h"
#include "fakecuda/library.h"

#include <cstring>
#include <mutex>
#include <set>

using namespace fakecuda;
using namespace fakecuda::cudnn;

struct cudnnContext {
    cudaStream_t stream = nullptr;
};

namespace
{

// The target of a descriptor handle: getting an attribute may give it another body.
struct Descriptor {
    BodyPointer body;
};

std::mutex lock; // the two sets
std::set<void *> descriptors;
std::set<cudnnContext *> handles;
thread_local std::string last_error;

template <typename T>
bool known(const std::set<T> &set, T pointer)
{
    std::lock_guard<std::mutex> guard(lock);
    return set.count(pointer) != 0;
}

Descriptor &descriptor(cudnnBackendDescriptor_t d)
{
    if (!d) throw Refusal { CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "nullptr == descriptor" };
    if (!known(descriptors, d)) throw Refusal { CUDNN_STATUS_BAD_PARAM, "no such descriptor" };
    return *static_cast<Descriptor *>(d);
}

// Runs an entry point: the failure that was asked for, or the refusal it throws, becomes its status.
template <typename Function>
cudnnStatus_t entry(const char *function, Function body)
{
    last_error.clear();
    if (library::fails(function)) {
        last_error = std::string("injected failure of ") + function;
        return CUDNN_STATUS_INTERNAL_ERROR;
    }
    try {
        body();
        return CUDNN_STATUS_SUCCESS;
    } catch (const Refusal &refusal) {
        last_error = refusal.text;
        return refusal.status;
    }
}

void finalize(Body &body)
{
    if (body.finalized) throw Refusal { CUDNN_STATUS_BAD_PARAM, "ptrDesc->finalize()" };
    check_complete(body);
    switch (body.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR: finalize_tensor(body); break;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR: finalize_operation(body); break;
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR: finalize_graph(body); break;
    case CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR: finalize_card(body); break;
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR: finalize_engine(body); break;
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
        body.convolution = body.body(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH)->convolution;
        body.card = body.body(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP)->card;
        if (const auto mode = body.value<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE);
            mode != CUDNN_HEUR_MODE_A && mode != CUDNN_HEUR_MODE_FALLBACK)
            throw Refusal { CUDNN_STATUS_NOT_SUPPORTED, "the simulation only has mode A and fallbacks" };
        break;
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR:
        body.convolution = body.body(CUDNN_ATTR_ENGINECFG_ENGINE)->convolution;
        body.card = body.body(CUDNN_ATTR_ENGINECFG_ENGINE)->card;
        body.config.engine = body.body(CUDNN_ATTR_ENGINECFG_ENGINE)->config.engine;
        if (body.has(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES))
            for (const BodyPointer &knob : body.values[CUDNN_ATTR_ENGINECFG_KNOB_CHOICES].bodies)
                body.config.knobs.push_back({ knob->value<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE),
                                              knob->integer(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE) });
        break;
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
        finalize_plan(body);
        library::plan_compiled();
        break;
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
        if (body.values[CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS].count !=
            body.values[CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS].count)
            throw Refusal { CUDNN_STATUS_BAD_PARAM, "ptrs_count != uids_count" };
        break;
    default: break;
    }
    body.finalized = true;
}

// ---- getting ----

// Copies as many as fit and returns the total number.
template <typename T>
void give(const std::vector<T> &values, std::int64_t wanted, std::int64_t *count, void *out)
{
    if (count) *count = std::int64_t(values.size());
    for (std::int64_t i = 0; i < wanted && i < std::int64_t(values.size()); ++i)
        static_cast<T *>(out)[i] = values[std::size_t(i)];
}

// Gives bodies to the caller's descriptors, which must be of their type.
void give_bodies(const std::vector<BodyPointer> &bodies, std::int64_t wanted, std::int64_t *count, void *out)
{
    if (count) *count = std::int64_t(bodies.size());
    for (std::int64_t i = 0; i < wanted && i < std::int64_t(bodies.size()); ++i) {
        Descriptor &target = descriptor(static_cast<cudnnBackendDescriptor_t *>(out)[i]);
        if (target.body->type != bodies[std::size_t(i)]->type)
            throw Refusal { CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "a descriptor to get into is of another type" };
        target.body = bodies[std::size_t(i)];
    }
}

BodyPointer made_body(cudnnBackendDescriptorType_t type, const Body &from, const Config &config)
{
    auto body = std::make_shared<Body>();
    body->type = type;
    body->finalized = true;
    body->convolution = from.convolution;
    body->card = from.card;
    body->config = config;
    return body;
}

std::vector<BodyPointer> knobs_of(const Body &config)
{
    std::vector<BodyPointer> knobs;
    for (const auto &knob : config.config.knobs)
        knobs.push_back(made_body(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, config, { 0, { knob } }));
    return knobs;
}

std::vector<BodyPointer> results_of(const Body &heuristic)
{
    std::vector<BodyPointer> results;
    const auto mode = heuristic.value<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE);
    for (const Config &config : heuristics(*heuristic.convolution, mode))
        results.push_back(made_body(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, heuristic, config));
    return results;
}

void get(const Body &body, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t wanted,
         std::int64_t *count, void *out)
{
    const auto typed = [&](cudnnBackendAttributeType_t expected) {
        if (type != expected) throw Refusal { CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, "attrType" };
    };
    const auto integers = [&](const std::vector<std::int64_t> &values) {
        typed(CUDNN_TYPE_INT64);
        give(values, wanted, count, out);
    };
    const auto bodies = [&](const std::vector<BodyPointer> &values) {
        typed(CUDNN_TYPE_BACKEND_DESCRIPTOR);
        give_bodies(values, wanted, count, out);
    };
    const auto wrong = [] { throw Refusal { CUDNN_STATUS_BAD_PARAM, "no such attribute to get" }; };
    switch (body.type) {
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
        return name == CUDNN_ATTR_ENGINEHEUR_RESULTS ? bodies(results_of(body)) : wrong();
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR:
        if (name == CUDNN_ATTR_ENGINECFG_ENGINE)
            return bodies({ made_body(CUDNN_BACKEND_ENGINE_DESCRIPTOR, body, body.config) });
        if (name == CUDNN_ATTR_ENGINECFG_KNOB_CHOICES) return bodies(knobs_of(body));
        if (name == CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE)
            return integers({ workspace_of(*body.convolution, body.config) });
        return wrong();
    case CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR:
        if (name == CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE) return integers({ body.config.knobs.at(0).second });
        if (name != CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE) return wrong();
        typed(CUDNN_TYPE_KNOB_TYPE);
        return give<int>({ int(body.config.knobs.at(0).first) }, wanted, count, out);
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR:
        if (name == CUDNN_ATTR_ENGINE_GLOBAL_INDEX) return integers({ body.config.engine });
        if (name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE) {
            typed(CUDNN_TYPE_NUMERICAL_NOTE);
            return give(numerical_notes(body.config), wanted, count, out);
        }
        if (name != CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE) return wrong();
        typed(CUDNN_TYPE_BEHAVIOR_NOTE);
        return give(behavior_notes(body.config), wanted, count, out);
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
        if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE) return integers({ body.workspace });
        if (name == CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)
            return bodies({ made_body(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, body, body.config) });
        if (name == CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION) {
            typed(CUDNN_TYPE_CHAR);
            const std::string json = plan_json(body);
            return give(std::vector<char>(json.begin(), json.end()), wanted, count, out);
        }
        return wrong();
    default: return wrong();
    }
}

// ---- executing ----

char *pointer_of(const Body &pack, const Tensor &tensor)
{
    const auto ids = pack.integers(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    const auto *data =
        reinterpret_cast<char *const *>(pack.values.at(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).bytes.data());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] != tensor.id) continue;
        if (!data[i]) throw Refusal { CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "a tensor's memory is null" };
        if (reinterpret_cast<std::uintptr_t>(data[i]) % std::uintptr_t(tensor.alignment))
            throw Refusal { CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, "tensor " + std::to_string(tensor.id) };
        return data[i];
    }
    throw Refusal { CUDNN_STATUS_BAD_PARAM, "tensor " + std::to_string(tensor.id) + " is not in the variant pack" };
}

void execute(cudnnContext *handle, const Body &plan, const Body &pack)
{
    const auto c = plan.convolution;
    const Arithmetic how = arithmetic_of(*c, plan.config);
    Pointers pointers = { pointer_of(pack, c->x), pointer_of(pack, c->w), pointer_of(pack, c->y),
                          c->has_bias ? pointer_of(pack, c->bias) : nullptr };
    std::vector<library::Touched> touched = { { pointers.x, std::size_t(c->x.span_bytes()) },
                                              { pointers.w, std::size_t(c->w.span_bytes()) },
                                              { pointers.y, std::size_t(c->y.span_bytes()) } };
    if (c->has_bias) touched.push_back({ pointers.bias, std::size_t(c->bias.span_bytes()) });
    void *workspace =
        pack.has(CUDNN_ATTR_VARIANT_PACK_WORKSPACE) ? pack.value<void *>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE) : nullptr;
    const std::size_t bytes = std::size_t(plan.workspace);
    if (bytes && !workspace) throw Refusal { CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "the workspace is null" };
    if (reinterpret_cast<std::uintptr_t>(workspace) % 256) // as cudaMalloc gives it: of less nothing is documented
        throw Refusal { CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, "the workspace" };
    if (bytes) touched.push_back({ workspace, bytes });
    cudaError_t failed = library::enqueue(
        handle->stream, "cudnn",
        [=] {
            if (bytes) std::memset(workspace, 0xa5, bytes); // who shares it with another op will see
            compute(*c, how, pointers);
        },
        touched);
    if (failed) throw Refusal { CUDNN_STATUS_EXECUTION_FAILED_CUDART, cudaGetErrorString(failed) };
}

const Body &finalized(cudnnBackendDescriptor_t d, cudnnBackendDescriptorType_t type)
{
    const Body &body = *descriptor(d).body;
    if (body.type != type) throw Refusal { CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "descriptor type" };
    if (!body.finalized) throw Refusal { CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "not finalized" };
    return body;
}

cudnnContext *handle_of(cudnnHandle_t handle)
{
    if (!known(handles, handle)) throw Refusal { CUDNN_STATUS_BAD_PARAM, "no such handle" };
    return handle;
}

} // namespace

std::vector<std::int64_t> Body::integers(cudnnBackendAttributeName_t name) const
{
    const Value &value = values.at(name);
    const auto *first = reinterpret_cast<const std::int64_t *>(value.bytes.data());
    return { first, first + value.count };
}

// ---- entry points ----

extern "C" {

size_t cudnnGetVersion() { return CUDNN_VERSION; }

const char *cudnnGetErrorString(cudnnStatus_t status)
{
    switch (CUDNN_STATUS_CATEGORY(status)) {
    case CUDNN_STATUS_SUCCESS: return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_INTERNAL_ERROR: return "CUDNN_STATUS_INTERNAL_ERROR";
    case CUDNN_STATUS_EXECUTION_FAILED: return "CUDNN_STATUS_EXECUTION_FAILED";
    default: return "CUDNN_STATUS_NOT_INITIALIZED";
    }
}

void cudnnGetLastErrorString(char *message, size_t max_size)
{
    if (!message || !max_size) return;
    std::strncpy(message, last_error.c_str(), max_size - 1);
    message[max_size - 1] = 0;
    last_error.clear();
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle)
{
    return entry("cudnnCreate", [&] {
        if (!handle) throw Refusal { CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "handle" };
        int count = 0;
        if (cudaGetDeviceCount(&count) != cudaSuccess || !count)
            throw Refusal { CUDNN_STATUS_NOT_INITIALIZED, "cudaGetDeviceCount(&count) != cudaSuccess" };
        *handle = new cudnnContext;
        std::lock_guard<std::mutex> guard(lock);
        handles.insert(*handle);
        library::made("cudnn handle");
    });
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle)
{
    std::lock_guard<std::mutex> guard(lock);
    if (!handles.erase(handle)) return CUDNN_STATUS_BAD_PARAM;
    library::given_back("cudnn handle");
    delete handle;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    return entry("cudnnSetStream", [&] { handle_of(handle)->stream = stream; });
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *out)
{
    return entry("cudnnBackendCreateDescriptor", [&] {
        if (!out) throw Refusal { CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "descriptor" };
        if (!is_descriptor_type(type))
            throw Refusal { CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED, "getSizeOfDescriptor" };
        auto *d = new Descriptor { std::make_shared<Body>() };
        d->body->type = type;
        *out = d;
        std::lock_guard<std::mutex> guard(lock);
        descriptors.insert(d);
        library::made("cudnn descriptor");
    });
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d)
{
    std::lock_guard<std::mutex> guard(lock);
    if (!descriptors.erase(d)) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    library::given_back("cudnn descriptor");
    delete static_cast<Descriptor *>(d);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
    return entry("cudnnBackendSetAttribute", [&] {
        Body &body = *descriptor(d).body;
        if (body.finalized || !values) throw Refusal { CUDNN_STATUS_BAD_PARAM, "ptrDesc->set" };
        check_attribute(body.type, name, type, count);
        Value value;
        value.count = count;
        const char *first = static_cast<const char *>(values);
        value.bytes.assign(first, first + std::size_t(count) * size_of(type));
        if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
            for (int64_t i = 0; i < count; ++i)
                value.bodies.push_back(descriptor(static_cast<const cudnnBackendDescriptor_t *>(values)[i]).body);
        body.values[name] = std::move(value);
    });
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t d)
{
    return entry("cudnnBackendFinalize", [&] { finalize(*descriptor(d).body); });
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t wanted, int64_t *count, void *values)
{
    return entry("cudnnBackendGetAttribute", [&] {
        const BodyPointer body = descriptor(d).body;
        if (!body->finalized) throw Refusal { CUDNN_STATUS_NOT_INITIALIZED, "status" };
        if (wanted > 0 && !values) throw Refusal { CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "arrayOfElements" };
        get(*body, name, type, wanted, count, values);
    });
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack)
{
    return entry("cudnnBackendExecute", [&] {
        execute(handle_of(handle), finalized(plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR),
                finalized(pack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR));
    });
}
}
