/* SPDX-License-Identifier: Apache-2.0
 * Tributary: labelled images to train on, in random order, and threads that make batches of them.
 *
 *     trib_training_set *set;
 *     trib_training_set_open(inputs, count, NULL, &set);
 *     trib_training_loader_options options = { .batch_size = 128, .seed = 1, .position = samples_consumed,
 *                                              .sampling = trib_sampling_find("paper") };
 *     trib_training_loader_create(set, preprocess, &options, &loader);
 *     for (...) {
 *         trib_training_loader_next(loader, &batch);
 *         ... a step with batch->pixels and batch->labels ...
 *         trib_training_loader_give_back(loader, batch);
 *     }
 *
 * Everything random is a function of (seed, epoch, sample): batches are the same bytes for any number of workers, and
 * a loader that starts at the position where another stopped goes on exactly as that would have.
 *
 * Sets and loaders belong to the process that made them, as sources do (dataset.h). */
#ifndef TRIBUTARY_TRAINING_DATA_H
#define TRIBUTARY_TRAINING_DATA_H

#include "tributary/dataset.h"
#include "tributary/sampling.h"

TRIB_BEGIN_DECLS

/* ---- sets ---- */

/* Images with labels, any of which can be read at any time. It can be shared by loaders and threads. */
typedef struct trib_training_set trib_training_set;

typedef enum trib_training_part { TRIB_TRAINING = 0, TRIB_VALIDATION } trib_training_part;

typedef struct trib_training_set_options {
    /* The classes of a network that exists, in its order. NULL: those of the data, in the order of dataset.h. */
    const char *const *class_names;
    int class_count;         /* of class_names; without names, labels must be below it; 0: the largest label + 1 */
    const char *labels_path; /* for a single IDX file, as in trib_source_options */
    /* Images alone: labels are not looked for and TRIB_NO_LABEL, and there are no classes. Not with names or labels. */
    bool unlabelled;
    /* Images for validation. NULL: see trib_training_set_open. */
    const char *const *validation;
    int validation_count;
    /* Share of the images that are put aside for validation, below 1. 0: 0.1, unless there is validation data; less: no
     * validation. More: this share, and validation data that lies beside the inputs is not used. */
    double validation_share;
    int64_t kept_bytes; /* most memory for the pixels of gzipped IDX files; 0: an eighth of what this process may use */
} trib_training_set_options;

/* Opens a training set. `inputs` may be
 *
 *     DIR            class folders: DIR/CLASS/.../IMAGE
 *     DIR            with two folders of class folders, DIR/train and DIR/val (or validation, valid, test: the first
 *                    of these that is there)
 *     shards         plain tar files with .cls members, with {000000..000009} ranges; a scan finds the members
 *     IDX            images with a file of labels beside it; a gzipped one is unpacked to memory
 *     DIR            with an IDX file train-images-idx3-ubyte or train-images-idx3-ubyte.gz
 *
 * What can be read only once is refused: pipes, lists from standard input, gzipped shards.
 *
 * Validation data is, in this order: options->validation; DIR/val; t10k-images-... or test-images-... beside an IDX
 * file train-images-...; a share of the images, chosen by a hash of each name below its input (of its number in an IDX
 * file), so that no image changes sides when others are added or the folder is moved. The images of one sample of a
 * shard stay together.
 *
 * Fails if anything cannot be read or has no valid label (an unreadable folder, a cut shard, a label that is not a
 * class), if there are fewer than two classes, and if a class has no image to train on. A damaged image is found only
 * when it is decoded. `options` may be NULL. */
trib_status trib_training_set_open(const char *const *inputs, int count, const trib_training_set_options *options,
                                   trib_training_set **out);
void trib_training_set_close(trib_training_set *set); /* NULL is fine */

int64_t trib_training_set_count(const trib_training_set *set, trib_training_part part); /* of images */
int trib_training_set_classes(const trib_training_set *set);                            /* their number */
/* NULL: the classes have no names, only numbers. Owned by the set. */
const char *const *trib_training_set_class_names(const trib_training_set *set);
/* Of image `index` of a part: 0 .. count - 1. The name is that of dataset.h, owned by the set. */
int trib_training_set_label(const trib_training_set *set, trib_training_part part, int64_t index);
const char *trib_training_set_name(const trib_training_set *set, trib_training_part part, int64_t index);
/* A hash of what the set consists of: class names, and each image's name below its input, size in bytes, label, and
 * part. It tells whether a run can be resumed with these data; where they lie does not matter. */
uint64_t trib_training_set_hash(const trib_training_set *set);
/* Notes for people, as trib_source_note: how folders were matched, where validation data comes from. */
const char *trib_training_set_note(const trib_training_set *set, int i);

/* ---- order ---- */

/* The order of an epoch: a permutation of 0 .. count - 1 as a function of seed and epoch, in constant memory. Returns
 * the image at `position` of the epoch. count is 1 .. 2^40. */
int64_t trib_training_order(uint64_t seed, int64_t epoch, int64_t position, int64_t count);

/* ---- loader ---- */

/* Worker threads that make batches.
 *
 * A run is one sequence of samples: all images in the order of epoch 0, then in that of epoch 1, and so on, cut into
 * batches. So the last batch of an epoch is filled from the start of the next one, every image comes exactly once per
 * epoch, and the state of a run is one number, the samples consumed.
 *
 * An image that cannot be decoded is replaced by another one, chosen by (seed, epoch, position, try), which does not
 * move any other image. It is listed once. The loader fails if 32 images in a row cannot be read, or more than half of
 * all. */
typedef struct trib_training_loader trib_training_loader;

typedef struct trib_training_loader_options {
    trib_training_part part;
    int batch_size;
    int workers;  /* 0: one per CPU this process may use */
    int prefetch; /* batches made ahead; 0: 2 */
    trib_layout layout;
    bool raw;            /* 8-bit RGB, as in trib_loader_options; needs TRIB_NHWC */
    trib_device *device; /* pixels are in memory of its trib_host_alloc; NULL: ordinary memory */
    trib_decode_options decode;
    int64_t memory_limit; /* for reading and decoding, as in trib_loader_options */
    uint64_t seed;
    int64_t position; /* samples consumed before the first batch */
    int64_t end;      /* batches stop before this position; 0: never */
    /* For validation: one pass over the images as they lie, in which the last batch may be short. A damaged image is
     * not replaced: its label is TRIB_NO_LABEL and its pixels are 0. */
    bool in_order;
    const trib_sampling *sampling; /* copied; NULL: evaluation preprocessing */
} trib_training_loader_options;

typedef struct trib_training_batch {
    int count;          /* batch_size; less only before the end */
    int64_t position;   /* samples consumed before it */
    int64_t step;       /* position / batch_size */
    int64_t epoch;      /* of its first sample */
    bool ends_epoch;    /* the last sample of that epoch is in it */
    const void *pixels; /* count x crop_height x crop_width x 3 in the loader's layout */
    trib_dtype dtype;   /* of pixels: TRIB_F32, or TRIB_U8 with options.raw */
    const int32_t *labels;
    const int64_t *samples; /* index of each row's image in its part */
    const char *const *names;
} trib_training_batch;

/* Starts the workers. Set and preprocess must outlive the loader. Fails if the part has fewer images than a batch, or
 * none with in_order. Memory is bounded as in trib_loader_create: prefetch + 1 batches, and memory_limit. */
trib_status trib_training_loader_create(const trib_training_set *set, const trib_preprocess *preprocess,
                                        const trib_training_loader_options *options, trib_training_loader **out);
/* Stops the workers after their current images. Batches become invalid. NULL is fine. */
void trib_training_loader_destroy(trib_training_loader *loader);
/* The next batch, valid until given back; *out = NULL at the end. Fails if images could not be read (see above; after
 * all earlier batches, and again on later calls), if memory ran out, if cancelled, and with TRIB_INVALID_ARGUMENT if no
 * batch is left to fill because none was given back. */
trib_status trib_training_loader_next(trib_training_loader *loader, const trib_training_batch **out);
void trib_training_loader_give_back(trib_training_loader *loader, const trib_training_batch *batch);
/* Makes current and later calls of trib_training_loader_next fail with TRIB_CANCELLED. Safe from any thread. */
void trib_training_loader_cancel(trib_training_loader *loader);

typedef struct trib_training_loader_stats {
    int64_t decoded;       /* images */
    int64_t damaged;       /* different images that could not be read, in the batches taken so far */
    double wait_seconds;   /* trib_training_loader_next waited for a batch: the loader limits training */
    double read_seconds;   /* summed over workers: reading, and waiting for memory to read into */
    double decode_seconds; /* summed over workers: decoding, sampling, normalising */
} trib_training_loader_stats;
trib_training_loader_stats trib_training_loader_get_stats(const trib_training_loader *loader);

/* The i-th damaged image of the batches taken so far, in the order of their samples, and why; false past the last.
 * Only the first thousand are listed. From the thread that takes batches. */
bool trib_training_loader_damaged(const trib_training_loader *loader, int i, int64_t *sample, trib_status *reason);

TRIB_END_DECLS
#endif
