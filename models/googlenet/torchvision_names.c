/* SPDX-License-Identifier: Apache-2.0
 * torchvision's names of GoogLeNet's parameters. Our own names are Caffe's; a table maps them to torchvision's. */
#include <stdio.h>
#include <string.h>

#include "network/row.h"

/* Prefixes of Caffe's and torchvision's names; for layers of a module, the part after the module's name. */
typedef struct name_pair {
    const char *caffe, *torchvision;
} name_pair;

static const name_pair trunk[] = {
    { "conv1/7x7_s2", "conv1.conv" },
    { "conv2/3x3_reduce", "conv2.conv" },
    { "conv2/3x3", "conv3.conv" },
    { "loss1/conv", "aux1.conv.conv" },
    { "loss1/fc", "aux1.fc1" },
    { "loss1/classifier", "aux1.fc2" },
    { "loss2/conv", "aux2.conv.conv" },
    { "loss2/fc", "aux2.fc1" },
    { "loss2/classifier", "aux2.fc2" },
    { "conv1/7x7_s2/bn", "conv1.bn" },
    { "conv2/3x3_reduce/bn", "conv2.bn" },
    { "conv2/3x3/bn", "conv3.bn" },
    { "loss1/conv/bn", "aux1.conv.bn" },
    { "loss2/conv/bn", "aux2.conv.bn" },
    { "loss3/classifier", "fc" },
};

static const name_pair module[] = {
    { "1x1", "branch1" },          { "3x3_reduce", "branch2.0" }, { "3x3", "branch2.1" },
    { "5x5_reduce", "branch3.0" }, { "5x5", "branch3.1" },        { "pool_proj", "branch4.1" },
};

/* Compares all of `name` with `length` characters. */
static bool is(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && !memcmp(name, text, length);
}

static const char *find(const name_pair *pairs, size_t count, const char *text, size_t length)
{
    for (size_t i = 0; i < count; ++i)
        if (is(pairs[i].caffe, text, length)) return pairs[i].torchvision;
    return NULL;
}

/* "inception_3a/3x3_reduce/bn" (`length` characters) + ".weight" -> "inception3a.branch2.0.bn.weight"; false if it does
 * not belong to a module. */
static bool module_name(const char *layer, size_t length, const char *leaf, char *text)
{
    static const char prefix[] = "inception_", bn[] = "/bn";
    const size_t prefix_length = sizeof prefix - 1, bn_length = sizeof bn - 1;
    const char *slash = memchr(layer, '/', length);
    if (!slash || strncmp(layer, prefix, prefix_length)) return false;
    bool normalisation = length > bn_length && !memcmp(layer + length - bn_length, bn, bn_length);
    const char *branch = slash + 1, *end = layer + length - (normalisation ? bn_length : 0);
    const char *found =
        end > branch ? find(module, sizeof module / sizeof *module, branch, (size_t)(end - branch)) : NULL;
    if (!found) return false;
    const char *which = layer + prefix_length;
    snprintf(text, TRIB_NAME_TEXT, "inception%.*s.%s.%s%s", (int)(slash - which), which, found,
             normalisation ? "bn" : "conv", leaf);
    return true;
}

static const char *file_name(const char *canonical, char *text)
{
    const char *leaf = strrchr(canonical, '.');
    const size_t length = leaf ? (size_t)(leaf - canonical) : 0;
    const char *found = leaf ? find(trunk, sizeof trunk / sizeof *trunk, canonical, length) : NULL;
    if (leaf && !found && module_name(canonical, length, leaf, text)) return text;
    snprintf(text, TRIB_NAME_TEXT, "%s%s", found ? found : canonical, found ? leaf : "");
    return text;
}

const trib_dialect trib_torchvision_dialect = { .name = "torchvision",
                                                .file_name = file_name,
                                                .counter = ".num_batches_tracked" };
