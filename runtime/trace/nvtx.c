/* SPDX-License-Identifier: Apache-2.0
 * NVTX 3 is headers only: a tool that listens brings the library, which the first call looks for. Without one the
 * domain is NULL, and nothing is registered, allocated or formatted.
 *
 * The domain is the process's and is never destroyed, since tools show a new domain for each one created. Its strings
 * live as long, so each text is registered once, however many sessions use it. */
#include <nvtx3/nvToolsExt.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "trace/trace.h"
#include "tributary/internal/alloc.h"

typedef struct registered {
    char *text;
    nvtxStringHandle_t handle;
} registered;

static struct {
    pthread_mutex_t lock;
    bool asked; /* whether a tool listens */
    nvtxDomainHandle_t domain;
    registered *strings;
    size_t count, capacity;
} process = { .lock = PTHREAD_MUTEX_INITIALIZER };

typedef struct range {
    nvtxStringHandle_t name;
    uint32_t category;
} range;

struct trib_trace {
    nvtxDomainHandle_t domain;
    range chunk, capture, launch;
    range ops[];
};

/* Category 0 means none. */
static uint32_t category_of(trib_kind kind) { return (uint32_t)kind + 1; }

/* ---- the process's domain and strings ---- */

static nvtxDomainHandle_t find_domain(void)
{
    pthread_mutex_lock(&process.lock);
    if (!process.asked) {
        process.asked = true;
        process.domain = nvtxDomainCreateA("tributary");
        for (int kind = 0; process.domain && kind < TRIB_KIND_COUNT; ++kind)
            nvtxDomainNameCategoryA(process.domain, category_of((trib_kind)kind), trib_kind_name((trib_kind)kind));
    }
    nvtxDomainHandle_t domain = process.domain;
    pthread_mutex_unlock(&process.lock);
    return domain;
}

static trib_status find_string(const char *text, nvtxStringHandle_t *out)
{
    for (size_t i = 0; i < process.count; ++i)
        if (!strcmp(process.strings[i].text, text)) {
            *out = process.strings[i].handle;
            return trib_success();
        }
    void *list = process.strings;
    int grown = trib_grow(&list, &process.capacity, process.count + 1, sizeof *process.strings);
    process.strings = list;
    char *copy = grown ? NULL : trib_strdup(text);
    if (!copy) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the range \"%s\"", text);
    *out = nvtxDomainRegisterStringA(process.domain, copy);
    process.strings[process.count++] = (registered) { copy, *out };
    return trib_success();
}

static trib_status name_range(const char *text, uint32_t category, range *out)
{
    out->category = category;
    pthread_mutex_lock(&process.lock);
    trib_status status = find_string(text, &out->name);
    pthread_mutex_unlock(&process.lock);
    return status;
}

/* ---- a session's ranges ---- */

static trib_status name_ranges(const trib_plan *plan, trib_trace *trace)
{
    char text[256];
    snprintf(text, sizeof text, "%.200s batch %d", plan->graph_name, plan->batch);
    TRIB_TRY(name_range(text, 0, &trace->chunk));
    snprintf(text, sizeof text, "%.200s batch %d capture", plan->graph_name, plan->batch);
    TRIB_TRY(name_range(text, 0, &trace->capture));
    snprintf(text, sizeof text, "%.200s batch %d launch", plan->graph_name, plan->batch);
    TRIB_TRY(name_range(text, 0, &trace->launch));
    for (int i = 0; i < plan->op_count; ++i)
        TRIB_TRY(name_range(plan->ops[i].name, category_of(plan->ops[i].desc.kind), &trace->ops[i]));
    return trib_success();
}

trib_status trib_trace_create(const trib_plan *plan, trib_trace **out)
{
    *out = NULL;
    nvtxDomainHandle_t domain = find_domain();
    if (!domain) return trib_success();
    trib_trace *trace = trib_alloc_zeroed(1, sizeof *trace + (size_t)plan->op_count * sizeof trace->ops[0]);
    if (!trace) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the ranges of %d ops", plan->op_count);
    trace->domain = domain;
    trib_status status = name_ranges(plan, trace);
    if (trib_failed(&status))
        trib_trace_destroy(trace);
    else
        *out = trace;
    return status;
}

void trib_trace_destroy(trib_trace *trace) { trib_free(trace); }

static const range *find_range(const trib_trace *trace, int what)
{
    switch (what) {
    case TRIB_TRACE_CHUNK: return &trace->chunk;
    case TRIB_TRACE_CAPTURE: return &trace->capture;
    case TRIB_TRACE_LAUNCH: return &trace->launch;
    default: return &trace->ops[what];
    }
}

void trib_trace_begin(const trib_trace *trace, int what, int64_t chunk)
{
    const range *r = find_range(trace, what);
    nvtxEventAttributes_t attributes = { .version = NVTX_VERSION, .size = NVTX_EVENT_ATTRIB_STRUCT_SIZE };
    attributes.category = r->category;
    attributes.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
    attributes.message.registered = r->name;
    if (chunk >= 0) {
        attributes.payloadType = NVTX_PAYLOAD_TYPE_UNSIGNED_INT64;
        attributes.payload.ullValue = (uint64_t)chunk;
    }
    nvtxDomainRangePushEx(trace->domain, &attributes);
}

void trib_trace_end(const trib_trace *trace) { nvtxDomainRangePop(trace->domain); }
