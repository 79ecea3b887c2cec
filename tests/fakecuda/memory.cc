// SPDX-License-Identifier: Apache-2.0
// Device memory in pools, pinned host memory, copies.
#include "fakecuda/machine.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define FAKECUDA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FAKECUDA_ASAN 1
#endif
#endif
#ifdef FAKECUDA_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace fakecuda
{

namespace
{

constexpr std::size_t granularity = 512, gap = 512; // nothing is allocated directly after an allocation
constexpr int poison = 0xff;

std::uintptr_t number_of(const void *data) { return reinterpret_cast<std::uintptr_t>(data); }

std::size_t round_up(std::size_t bytes) { return (bytes + granularity - 1) / granularity * granularity; }

void make_untouchable(std::uintptr_t address, std::size_t bytes)
{
    void *data = reinterpret_cast<void *>(address);
    std::memset(data, poison, bytes);
    ASAN_POISON_MEMORY_REGION(data, bytes);
}

// The allocation that holds these bytes, or null.
const Allocation *find(const std::map<std::uintptr_t, Allocation> &all, std::uintptr_t address, std::size_t bytes)
{
    auto next = all.upper_bound(address);
    if (next == all.begin()) return nullptr;
    auto &entry = *std::prev(next);
    std::uintptr_t offset = address - entry.first;
    return offset <= entry.second.bytes && bytes <= entry.second.bytes - offset ? &entry.second : nullptr;
}

} // namespace

void open_memory()
{
    close_memory();
    Machine &m = machine();
    m.devices.assign(std::size_t(std::max(1, m.options.devices)), Device());
    for (Device &device : m.devices) {
        device.reserved = 2 * m.options.memory + (std::size_t(64) << 20); // addresses, not memory: room for gaps
        void *range =
            mmap(nullptr, device.reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range == MAP_FAILED) std::abort();
        device.memory = static_cast<char *>(range);
        ASAN_POISON_MEMORY_REGION(device.memory, device.reserved);
    }
}

void close_memory()
{
    Machine &m = machine();
    for (Device &device : m.devices) {
        ASAN_UNPOISON_MEMORY_REGION(device.memory, device.reserved);
        munmap(device.memory, device.reserved);
    }
    m.devices.clear();
    m.allocated.clear();
    m.live.clear();
    for (auto &entry : m.pinned) std::free(reinterpret_cast<void *>(entry.first));
    m.pinned.clear();
    m.pinned_bytes = 0;
}

void settle_memory()
{
    Machine &m = machine();
    m.live = m.allocated;
    for (auto &entry : m.live) ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void *>(entry.first), entry.second.bytes);
}

std::string place_of(const void *data)
{
    for (std::size_t i = 0; i < machine().devices.size(); ++i)
        if (number_of(data) - number_of(machine().devices[i].memory) < machine().devices[i].reserved)
            return "device " + std::to_string(i);
    return "host";
}

bool is_device(const void *data) { return place_of(data) != "host"; }

bool is_pinned(const void *data, std::size_t bytes)
{
    auto next = machine().pinned.upper_bound(number_of(data));
    if (next == machine().pinned.begin()) return false;
    auto &entry = *std::prev(next);
    std::uintptr_t offset = number_of(data) - entry.first;
    return offset <= entry.second && bytes <= entry.second - offset;
}

cudaError_t resolve(const void *data, std::size_t bytes, const char *what, Work &check)
{
    std::uintptr_t address = number_of(data);
    const Allocation *now = find(machine().allocated, address, bytes);
    if (!now) {
        violation(std::string(what) + ": " + std::to_string(bytes) + " bytes that are not, or not all, allocated");
        return failed(cudaErrorInvalidValue);
    }
    check = [address, bytes, number = now->number, text = std::string(what)] {
        const Allocation *then = find(machine().live, address, bytes);
        if (then && then->number == number) return cudaSuccess;
        violation(text + ": " + std::to_string(bytes) + " bytes used " + (then ? "after" : "before or after") +
                  " the time they are allocated");
        return cudaErrorIllegalAddress;
    };
    return cudaSuccess;
}

} // namespace fakecuda

using namespace fakecuda;

// ---- pools ----

cudaError_t cudaMemPoolCreate(cudaMemPool_t *pool, const struct cudaMemPoolProps *properties)
{
    FAKECUDA_CALL();
    if (properties->allocType != cudaMemAllocationTypePinned ||
        properties->location.type != cudaMemLocationTypeDevice || properties->location.id < 0 ||
        properties->location.id >= machine().options.devices)
        return failed(cudaErrorInvalidValue);
    *pool = new CUmemPoolHandle_st { properties->location.id, 0, {} };
    machine().pools.insert(*pool);
    return cudaSuccess;
}

namespace
{

Device &device_of(cudaMemPool_t pool) { return machine().devices[std::size_t(pool->device)]; }

std::size_t taken(const Device &device)
{
    std::size_t sum = 0;
    for (auto &entry : device.taken) sum += entry.second;
    return sum;
}

// Gives back to the device what is not in use any more.
void trim(cudaMemPool_t pool, std::size_t keep)
{
    std::vector<Freed> rest;
    for (const Freed &freed : pool->freed) {
        if (freed.when->done && pool->reserved > keep) {
            device_of(pool).taken.erase(freed.address);
            pool->reserved -= freed.bytes;
        } else {
            rest.push_back(freed);
        }
    }
    pool->freed = rest;
}

// Memory freed earlier that `stream` may use: it is ordered after the free. The smallest that fits, and not much more.
bool reuse(cudaMemPool_t pool, cudaStream_t stream, std::size_t bytes, Freed *found)
{
    std::size_t best = pool->freed.size();
    for (std::size_t i = 0; i < pool->freed.size(); ++i) {
        const Freed &freed = pool->freed[i];
        bool fits = freed.bytes >= bytes && freed.bytes / 2 <= bytes;
        if (fits && (best == pool->freed.size() || freed.bytes < pool->freed[best].bytes) &&
            happens_before(freed.when, stream->last))
            best = i;
    }
    if (best == pool->freed.size()) return false;
    *found = pool->freed[best];
    pool->freed.erase(pool->freed.begin() + std::ptrdiff_t(best));
    return true;
}

bool take_fresh(cudaMemPool_t pool, std::size_t bytes, Freed *found)
{
    Device &device = device_of(pool);
    if (bytes > machine().options.memory || taken(device) > machine().options.memory - bytes) return false;
    std::uintptr_t address = number_of(device.memory) + gap;
    for (auto &entry : device.taken) {
        if (entry.first - address >= bytes + gap) break;
        address = entry.first + entry.second + gap;
    }
    if (address + bytes > number_of(device.memory) + device.reserved) return false;
    device.taken[address] = bytes;
    pool->reserved += bytes;
    *found = { address, bytes, nullptr };
    return true;
}

} // namespace

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool)
{
    FAKECUDA_LOCK();
    cudaError_t error = begin(__func__);
    if (!machine().pools.erase(pool)) return failed(cudaErrorInvalidValue);
    trim(pool, 0);
    delete pool;
    return error;
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, enum cudaMemPoolAttr, void *)
{
    FAKECUDA_CALL();
    return machine().pools.count(pool) ? cudaSuccess : failed(cudaErrorInvalidValue);
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t keep)
{
    FAKECUDA_CALL();
    if (!machine().pools.count(pool)) return failed(cudaErrorInvalidValue);
    trim(pool, keep);
    return cudaSuccess;
}

cudaError_t cudaMallocFromPoolAsync(void **out, size_t size, cudaMemPool_t pool, cudaStream_t stream)
{
    FAKECUDA_CALL_OR(cudaErrorMemoryAllocation);
    Machine &m = machine();
    cudaError_t error = check_stream(stream);
    if (error != cudaSuccess) return error;
    if (!m.pools.count(pool) || size == 0) return failed(cudaErrorInvalidValue);
    if (pool->device != stream->device) violation("a stream allocates from another device's pool");
    if (stream->capture) {
        violation("memory is allocated on a stream that is capturing");
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    if (size >> 40) return failed(cudaErrorInvalidValue); // for sizes no card has, no error is documented
    if (size > m.options.memory) return failed(cudaErrorMemoryAllocation);
    Freed found;
    if (!reuse(pool, stream, round_up(size), &found) && !take_fresh(pool, round_up(size), &found))
        return failed(cudaErrorMemoryAllocation);
    Allocation made = { size, ++m.numbers, pool };
    m.allocated[found.address] = made;
    ++m.counts.allocations;
    auto begin_life = [address = found.address, made] {
        ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void *>(address), made.bytes);
        std::memset(reinterpret_cast<void *>(address), poison, made.bytes);
        machine().live[address] = made;
        return cudaSuccess;
    };
    stream->last = enqueue(begin_life, 0, { stream->last });
    *out = reinterpret_cast<void *>(found.address);
    return cudaSuccess;
}

cudaError_t cudaFreeAsync(void *data, cudaStream_t stream)
{
    FAKECUDA_LOCK();
    Machine &m = machine();
    cudaError_t error = begin(__func__);
    cudaError_t bad = check_stream(stream);
    if (bad != cudaSuccess) return bad;
    auto entry = m.allocated.find(number_of(data));
    if (entry == m.allocated.end()) {
        violation("cudaFreeAsync of memory that is not allocated");
        return failed(cudaErrorInvalidValue);
    }
    if (stream->capture && error == cudaSuccess) {
        violation("memory is freed on a stream that is capturing");
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    Allocation gone = entry->second;
    std::uintptr_t address = entry->first;
    m.allocated.erase(entry);
    auto end_life = [address, gone] {
        make_untouchable(address, gone.bytes);
        machine().live.erase(address);
        return cudaSuccess;
    };
    stream->last = enqueue(end_life, 0, { stream->last });
    std::size_t bytes = device_of(gone.pool).taken[address];
    if (m.sticky == cudaSuccess) gone.pool->freed.push_back({ address, bytes, stream->last });
    return error;
}

// ---- pinned memory ----

cudaError_t cudaHostAlloc(void **out, size_t size, unsigned int)
{
    FAKECUDA_CALL_OR(cudaErrorMemoryAllocation);
    Machine &m = machine();
    cudaError_t error = unsafe_call();
    if (error != cudaSuccess) return error;
    if (size > m.options.pinned - m.pinned_bytes) return failed(cudaErrorMemoryAllocation);
    void *data = std::aligned_alloc(4096, (size + 4095) / 4096 * 4096);
    if (!data) return failed(cudaErrorMemoryAllocation);
    std::memset(data, poison, size);
    m.pinned[number_of(data)] = size;
    m.pinned_bytes += size;
    ++m.counts.pinned;
    *out = data;
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *data)
{
    FAKECUDA_LOCK();
    Machine &m = machine();
    cudaError_t error = begin(__func__);
    auto entry = m.pinned.find(number_of(data));
    if (entry == m.pinned.end()) return failed(cudaErrorInvalidValue);
    m.pinned_bytes -= entry->second;
    m.pinned.erase(entry);
    std::free(data);
    return error;
}

cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *attributes, const void *data)
{
    FAKECUDA_CALL();
    std::memset(attributes, 0, sizeof *attributes);
    attributes->type = is_device(data)      ? cudaMemoryTypeDevice
                       : is_pinned(data, 1) ? cudaMemoryTypeHost
                                            : cudaMemoryTypeUnregistered;
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *unused, size_t *total)
{
    FAKECUDA_CALL();
    *total = machine().options.memory;
    *unused = *total - taken(machine().devices[std::size_t(current_device)]);
    return cudaSuccess;
}

// ---- copies ----

namespace
{

// Checks one side of a copy now, and returns the check for when it runs.
cudaError_t side(const void *data, std::size_t bytes, bool on_device, Work &check)
{
    if (on_device != is_device(data)) {
        violation("a copy's direction does not fit its pointers");
        return failed(cudaErrorInvalidMemcpyDirection);
    }
    if (on_device) return resolve(data, bytes, "cudaMemcpyAsync", check);
    bool pinned = is_pinned(data, bytes);
    if (!pinned) ++machine().counts.pageable_copies;
    check = [data, bytes, pinned] {
        if (!pinned || is_pinned(data, bytes)) return cudaSuccess;
        violation("cudaMemcpyAsync: pinned memory was freed before the copy ran");
        return cudaErrorIllegalAddress;
    };
    return cudaSuccess;
}

} // namespace

cudaError_t cudaMemcpyAsync(void *target, const void *source, size_t count, enum cudaMemcpyKind kind,
                            cudaStream_t stream)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error != cudaSuccess) return error;
    if (kind == cudaMemcpyHostToHost || kind == cudaMemcpyDefault) return failed(cudaErrorInvalidMemcpyDirection);
    Work check_target, check_source;
    error = side(target, count, kind != cudaMemcpyDeviceToHost, check_target);
    if (error == cudaSuccess) error = side(source, count, kind != cudaMemcpyHostToDevice, check_source);
    if (error != cudaSuccess) return error;
    auto work = [target, source, count, check_target, check_source] {
        cudaError_t bad = check_target();
        if (bad == cudaSuccess) bad = check_source();
        if (bad == cudaSuccess) std::memmove(target, source, count);
        return bad;
    };
    double bytes_per_ns = kind == cudaMemcpyDeviceToDevice ? 2000 : 50;
    const char *name = kind == cudaMemcpyHostToDevice   ? "memcpy to device"
                       : kind == cudaMemcpyDeviceToHost ? "memcpy to host"
                                                        : "memcpy on device";
    error = submit(stream, name, work, 1000 + std::int64_t(double(count) / bytes_per_ns),
                   place_of(source) + " to " + place_of(target));
    const void *host = kind == cudaMemcpyDeviceToHost ? target : kind == cudaMemcpyHostToDevice ? source : nullptr;
    if (host && !stream->capture && !is_pinned(host, count)) wait_for(stream->last); // CUDA stages it, and waits
    return error;
}

cudaError_t cudaMemsetAsync(void *target, int value, size_t count, cudaStream_t stream)
{
    FAKECUDA_CALL();
    cudaError_t error = check_stream(stream);
    if (error != cudaSuccess) return error;
    Work check;
    error = resolve(target, count, "cudaMemsetAsync", check);
    if (error != cudaSuccess) return error;
    auto work = [target, value, count, check] {
        cudaError_t bad = check();
        if (bad == cudaSuccess) std::memset(target, value, count);
        return bad;
    };
    return submit(stream, "memset", work, 1000 + std::int64_t(double(count) / 3000), place_of(target));
}
