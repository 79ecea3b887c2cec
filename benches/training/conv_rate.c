/* SPDX-License-Identifier: Apache-2.0
 * conv_rate BATCH CHUNKS THREADS [IMPLEMENTATION]: time of the convolutions of torchvision's GoogLeNet in training on
 * the cpu, at 224 pixels, forward and backward, for every chunk of a list such as 0,4,8 (desc.chunk in op.h). Chunks
 * take turns, so that what else runs on the machine meets all of them; the best of ROUNDS counts. Times are
 * milliseconds per image, of the processor and of the clock. IMPLEMENTATION: those whose name begins so,
 * "onednn:direct" for instance; otherwise the device's first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tributary.h"

enum { ROUNDS = 5, MOST_CHUNKS = 8, DIRECTIONS = 3 };

static const trib_kind kinds[DIRECTIONS] = { TRIB_CONV2D, TRIB_CONV2D_BACKWARD_DATA, TRIB_CONV2D_BACKWARD_WEIGHT };

typedef struct time_spent {
    double processor, clock;
} time_spent;

typedef struct bench {
    trib_device *device;
    trib_stream *stream;
    int batch, threads, chunk_count;
    int chunks[MOST_CHUNKS];
    const char *wanted;
    time_spent sums[MOST_CHUNKS][DIRECTIONS];
    int64_t workspace[MOST_CHUNKS]; /* the largest */
} bench;

static void check(trib_status s)
{
    if (!trib_failed(&s)) return;
    fprintf(stderr, "conv_rate: %s\n", s.message);
    exit(1);
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static trib_view view_of(trib_layout layout, int n, int c, int h, int w)
{
    return (trib_view) { .layout = layout, .n = n, .c = c, .h = h, .w = w, .c_total = c };
}

static trib_op_desc desc_of(const bench *b, const trib_graph *graph, const trib_layer *layer, trib_kind kind, int chunk)
{
    const trib_layer *input = trib_graph_layer(graph, layer->inputs[0]);
    const trib_conv2d *conv = &layer->attributes.conv2d;
    trib_layout best = trib_device_get_info(b->device)->layouts[0];
    trib_view x = view_of(input->c == 3 ? TRIB_NCHW : best, b->batch, input->c, input->h, input->w);
    trib_view y = view_of(best, b->batch, layer->c, layer->h, layer->w);
    trib_view w = view_of(TRIB_NCHW, layer->c, input->c, conv->r, conv->s);
    trib_op_desc d = { .kind = kind,
                       .attributes = layer->attributes,
                       .input_count = 2,
                       .output_count = 1,
                       .threads = b->threads,
                       .chunk = chunk };
    d.inputs[0] = kind == TRIB_CONV2D_BACKWARD_DATA ? y : x;
    d.inputs[1] = kind == TRIB_CONV2D_BACKWARD_WEIGHT ? y : w;
    d.outputs[0] = kind == TRIB_CONV2D ? y : kind == TRIB_CONV2D_BACKWARD_DATA ? x : w;
    return d;
}

/* Memory of small values, so that sums stay normal numbers. */
static float *filled(const bench *b, int64_t bytes)
{
    void *memory = NULL;
    check(trib_device_alloc(b->device, b->stream, (size_t)bytes + 4, &memory));
    check(trib_stream_synchronize(b->stream));
    for (int64_t i = 0; i < bytes / 4; ++i) ((float *)memory)[i] = (float)(i * 2654435761u >> 8 & 1023) / 1024 - 0.5f;
    return memory;
}

typedef struct prepared {
    trib_op_handle *op;
    float *workspace;
    time_spent best;
} prepared;

static prepared prepare(bench *b, const trib_op_desc *d, int index)
{
    trib_implementation all[8];
    char why[TRIB_MESSAGE_SIZE] = "";
    int count, chosen = 0;
    prepared p = { .best = { 1e9, 1e9 } };
    check(trib_op_implementations(b->device, d, false, all, 8, &count, why));
    for (int i = count - 1; i >= 0; --i)
        if (!strncmp(all[i].name, b->wanted, strlen(b->wanted))) chosen = i;
    if (!count) check(TRIB_ERROR(TRIB_UNSUPPORTED, "%s", why));
    check(trib_op_create(b->device, d, all[chosen].name, &p.op));
    p.workspace = filled(b, all[chosen].workspace_bytes);
    if (all[chosen].workspace_bytes > b->workspace[index]) b->workspace[index] = all[chosen].workspace_bytes;
    return p;
}

static void run(const bench *b, prepared *p, const void *const *inputs, void *const *outputs)
{
    double processor = seconds(CLOCK_PROCESS_CPUTIME_ID), clock = seconds(CLOCK_MONOTONIC);
    check(trib_op_run(p->op, b->stream, inputs, outputs, NULL, p->workspace));
    check(trib_stream_synchronize(b->stream));
    clock = seconds(CLOCK_MONOTONIC) - clock;
    processor = seconds(CLOCK_PROCESS_CPUTIME_ID) - processor;
    if (clock < p->best.clock) p->best.clock = clock;
    if (processor < p->best.processor) p->best.processor = processor;
}

static void measure(bench *b, const trib_graph *graph, const trib_layer *layer, int direction)
{
    prepared all[MOST_CHUNKS];
    trib_op_desc d = desc_of(b, graph, layer, kinds[direction], 0);
    float *x = filled(b, trib_view_bytes(&d.inputs[0])), *w = filled(b, trib_view_bytes(&d.inputs[1]));
    float *y = filled(b, trib_view_bytes(&d.outputs[0]));
    const void *const inputs[] = { x, w };
    void *const outputs[] = { y };
    for (int i = 0; i < b->chunk_count; ++i) {
        d.chunk = b->chunks[i];
        all[i] = prepare(b, &d, i);
    }
    for (int round = 0; round < ROUNDS; ++round)
        for (int i = 0; i < b->chunk_count; ++i) run(b, &all[i], inputs, outputs);
    for (int i = 0; i < b->chunk_count; ++i) {
        b->sums[i][direction].processor += all[i].best.processor * 1e3 / b->batch;
        b->sums[i][direction].clock += all[i].best.clock * 1e3 / b->batch;
        trib_op_destroy(all[i].op);
        trib_device_free(b->device, b->stream, all[i].workspace);
    }
    for (int i = 0; i < 3; ++i) trib_device_free(b->device, b->stream, (void *[]) { x, w, y }[i]);
}

static void report(const bench *b)
{
    printf("%s, %s, batch %d, %d threads; milliseconds per image: processor (clock)\n",
           trib_device_get_info(b->device)->library, trib_device_get_info(b->device)->instructions, b->batch,
           b->threads);
    printf("%6s %16s %16s %16s %16s %12s\n", "chunk", "forward", "backward data", "backward weight", "sum",
           "workspace MB");
    for (int i = 0; i < b->chunk_count; ++i) {
        time_spent sum = { 0, 0 };
        printf("%6d", b->chunks[i]);
        for (int k = 0; k < DIRECTIONS; ++k) {
            const time_spent *t = &b->sums[i][k];
            printf(" %8.2f (%5.2f)", t->processor, t->clock);
            sum.processor += t->processor;
            sum.clock += t->clock;
        }
        printf(" %8.2f (%5.2f) %12.1f\n", sum.processor, sum.clock, (double)b->workspace[i] / 1e6);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 6) {
        fprintf(stderr, "usage: conv_rate BATCH CHUNKS THREADS [PIXELS [IMPLEMENTATION]]\n");
        return 2;
    }
    bench b = { .batch = atoi(argv[1]), .threads = atoi(argv[3]), .wanted = argc > 5 ? argv[5] : "" };
    int pixels = argc > 4 ? atoi(argv[4]) : 224;
    for (char *next = strtok(argv[2], ","); next && b.chunk_count < MOST_CHUNKS; next = strtok(NULL, ","))
        b.chunks[b.chunk_count++] = atoi(next);
    trib_network_spec spec = { .network = trib_network_find("torchvision"), .height = pixels, .width = pixels };
    trib_graph *graph = NULL;
    check(trib_network_graph(&spec, &graph));
    check(trib_device_open("cpu", NULL, &b.device));
    check(trib_stream_create(b.device, &(trib_stream_options) { .threads = b.threads }, &b.stream));
    for (int i = 0; i < trib_graph_layer_count(graph); ++i) {
        const trib_layer *layer = trib_graph_layer(graph, i);
        if (layer->kind != TRIB_CONV2D) continue;
        bool picture = trib_graph_layer(graph, layer->inputs[0])->c == 3; /* nothing needs its gradient */
        for (int k = 0; k < DIRECTIONS; ++k)
            if (!picture || kinds[k] != TRIB_CONV2D_BACKWARD_DATA) measure(&b, graph, layer, k);
    }
    report(&b);
    trib_stream_destroy(b.stream);
    trib_device_close(b.device);
    trib_graph_destroy(graph);
    return 0;
}
