/* SPDX-License-Identifier: Apache-2.0
 * training_ops [THREADS [BATCH [ROUNDS]]]: the cpu's own ops of training, in GoogLeNet's shapes, beside a copy that
 * moves as many bytes with as many threads. Both are run in turn; the best round of each counts. Times are those of
 * processors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tributary.h"

typedef struct shape {
    int c, h, window, stride; /* window 0: no pool */
    bool ceil_mode;
    int times; /* in the network */
} shape;

/* Of convolutions (a few that stand for all), and of pools. */
static const shape activations[] = { { 64, 112, 0, 0, false, 1 },
                                     { 192, 56, 0, 0, false, 1 },
                                     { 128, 28, 0, 0, false, 2 },
                                     { 208, 14, 0, 0, false, 5 },
                                     { 320, 7, 0, 0, false, 2 } };
static const shape pools[] = { { 64, 112, 3, 2, true, 1 }, { 192, 56, 3, 2, true, 1 },  { 256, 28, 3, 1, false, 2 },
                               { 480, 28, 3, 2, true, 1 }, { 512, 14, 3, 1, false, 5 }, { 832, 7, 3, 1, false, 2 } };
/* Of the paper's network. */
static const shape norms[] = { { 64, 56, 0, 0, false, 1 }, { 192, 56, 0, 0, false, 1 } };

enum {
    COUNT_ACTIVATIONS = sizeof activations / sizeof *activations,
    COUNT_POOLS = sizeof pools / sizeof *pools,
    COUNT_NORMS = sizeof norms / sizeof *norms
};

static trib_device *device;
static trib_stream *stream;
static int threads, batch = 32, rounds = 15;
static trib_layout layout;

static void check(trib_status s)
{
    if (!trib_failed(&s)) return;
    fprintf(stderr, "training_ops: %s\n", s.message);
    exit(1);
}

/* Of processors, all threads together: others that use the machine do not count. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- an op with memory ---- */

typedef struct prepared {
    trib_op_desc desc;
    trib_op_handle *op;
    void *inputs[TRIB_MAX_INPUTS], *outputs[TRIB_MAX_OUTPUTS], *workspace;
    int64_t bytes; /* read and written, each once */
} prepared;

static trib_view view(trib_layout in, int n, int c, int h, trib_dtype dtype)
{
    return (trib_view) { .dtype = dtype, .layout = in, .n = n, .c = c, .h = h, .w = h, .c_total = c };
}

static trib_view rows(int n, int c) { return view(TRIB_NHWC, n, c, 1, TRIB_F32); }

static void *memory_of(const trib_view *v, int64_t *bytes)
{
    void *memory = NULL;
    int64_t size = trib_view_bytes(v);
    check(trib_device_alloc(device, stream, (size_t)size, &memory));
    check(trib_stream_synchronize(stream));
    *bytes += size;
    memset(memory, 0, (size_t)size); /* the cpu's memory is ours */
    if (v->dtype == TRIB_F32)
        for (int64_t i = 0; i < size / 4; ++i) ((float *)memory)[i] = (float)(i * 7919 % 2003) * 1e-3f - 1;
    if (v->dtype == TRIB_U8)
        for (int64_t i = 0; i < size; ++i) ((uint8_t *)memory)[i] = (uint8_t)(i * 31 % 9);
    if (v->c == (int)sizeof(trib_step_controls) && size == v->c)
        *(trib_step_controls *)memory = (trib_step_controls) { .lr = 1e-3f, .momentum = 0.9f, .loss_scale = 1 };
    return memory;
}

static void prepare(prepared *p)
{
    trib_implementation native[8];
    int count = 0;
    char reason[TRIB_MESSAGE_SIZE] = "";
    p->desc.threads = threads;
    p->desc.chunk = (batch + 7) / 8;
    check(trib_op_implementations(device, &p->desc, false, native, 8, &count, reason));
    int chosen = 0;
    while (chosen < count && strcmp(native[chosen].name, "native")) ++chosen;
    if (chosen == count) {
        fprintf(stderr, "training_ops: no plain loops: %s\n", reason);
        exit(1);
    }
    check(trib_op_create(device, &p->desc, "native", &p->op));
    for (int i = 0; i < p->desc.input_count; ++i) p->inputs[i] = memory_of(&p->desc.inputs[i], &p->bytes);
    for (int i = 0; i < p->desc.output_count; ++i) p->outputs[i] = memory_of(&p->desc.outputs[i], &p->bytes);
    if (native[chosen].workspace_bytes)
        check(trib_device_alloc(device, stream, (size_t)native[chosen].workspace_bytes, &p->workspace));
}

static double run(const prepared *p)
{
    double start = now();
    check(trib_op_run(p->op, stream, (const void *const *)p->inputs, p->outputs, NULL, p->workspace));
    check(trib_stream_synchronize(stream));
    return now() - start;
}

static void release(prepared *p)
{
    trib_op_destroy(p->op);
    for (int i = 0; i < p->desc.input_count; ++i) trib_device_free(device, stream, p->inputs[i]);
    for (int i = 0; i < p->desc.output_count; ++i) trib_device_free(device, stream, p->outputs[i]);
    if (p->workspace) trib_device_free(device, stream, p->workspace);
    check(trib_stream_synchronize(stream));
}

/* ---- measuring ---- */

/* A copy that reads and writes `bytes` together. */
static prepared copy_of(int64_t bytes)
{
    int c = (int)(bytes / 8 / batch);
    prepared p = { .desc = { .kind = TRIB_REORDER, .input_count = 1, .output_count = 1 } };
    p.desc.inputs[0] = p.desc.outputs[0] = view(TRIB_NHWC, batch, c, 1, TRIB_F32);
    prepare(&p);
    return p;
}

static void measure(const trib_op_desc *desc, const shape *s)
{
    prepared op = { .desc = *desc };
    prepare(&op);
    prepared copy = copy_of(op.bytes);
    double best = 1e9, best_copy = 1e9;
    for (int i = 0; i < rounds; ++i) {
        double t = run(&op), c = run(&copy);
        if (t < best) best = t;
        if (c < best_copy) best_copy = c;
    }
    printf("%-20s %4dx%3dx%-3d x%d %8.3f ms %8.3f ms %6.2f %7.1f GB/s\n", trib_kind_name(desc->kind), s->c, s->h, s->h,
           s->times, 1e3 * best, 1e3 * best_copy, best / best_copy, (double)copy.bytes / best_copy * 1e-9);
    release(&copy);
    release(&op);
}

static void measure_activation(const shape *s)
{
    const trib_view x = view(layout, batch, s->c, s->h, TRIB_F32), vector = rows(1, s->c), saved = rows(4, s->c);
    trib_op_desc statistics = { .kind = TRIB_BATCH_STATISTICS,
                                .input_count = 5,
                                .output_count = 3,
                                .inputs = { x, vector, vector, vector, vector },
                                .outputs = { saved, vector, vector } };
    statistics.attributes.batch_statistics = (trib_batch_statistics) { .eps = 1e-3f, .momentum = 0.1f };
    trib_op_desc apply = { .kind = TRIB_BATCH_NORM_APPLY,
                           .input_count = 2,
                           .output_count = 1,
                           .inputs = { x, saved },
                           .outputs = { x },
                           .relu = true };
    trib_op_desc backward = { .kind = TRIB_BATCH_NORM_BACKWARD,
                              .input_count = 3,
                              .output_count = 3,
                              .inputs = { x, x, saved },
                              .outputs = { x, vector, vector },
                              .relu = true };
    trib_op_desc relu = {
        .kind = TRIB_RELU_BACKWARD, .input_count = 2, .output_count = 2, .inputs = { x, x }, .outputs = { x, vector }
    };
    measure(&statistics, s);
    measure(&apply, s);
    measure(&backward, s);
    measure(&relu, s);
}

static void measure_pool(const shape *s)
{
    const int pad = s->stride == 1, h = s->stride == 1 ? s->h : s->h / 2;
    const trib_view x = view(layout, batch, s->c, s->h, TRIB_F32), y = view(layout, batch, s->c, h, TRIB_F32);
    const trib_view index = view(layout, batch, s->c, h, TRIB_U8);
    trib_op_desc forward = {
        .kind = TRIB_MAX_POOL2D_INDEXED, .input_count = 1, .output_count = 2, .inputs = { x }, .outputs = { y, index }
    };
    forward.attributes.pool2d = (trib_pool2d) { .r = 3,
                                                .s = 3,
                                                .stride_h = s->stride,
                                                .stride_w = s->stride,
                                                .pad = { pad, pad, pad, pad },
                                                .ceil_mode = s->ceil_mode };
    trib_op_desc backward = forward;
    backward.kind = TRIB_MAX_POOL2D_BACKWARD;
    backward.input_count = 2;
    backward.output_count = 1;
    backward.inputs[0] = y;
    backward.inputs[1] = index;
    backward.outputs[0] = x;
    measure(&forward, s);
    measure(&backward, s);
}

static void measure_lrn(const shape *s)
{
    const trib_view x = view(layout, batch, s->c, s->h, TRIB_F32);
    trib_op_desc backward = {
        .kind = TRIB_LRN_BACKWARD, .input_count = 2, .output_count = 1, .inputs = { x, x }, .outputs = { x }
    };
    backward.attributes.lrn = (trib_lrn) { 5, 1e-4f, 0.75f, 1 };
    measure(&backward, s);
}

static void measure_update(void)
{
    const shape s = { 13 * 1024 * 1024, 1, 0, 0, false, 1 };
    const trib_view w = rows(1, s.c), controls = view(TRIB_NHWC, 1, (int)sizeof(trib_step_controls), 1, TRIB_U8);
    trib_op_desc sgd = {
        .kind = TRIB_SGD, .input_count = 4, .output_count = 2, .inputs = { w, w, w, controls }, .outputs = { w, w }
    };
    sgd.attributes.sgd = (trib_sgd) { .rate = 1, .decay = 1 };
    measure(&sgd, &s);
}

int main(int argc, char **argv)
{
    if (argc > 4) {
        fprintf(stderr, "usage: training_ops [THREADS [BATCH [ROUNDS]]]\n");
        return 2;
    }
    if (argc > 1) threads = atoi(argv[1]);
    if (argc > 2) batch = atoi(argv[2]);
    if (argc > 3) rounds = atoi(argv[3]);
    check(trib_device_open("cpu", NULL, &device));
    const trib_device_info *info = trib_device_get_info(device);
    if (threads <= 0) threads = info->cores;
    layout = info->layouts[0];
    check(trib_stream_create(device, NULL, &stream));
    printf("%s, %d threads, batch %d, %s\n%-36s %11s %11s %6s\n", info->name, threads, batch, trib_layout_name(layout),
           "op", "time", "copy", "ratio");
    for (int i = 0; i < COUNT_ACTIVATIONS; ++i) measure_activation(&activations[i]);
    for (int i = 0; i < COUNT_POOLS; ++i) measure_pool(&pools[i]);
    for (int i = 0; i < COUNT_NORMS; ++i) measure_lrn(&norms[i]);
    measure_update();
    trib_stream_destroy(stream);
    trib_device_close(device);
    return 0;
}
