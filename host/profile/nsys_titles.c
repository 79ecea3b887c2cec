/* SPDX-License-Identifier: Apache-2.0
 * What a program called its streams and threads, and the names of GPUs. */
#include "profile/nsys_private.h"
#include "tributary/internal/alloc.h"

enum { NAME, PID, DEVICE, CONTEXT, STREAM, STREAM_COLUMNS };
static const trib_nsys_column stream_columns[STREAM_COLUMNS] = {
    [NAME] = { "name", TRIB_NSYS_TEXT, true },          [PID] = { "processId", TRIB_NSYS_NUMBER, true },
    [DEVICE] = { "deviceId", TRIB_NSYS_NUMBER, true },  [CONTEXT] = { "contextId", TRIB_NSYS_NUMBER, true },
    [STREAM] = { "streamId", TRIB_NSYS_NUMBER, false },
};

static bool is_of(const trib_nsys_stream *stream, const trib_nsys_rows *rows)
{
    int64_t pid = stream->process >> 24 & 0xffffff;
    return stream->number == trib_nsys_number(rows, STREAM, -1) && pid == trib_nsys_number(rows, PID, pid) &&
           stream->device == trib_nsys_number(rows, DEVICE, stream->device) &&
           stream->context == trib_nsys_number(rows, CONTEXT, stream->context);
}

static trib_status take_stream(const trib_nsys_rows *rows, trib_nsys_report *report)
{
    const char *text = trib_nsys_text(rows, NAME);
    for (size_t i = 0; text && i < report->stream_count; ++i)
        if (is_of(&report->streams[i], rows))
            TRIB_TRY(trib_nsys_name_of_text(&report->names, text, &report->streams[i].name));
    return trib_success();
}

enum { NAME_ID, THREAD, THREAD_COLUMNS };
static const trib_nsys_column thread_columns[THREAD_COLUMNS] = {
    [NAME_ID] = { "nameId", TRIB_NSYS_NUMBER, false },
    [THREAD] = { "globalTid", TRIB_NSYS_NUMBER, true },
};

/* Threads are streams on a CPU only. */
static trib_status take_thread(const trib_nsys_rows *rows, trib_nsys_report *report)
{
    for (size_t i = 0; report->on_cpu && i < report->stream_count; ++i)
        if (report->streams[i].number == trib_nsys_number(rows, THREAD, 0))
            TRIB_TRY(
                trib_nsys_name_of_id(&report->names, trib_nsys_number(rows, NAME_ID, 0), &report->streams[i].name));
    return trib_success();
}

enum { GPU_NAME, GPU_ID, GPU_COLUMNS };
static const trib_nsys_column gpu_columns[GPU_COLUMNS] = {
    [GPU_NAME] = { "name", TRIB_NSYS_TEXT, true },
    [GPU_ID] = { "id", TRIB_NSYS_NUMBER, false },
};

static trib_status take_gpu(const trib_nsys_rows *rows, trib_nsys_report *report)
{
    const char *name = trib_nsys_text(rows, GPU_NAME);
    if (!name || report->gpu_count == TRIB_NSYS_MOST_GPUS) return trib_success();
    trib_nsys_gpu *gpu = &report->gpus[report->gpu_count++];
    gpu->device = trib_nsys_number(rows, GPU_ID, 0);
    return trib_nsys_name_of_text(&report->names, name, &gpu->name);
}

const char *trib_nsys_gpu_name(const trib_nsys_report *report, int64_t device)
{
    for (int i = 0; i < report->gpu_count; ++i)
        if (report->gpus[i].device == device) return trib_nsys_name_text(&report->names, report->gpus[i].name);
    return NULL;
}

trib_status trib_nsys_read_titles(trib_nsys_database *database, trib_nsys_report *report)
{
    TRIB_TRY(
        trib_nsys_each(database, "TARGET_INFO_NVTX_CUDA_STREAM", stream_columns, STREAM_COLUMNS, take_stream, report));
    TRIB_TRY(trib_nsys_each(database, "ThreadNames", thread_columns, THREAD_COLUMNS, take_thread, report));
    return trib_nsys_each(database, "TARGET_INFO_GPU", gpu_columns, GPU_COLUMNS, take_gpu, report);
}
