/* SPDX-License-Identifier: Apache-2.0 */
#include "average_pools.h"

#include <stdio.h>

/* Of 299x299 pixels (Szegedy et al. 2015, "Rethinking the Inception architecture", as torchvision has it): each branch
 * that is unlike the others, and the channels it is joined in. */
static const struct {
    const char *name;
    int side, in, out, joined;
} branches[BENCH_AVERAGE_POOLS] = {
    { "mixed_5b", 35, 192, 32, 256 },  { "mixed_5c", 35, 256, 64, 288 },   { "mixed_5d", 35, 288, 64, 288 },
    { "mixed_6b", 17, 768, 192, 768 }, { "mixed_7b", 8, 1280, 192, 2048 }, { "mixed_7c", 8, 2048, 192, 2048 },
};

enum { NAME = 32 };

static const char *sublayer(char *text, const char *module, const char *leaf)
{
    snprintf(text, NAME, "%s/%s", module, leaf);
    return text;
}

trib_status bench_average_pool(int index, trib_graph **out)
{
    const char *name = branches[index].name;
    const int side = branches[index].side, projected = branches[index].out;
    char text[NAME];
    int y[2];
    trib_graph_builder *b = trib_graph_begin(name);
    const int x = trib_add_input(b, "input", branches[index].in, side, side);
    trib_fork fork = trib_fork_open(b, name, x);
    trib_fork_branch(&fork);
    y[0] = trib_add_conv2d(
        b, sublayer(text, name, "rest"), x,
        &(trib_conv2d) { .k = branches[index].joined - projected, .r = 3, .s = 3, .pad = { 1, 1, 1, 1 } });
    trib_fork_branch(&fork);
    y[1] = trib_add_avg_pool2d(b, sublayer(text, name, "pool"), x,
                               &(trib_pool2d) { .r = 3, .s = 3, .pad = { 1, 1, 1, 1 } });
    y[1] =
        trib_add_conv2d(b, sublayer(text, name, "pool_proj"), y[1], &(trib_conv2d) { .k = projected, .r = 1, .s = 1 });
    y[1] = trib_add_relu(b, sublayer(text, name, "relu_pool_proj"), y[1]);
    const int joined = trib_fork_join_concat(&fork, sublayer(text, name, "output"), y, 2);
    trib_graph_mark_output(b, "joined", joined);
    return trib_graph_finish(b, out);
}
