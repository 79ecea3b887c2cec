/* SPDX-License-Identifier: Apache-2.0
 * The public functions of tributary/device.h: argument checks, then the driver. */
#include <string.h>

#include "device/cuda_device.h"
#include "device/driver.h"
#include "device/op_check.h"
#include "tributary/internal/process.h"

#define INVALID(...) TRIB_ERROR(TRIB_INVALID_ARGUMENT, __VA_ARGS__)
#define REQUIRE(condition, call, what)                          \
    do {                                                        \
        if (!(condition)) return INVALID("%s: %s", call, what); \
    } while (0)

static bool made_here(const trib_device *device) { return device->process == trib_process(); }

static trib_status made_elsewhere(const trib_device *device, const char *call)
{
    trib_status status = trib_made_here(device->process, device->info.spec);
    trib_add_context(&status, "%s", call);
    return status;
}

/* Checked before anything that may wait or lock, which after fork() might never return. */
#define REQUIRE_HERE(device, call)                                       \
    do {                                                                 \
        if (!made_here(device)) return made_elsewhere((device), (call)); \
    } while (0)

/* ---- opening and listing ---- */

static trib_status cuda_open(const char *spec, const trib_device_options *options, trib_device **out)
{
    const char *index = spec + 4;
    if (*index == ':' && index[1] && strspn(index + 1, "0123456789") == strlen(index + 1)) index = "";
    if (*index) return INVALID("device \"%.32s\": write cuda or cuda:N", spec);
    return trib_cuda_device_open(spec, options, out);
}

/* The first CUDA device when it works, or the card that is asked for; else the CPU. Why it does not is in the listing.
 */
static trib_status auto_open(const trib_device_options *options, trib_device **out)
{
    trib_status status = trib_cuda_device_open("cuda", options, out);
    return trib_failed(&status) && !(options && options->target) ? trib_cpu_device_open(options, out) : status;
}

static trib_status open_device(const char *spec, const trib_device_options *options, trib_device **out)
{
    if (options && (options->threads < 0 || options->memory_limit < 0))
        return INVALID("device \"%.32s\": threads (%d) and memory limit (%lld) must not be negative", spec,
                       options->threads, (long long)options->memory_limit);
    if (options && options->target && !strcmp(spec, "cpu"))
        return INVALID("device \"cpu\": a target (%.32s) belongs to device cuda", options->target);
    if (!strcmp(spec, "auto")) return auto_open(options, out);
    if (!strcmp(spec, "cpu")) return trib_cpu_device_open(options, out);
    if (!strncmp(spec, "cuda", 4)) return cuda_open(spec, options, out);
    return INVALID("device \"%.32s\": there is no such device; use auto, cpu, cuda or cuda:N", spec);
}

trib_status trib_device_open(const char *spec, const trib_device_options *options, trib_device **out)
{
    REQUIRE(spec && out, "device open", "spec and out must not be NULL");
    trib_device *device = NULL;
    TRIB_TRY(open_device(spec, options, &device));
    device->process = trib_process();
    *out = device;
    return trib_success();
}

void trib_device_close(trib_device *device)
{
    if (device && made_here(device)) device->driver->close(device);
}

const trib_device_info *trib_device_get_info(const trib_device *device) { return device ? &device->info : NULL; }

int trib_device_list(trib_device_listing *listings, int capacity)
{
    if (!listings || capacity < 0) capacity = 0;
    if (capacity > 0) memset(listings, 0, (size_t)capacity * sizeof *listings);
    if (capacity > 0) trib_cpu_device_describe(&listings[0]);
    return 1 + trib_cuda_device_list(capacity > 1 ? listings + 1 : NULL, capacity > 1 ? capacity - 1 : 0);
}

const char *trib_device_targets(int index) { return index < 0 ? NULL : trib_cuda_device_target(index); }

/* ---- memory ---- */

trib_status trib_device_alloc(trib_device *device, trib_stream *stream, size_t bytes, void **out)
{
    REQUIRE(device && stream && out, "device alloc", "device, stream and out must not be NULL");
    REQUIRE(stream->device == device, "device alloc", "the stream belongs to another device");
    REQUIRE_HERE(device, "device alloc");
    return device->driver->alloc(device, stream, bytes, out);
}

void trib_device_free(trib_device *device, trib_stream *stream, void *memory)
{
    if (device && memory && made_here(device)) device->driver->free(device, stream, memory);
}

trib_memory_stats trib_device_memory(const trib_device *device)
{
    return device && made_here(device) ? device->driver->memory(device) : (trib_memory_stats) { 0 };
}

void trib_device_set_memory_limit(trib_device *device, int64_t bytes)
{
    if (device && made_here(device)) device->driver->set_memory_limit(device, bytes > 0 ? bytes : 0);
}

trib_status trib_host_alloc(trib_device *device, size_t bytes, void **out)
{
    REQUIRE(device && out, "host alloc", "device and out must not be NULL");
    REQUIRE_HERE(device, "host alloc");
    return device->driver->host_alloc(device, bytes, out);
}

void trib_host_free(trib_device *device, void *memory)
{
    if (device && memory && made_here(device)) device->driver->host_free(device, memory);
}

trib_memory_stats trib_host_memory(const trib_device *device)
{
    return device && made_here(device) ? device->driver->host_memory(device) : (trib_memory_stats) { 0 };
}

void trib_host_set_memory_limit(trib_device *device, int64_t bytes)
{
    if (device && made_here(device)) device->driver->host_set_memory_limit(device, bytes > 0 ? bytes : 0);
}

/* ---- streams and events ---- */

trib_status trib_stream_create(trib_device *device, const trib_stream_options *options, trib_stream **out)
{
    REQUIRE(device && out, "stream create", "device and out must not be NULL");
    REQUIRE(!options || options->threads >= 0, "stream create", "threads must not be negative");
    REQUIRE_HERE(device, "stream create");
    return device->driver->stream_create(device, options, out);
}

void trib_stream_destroy(trib_stream *stream)
{
    if (stream && made_here(stream->device)) stream->device->driver->stream_destroy(stream);
}

trib_status trib_stream_synchronize(trib_stream *stream)
{
    REQUIRE(stream, "stream synchronize", "stream must not be NULL");
    REQUIRE_HERE(stream->device, "stream synchronize");
    return stream->device->driver->stream_synchronize(stream);
}

trib_status trib_event_create(trib_device *device, trib_event **out)
{
    REQUIRE(device && out, "event create", "device and out must not be NULL");
    REQUIRE_HERE(device, "event create");
    return device->driver->event_create(device, out);
}

void trib_event_destroy(trib_event *event)
{
    if (event && made_here(event->device)) event->device->driver->event_destroy(event);
}

trib_status trib_event_record(trib_event *event, trib_stream *stream)
{
    REQUIRE(event && stream, "event record", "event and stream must not be NULL");
    REQUIRE(event->device == stream->device, "event record", "event and stream belong to different devices");
    REQUIRE_HERE(event->device, "event record");
    return event->device->driver->event_record(event, stream);
}

trib_status trib_stream_wait(trib_stream *stream, trib_event *event)
{
    REQUIRE(event && stream, "stream wait", "event and stream must not be NULL");
    REQUIRE(event->device == stream->device, "stream wait", "event and stream belong to different devices");
    REQUIRE_HERE(stream->device, "stream wait");
    return stream->device->driver->stream_wait(stream, event);
}

trib_status trib_event_synchronize(trib_event *event)
{
    REQUIRE(event, "event synchronize", "event must not be NULL");
    REQUIRE_HERE(event->device, "event synchronize");
    return event->device->driver->event_synchronize(event);
}

trib_status trib_event_elapsed(trib_event *start, trib_event *end, int64_t *nanoseconds)
{
    REQUIRE(start && end && nanoseconds, "event elapsed", "no argument may be NULL");
    REQUIRE(start->device == end->device, "event elapsed", "the events belong to different devices");
    REQUIRE_HERE(start->device, "event elapsed");
    return start->device->driver->event_elapsed(start, end, nanoseconds);
}

/* ---- copies ---- */

trib_status trib_copy_to_device(trib_stream *stream, void *target, const void *source, size_t bytes)
{
    REQUIRE(stream && target && source, "copy to device", "no argument may be NULL");
    REQUIRE_HERE(stream->device, "copy to device");
    return stream->device->driver->copy_to_device(stream, target, source, bytes);
}

trib_status trib_copy_to_host(trib_stream *stream, void *target, const void *source, size_t bytes)
{
    REQUIRE(stream && target && source, "copy to host", "no argument may be NULL");
    REQUIRE_HERE(stream->device, "copy to host");
    return stream->device->driver->copy_to_host(stream, target, source, bytes);
}

trib_status trib_copy_on_device(trib_stream *stream, void *target, const void *source, size_t bytes)
{
    REQUIRE(stream && target && source, "copy on device", "no argument may be NULL");
    REQUIRE_HERE(stream->device, "copy on device");
    return stream->device->driver->copy_on_device(stream, target, source, bytes);
}

trib_status trib_fill_zero(trib_stream *stream, void *target, size_t bytes)
{
    REQUIRE(stream && target, "fill zero", "no argument may be NULL");
    REQUIRE_HERE(stream->device, "fill zero");
    return stream->device->driver->fill_zero(stream, target, bytes);
}

/* ---- capture ---- */

static trib_status no_capture(const trib_device *device)
{
    return TRIB_ERROR(TRIB_UNSUPPORTED, "device %s cannot capture; launch eagerly", device->info.spec);
}

trib_status trib_capture_begin(trib_stream *stream)
{
    REQUIRE(stream, "capture begin", "stream must not be NULL");
    REQUIRE_HERE(stream->device, "capture begin");
    const trib_driver *driver = stream->device->driver;
    return driver->capture_begin ? driver->capture_begin(stream) : no_capture(stream->device);
}

trib_status trib_capture_end(trib_stream *stream, trib_capture **out)
{
    REQUIRE(stream && out, "capture end", "stream and out must not be NULL");
    REQUIRE_HERE(stream->device, "capture end");
    const trib_driver *driver = stream->device->driver;
    return driver->capture_end ? driver->capture_end(stream, out) : no_capture(stream->device);
}

trib_status trib_capture_replace(trib_stream *stream, trib_capture *capture)
{
    REQUIRE(stream && capture, "capture replace", "stream and capture must not be NULL");
    REQUIRE(capture->device == stream->device, "capture replace", "capture and stream belong to different devices");
    REQUIRE_HERE(stream->device, "capture replace");
    return stream->device->driver->capture_replace(stream, capture);
}

trib_status trib_capture_launch(trib_capture *capture, trib_stream *stream)
{
    REQUIRE(capture && stream, "capture launch", "capture and stream must not be NULL");
    REQUIRE(capture->device == stream->device, "capture launch", "capture and stream belong to different devices");
    REQUIRE_HERE(capture->device, "capture launch");
    return stream->device->driver->capture_launch(capture, stream);
}

void trib_capture_destroy(trib_capture *capture)
{
    if (capture && made_here(capture->device)) capture->device->driver->capture_destroy(capture);
}

/* ---- ops ---- */

trib_status trib_op_implementations(trib_device *device, const trib_op_desc *desc, bool include_reference,
                                    trib_implementation *out, int capacity, int *count, char *reason)
{
    REQUIRE(device && desc && count && (out || capacity <= 0), "op implementations", "no argument may be NULL");
    REQUIRE_HERE(device, "op implementations");
    return device->driver->op_implementations(device, desc, include_reference, out, capacity > 0 ? capacity : 0, count,
                                              reason);
}

trib_status trib_op_recall(trib_device *device, const trib_op_desc *desc, const char **name, int64_t *nanoseconds)
{
    REQUIRE(device && desc && name && nanoseconds, "op recall", "no argument may be NULL");
    REQUIRE_HERE(device, "op recall");
    *name = NULL;
    *nanoseconds = 0;
    return device->driver->op_recall ? device->driver->op_recall(device, desc, name, nanoseconds) : trib_success();
}

trib_status trib_op_remember(trib_device *device, const trib_op_desc *desc, const char *name, int64_t nanoseconds)
{
    REQUIRE(device && desc && name, "op remember", "no argument may be NULL");
    REQUIRE_HERE(device, "op remember");
    return device->driver->op_remember ? device->driver->op_remember(device, desc, name, nanoseconds) : trib_success();
}

trib_status trib_device_save_choices(trib_device *device)
{
    REQUIRE(device, "save choices", "device must not be NULL");
    REQUIRE_HERE(device, "save choices");
    return device->driver->save_choices ? device->driver->save_choices(device) : trib_success();
}

trib_status trib_op_create(trib_device *device, const trib_op_desc *desc, const char *implementation,
                           trib_op_handle **out)
{
    REQUIRE(device && desc && implementation && out, "op create", "no argument may be NULL");
    REQUIRE_HERE(device, "op create");
    return device->driver->op_create(device, desc, implementation, out);
}

void trib_op_destroy(trib_op_handle *op)
{
    if (op && made_here(op->device)) op->device->driver->op_destroy(op);
}

const char *trib_op_detail(const trib_op_handle *op) { return op ? op->device->driver->op_detail(op) : ""; }

/* Memory that the caller of an op brings. */
static trib_status needs(const trib_op_handle *op, const char *what, const void *memory, int64_t bytes)
{
    if (memory || bytes <= 0) return trib_success();
    return INVALID("%s: it needs %s of %lld bytes", trib_kind_name(op->desc->kind), what, (long long)bytes);
}

trib_status trib_op_pack(trib_op_handle *op, trib_stream *stream, const trib_op_parameters *parameters, void *packed,
                         void *workspace)
{
    REQUIRE(op && stream && parameters, "op pack", "only workspace may be NULL");
    REQUIRE(op->device == stream->device, "op pack", "op and stream belong to different devices");
    REQUIRE_HERE(op->device, "op pack");
    if (!op->packed_bytes) return INVALID("%s: it has no parameters to pack", trib_kind_name(op->desc->kind));
    TRIB_TRY(trib_op_check_parameters(op->desc, parameters));
    TRIB_TRY(needs(op, "memory for packed parameters", packed, op->packed_bytes));
    TRIB_TRY(needs(op, "a workspace to pack its parameters", workspace, op->packing_bytes));
    return op->device->driver->op_pack(op, stream, parameters, packed, workspace);
}

trib_status trib_op_run(trib_op_handle *op, trib_stream *stream, const void *const *inputs, void *const *outputs,
                        const void *packed, void *workspace)
{
    REQUIRE(op && stream && inputs && outputs, "op run", "only packed and workspace may be NULL");
    REQUIRE(op->device == stream->device, "op run", "op and stream belong to different devices");
    REQUIRE_HERE(op->device, "op run");
    TRIB_TRY(needs(op, "packed parameters", packed, op->packed_bytes));
    TRIB_TRY(needs(op, "a workspace", workspace, op->workspace_bytes));
    return op->device->driver->op_run(op, stream, inputs, outputs, packed, workspace);
}
