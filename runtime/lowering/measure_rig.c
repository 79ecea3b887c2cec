/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/measure_rig.h"

#include <stdint.h>

#include "graph/kinds.h"
#include "tributary/internal/alloc.h"

enum { PATTERN = 1 << 16 }; /* a pattern that is repeated */

/* ---- values: as in a network, for products of zeros cost less power, and so less time ---- */

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* -1 .. 1 */
static float next_value(uint32_t *state) { return (float)(next_random(state) >> 8) * (2.0f / 16777216.0f) - 1.0f; }

static void store(void *values, size_t i, trib_dtype dtype, float value)
{
    switch (dtype) {
    case TRIB_F32: ((float *)values)[i] = value; break;
    case TRIB_F16: ((uint16_t *)values)[i] = trib_f32_to_f16(value); break;
    case TRIB_BF16: ((uint16_t *)values)[i] = trib_f32_to_bf16(value); break;
    default: ((unsigned char *)values)[i] = (unsigned char)(127.5f + 127.0f * value); break;
    }
}

/* A pattern from the host, then copies of it on the device, each twice as long as the one before. */
static trib_status fill(trib_rig *r, void *memory, size_t bytes, trib_dtype dtype)
{
    uint32_t state = 88675123u;
    size_t size = trib_dtype_size(dtype), done = PATTERN * size < bytes ? PATTERN * size : bytes;
    void *pattern = trib_alloc(done);
    if (!pattern) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to measure");
    for (size_t i = 0; i < done / size; ++i) store(pattern, i, dtype, next_value(&state));
    trib_status status = trib_copy_to_device(r->stream, memory, pattern, done);
    while (done < bytes && !trib_failed(&status)) {
        size_t more = bytes - done < done ? bytes - done : done;
        status = trib_copy_on_device(r->stream, (char *)memory + done, memory, more);
        done += more;
    }
    trib_status copied = trib_stream_synchronize(r->stream);
    trib_free(pattern);
    return trib_failed(&status) ? status : copied;
}

/* ---- memory ---- */

static trib_status take(trib_rig *r, size_t bytes, void **out)
{
    TRIB_TRY(trib_device_alloc(r->device, r->stream, bytes, out));
    r->memory[r->memory_count++] = *out;
    return trib_success();
}

/* `values`: as in a network; else zeros. */
static trib_status view_memory(trib_rig *r, const trib_view *v, bool values, void **out)
{
    size_t bytes = (size_t)trib_view_bytes(v);
    void *memory;
    TRIB_TRY(take(r, bytes, &memory));
    *out = (char *)memory + trib_view_offset(v);
    return values ? fill(r, memory, bytes, v->dtype) : trib_fill_zero(r->stream, memory, bytes);
}

static trib_status open_set(trib_rig *r, const trib_op_desc *d, trib_rig_set *set)
{
    bool values = trib_kind_row_of(d->kind)->takes != TRIB_TAKES_REGIONS;
    for (int i = 0; i < d->input_count; ++i) TRIB_TRY(view_memory(r, &d->inputs[i], values, &set->inputs[i]));
    for (int i = 0; i < d->output_count; ++i) TRIB_TRY(view_memory(r, &d->outputs[i], false, &set->outputs[i]));
    return trib_success();
}

int trib_rig_sets(int64_t bytes, int64_t cache_bytes)
{
    if (bytes <= cache_bytes / 4 || cache_bytes <= 0) return 1;
    int64_t sets = (2 * cache_bytes + bytes - 1) / bytes;
    return sets < 1 ? 1 : sets > TRIB_RIG_MOST_SETS ? TRIB_RIG_MOST_SETS : (int)sets;
}

static int64_t bytes_of(const trib_op_desc *d)
{
    int64_t bytes = 0;
    for (int i = 0; i < d->input_count; ++i) bytes += trib_view_bytes(&d->inputs[i]);
    for (int i = 0; i < d->output_count; ++i) bytes += trib_view_bytes(&d->outputs[i]);
    return bytes;
}

/* Memory from number `first` on. */
static void give_back(trib_rig *r, int first)
{
    while (r->memory_count > first) trib_device_free(r->device, r->stream, r->memory[--r->memory_count]);
}

bool trib_rig_shrink(trib_rig *r)
{
    if (r->set_count < 2) return false;
    give_back(r, r->first_count);
    r->set_count = 1;
    return true;
}

/* The wanted number of sets, or as many as memory allows: at least one. */
static trib_status open_sets(trib_rig *r, const trib_op_desc *d)
{
    int wanted = trib_rig_sets(bytes_of(d), trib_device_get_info(r->device)->cache_bytes);
    trib_status status = trib_success();
    while (r->set_count < wanted) {
        int before = r->memory_count;
        status = open_set(r, d, &r->sets[r->set_count]);
        if (trib_failed(&status)) {
            give_back(r, before);
            break;
        }
        if (!r->set_count++) r->first_count = r->memory_count;
    }
    return status.code == TRIB_OUT_OF_MEMORY && r->set_count ? trib_success() : status;
}

/* ---- parameters ---- */

static trib_status floats(trib_rig *r, int64_t count, const float **out)
{
    size_t bytes = (size_t)count * sizeof(float);
    void *memory;
    TRIB_TRY(take(r, bytes, &memory));
    *out = memory;
    return fill(r, memory, bytes, TRIB_F32);
}

static trib_status open_parameters(trib_rig *r, const trib_op_desc *d)
{
    int64_t channels = 0, weights = trib_op_weight_elements(d);
    if (!weights) return trib_success();
    for (int i = 0; i < d->output_count; ++i) channels += d->outputs[i].c;
    TRIB_TRY(floats(r, weights, &r->parameters.weight));
    return floats(r, channels, &r->parameters.bias);
}

/* ---- opening and closing ---- */

trib_status trib_rig_open(trib_rig *r, trib_device *device, const trib_op_desc *d)
{
    r->device = device;
    TRIB_TRY(
        trib_stream_create(device, &(trib_stream_options) { .name = "measure", .threads = d->threads }, &r->stream));
    TRIB_TRY(trib_event_create(device, &r->start));
    TRIB_TRY(trib_event_create(device, &r->end));
    TRIB_TRY(open_parameters(r, d));
    return open_sets(r, d);
}

void trib_rig_close(trib_rig *r)
{
    give_back(r, 0);
    trib_event_destroy(r->start);
    trib_event_destroy(r->end);
    trib_stream_destroy(r->stream);
}
