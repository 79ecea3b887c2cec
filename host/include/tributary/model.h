/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a model file: network, parameters, labels and preprocessing in one safetensors file. */
#ifndef TRIBUTARY_MODEL_H
#define TRIBUTARY_MODEL_H

#include "tributary/declare.h"
#include "tributary/googlenet.h"
#include "tributary/image.h"
#include "tributary/safetensors.h"

TRIB_BEGIN_DECLS

/* Keys of __metadata__ that Tributary writes and reads; a file without them is recognised by names and shapes.
 *
 *   tributary.variant        "bvlc" | "torchvision"
 *   tributary.labels         JSON array of class names, in output order
 *   tributary.preprocessing  JSON object:
 *                              "resize_mode": "short_side" | "squash" | "none",  "resize": 256,
 *                              "interpolation": "bilinear" | "bicubic" | "nearest",
 *                              "resample_order": "horizontal_first" (Pillow up to 12; also when the key is missing)
 *                                                | "cheaper_first" (Pillow 13),
 *                              "crop": [H, W],  "channels": "rgb" | "bgr",
 *                              "scale": 0.00392156862745098,  "mean": [..],  "std": [..]
 *   tributary.provenance     free text: who trained it, on what, how well it does */
typedef struct trib_model trib_model;

typedef struct trib_model_options {
    int height, width; /* input size; 0: the preprocessing's crop */
    bool aux;          /* keep the auxiliary classifiers if the file has them */
} trib_model_options;

/* `options` may be NULL. */
trib_status trib_model_load(const char *path, const trib_model_options *options, trib_model **out);
/* Random parameters from `seed`; path-less models for benchmarks and tests. Preprocessing and labels are the variant's
 * defaults. */
trib_status trib_model_random(const trib_googlenet *net, uint64_t seed, trib_model **out);
void trib_model_destroy(trib_model *model); /* NULL is fine */

const char *trib_model_path(const trib_model *model); /* "random:torchvision:1" for a random one */
const trib_googlenet *trib_model_network(const trib_model *model);
const trib_graph *trib_model_graph(const trib_model *model);
/* One per graph parameter, valid until the model is destroyed. */
const trib_tensor *trib_model_parameters(const trib_model *model);
const trib_preprocess *trib_model_preprocess(const trib_model *model);
bool trib_model_preprocess_is_default(const trib_model *model); /* the file said nothing about it */
/* NULL when the file has no labels. */
const char *trib_model_label(const trib_model *model, int klass);
const char *trib_model_provenance(const trib_model *model); /* NULL when unknown */
/* Tells the system that the file's pages are no longer needed, once parameters are packed by a session. They are read
 * again if used. */
void trib_model_release_pages(const trib_model *model);

TRIB_END_DECLS
#endif
