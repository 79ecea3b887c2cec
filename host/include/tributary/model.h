/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a model file: network, parameters, labels and preprocessing in one file. Its first bytes tell its format;
 * so far that is safetensors. */
#ifndef TRIBUTARY_MODEL_H
#define TRIBUTARY_MODEL_H

#include "tributary/declare.h"
#include "tributary/image.h"
#include "tributary/network.h"
#include "tributary/safetensors.h"

TRIB_BEGIN_DECLS

/* Keys of the file's metadata (safetensors: __metadata__) that Tributary writes and reads; a file without them is
 * recognised by names and shapes.
 *
 *   tributary.variant        name of the network: "bvlc", "torchvision"
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

/* Reads what is needed of a file, or a pipe ("/dev/stdin", a shell's <(...)) to its end, into memory: what happens to
 * the file afterwards changes nothing. `options` may be NULL. A file of another format (PyTorch's, ONNX, HDF5, ...) is
 * TRIB_UNSUPPORTED and told by name; one that holds no weights at all, or is damaged, is TRIB_BAD_DATA. */
trib_status trib_model_load(const char *path, const trib_model_options *options, trib_model **out);
/* Random parameters from `seed`, for benchmarks and tests. Preprocessing is what is guessed for a file of the network's
 * own dialect (trib_model_preprocess_guess); there are no labels. */
trib_status trib_model_random(const trib_network_spec *net, uint64_t seed, trib_model **out);
void trib_model_destroy(trib_model *model); /* NULL is fine */

const char *trib_model_path(const trib_model *model);                 /* "random:torchvision:1" for a random one */
const trib_network_spec *trib_model_network(const trib_model *model); /* all of it known */
const trib_graph *trib_model_graph(const trib_model *model);
/* One per graph parameter, valid until the model is destroyed; their data until it is released. */
const trib_tensor *trib_model_parameters(const trib_model *model);
/* Frees the memory of all parameters, about the file's size. Sessions have packed copies and go on; another one cannot
 * be created from this model, whose parameters have NULL for data from now on. */
void trib_model_release_parameters(trib_model *model);
const trib_preprocess *trib_model_preprocess(const trib_model *model);
/* NULL when the file says what its preprocessing is (and for random models). Else it had to be guessed, and this tells,
 * in a sentence for people, what was guessed and from what. A wrong guess does not fail, it makes wrong predictions:
 * show the sentence, and use preprocessing of your own where you know better. The rule: 1000 classes and torchvision's
 * names are taken for torchvision's own weights, mean and std 0.5; 1000 classes and Caffe's names for BVLC's; with
 * other class counts it cannot be known, and ImageNet's mean and std, or BVLC's, are taken. */
const char *trib_model_preprocess_guess(const trib_model *model);
/* NULL when the file has no labels. */
const char *trib_model_label(const trib_model *model, int klass);
const char *trib_model_provenance(const trib_model *model); /* NULL when unknown */

TRIB_END_DECLS
#endif
