// SPDX-License-Identifier: Apache-2.0
// A tool as NVTX sees one: writes every call that it knows into the file NVTX_RECORD names, one a line, its fields
// separated by tabs. It judges nothing; recording.cc does.
#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtCudaRt.h>

#include <sys/prctl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace
{

std::mutex lock;
std::FILE *file;
std::uintptr_t domains = 0, strings = 0;

template <typename... Fields>
void write(const char *format, Fields... fields)
{
    std::fprintf(file, format, fields...);
    std::fflush(file);
}

template <typename Handle>
unsigned long number(Handle handle)
{
    return static_cast<unsigned long>(reinterpret_cast<std::uintptr_t>(handle));
}

nvtxDomainHandle_t domain_create(const char *name)
{
    std::lock_guard<std::mutex> guard(lock);
    write("domain\t%lu\t%s\n", static_cast<unsigned long>(++domains), name);
    return reinterpret_cast<nvtxDomainHandle_t>(domains);
}

void domain_destroy(nvtxDomainHandle_t domain)
{
    std::lock_guard<std::mutex> guard(lock);
    write("end of domain\t%lu\n", number(domain));
}

nvtxStringHandle_t register_string(nvtxDomainHandle_t domain, const char *text)
{
    std::lock_guard<std::mutex> guard(lock);
    write("string\t%lu\t%lu\t%s\n", number(domain), static_cast<unsigned long>(++strings), text);
    return reinterpret_cast<nvtxStringHandle_t>(strings);
}

void name_category(nvtxDomainHandle_t domain, std::uint32_t category, const char *name)
{
    std::lock_guard<std::mutex> guard(lock);
    write("category\t%lu\t%u\t%s\n", number(domain), category, name);
}

int push(nvtxDomainHandle_t domain, const nvtxEventAttributes_t *a)
{
    std::lock_guard<std::mutex> guard(lock);
    char thread[16] = "";
    prctl(PR_GET_NAME, thread);
    bool registered = a->messageType == NVTX_MESSAGE_TYPE_REGISTERED;
    write("push\t%d\t%lu\t%lu\t%u\t", gettid(), number(domain), registered ? number(a->message.registered) : 0,
          a->category);
    if (a->payloadType == NVTX_PAYLOAD_TYPE_UNSIGNED_INT64)
        write("%llu\t%s\n", static_cast<unsigned long long>(a->payload.ullValue), thread);
    else
        write("%s\t%s\n", a->payloadType == NVTX_PAYLOAD_UNKNOWN ? "none" : "of another type", thread);
    return 0;
}

int pop(nvtxDomainHandle_t domain)
{
    std::lock_guard<std::mutex> guard(lock);
    write("pop\t%d\t%lu\n", gettid(), number(domain));
    return 0;
}

void name_stream(cudaStream_t stream, const char *name)
{
    std::lock_guard<std::mutex> guard(lock);
    write("stream\t%lu\t%s\n", number(stream), name);
}

void name_event(cudaEvent_t event, const char *name)
{
    std::lock_guard<std::mutex> guard(lock);
    write("event\t%lu\t%s\n", number(event), name);
}

template <typename Function>
bool listen(const NvtxExportTableCallbacks *callbacks, NvtxCallbackModule module, unsigned id, Function *function)
{
    NvtxFunctionTable table = nullptr;
    unsigned size = 0;
    if (!callbacks->GetModuleFunctionTable(module, &table, &size) || id >= size) return false;
    *table[id] = reinterpret_cast<NvtxFunctionPointer>(function);
    return true;
}

} // namespace

extern "C" int InitializeInjectionNvtx2(NvtxGetExportTableFunc_t table)
{
    const char *path = std::getenv("NVTX_RECORD");
    auto *callbacks = static_cast<const NvtxExportTableCallbacks *>(table(NVTX_ETID_CALLBACKS));
    if (!path || !callbacks || !(file = std::fopen(path, "w"))) return 0;
    const NvtxCallbackModule core = NVTX_CB_MODULE_CORE2, cuda = NVTX_CB_MODULE_CUDART;
    return listen(callbacks, core, NVTX_CBID_CORE2_DomainCreateA, domain_create) &&
           listen(callbacks, core, NVTX_CBID_CORE2_DomainDestroy, domain_destroy) &&
           listen(callbacks, core, NVTX_CBID_CORE2_DomainRegisterStringA, register_string) &&
           listen(callbacks, core, NVTX_CBID_CORE2_DomainNameCategoryA, name_category) &&
           listen(callbacks, core, NVTX_CBID_CORE2_DomainRangePushEx, push) &&
           listen(callbacks, core, NVTX_CBID_CORE2_DomainRangePop, pop) &&
           listen(callbacks, cuda, NVTX_CBID_CUDART_NameCudaStreamA, name_stream) &&
           listen(callbacks, cuda, NVTX_CBID_CUDART_NameCudaEventA, name_event);
}
