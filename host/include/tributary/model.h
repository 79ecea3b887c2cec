/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a model: network, parameters, labels and preprocessing, from one file. The format is recognised by the
 * first bytes of the file: safetensors, what PyTorch's torch.save wrote, Caffe's .caffemodel, or ONNX. */
#ifndef TRIBUTARY_MODEL_H
#define TRIBUTARY_MODEL_H

#include "tributary/declare.h"
#include "tributary/image.h"
#include "tributary/network.h"
#include "tributary/safetensors.h"

TRIB_BEGIN_DECLS

/* A model in memory.
 *
 * Tributary writes and reads these keys of the file's metadata (in safetensors: __metadata__, in ONNX: metadata_props).
 * A file without them is recognised by the names and shapes of its tensors, or by its graph.
 *
 *   tributary.variant        name of the network: "bvlc", "torchvision", "bvlc-floor"
 *   tributary.labels         JSON array of class names, in output order
 *   tributary.preprocessing  JSON object:
 *                              "resize_mode": "short_side" | "squash" | "none",  "resize": 256,
 *                              "interpolation": "bilinear" | "bicubic" | "nearest" | "area",
 *                              "resample_order": "horizontal_first" (Pillow up to 12; the default)
 *                                                | "cheaper_first" (Pillow 13),
 *                              "crop": [H, W],  "channels": "rgb" | "bgr",
 *                              "scale": 0.00392156862745098,  "mean": [..],  "std": [..]
 *   tributary.provenance     free text: who trained it, on which data, with what accuracy */
typedef struct trib_model trib_model;

typedef struct trib_model_options {
    int height, width; /* input size; 0: the preprocessing's crop */
    bool aux;          /* keep the auxiliary classifiers if the file has them */
    /* Files that Caffe's models come with; NULL: none. A prototxt is compared with the network, and says the size of
     * the input (unless `height` and `width` do), scale and mean where it has them. Of a mean image (.binaryproto) the
     * mean of each channel is taken. */
    const char *prototxt, *mean_file;
} trib_model_options;

/* Reads a file, or a pipe ("/dev/stdin", a shell's <(...)) to its end, into memory. Later changes to the file have no
 * effect. The folder of a training run is read as its finished model, or its best checkpoint so far, or its last.
 * `options` may be NULL. A file of another format (HDF5, TensorFlow's, ...) fails with TRIB_UNSUPPORTED, naming the
 * format; a damaged file, or one that holds no weights, with TRIB_BAD_DATA. Nothing in a PyTorch file is executed. */
trib_status trib_model_load(const char *path, const trib_model_options *options, trib_model **out);
/* Whether `path` is a regular file that begins like a model, or the folder of a training run: for command lines where
 * models and images stand side by side. Images, IDX files and tar shards are none; pipes are not read and are none, nor
 * is what cannot be opened. Whether the file holds a network, loading finds. Fails for a run without a checkpoint. */
trib_status trib_model_recognise(const char *path, bool *is_model);
/* A network with random parameters from `seed`, for benchmarks and tests. It has no labels; its preprocessing is what
 * would be guessed for a file in the network's own dialect (trib_model_preprocess_guess). */
trib_status trib_model_random(const trib_network_spec *net, uint64_t seed, trib_model **out);
void trib_model_destroy(trib_model *model); /* NULL is fine */

/* Formats that models are written in. */
typedef enum trib_model_format {
    TRIB_MODEL_SAFETENSORS = 0, /* with Tributary's metadata */
    /* A state_dict as torch.save writes it. Labels, preprocessing and provenance have no place in it, nor the name of a
     * network that its tensors do not tell ("bvlc-floor"), which is refused. */
    TRIB_MODEL_PYTORCH,
    /* The graph up to the logits, of opset 17, for images of the model's size in batches of any; batch norms are nodes
     * of their own. metadata_props hold Tributary's metadata. Auxiliary classifiers are left out. */
    TRIB_MODEL_ONNX,
    /* A .caffemodel of newer layers, for networks whose layers Caffe has ("bvlc"), in float32. Of the preprocessing it
     * holds scale and mean, if they are no guess and are for BGR from 0 to 255; no labels and no provenance. */
    TRIB_MODEL_CAFFE
} trib_model_format;

typedef struct trib_model_save_options {
    trib_model_format format;
    const trib_dtype *dtype;           /* f32, f16 or bf16, rounded to nearest; NULL: as they are */
    const char *labels;                /* a file with a name per line, class 0 first; NULL: the model's labels */
    const trib_preprocess *preprocess; /* NULL: the model's. The provenance says what is a guess */
    const char *prototxt; /* of Caffe: the network as text, without auxiliary classifiers, replaces this file, just
                             before the model does; NULL: none is written */
} trib_model_save_options;

/* Writes the parameters, by their names in the model's dialect, to a file that replaces `path` once it is complete; the
 * same model gives the same bytes. The provenance names the model's file and its SHA-256. Fails if a value is too large
 * for the element type, and with TRIB_UNSUPPORTED if the format has no such layer or element type. `options` may be
 * NULL. */
trib_status trib_model_save(const trib_model *model, const char *path, const trib_model_save_options *options);

const char *trib_model_path(const trib_model *model);                 /* "random:torchvision:1" for a random one */
const trib_network_spec *trib_model_network(const trib_model *model); /* without zeros */
const trib_graph *trib_model_graph(const trib_model *model);
/* One per graph parameter. Valid until the model is destroyed; their data until it is released. */
const trib_tensor *trib_model_parameters(const trib_model *model);
/* Frees the memory of all parameters, about the size of the file; their data become NULL. Existing sessions have packed
 * copies and keep working; new sessions cannot be created from this model. */
void trib_model_release_parameters(trib_model *model);
const trib_dialect *trib_model_dialect(const trib_model *model); /* the names of parameters in its file */
const trib_preprocess *trib_model_preprocess(const trib_model *model);
/* NULL if the file says how to preprocess images, and for random models. Otherwise all of the preprocessing, or part of
 * it, was guessed, and this is a sentence for people that says what was guessed and why. A wrong guess does not fail
 * but gives wrong predictions: show the sentence, and pass your own preprocessing if you know better. The rule: 1000
 * classes and torchvision's names are taken for torchvision's own weights (mean and std 0.5), 1000 classes and Caffe's
 * names for BVLC's; for other class counts ImageNet's mean and std, or BVLC's, are assumed. */
const char *trib_model_preprocess_guess(const trib_model *model);
/* NULL if the file has no labels. */
const char *trib_model_label(const trib_model *model, int klass);
/* What was assumed or left out in reading a file of another program, as a sentence for people: show it. NULL: nothing.
 */
const char *trib_model_note(const trib_model *model);
const char *trib_model_provenance(const trib_model *model); /* NULL when unknown */
/* How many of its file's tensors it does not use: counters of batch norms (num_batches_tracked), the state of a
 * training, and auxiliary classifiers that were not asked for. */
int trib_model_unused_tensors(const trib_model *model);

TRIB_END_DECLS
#endif
