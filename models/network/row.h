/* SPDX-License-Identifier: Apache-2.0
 * The rows of networks and dialects. A new network is a folder with a row, and its name in networks.c. */
#ifndef TRIBUTARY_MODELS_NETWORK_ROW_H
#define TRIBUTARY_MODELS_NETWORK_ROW_H

#include "tributary/network.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_NAME_TEXT = 128, TRIB_MAX_CLASSES = 1000000, TRIB_MAX_WIDTH_MULTIPLIER = 16 };

struct trib_dialect {
    const char *name; /* "torchvision" */
    /* The file's name of the parameter called `canonical`; `text` has TRIB_NAME_TEXT bytes and is returned. */
    const char *(*file_name)(const char *canonical, char *text);
    const char *counter; /* suffix of tensors that inference does not use; NULL: there are none */
};

struct trib_network {
    const char *name, *alias; /* alias: NULL for none */
    const char *graph_name, *family, *summary;
    int classes, height, width; /* defaults */
    const void *variant;        /* the builder's */
    /* Has the same parameters as that network, which files are taken for unless they say otherwise; NULL: its
     * parameters tell it from all others. */
    const trib_network *tensors_of;
    /* Adds all layers and outputs of a resolved spec. */
    void (*build)(trib_graph_builder *builder, const trib_network_spec *spec);
    const char *first_weight, *classifier; /* canonical names; a file without the first is not of this network */
    /* Prefixes of the auxiliary classifiers' layers, the last of which is PREFIX/classifier; ends in NULL; NULL: none.
     */
    const char *const *auxiliary;
    const trib_dialect *const *dialects; /* NULL at the end; the network's own first */
    const trib_init_rule *init;          /* by which its authors began; NULL: He's */
    const trib_network_column *columns;  /* in the order of a module's figure; a NULL leaf at the end */
};

extern const trib_network trib_googlenet_bvlc, trib_googlenet_torchvision, trib_googlenet_bvlc_floor;
extern const trib_dialect trib_caffe_dialect, trib_torchvision_dialect;
extern const trib_init_rule trib_init_xavier, trib_init_he, trib_init_truncated_normal;

/* Whether the layer is an output of the graph: its channels are classes. */
bool trib_is_classifier(const trib_graph *graph, int layer);

/* Whether `name` in a file of the dialect belongs to an auxiliary classifier; without `module.` and its like. */
bool trib_is_auxiliary(const trib_network *network, const trib_dialect *dialect, const char *bare_name);

/* file_name of a dialect with the canonical names. */
const char *trib_canonical_name(const char *canonical, char *text);

/* Writes "PREFIX/LEAF", the name of a module's layer, into `text` of TRIB_NAME_TEXT bytes; returns `text`. */
const char *trib_sublayer(char *text, const char *prefix, const char *leaf);

/* Channels at a width: the nearest multiple of 8, for vector units and tensor cores; at least 8. */
int trib_scaled_channels(int channels, double width_multiplier);

#ifdef __cplusplus
}
#endif
#endif
