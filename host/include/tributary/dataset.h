/* SPDX-License-Identifier: Apache-2.0
 * Tributary: where images come from, and a loader that decodes them on worker threads while a device computes.
 *
 * A bad image never stops a run or shifts another image's place: every item has its own index and status.
 *
 * Sources and loaders belong to the process that made them: a child of fork() has no copy of a loader's threads, and
 * would move the parent's position in the files. In a child, trib_source_next, trib_loader_create and trib_loader_next
 * fail with TRIB_INVALID_ARGUMENT, and closing and destroying do nothing: the memory is kept until the child ends. */
#ifndef TRIBUTARY_DATASET_H
#define TRIBUTARY_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/device.h"
#include "tributary/image.h"

TRIB_BEGIN_DECLS

/* ---- sources: a sequence of named images ---- */

enum { TRIB_NO_LABEL = -1 };

/* One image, found but not decoded: encoded bytes, the path of a file, or raw pixels (IDX). */
typedef struct trib_item {
    int64_t index;  /* position in the sequence, from 0; unreadable items count */
    char *name;     /* its name in outputs: the path, "shard.tar/member.jpg", "t10k-images-idx3-ubyte.gz#17" */
    char *path;     /* read this file; NULL when bytes or pixels are given */
    uint8_t *bytes; /* encoded image; NULL when path or image is given */
    size_t size;
    trib_image image; /* raw pixels; otherwise its pixels are NULL */
    int label;        /* class index, or TRIB_NO_LABEL */
    /* Why it cannot be read (a truncated tar member, an unreadable folder); the item then has no data. */
    trib_status status;
} trib_item;
void trib_item_release(trib_item *item);

/* A sequence of items. */
typedef struct trib_source trib_source;

typedef struct trib_source_options {
    bool need_labels; /* read class folders, .cls members and label files; an item without a label fails */
    const char *const *class_names; /* in model order, for class folders; NULL: unknown */
    int class_count;                /* items with larger labels fail; 0: unknown (only without class_names) */
    const char *labels_path; /* IDX label file; NULL: from the name of the image file (images-idx3 -> labels-idx1) */
    /* Files that the caller writes, or will write before it takes the first item ("/dev/stdout" for standard output).
     * Opening a source that would read one fails; an item that turns out to be one fails. Links are resolved; only
     * regular files count. The names are copied. */
    const char *const *outputs;
    int output_count;
} trib_source_options;

/* Whether both paths lead to the same regular file, through any links, or would create the same file. For programs that
 * must not overwrite their input. */
bool trib_same_file(const char *a, const char *b);

/* Opens a sequence of images. `inputs` may be
 *
 *     image files     with any extension
 *     folders         walked now: .jpg .jpeg .jpe .jfif .png .webp, in the byte order of their paths; links are
 *                     followed; a loop, an unreadable folder, or a pipe or device with an image's name is a failed item
 *     @list, -        one path per line of a file, a pipe, or standard input, read as they come; relative paths are
 *                     relative to the current folder (./@name for a file whose name begins with @)
 *     .tar, .tar.gz   WebDataset shards, with {000000..000009} ranges
 *     IDX             files of images, .gz too
 *     pipes           /dev/stdin, <(command), FIFOs: an image, a shard or an IDX file, recognised by its first bytes
 *                     and read once, as it comes; a pipe named in a list or found in a folder is not read
 *
 * Items come in the order of the inputs. A missing input, a folder without images, an unreadable list, or a closed
 * standard input fails here, naming the input. Errors in a pipe are found when it is read, and give a failed item.
 * `options` may be NULL.
 *
 * Some names are ignored and counted (trib_source_passed_over). In folders and shards: files without an image's
 * extension, names that begin with '.', and system files (__MACOSX, Thumbs.db, desktop.ini, @eaDir, lost+found,
 * $RECYCLE.BIN and others) with everything below them; such folders are no classes. In inputs and lists, only ._*
 * files,
 * __MACOSX, Thumbs.db, desktop.ini and @eaDir: an input if its last part has such a name (photos/.hidden and
 * __MACOSX/a.jpg are read), a line of a list if any part has.
 *
 * Class folders, with need_labels: all subfolders of the input folders are classes, over all inputs together.
 *
 * With class_names, a folder has the name or the index (0, 07) of its class; if both match, the name wins. Any byte may
 * be written as %XX: T-shirt%2Ftop is T-shirt/top, %2E a leading dot, %25 a percent sign. A folder that matches no
 * class, or two, and two folders that match one class are errors.
 *
 * Without class_names, folders are class indices if all names are numbers below class_count. Otherwise the classes are
 * the names, with %XX replaced, numbered in the order of the folders' names sorted as strings.
 *
 * How folders were matched, and which classes have no images, is told in notes (trib_source_note).
 *
 * Shards: the members of a sample lie side by side and share their names up to the first dot. NAME.cls is the label of
 * NAME.jpg beside it; KEY.cls, where KEY is the part before the first dot, is that of all images of the sample without
 * a label of their own. Hard and symbolic links to earlier members are read like those; in a gzipped shard or a pipe,
 * only to members of the last 64 MiB, or of a sixteenth of the loader's memory if that is less. Other links, and
 * members that are not files, are failed items if they have an image's name.
 *
 * Memory: one image, or with need_labels the images of one sample (at most 256, or 256 MiB), and 64 MiB for links. */
trib_status trib_source_open(const char *const *inputs, int count, const trib_source_options *options,
                             trib_source **out);
void trib_source_close(trib_source *source); /* NULL is fine */
/* Number of items if known without reading all input (folders, files, IDX), otherwise -1. A damaged .gz may hold fewer.
 */
int64_t trib_source_count(const trib_source *source);
/* The class names that labels index, if the source has class folders and need_labels was set. NULL otherwise, and if
 * the folders are class indices and class_names was NULL. */
const char *const *trib_source_class_names(const trib_source *source, int *count);
/* The i-th note for people about the class folders, a sentence that names the folder; NULL past the last. Owned by the
 * source. */
const char *trib_source_note(const trib_source *source, int i);

/* How many names of one kind were ignored. */
typedef struct trib_passed_over {
    char kind[28]; /* ".gif": files with this extension; "hidden", "._*", "__MACOSX" ...; "link"; "other" */
    int64_t count;
} trib_passed_over;
/* The names ignored so far: *count kinds, sorted. Owned by the source, which changes it while it is read: call this
 * when no loader is reading. */
const trib_passed_over *trib_source_passed_over(const trib_source *source, int *count);
/* "3 .gif, 1 .heic, 2 hidden", cut to `size` bytes including the terminating zero. */
void trib_passed_over_text(const trib_passed_over *kinds, int count, char *text, size_t size);

/* Writes the next item to *item, whose former content is not released; the caller releases the new one. *end = true
 * past the last. Fails only if nothing more can be read at all; later calls fail in the same way. One thread at a time.
 */
trib_status trib_source_next(trib_source *source, trib_item *item, bool *end);

/* ---- loader ---- */

/* Worker threads that turn the items of a source into batches of pixels. */
typedef struct trib_loader trib_loader;

typedef struct trib_loader_options {
    int batch_size; /* images per batch, > 0 */
    int workers;    /* decoding threads; 0: one per CPU this process may use (cpus.h) */
    int prefetch;   /* batches decoded ahead; 0: 2 */
    trib_layout layout;
    bool raw;            /* 8-bit RGB after resize and crop, not normalised, in a quarter of the memory: for a device
                            that normalises (trib_preprocess_normalise); needs TRIB_NHWC */
    int64_t skip;        /* items to skip without decoding (resume) */
    trib_device *device; /* pixels are in memory of this device's trib_host_alloc; it must outlive the loader. NULL:
                            ordinary memory */
    trib_decode_options decode;
    int64_t memory_limit; /* bytes for reading and decoding images (see trib_loader_create); 0: half of what this
                             process may use (memory.h) */
} trib_loader_options;

/* Does the work of a loader with these options for one item, on the calling thread: reads, decodes and preprocesses it
 * into `row`, crop_height x crop_width x 3 numbers. Frees the item's data but keeps item->image.note; the caller still
 * releases the item. */
trib_status trib_item_load(trib_item *item, const trib_preprocess *preprocess, const trib_loader_options *options,
                           void *row);

typedef struct trib_batch_item {
    int64_t index;
    const char *name;
    int label;
    int slot; /* row of `pixels` and of the results, not always in item order; -1 if the item failed */
    trib_status status;
    const char *note; /* that of trib_image_decode; NULL: none */
} trib_batch_item;

typedef struct trib_batch {
    int count;          /* images in `pixels`; 0 if all items failed */
    const void *pixels; /* count x crop_height x crop_width x 3 in the loader's layout */
    trib_dtype dtype;   /* of pixels: TRIB_F32, or TRIB_U8 with options.raw */
    int item_count;     /* items in source order, failed ones included */
    const trib_batch_item *items;
} trib_batch;

/* Starts the workers. Source and preprocess must outlive the loader.
 *
 * Memory is bounded, whatever the images and the number of workers: prefetch + 1 batches of pixels, and memory_limit
 * bytes. Workers wait for each other when images are large. Of the limit, encoded images (files, members of a tar
 * shard, images of an IDX file) may take an eighth each and three eighths together, decoding and resizing five eighths
 * (trib_image_info.decode_bytes tells how much an image takes). An image that needs more fails with TRIB_UNSUPPORTED,
 * and the message names the limit. The one exception is a lossless WebP that only might need more than five eighths
 * (trib_image_info.doubtful_bytes, at most 1.3 GB): it is decoded while no other image is. Not counted are the file
 * lists of a source, and freed memory that the allocator keeps: glibc keeps up to 64 MB per thread unless the program
 * calls mallopt(M_MMAP_THRESHOLD, 1 << 20), as `tributary` does when memory is short. */
trib_status trib_loader_create(trib_source *source, const trib_preprocess *preprocess,
                               const trib_loader_options *options, trib_loader **out);
/* Stops the workers, after their current images. Batches that were not given back become invalid; items that were read
 * ahead are lost, so the source's next item is undefined. NULL is fine. */
void trib_loader_destroy(trib_loader *loader);
/* The next batch in source order, valid until given back; *out = NULL at the end. Every batch is full, except the last
 * and those with more than a thousand failed items. Fails if the source fails (after all earlier items), if cancelled,
 * and with TRIB_INVALID_ARGUMENT if none of the prefetch + 1 batches was given back. */
trib_status trib_loader_next(trib_loader *loader, const trib_batch **out);
void trib_loader_give_back(trib_loader *loader, const trib_batch *batch);
/* Makes current and later calls of trib_loader_next fail with TRIB_CANCELLED. Safe from any thread. */
void trib_loader_cancel(trib_loader *loader);

typedef struct trib_loader_stats {
    int64_t decoded, failed;
    double decode_seconds; /* summed over workers: reading, decoding, resizing, normalising */
    double wait_seconds;   /* time trib_loader_next waited for batches */
} trib_loader_stats;
trib_loader_stats trib_loader_get_stats(const trib_loader *loader);

TRIB_END_DECLS
#endif
