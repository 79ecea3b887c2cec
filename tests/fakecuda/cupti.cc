// SPDX-License-Identifier: Apache-2.0
// A simulated CUPTI: callbacks around calls and for nodes of graphs, and records of what the device did, with all that
// the real one has been seen to do (see Cupti in fakecuda.h).
//
// Records are written when work is done, and delivered by another thread, in any order: full buffers at once, others
// when they are flushed. A buffer with records of work that is not done yet is kept back, unless it is flushed by
// force: then it has no times for them. Streams of a graph's work are any numbers.
#include "fakecuda/library.h"
#include "fakecuda/machine.h"

#include <cupti.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

using namespace fakecuda;

namespace
{

std::int64_t now()
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

constexpr std::size_t record_bytes = 224; // the largest, and room

struct Record {
    alignas(8) unsigned char bytes[record_bytes];
    std::size_t size;
};

class Tool : public Tracer
{
  public:
    // ---- what happens ----
    void enter(const char *function, std::uint32_t correlation) override
    {
        if (!std::strcmp(function, "cudaGraphLaunch")) last_launch_ = launch_, launch_ = correlation;
        call(function, correlation, CUPTI_API_ENTER);
    }
    void leave(const char *function, std::uint32_t correlation) override
    {
        call(function, correlation, CUPTI_API_EXIT);
    }
    void created(const Node &node) override { resource(CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, node, nullptr); }
    void cloned(const Node &from, const Node &to) override
    {
        resource(CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED, to, &from);
    }
    void given(Op &op) override
    {
        op.traced = kinds.count(kind_of(op.kind)) > 0;
        if (op.traced && op.node && machine().options.cupti.wrong_ids) op.correlation = last_launch_;
    }
    void done(const Op &op) override
    {
        if (!kinds.count(kind_of(op.kind))) return;
        const Cupti &faults = machine().options.cupti;
        ++seen_;
        if (seen_ <= faults.lose_first || (faults.lose && seen_ % faults.lose == 0)) return;
        const bool timed = !faults.untimed || seen_ % faults.untimed;
        write(op, timed ? machine().zero + op.start : 0, timed ? machine().zero + op.finish : 0);
        if (records_.size() * record_bytes > 65536) deliver();
    }

    // ---- records ----
    void write(const Op &op, std::int64_t start, std::int64_t end)
    {
        const CUpti_ActivityKind kind = kind_of(op.kind);
        if (kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) write<CUpti_ActivityKernel9>(kind, op, start, end);
        if (kind == CUPTI_ACTIVITY_KIND_MEMCPY) write<CUpti_ActivityMemcpy5>(kind, op, start, end);
        if (kind == CUPTI_ACTIVITY_KIND_MEMSET) write<CUpti_ActivityMemset4>(kind, op, start, end);
    }
    // By a thread of our own, as the real one does it.
    void deliver()
    {
        std::thread([this] {
            inside_work = true;
            std::shuffle(records_.begin(), records_.end(), random_);
            while (!records_.empty()) fill_buffer();
        }).join();
    }
    // Of work that is not done: has no times, and will not have another record.
    void give_up_on(Op &op)
    {
        if (!op.traced) return;
        write(op, 0, 0);
        op.traced = false;
    }

    void begin()
    {
        kinds.clear();
        callbacks.clear();
        records_.clear();
        request = nullptr, complete = nullptr, clock = nullptr;
        seen_ = dropped_ = 0;
        launch_ = last_launch_ = 0;
    }
    std::size_t take_dropped() { return std::exchange(dropped_, 0); }

    std::set<CUpti_ActivityKind> kinds;
    std::set<std::pair<CUpti_CallbackDomain, CUpti_CallbackId>> callbacks;
    CUpti_CallbackFunc callback = nullptr;
    void *user = nullptr;
    CUpti_BuffersCallbackRequestFunc request = nullptr;
    CUpti_BuffersCallbackCompleteFunc complete = nullptr;
    CUpti_TimestampCallbackFunc clock = nullptr;

  private:
    static CUpti_ActivityKind kind_of(const char *kind)
    {
        if (!std::strcmp(kind, "kernel")) return CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
        if (!std::strcmp(kind, "memset")) return CUPTI_ACTIVITY_KIND_MEMSET;
        return std::strncmp(kind, "memcpy", 6) ? CUPTI_ACTIVITY_KIND_INVALID : CUPTI_ACTIVITY_KIND_MEMCPY;
    }
    template <typename Type>
    void write(CUpti_ActivityKind kind, const Op &op, std::int64_t start, std::int64_t end)
    {
        static_assert(sizeof(Type) <= record_bytes, "a larger record");
        Type r {};
        r.kind = kind;
        r.start = std::uint64_t(start), r.end = std::uint64_t(end);
        r.correlationId = op.correlation;
        r.graphNodeId = op.node;
        r.streamId = op.node ? 100 + std::uint32_t(op.node * 2654435761u % 300) : std::uint32_t(op.stream);
        Record record {};
        std::memcpy(record.bytes, &r, sizeof r);
        record.size = sizeof r;
        records_.push_back(record);
    }
    void fill_buffer()
    {
        std::uint8_t *buffer = nullptr;
        std::size_t size = 0, most = 0, used = 0, count = 0;
        request(&buffer, &size, &most);
        if (!buffer) {
            dropped_ += records_.size();
            records_.clear();
            return;
        }
        if (reinterpret_cast<std::uintptr_t>(buffer) % 8) violation("a buffer for CUPTI is not aligned to 8 bytes");
        while (count < records_.size() && used + records_[count].size <= size) {
            std::memcpy(buffer + used, records_[count].bytes, records_[count].size);
            used += records_[count++].size;
        }
        records_.erase(records_.begin(), records_.begin() + std::ptrdiff_t(count));
        complete(nullptr, 0, buffer, size, used);
    }
    static std::vector<std::pair<CUpti_CallbackDomain, CUpti_CallbackId>> ids_of(const std::string &function)
    {
        if (function == "cudaLaunchKernel")
            return { { CUPTI_CB_DOMAIN_RUNTIME_API, CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernel_v7000 } };
        if (function == "cudaMemcpyAsync")
            return { { CUPTI_CB_DOMAIN_RUNTIME_API, CUPTI_RUNTIME_TRACE_CBID_cudaMemcpyAsync_v3020 } };
        if (function == "cudaMemsetAsync")
            return { { CUPTI_CB_DOMAIN_RUNTIME_API, CUPTI_RUNTIME_TRACE_CBID_cudaMemsetAsync_v3020 } };
        if (function == "cudaGraphLaunch")
            return { { CUPTI_CB_DOMAIN_RUNTIME_API, CUPTI_RUNTIME_TRACE_CBID_cudaGraphLaunch_v10000 } };
        if (function == "cuLaunchKernel")
            return { { CUPTI_CB_DOMAIN_DRIVER_API, CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel } };
        if (function == "cuLaunchKernelEx")
            return { { CUPTI_CB_DOMAIN_DRIVER_API, CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx } };
        return {};
    }
    void call_back(CUpti_CallbackDomain domain, CUpti_CallbackId id, const void *data)
    {
        if (!callbacks.count({ domain, id })) return;
        inside_work = true;
        callback(user, domain, id, data);
        inside_work = false;
    }
    void call(const char *function, std::uint32_t correlation, CUpti_ApiCallbackSite site)
    {
        CUpti_CallbackData data {};
        data.callbackSite = site;
        data.functionName = function;
        data.correlationId = correlation;
        for (const auto &id : ids_of(function)) call_back(id.first, id.second, &data);
    }
    static CUgraphNode handle(const Node &node) { return reinterpret_cast<CUgraphNode>(std::uintptr_t(node.id)); }
    void resource(CUpti_CallbackId id, const Node &node, const Node *original)
    {
        if (!machine().options.cupti.nodes) return;
        CUpti_GraphData graph {};
        graph.node = handle(node);
        graph.originalNode = original ? handle(*original) : nullptr;
        const CUpti_ActivityKind kind = kind_of(node.kind);
        graph.nodeType = kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL ? CU_GRAPH_NODE_TYPE_KERNEL
                         : kind == CUPTI_ACTIVITY_KIND_MEMCPY          ? CU_GRAPH_NODE_TYPE_MEMCPY
                         : kind == CUPTI_ACTIVITY_KIND_MEMSET          ? CU_GRAPH_NODE_TYPE_MEMSET
                                                                       : CU_GRAPH_NODE_TYPE_HOST;
        CUpti_ResourceData data {};
        data.resourceDescriptor = &graph;
        call_back(CUPTI_CB_DOMAIN_RESOURCE, id, &data);
    }

    std::vector<Record> records_;
    std::mt19937 random_;
    std::int64_t seen_ = 0;
    std::size_t dropped_ = 0;
    std::uint32_t launch_ = 0, last_launch_ = 0;
};

// Never destroyed: programs look into the machine while they exit.
Tool &tool()
{
    static Tool *the_tool = new Tool;
    return *the_tool;
}

bool subscribed() { return machine().tracer == &tool(); }

} // namespace

// Counts the call, and makes it fail if it is the one to fail. Not while a callback of ours runs, under the same lock.
#define CUPTI_CALL()                                                          \
    if (fakecuda::library::fails(__func__)) return CUPTI_ERROR_OUT_OF_MEMORY; \
    std::lock_guard<std::mutex> cupti_lock(machine().lock);                   \
    if (!machine().options.cupti.driver) return CUPTI_ERROR_UNKNOWN
#define CUPTI_CALL_WITHOUT_DRIVER()                                           \
    if (fakecuda::library::fails(__func__)) return CUPTI_ERROR_OUT_OF_MEMORY; \
    std::lock_guard<std::mutex> cupti_lock(machine().lock)

CUptiResult cuptiGetVersion(uint32_t *version)
{
    CUPTI_CALL_WITHOUT_DRIVER();
    *version = CUPTI_API_VERSION;
    return CUPTI_SUCCESS;
}

CUptiResult cuptiGetResultString(CUptiResult result, const char **text)
{
    *text = result == CUPTI_ERROR_UNKNOWN ? "CUPTI_ERROR_UNKNOWN" : "CUPTI_ERROR_OUT_OF_MEMORY";
    return CUPTI_SUCCESS;
}

static CUptiResult subscribe(CUpti_SubscriberHandle *subscriber, CUpti_CallbackFunc callback, void *user)
{
    if (!machine().options.cupti.holder.empty()) return CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED;
    if (subscribed()) {
        violation("a second subscriber of CUPTI");
        return CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED;
    }
    tool().begin();
    tool().callback = callback;
    tool().user = user;
    machine().tracer = &tool();
    *subscriber = reinterpret_cast<CUpti_SubscriberHandle>(&tool());
    return CUPTI_SUCCESS;
}

#if CUPTI_API_VERSION >= 130000
CUptiResult cuptiSubscribe_v2(CUpti_SubscriberHandle *subscriber, CUpti_CallbackFunc callback, void *user,
                              CUpti_SubscriberParams *params)
{
    CUPTI_CALL();
    CUptiResult result = subscribe(subscriber, callback, user);
    const std::string &holder = machine().options.cupti.holder;
    if (params->oldSubscriberName && params->oldSubscriberSize)
        params->oldSubscriberName[holder.copy(params->oldSubscriberName, params->oldSubscriberSize - 1)] = '\0';
    return result;
}
#else
CUptiResult cuptiSubscribe(CUpti_SubscriberHandle *subscriber, CUpti_CallbackFunc callback, void *user)
{
    CUPTI_CALL();
    return subscribe(subscriber, callback, user);
}
#endif

CUptiResult cuptiUnsubscribe(CUpti_SubscriberHandle)
{
    const bool fails = fakecuda::library::fails(__func__);
    std::lock_guard<std::mutex> lock(machine().lock);
    if (!subscribed()) violation("CUPTI has no subscriber to remove");
    if (!tool().kinds.empty() && !fails) violation("kinds of records are still enabled when the subscriber leaves");
    machine().tracer = nullptr;
    return fails ? CUPTI_ERROR_OUT_OF_MEMORY : CUPTI_SUCCESS;
}

CUptiResult cuptiEnableCallback(uint32_t enable, CUpti_SubscriberHandle, CUpti_CallbackDomain domain,
                                CUpti_CallbackId id)
{
    CUPTI_CALL();
    if (!subscribed()) return CUPTI_ERROR_INVALID_PARAMETER;
    if (enable)
        tool().callbacks.insert({ domain, id });
    else
        tool().callbacks.erase({ domain, id });
    return CUPTI_SUCCESS;
}

CUptiResult cuptiGetGraphNodeId(CUgraphNode node, uint64_t *id) // called from callbacks
{
    if (fails_inside(__func__)) return CUPTI_ERROR_OUT_OF_MEMORY;
    *id = reinterpret_cast<std::uintptr_t>(node);
    return CUPTI_SUCCESS;
}

extern "C" bool fakecuda_has_cupti() // for load_cupti_fake.c
{
    std::lock_guard<std::mutex> lock(machine().lock);
    return !machine().options.cupti.missing;
}

// ---- records ----

CUptiResult cuptiActivityRegisterTimestampCallback(CUpti_TimestampCallbackFunc clock)
{
    CUPTI_CALL();
    if (!tool().kinds.empty()) violation("CUPTI's clock is replaced after records were enabled");
    const std::int64_t before = now();
    const auto told = std::int64_t(clock());
    if (told < before || told > now()) violation("CUPTI's clock is not CLOCK_MONOTONIC");
    tool().clock = clock;
    return CUPTI_SUCCESS;
}

CUptiResult cuptiActivityRegisterCallbacks(CUpti_BuffersCallbackRequestFunc request,
                                           CUpti_BuffersCallbackCompleteFunc complete)
{
    CUPTI_CALL();
    tool().request = request;
    tool().complete = complete;
    return CUPTI_SUCCESS;
}

CUptiResult cuptiActivityEnable(CUpti_ActivityKind kind)
{
    CUPTI_CALL();
    if (!tool().clock || !tool().complete) violation("records are enabled without a clock and buffers");
    tool().kinds.insert(kind);
    return CUPTI_SUCCESS;
}

CUptiResult cuptiActivityDisable(CUpti_ActivityKind kind)
{
    const bool fails = fakecuda::library::fails(__func__);
    std::lock_guard<std::mutex> lock(machine().lock);
    tool().kinds.erase(kind);
    return fails ? CUPTI_ERROR_OUT_OF_MEMORY : CUPTI_SUCCESS;
}

// With the flag 0, only time passes if the buffer has records of work that is not done yet.
CUptiResult cuptiActivityFlushAll(uint32_t flag)
{
    CUPTI_CALL();
    if (!tool().complete) return CUPTI_ERROR_INVALID_OPERATION;
    Machine &m = machine();
    std::vector<OpPointer> open = m.ready;
    for (const auto &entry : m.waiting) open.push_back(entry.second);
    bool waits = false;
    for (const OpPointer &op : open) waits = waits || op->traced;
    if (flag == 0 && waits) {
        progress(100);
        return CUPTI_SUCCESS;
    }
    for (const OpPointer &op : open) tool().give_up_on(*op);
    tool().deliver();
    return CUPTI_SUCCESS;
}

CUptiResult cuptiActivityGetNextRecord(uint8_t *buffer, size_t valid, CUpti_Activity **record) // called from callbacks
{
    if (fails_inside(__func__)) return CUPTI_ERROR_OUT_OF_MEMORY;
    const auto size = [](const CUpti_Activity *r) {
        return r->kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL ? sizeof(CUpti_ActivityKernel9)
               : r->kind == CUPTI_ACTIVITY_KIND_MEMCPY          ? sizeof(CUpti_ActivityMemcpy5)
                                                                : sizeof(CUpti_ActivityMemset4);
    };
    std::uint8_t *next = *record ? reinterpret_cast<std::uint8_t *>(*record) + size(*record) : buffer;
    if (next >= buffer + valid) return CUPTI_ERROR_MAX_LIMIT_REACHED;
    *record = reinterpret_cast<CUpti_Activity *>(next);
    return CUPTI_SUCCESS;
}

CUptiResult cuptiActivityGetNumDroppedRecords(CUcontext, uint32_t, size_t *dropped)
{
    CUPTI_CALL();
    *dropped = tool().take_dropped();
    return CUPTI_SUCCESS;
}
