/* SPDX-License-Identifier: Apache-2.0
 * GoogLeNet: the table of its modules, the module, and the trunk, in the order of the paper's figure 3. */
#include <stdio.h>
#include <string.h>

#include "inception.h"
#include "tributary/googlenet.h"

/* clang-format off */
const trib_inception trib_inceptions[TRIB_INCEPTION_COUNT] = {
    /*                 in   1x1  3x3r 3x3  5x5r 5x5  pool_proj */
    { "inception_3a", 192,   64,  96, 128,  16,  32,  32 },
    { "inception_3b", 256,  128, 128, 192,  32,  96,  64 },
    { "inception_4a", 480,  192,  96, 208,  16,  48,  64 },
    { "inception_4b", 512,  160, 112, 224,  24,  64,  64 },
    { "inception_4c", 512,  128, 128, 256,  24,  64,  64 },
    { "inception_4d", 512,  112, 144, 288,  32,  64,  64 },
    { "inception_4e", 528,  256, 160, 320,  32, 128, 128 },
    { "inception_5a", 832,  256, 160, 320,  32, 128, 128 },
    { "inception_5b", 832,  384, 192, 384,  48, 128, 128 },
};
/* clang-format on */
enum { M3A, M3B, M4A, M4B, M4C, M4D, M4E, M5A, M5B };

enum { NAME_SIZE = 64, SUBNAME_SIZE = 80 };

int trib_scaled_channels(int channels, double width_multiplier)
{
    int eighths = (int)(channels * width_multiplier / 8 + 0.5);
    return eighths < 1 ? 8 : 8 * eighths;
}

/* What the functions below build, and into which graph. */
typedef struct network {
    trib_graph_builder *builder;
    trib_googlenet spec; /* with the defaults filled in */
} network;

/* ---- layers ---- */

static int scaled(const network *net, int channels)
{
    return trib_scaled_channels(channels, net->spec.width_multiplier);
}

static const char *join(char *text, size_t size, const char *prefix, const char *leaf)
{
    snprintf(text, size, "%s/%s", prefix, leaf);
    return text;
}

static int relu(const network *net, const char *of, int x)
{
    char name[SUBNAME_SIZE];
    return trib_add_relu(net->builder, join(name, sizeof name, of, "relu"), x);
}

/* A square convolution that keeps the image's size (but for its stride), with what follows it in the variant. */
static int conv(const network *net, const char *name, int x, int channels, int size, int stride)
{
    char bn[SUBNAME_SIZE];
    const int pad = size / 2;
    const bool normalised = net->spec.variant == TRIB_TORCHVISION;
    x = trib_add_conv2d(net->builder, name, x,
                        &(trib_conv2d) { .k = scaled(net, channels),
                                         .r = size,
                                         .s = size,
                                         .stride_h = stride,
                                         .stride_w = stride,
                                         .pad = { pad, pad, pad, pad },
                                         .no_bias = normalised });
    if (normalised) x = trib_add_batch_norm(net->builder, join(bn, sizeof bn, name, "bn"), x, 1e-3f);
    return relu(net, name, x);
}

static int max_pool(const network *net, const char *name, int x, int size, int stride, int pad)
{
    return trib_add_max_pool2d(net->builder, name, x,
                               &(trib_pool2d) { .r = size,
                                                .s = size,
                                                .stride_h = stride,
                                                .stride_w = stride,
                                                .pad = { pad, pad, pad, pad },
                                                .ceil_mode = true });
}

/* Local response normalisation, where the variant has it. */
static int lrn(const network *net, const char *name, int x)
{
    if (net->spec.variant != TRIB_BVLC) return x;
    return trib_add_lrn(net->builder, name, x, &(trib_lrn) { .size = 5, .alpha = 1e-4f, .beta = 0.75f, .k = 1 });
}

/* ---- the module ---- */

/* A step of a branch: a convolution, or with channels = 0 a max pool of stride 1. */
typedef struct step {
    const char *leaf;
    int channels, size;
} step;

enum { MAX_STEPS = 3 }; /* the last one is empty and ends the chain */

/* The next branch of `fork`: steps one after the other. Returns its last layer. */
static int chain(const network *net, trib_fork *fork, const char *module, int x, const step steps[MAX_STEPS])
{
    char name[NAME_SIZE];
    trib_fork_branch(fork);
    for (const step *s = steps; s->leaf; ++s) {
        join(name, sizeof name, module, s->leaf);
        x = s->channels ? conv(net, name, x, s->channels, s->size, 1) : max_pool(net, name, x, s->size, 1, s->size / 2);
    }
    return x;
}

static int inception(const network *net, const trib_inception *m, int x)
{
    /* torchvision's "5x5" is 3x3: a mistake that its published weights keep. */
    const int five = net->spec.variant == TRIB_TORCHVISION ? 3 : 5;
    char output[NAME_SIZE];
    int y[4];
    trib_fork fork = trib_fork_open(net->builder, m->name, x);
    /* clang-format off */
    y[0] = chain(net, &fork, m->name, x, (const step[MAX_STEPS]) { { "1x1", m->c1x1, 1 } });
    y[1] = chain(net, &fork, m->name, x, (const step[MAX_STEPS]) { { "3x3_reduce", m->c3x3_reduce, 1 }, { "3x3", m->c3x3, 3 } });
    y[2] = chain(net, &fork, m->name, x, (const step[MAX_STEPS]) { { "5x5_reduce", m->c5x5_reduce, 1 }, { "5x5", m->c5x5, five } });
    y[3] = chain(net, &fork, m->name, x, (const step[MAX_STEPS]) { { "pool", 0, 3 }, { "pool_proj", m->pool_proj, 1 } });
    /* clang-format on */
    return trib_fork_join_concat(&fork, join(output, sizeof output, m->name, "output"), y, 4);
}

/* ---- classifiers ---- */

/* The auxiliary classifier `head` ("loss1", "loss2"), if there is to be one. Returns its logits. */
static int auxiliary(const network *net, const char *head, int x)
{
    char name[NAME_SIZE];
    trib_graph_builder *b = net->builder;
    if (!net->spec.aux) return -1;
    join(name, sizeof name, head, "ave_pool");
    if (net->spec.variant == TRIB_TORCHVISION)
        x = trib_add_adaptive_avg_pool2d(b, name, x, 4, 4);
    else
        x = trib_add_avg_pool2d(b, name, x,
                                &(trib_pool2d) { .r = 5, .s = 5, .stride_h = 3, .stride_w = 3, .ceil_mode = true });
    x = conv(net, join(name, sizeof name, head, "conv"), x, 128, 1, 1);
    x = trib_add_linear(b, join(name, sizeof name, head, "fc"), x, &(trib_linear) { .out = scaled(net, 1024) });
    x = relu(net, name, x);
    x = trib_add_dropout(b, join(name, sizeof name, head, "drop_fc"), x, 0.7f);
    return trib_add_linear(b, join(name, sizeof name, head, "classifier"), x,
                           &(trib_linear) { .out = net->spec.classes });
}

static void build(const network *net)
{
    trib_graph_builder *b = net->builder;
    const bool bvlc = net->spec.variant == TRIB_BVLC;
    int x = trib_add_input(b, "input", 3, net->spec.height, net->spec.width);
    x = conv(net, "conv1/7x7_s2", x, 64, 7, 2);
    x = max_pool(net, "pool1/3x3_s2", x, 3, 2, 0);
    x = lrn(net, "pool1/norm1", x);
    x = conv(net, "conv2/3x3_reduce", x, 64, 1, 1);
    x = conv(net, "conv2/3x3", x, 192, 3, 1);
    x = lrn(net, "conv2/norm2", x);
    x = max_pool(net, "pool2/3x3_s2", x, 3, 2, 0);
    x = inception(net, &trib_inceptions[M3A], x);
    x = inception(net, &trib_inceptions[M3B], x);
    x = max_pool(net, "pool3/3x3_s2", x, 3, 2, 0);
    x = inception(net, &trib_inceptions[M4A], x);
    int aux1 = auxiliary(net, "loss1", x);
    x = inception(net, &trib_inceptions[M4B], x);
    x = inception(net, &trib_inceptions[M4C], x);
    x = inception(net, &trib_inceptions[M4D], x);
    int aux2 = auxiliary(net, "loss2", x);
    x = inception(net, &trib_inceptions[M4E], x);
    x = max_pool(net, "pool4/3x3_s2", x, bvlc ? 3 : 2, 2, 0);
    x = inception(net, &trib_inceptions[M5A], x);
    x = inception(net, &trib_inceptions[M5B], x);
    x = trib_add_avg_pool2d(b, "pool5/7x7_s1", x, &(trib_pool2d) { .r = 0 }); /* over the whole map, 7x7 at 224 */
    x = trib_add_dropout(b, "pool5/drop_7x7_s1", x, bvlc ? 0.4f : 0.2f);
    x = trib_add_linear(b, "loss3/classifier", x, &(trib_linear) { .out = net->spec.classes });
    trib_graph_mark_output(b, "logits", x);
    trib_graph_mark_output(b, "probabilities", trib_add_softmax(b, "prob", x));
    if (!net->spec.aux) return;
    trib_graph_mark_output(b, "aux1", aux1);
    trib_graph_mark_output(b, "aux2", aux2);
}

/* ---- what is asked for ---- */

static const char *const variant_names[TRIB_VARIANT_COUNT] = {
    [TRIB_BVLC] = "bvlc", [TRIB_TORCHVISION] = "torchvision"
};

const char *trib_variant_name(trib_variant variant)
{
    return (unsigned)variant < TRIB_VARIANT_COUNT ? variant_names[variant] : "unknown";
}

int trib_variant_find(const char *name)
{
    for (int i = 0; i < TRIB_VARIANT_COUNT; ++i)
        if (!strcmp(variant_names[i], name)) return i;
    return -1;
}

static trib_status resolve(const trib_googlenet *asked, trib_googlenet *out)
{
    trib_googlenet spec = *asked;
    if (!spec.classes) spec.classes = 1000;
    if (!spec.height) spec.height = 224;
    if (!spec.width) spec.width = 224;
    if (spec.width_multiplier == 0) spec.width_multiplier = 1;
    if ((unsigned)spec.variant >= TRIB_VARIANT_COUNT)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "googlenet: there is no variant %d", (int)spec.variant);
    if (spec.classes < 1 || spec.classes > TRIB_MAX_CLASSES)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "googlenet: %d classes; 1 to %d are possible", spec.classes,
                          TRIB_MAX_CLASSES);
    if (spec.height < 1 || spec.width < 1)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "googlenet: an input of %dx%d is not possible", spec.height,
                          spec.width);
    if (!(spec.width_multiplier > 0 && spec.width_multiplier <= TRIB_MAX_WIDTH_MULTIPLIER))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "googlenet: a width multiplier of %g; more than 0, at most %d is possible",
                          spec.width_multiplier, TRIB_MAX_WIDTH_MULTIPLIER);
    *out = spec;
    return trib_success();
}

trib_status trib_googlenet_graph(const trib_googlenet *asked, trib_graph **out)
{
    network net = { 0 };
    char name[NAME_SIZE];
    TRIB_TRY(resolve(asked, &net.spec));
    snprintf(name, sizeof name, "googlenet-%s", trib_variant_name(net.spec.variant));
    net.builder = trib_graph_begin(name);
    build(&net);
    trib_status status = trib_graph_finish(net.builder, out);
    trib_add_context(&status, "an input of %dx%d", net.spec.height, net.spec.width);
    return status;
}
