/* SPDX-License-Identifier: Apache-2.0
 * GoogLeNet: the table of its modules, the module, and the trunk, in the order of the paper's figure 3. */
#include "googlenet/inception.h"
#include "network/row.h"

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

/* The differences between the variants for which weights exist. */
typedef struct variant {
    bool batch_norm;   /* after every convolution, instead of its bias */
    bool lrn;          /* in the stem */
    int five;          /* filter of the "5x5" branch; 3x3 in torchvision, a mistake that its weights preserve */
    int pool4;         /* window */
    bool floor_pools;  /* pools round the size of their output down, not up */
    bool adaptive_aux; /* the auxiliary classifiers' pool gives 4x4 for any input */
    float dropout;
} variant;

/* The network being built, and its graph. */
typedef struct network {
    trib_graph_builder *builder;
    trib_network_spec spec; /* with the defaults filled in */
    const variant *variant;
} network;

/* ---- layers ---- */

static int scaled(const network *net, int channels)
{
    return trib_scaled_channels(channels, net->spec.width_multiplier);
}

static int relu(const network *net, const char *of, int x)
{
    char name[TRIB_NAME_TEXT];
    return trib_add_relu(net->builder, trib_sublayer(name, of, "relu"), x);
}

/* A square convolution that keeps the image's size (except for its stride), and the layers that follow it in the
 * variant. */
static int conv(const network *net, const char *name, int x, int channels, int size, int stride)
{
    char bn[TRIB_NAME_TEXT];
    const int pad = size / 2;
    const bool normalised = net->variant->batch_norm;
    x = trib_add_conv2d(net->builder, name, x,
                        &(trib_conv2d) { .k = scaled(net, channels),
                                         .r = size,
                                         .s = size,
                                         .stride_h = stride,
                                         .stride_w = stride,
                                         .pad = { pad, pad, pad, pad },
                                         .no_bias = normalised });
    if (normalised) x = trib_add_batch_norm(net->builder, trib_sublayer(bn, name, "bn"), x, 1e-3f);
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
                                                .ceil_mode = !net->variant->floor_pools });
}

/* Local response normalisation, if the variant has it. */
static int lrn(const network *net, const char *name, int x)
{
    if (!net->variant->lrn) return x;
    return trib_add_lrn(net->builder, name, x, &(trib_lrn) { .size = 5, .alpha = 1e-4f, .beta = 0.75f, .k = 1 });
}

/* ---- the module ---- */

/* A step of a branch: a convolution, or with channels = 0 a max pool of stride 1. */
typedef struct step {
    const char *leaf;
    int channels, size;
} step;

enum { MAX_STEPS = 3 }; /* the last one is empty and ends the chain */

/* Adds the next branch of `fork`, a chain of steps. Returns its last layer. */
static int chain(const network *net, trib_fork *fork, const char *module, int x, const step steps[MAX_STEPS])
{
    char name[TRIB_NAME_TEXT];
    trib_fork_branch(fork);
    for (const step *s = steps; s->leaf; ++s) {
        trib_sublayer(name, module, s->leaf);
        x = s->channels ? conv(net, name, x, s->channels, s->size, 1) : max_pool(net, name, x, s->size, 1, s->size / 2);
    }
    return x;
}

static int inception(const network *net, const trib_inception *m, int x)
{
    char output[TRIB_NAME_TEXT];
    int y[4];
    trib_fork fork = trib_fork_open(net->builder, m->name, x);
    /* clang-format off */
    y[0] = chain(net, &fork, m->name, x, (const step[MAX_STEPS]) { { "1x1", m->c1x1, 1 } });
    y[1] = chain(net, &fork, m->name, x, (const step[MAX_STEPS]) { { "3x3_reduce", m->c3x3_reduce, 1 }, { "3x3", m->c3x3, 3 } });
    y[2] = chain(net, &fork, m->name, x, (const step[MAX_STEPS]) { { "5x5_reduce", m->c5x5_reduce, 1 }, { "5x5", m->c5x5, net->variant->five } });
    y[3] = chain(net, &fork, m->name, x, (const step[MAX_STEPS]) { { "pool", 0, 3 }, { "pool_proj", m->pool_proj, 1 } });
    /* clang-format on */
    return trib_fork_join_concat(&fork, trib_sublayer(output, m->name, "output"), y, 4);
}

/* ---- classifiers ---- */

/* Adds the auxiliary classifier `head` ("loss1", "loss2") if it is wanted. Returns its logits. */
static int auxiliary(const network *net, const char *head, int x)
{
    char name[TRIB_NAME_TEXT];
    trib_graph_builder *b = net->builder;
    if (!net->spec.aux) return -1;
    trib_sublayer(name, head, "ave_pool");
    if (net->variant->adaptive_aux)
        x = trib_add_adaptive_avg_pool2d(b, name, x, 4, 4);
    else
        x = trib_add_avg_pool2d(
            b, name, x,
            &(trib_pool2d) { .r = 5, .s = 5, .stride_h = 3, .stride_w = 3, .ceil_mode = !net->variant->floor_pools });
    x = conv(net, trib_sublayer(name, head, "conv"), x, 128, 1, 1);
    x = trib_add_linear(b, trib_sublayer(name, head, "fc"), x, &(trib_linear) { .out = scaled(net, 1024) });
    x = relu(net, name, x);
    x = trib_add_dropout(b, trib_sublayer(name, head, "drop_fc"), x, 0.7f);
    return trib_add_linear(b, trib_sublayer(name, head, "classifier"), x, &(trib_linear) { .out = net->spec.classes });
}

static void build(trib_graph_builder *b, const trib_network_spec *spec)
{
    const network own = { b, *spec, spec->network->variant }, *net = &own;
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
    x = max_pool(net, "pool4/3x3_s2", x, net->variant->pool4, 2, 0);
    x = inception(net, &trib_inceptions[M5A], x);
    x = inception(net, &trib_inceptions[M5B], x);
    x = trib_add_avg_pool2d(b, "pool5/7x7_s1", x, &(trib_pool2d) { .r = 0 }); /* over the whole map, 7x7 at 224 */
    x = trib_add_dropout(b, "pool5/drop_7x7_s1", x, net->variant->dropout);
    x = trib_add_linear(b, "loss3/classifier", x, &(trib_linear) { .out = net->spec.classes });
    trib_graph_mark_output(b, "logits", x);
    trib_graph_mark_output(b, "probabilities", trib_add_softmax(b, "prob", x));
    if (!net->spec.aux) return;
    trib_graph_mark_output(b, "aux1", aux1);
    trib_graph_mark_output(b, "aux2", aux2);
}

/* ---- the rows ---- */

static const char *const heads[] = { "loss1", "loss2", NULL };
static const trib_network_column columns[] = {
    { "1x1", "#1x1", 5 }, { "3x3_reduce", "#3x3red", 8 },  { "3x3", "#3x3", 5 }, { "5x5_reduce", "#5x5red", 8 },
    { "5x5", "#5x5", 5 }, { "pool_proj", "pool proj", 9 }, { NULL, NULL, 0 },
};
static const trib_dialect *const caffe_first[] = { &trib_caffe_dialect, &trib_torchvision_dialect, NULL };
static const trib_dialect *const torchvision_first[] = { &trib_torchvision_dialect, &trib_caffe_dialect, NULL };

#define GOOGLENET                                                                                       \
    .family = "googlenet", .classes = 1000, .height = 224, .width = 224, .build = build,                \
    .first_weight = "conv1/7x7_s2.weight", .classifier = "loss3/classifier.weight", .auxiliary = heads, \
    .columns = columns

const trib_network trib_googlenet_bvlc = {
    GOOGLENET,
    .name = "bvlc",
    .graph_name = "googlenet-bvlc",
    .summary = "GoogLeNet as in the paper and BVLC Caffe: LRN, biases, 5x5",
    .variant = &(const variant) { .lrn = true, .five = 5, .pool4 = 3, .dropout = 0.4f },
    .dialects = caffe_first,
    .init = &trib_init_xavier,
};

const trib_network trib_googlenet_torchvision = {
    GOOGLENET,
    .name = "torchvision",
    .alias = "googlenet",
    .graph_name = "googlenet-torchvision",
    .summary = "GoogLeNet as in torchvision: batch norm, 3x3 in the 5x5 branch; also called googlenet",
    .variant = &(const variant) { .batch_norm = true, .five = 3, .pool4 = 2, .adaptive_aux = true, .dropout = 0.2f },
    .dialects = torchvision_first,
    .init = &trib_init_truncated_normal,
};

const trib_network trib_googlenet_bvlc_floor = {
    GOOGLENET,
    .name = "bvlc-floor",
    .graph_name = "googlenet-bvlc-floor",
    .summary = "bvlc with pools that round down, as the ONNX zoo's inception-v1",
    .variant = &(const variant) { .lrn = true, .five = 5, .pool4 = 3, .floor_pools = true, .dropout = 0.4f },
    .tensors_of = &trib_googlenet_bvlc,
    .dialects = caffe_first,
    .init = &trib_init_xavier,
};
