/* SPDX-License-Identifier: Apache-2.0
 * Two modules as later Inceptions have them: asymmetric filters, a fork inside a branch, an average pool before a
 * projection, and a reduction whose branches end in a stride, without padding. */
#include "network/row.h"

typedef struct network {
    trib_graph_builder *builder;
    trib_network_spec spec; /* with the defaults filled in */
} network;

/* A convolution of r x s and its ReLU; with stride 1 it keeps the image's size, with more it has no padding. */
static int conv(const network *net, const char *prefix, const char *leaf, int x, int channels, int r, int s, int stride)
{
    char name[TRIB_NAME_TEXT], relu[TRIB_NAME_TEXT];
    trib_conv2d c = { .k = trib_scaled_channels(channels, net->spec.width_multiplier),
                      .r = r,
                      .s = s,
                      .stride_h = stride,
                      .stride_w = stride };
    if (stride == 1) c.pad = (trib_pad) { r / 2, s / 2, r / 2, s / 2 };
    x = trib_add_conv2d(net->builder, trib_sublayer(name, prefix, leaf), x, &c);
    return trib_add_relu(net->builder, trib_sublayer(relu, name, "relu"), x);
}

/* The end of the third branch: what it has so far, through 1x3 and through 3x1. */
static int split(const network *net, const char *name, int x)
{
    char output[TRIB_NAME_TEXT];
    int y[2];
    trib_fork fork = trib_fork_open(net->builder, name, x);
    trib_fork_branch(&fork);
    y[0] = conv(net, name, "1x3", x, 32, 1, 3, 1);
    trib_fork_branch(&fork);
    y[1] = conv(net, name, "3x1", x, 32, 3, 1, 1);
    return trib_fork_join_concat(&fork, trib_sublayer(output, name, "output"), y, 2);
}

static int module(const network *net, const char *name, int x)
{
    char pool[TRIB_NAME_TEXT], inner[TRIB_NAME_TEXT], output[TRIB_NAME_TEXT];
    int y[4];
    trib_fork fork = trib_fork_open(net->builder, name, x);
    trib_fork_branch(&fork);
    y[0] = conv(net, name, "1x1", x, 64, 1, 1, 1);
    trib_fork_branch(&fork);
    y[1] = conv(net, name, "7x7_reduce", x, 32, 1, 1, 1);
    y[1] = conv(net, name, "1x7", y[1], 32, 1, 7, 1);
    y[1] = conv(net, name, "7x1", y[1], 64, 7, 1, 1);
    trib_fork_branch(&fork);
    y[2] = conv(net, name, "3x3_reduce", x, 32, 1, 1, 1);
    y[2] = conv(net, name, "3x3", y[2], 48, 3, 3, 1);
    y[2] = split(net, trib_sublayer(inner, name, "split"), y[2]);
    trib_fork_branch(&fork);
    y[3] = trib_add_avg_pool2d(net->builder, trib_sublayer(pool, name, "pool"), x,
                               &(trib_pool2d) { .r = 3, .s = 3, .pad = { 1, 1, 1, 1 } });
    y[3] = conv(net, name, "pool_proj", y[3], 64, 1, 1, 1);
    return trib_fork_join_concat(&fork, trib_sublayer(output, name, "output"), y, 4);
}

/* Half the size, and the channels of the convolution on top. */
static int reduction(const network *net, const char *name, int x)
{
    char pool[TRIB_NAME_TEXT], output[TRIB_NAME_TEXT];
    int y[2];
    trib_fork fork = trib_fork_open(net->builder, name, x);
    trib_fork_branch(&fork);
    y[0] = conv(net, name, "3x3_reduce", x, 32, 1, 1, 1);
    y[0] = conv(net, name, "3x3", y[0], 96, 3, 3, 2);
    trib_fork_branch(&fork);
    y[1] = trib_add_max_pool2d(net->builder, trib_sublayer(pool, name, "pool"), x,
                               &(trib_pool2d) { .r = 3, .s = 3, .stride_h = 2, .stride_w = 2 });
    return trib_fork_join_concat(&fork, trib_sublayer(output, name, "output"), y, 2);
}

static void build(trib_graph_builder *b, const trib_network_spec *spec)
{
    const network own = { b, *spec }, *net = &own;
    int x = trib_add_input(b, "input", 3, spec->height, spec->width);
    x = conv(net, "stem", "3x3", x, 32, 3, 3, 2);
    x = module(net, "mixed_a", x);
    x = reduction(net, "reduction", x);
    x = module(net, "mixed_b", x);
    x = trib_add_avg_pool2d(b, "pool", x, &(trib_pool2d) { .r = 0 });
    x = trib_add_linear(b, "classifier", x, &(trib_linear) { .out = spec->classes });
    trib_graph_mark_output(b, "logits", x);
    trib_graph_mark_output(b, "probabilities", trib_add_softmax(b, "prob", x));
}

/* Files have the names that the layers have here. */
static const trib_dialect dialect = { .name = "nested", .file_name = trib_canonical_name };
static const trib_dialect *const dialects[] = { &dialect, NULL };

static const trib_network_column columns[] = {
    { "1x1", "#1x1", 5 }, { "7x7_reduce", "#7x7red", 8 }, { "1x7", "#1x7", 5 },
    { "7x1", "#7x1", 5 }, { "3x3_reduce", "#3x3red", 8 }, { "3x3", "#3x3", 5 },
    { "1x3", "#1x3", 5 }, { "3x1", "#3x1", 5 },           { "pool_proj", "pool proj", 9 },
    { NULL, NULL, 0 },
};

const trib_network trib_nested = {
    .name = "nested",
    .graph_name = "nested",
    .family = "nested",
    .summary = "two modules with asymmetric filters and a fork inside a branch",
    .classes = 10,
    .height = 63,
    .width = 63,
    .build = build,
    .first_weight = "stem/3x3.weight",
    .classifier = "classifier.weight",
    .dialects = dialects,
    .columns = columns,
};
