/* SPDX-License-Identifier: Apache-2.0
 * Tributary: where images come from, and a loader that decodes them on worker threads while a device computes.
 *
 * One bad image never stops a run and never shifts another's place: every item keeps its index and carries its own
 * status.
 *
 * Sources and loaders belong to the process that made them: a child of fork() has no copy of a loader's threads, and
 * would move the parent's place in the files. There, trib_source_next, trib_loader_create and trib_loader_next fail
 * with TRIB_INVALID_ARGUMENT, and closing and destroying do nothing: what they hold stays until the child ends. */
#ifndef TRIBUTARY_DATASET_H
#define TRIBUTARY_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/image.h"

TRIB_BEGIN_DECLS

/* ---- sources: a sequence of named images ---- */

enum { TRIB_NO_LABEL = -1 };

/* One image, found but not decoded. A source gives either encoded bytes, a path to read them from, or raw pixels (IDX).
 */
typedef struct trib_item {
    int64_t index;  /* position in the sequence, from 0, counting unreadable ones too */
    char *name;     /* what outputs call it: the path, "shard.tar/member.jpg", "t10k-images-idx3-ubyte.gz#17" */
    char *path;     /* read this file; NULL when bytes or pixels are given */
    uint8_t *bytes; /* encoded image; NULL when path or image is given */
    size_t size;
    trib_image image; /* decoded already; pixels NULL otherwise */
    int label;        /* class index, or TRIB_NO_LABEL */
    trib_status
        status; /* why it cannot be read (a truncated tar member, an unreadable folder); the item then has no data */
} trib_item;
void trib_item_release(trib_item *item);

typedef struct trib_source trib_source;

typedef struct trib_source_options {
    bool need_labels; /* eval: class folders, .cls members, label files; an item without one gets a status */
    /* Class names in model order, for class folders: a folder's label is its place here; NULL: folder names sorted as
     * strings. */
    const char *const *class_names;
    int class_count;         /* an item with a label beyond it gets a status; 0: not known (only without class_names) */
    const char *labels_path; /* IDX label file, NULL: guessed from the image file's name (images-idx3 -> labels-idx1) */
} trib_source_options;

/* `inputs`:
 *     image files     whatever their name
 *     folders         walked now: .jpg .jpeg .png .webp, in the byte order of the paths; links are followed, and a loop
 *                     or an unreadable folder is one failed item
 *     @list, -        a path per line of a file or of standard input, read as they come; relative paths are relative to
 *                     the current folder (./@name for a file whose name begins with @)
 *     .tar, .tar.gz   WebDataset shards, with {000000..000009} ranges
 *     IDX             files of images, .gz too
 * Items come in the order of the inputs. A missing input, a folder without images, or an unreadable list fails here,
 * naming it. With need_labels, all folders in a folder are classes, over all inputs together. `options` may be NULL. */
trib_status trib_source_open(const char *const *inputs, int count, const trib_source_options *options,
                             trib_source **out);
void trib_source_close(trib_source *source); /* NULL is fine */
/* Number of items when it is known without reading everything (folders, files, IDX), else -1. A damaged .gz may turn
 * out to hold fewer. */
int64_t trib_source_count(const trib_source *source);
/* Class names that labels are places in when the source has class folders and labels are needed, else NULL. */
const char *const *trib_source_class_names(const trib_source *source, int *count);
/* The next item (release it), overwriting what is in *item; *end = true past the last. Fails only when nothing more can
 * be read at all; later calls fail in the same way. One thread at a time. */
trib_status trib_source_next(trib_source *source, trib_item *item, bool *end);

/* ---- loader ---- */

typedef struct trib_loader trib_loader;

typedef struct trib_loader_options {
    int batch_size; /* images per batch, > 0 */
    int workers;    /* decoding threads, 0: one per CPU this process may use (cpus.h) */
    int prefetch;   /* batches decoded ahead, 0: 2 */
    trib_layout layout;
    bool raw;     /* 8-bit RGB after resize and crop, not normalised, a quarter of the memory: for a device that
                     normalises (trib_preprocess_normalise); needs TRIB_NHWC */
    int64_t skip; /* items to pass over without decoding (resume) */
    trib_decode_options decode;
    int64_t memory_limit; /* bytes for images before they are pixels of a batch (see trib_loader_create), 0: half of
                             what this process may use (memory.h) */
} trib_loader_options;

/* Does for one item of a source, on the calling thread, what a loader with these options does: reads, decodes and
 * preprocesses it into `row`, crop_height x crop_width x 3 numbers. Frees the item's data; release the item still. */
trib_status trib_item_load(trib_item *item, const trib_preprocess *preprocess, const trib_loader_options *options,
                           void *row);

typedef struct trib_batch_item {
    int64_t index;
    const char *name;
    int label;
    int slot; /* row of `pixels` and of the results, not always in the order of items; -1 when the item failed */
    trib_status status;
    const char *note; /* the image's, as trib_image_decode gives it; NULL: none */
} trib_batch_item;

typedef struct trib_batch {
    int count;          /* images in `pixels`; 0 when all items failed */
    const void *pixels; /* count x crop_height x crop_width x 3 in the loader's layout */
    trib_dtype dtype;   /* of pixels: TRIB_F32, or TRIB_U8 from a loader of raw ones */
    int item_count;     /* items in source order, failed ones included */
    const trib_batch_item *items;
} trib_batch;

/* Owns nothing of its arguments: source and preprocess must outlive it.
 *
 * Memory, whatever the images are: prefetch + 1 batches of pixels, and memory_limit bytes, whatever number of workers
 * there are. Workers wait for each other when images are large. Of the limit, encoded images (files, members of a tar
 * shard, images of an IDX file) may have an eighth each and three eighths together, decoding and resizing five eighths
 * (trib_image_info.decode_bytes tells how much an image takes). An image that needs more fails with TRIB_UNSUPPORTED,
 * and its message names the limit. Only where a lossless WebP takes more than five eighths in doubt
 * (trib_image_info.doubtful_bytes, at most 1.3 GB), it is decoded while no other image is. Not counted: the lists of
 * files that a source keeps, and what the allocator does not give back: glibc keeps up to 64 MB for each thread unless
 * the program calls mallopt(M_MMAP_THRESHOLD, 1 << 20), as `tributary` does where memory is short. */
trib_status trib_loader_create(trib_source *source, const trib_preprocess *preprocess,
                               const trib_loader_options *options, trib_loader **out);
/* Stops the workers, waiting for what they are doing. Batches that are out go with it, and so do items that were read
 * ahead: what the source gives next is not defined. NULL is fine. */
void trib_loader_destroy(trib_loader *loader);
/* The next batch in source order, valid until given back; *out = NULL at the end. Every batch is full but the last, and
 * but one with more than a thousand failed items in it. Fails when the source does (after what came before it), when
 * cancelled, and with TRIB_INVALID_ARGUMENT when all prefetch + 1 batches are out. */
trib_status trib_loader_next(trib_loader *loader, const trib_batch **out);
void trib_loader_give_back(trib_loader *loader, const trib_batch *batch);
/* Makes a waiting or later trib_loader_next fail with TRIB_CANCELLED. Safe from any thread. */
void trib_loader_cancel(trib_loader *loader);

typedef struct trib_loader_stats {
    int64_t decoded, failed;
    double decode_seconds; /* summed over workers: reading, decoding, resizing, normalising */
    double wait_seconds;   /* trib_loader_next waited this long for a batch */
} trib_loader_stats;
trib_loader_stats trib_loader_get_stats(const trib_loader *loader);

TRIB_END_DECLS
#endif
