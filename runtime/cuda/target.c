/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/target.h"

#include <stdio.h>

#include "cuda/cards.h"
#include "cuda/ops/measured.h"
#include "cuda/ops/ops.h"
#include "device/cuda_device.h"
#include "tributary/internal/alloc.h"

const char *trib_cuda_device_target(int index) { return index < trib_card_count ? trib_cards[index].target : NULL; }

/* ---- what a description cannot do ---- */

static trib_status refuse(const trib_device *device, const char *what)
{
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "%s is only described: there is no %s; plans can be made for it, and run on a "
                      "machine that has the card",
                      device->info.spec, what);
}

static trib_status alloc(trib_device *device, trib_stream *stream, size_t bytes, void **out)
{
    (void)stream, (void)bytes, (void)out;
    return refuse(device, "memory");
}

static void free_nothing(trib_device *device, trib_stream *stream, void *memory)
{
    (void)device, (void)stream, (void)memory;
}

static trib_status host_alloc(trib_device *device, size_t bytes, void **out)
{
    (void)bytes, (void)out;
    return refuse(device, "page-locked memory");
}

static void host_free(trib_device *device, void *memory) { (void)device, (void)memory; }

static trib_memory_stats no_memory(const trib_device *device)
{
    (void)device;
    return (trib_memory_stats) { 0 };
}

static void no_limit(trib_device *device, int64_t bytes) { (void)device, (void)bytes; }

static trib_status stream_create(trib_device *device, const trib_stream_options *options, trib_stream **out)
{
    (void)options, (void)out;
    return refuse(device, "stream");
}

/* No object of these kinds is ever created, so these are never called; each slot fails all the same. */
static void stream_destroy(trib_stream *stream) { (void)stream; }

static trib_status stream_synchronize(trib_stream *stream) { return refuse(stream->device, "stream"); }

static trib_status stream_wait(trib_stream *stream, trib_event *event)
{
    (void)event;
    return refuse(stream->device, "stream");
}

static trib_status event_create(trib_device *device, trib_event **out)
{
    (void)out;
    return refuse(device, "event");
}

static void event_destroy(trib_event *event) { (void)event; }

static trib_status event_record(trib_event *event, trib_stream *stream)
{
    (void)stream;
    return refuse(event->device, "event");
}

static trib_status event_synchronize(trib_event *event) { return refuse(event->device, "event"); }

static trib_status event_elapsed(trib_event *start, trib_event *end, int64_t *nanoseconds)
{
    (void)end, (void)nanoseconds;
    return refuse(start->device, "event");
}

static trib_status copy(trib_stream *stream, void *target, const void *source, size_t bytes)
{
    (void)target, (void)source, (void)bytes;
    return refuse(stream->device, "memory");
}

static trib_status fill_zero(trib_stream *stream, void *target, size_t bytes)
{
    (void)target, (void)bytes;
    return refuse(stream->device, "memory");
}

static trib_status capture_begin(trib_stream *stream) { return refuse(stream->device, "stream to capture"); }

static trib_status capture_end(trib_stream *stream, trib_capture **out)
{
    (void)out;
    return refuse(stream->device, "capture");
}

static trib_status capture_replace(trib_stream *stream, trib_capture *capture)
{
    (void)capture;
    return refuse(stream->device, "capture");
}

static trib_status capture_launch(trib_capture *capture, trib_stream *stream)
{
    (void)stream;
    return refuse(capture->device, "capture");
}

static void capture_destroy(trib_capture *capture) { (void)capture; }

static trib_status op_create(trib_device *device, const trib_op_desc *desc, const char *implementation,
                             trib_op_handle **out)
{
    (void)desc, (void)implementation, (void)out;
    return refuse(device, "op");
}

static void op_destroy(trib_op_handle *op) { (void)op; }

static const char *op_detail(const trib_op_handle *op)
{
    (void)op;
    return "";
}

static trib_status op_pack(trib_op_handle *op, trib_stream *stream, const trib_op_parameters *parameters, void *packed,
                           void *workspace)
{
    (void)stream, (void)parameters, (void)packed, (void)workspace;
    return refuse(op->device, "op");
}

static trib_status op_run(trib_op_handle *op, trib_stream *stream, const void *const *inputs, void *const *outputs,
                          const void *packed, void *workspace)
{
    (void)stream, (void)inputs, (void)outputs, (void)packed, (void)workspace;
    return refuse(op->device, "op");
}

/* ---- opening and closing ---- */

static void close_target(trib_device *base)
{
    trib_cuda_device *device = trib_cuda_of(base);
    trib_cuda_ops_close(device);
    trib_cuda_choices_close(device);
    trib_cuda_interned_close(&device->interned);
    trib_free(device);
}

static const trib_driver driver = {
    .name = "cuda",
    .close = close_target,
    .alloc = alloc,
    .free = free_nothing,
    .memory = no_memory,
    .set_memory_limit = no_limit,
    .host_alloc = host_alloc,
    .host_free = host_free,
    .host_memory = no_memory,
    .host_set_memory_limit = no_limit,
    .stream_create = stream_create,
    .stream_destroy = stream_destroy,
    .stream_synchronize = stream_synchronize,
    .stream_wait = stream_wait,
    .event_create = event_create,
    .event_destroy = event_destroy,
    .event_record = event_record,
    .event_synchronize = event_synchronize,
    .event_elapsed = event_elapsed,
    .copy_to_device = copy,
    .copy_to_host = copy,
    .copy_on_device = copy,
    .fill_zero = fill_zero,
    .capture_begin = capture_begin,
    .capture_end = capture_end,
    .capture_replace = capture_replace,
    .capture_launch = capture_launch,
    .capture_destroy = capture_destroy,
    .op_implementations = trib_cuda_op_implementations,
    .op_recall = trib_cuda_op_recall,
    .op_remember = trib_cuda_op_remember,
    .save_choices = trib_cuda_save_choices,
    .op_create = op_create,
    .op_destroy = op_destroy,
    .op_detail = op_detail,
    .op_pack = op_pack,
    .op_run = op_run,
};

static void describe(const trib_card *card, trib_device_info *info)
{
    snprintf(info->spec, sizeof info->spec, "cuda (%.20s)", card->target);
    snprintf(info->name, sizeof info->name, "%s", card->name);
    snprintf(info->instructions, sizeof info->instructions, "%s", card->instructions);
    snprintf(info->library, sizeof info->library, "described");
    info->cores = card->multiprocessors;
    info->memory_bytes = card->memory_bytes;
    info->cache_bytes = card->cache_bytes;
    trib_cuda_describe_abilities(info);
    trib_card_rates(info);
}

static trib_status unknown(const char *target)
{
    char known[128] = "";
    size_t used = 0;
    for (int i = 0; i < trib_card_count && used < sizeof known; ++i)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", trib_cards[i].target);
    return TRIB_ERROR(TRIB_NOT_FOUND, "there is no card \"%.32s\" to plan for; known are: %s", target, known);
}

trib_status trib_cuda_target_open(const char *target, const char *choices_path, trib_device **out)
{
    const trib_card *card = trib_card_find(target);
    if (!card) return unknown(target);
    trib_cuda_device *device = trib_alloc_zeroed(1, sizeof *device);
    if (!device) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "target %s: out of memory", target);
    device->base.driver = &driver;
    device->described = card->description;
    describe(card, &device->base.info);
    trib_cuda_interned_open(&device->interned);
    trib_status status = trib_cuda_ops_open(device);
    if (!trib_failed(&status)) status = trib_cuda_choices_open(device, choices_path);
    if (trib_failed(&status)) {
        trib_add_context(&status, "target %s", target);
        close_target(&device->base);
        return status;
    }
    *out = &device->base;
    return status;
}
