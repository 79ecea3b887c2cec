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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/device.h"
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
    const char *const *class_names; /* class names in model order, for class folders; NULL: not known */
    int class_count;         /* an item with a label beyond it gets a status; 0: not known (only without class_names) */
    const char *labels_path; /* IDX label file, NULL: guessed from the image file's name (images-idx3 -> labels-idx1) */
    /* Files that the caller writes, or will write before it takes the first item ("/dev/stdout" for standard output):
     * opening a source fails when it would read one, and an item that turns out to be one gets a status instead. Links
     * are resolved; only regular files count. Copied. */
    const char *const *outputs;
    int output_count;
} trib_source_options;

/* Whether both lead to one regular file, by whatever links, or would make one that does not exist yet. For programs
 * that write beside what they read. */
bool trib_same_file(const char *a, const char *b);

/* `inputs`:
 *     image files     whatever their extension
 *     folders         walked now: .jpg .jpeg .jpe .jfif .png .webp, in the byte order of the paths; links are
 *                     followed; a loop, an unreadable folder, a pipe or device with an image's name: a failed item
 *     @list, -        a path per line of a file, a pipe, or standard input, read as they come; relative paths are
 *                     relative to the current folder (./@name for a file whose name begins with @)
 *     .tar, .tar.gz   WebDataset shards, with {000000..000009} ranges
 *     IDX             files of images, .gz too
 *     pipes           /dev/stdin, <(command), FIFOs: an image, a shard or an IDX file, recognised by its first bytes
 *                     and read as it comes, once; a pipe named in a list or found in a folder is not read
 *
 * Items come in the order of the inputs. A missing input, a folder without images, an unreadable list, or a closed
 * standard input that is to be read fails here, naming it; what is wrong with a pipe is found at its turn and is a
 * failed item. `options` may be NULL.
 *
 * Passed over and counted (trib_source_passed_over) are, in folders and shards, files that are no images by their
 * names; names that begin with '.'; and what systems leave beside people's files: __MACOSX, Thumbs.db, desktop.ini,
 * @eaDir, lost+found, $RECYCLE.BIN and others, with all that is below them. Such folders are no classes either. Where
 * a path was written down, in a list or as an input, only ._* files and __MACOSX, Thumbs.db, desktop.ini and @eaDir
 * are: of an input if its last part is called so (photos/.hidden and __MACOSX/a.jpg are read), of a list's line if any
 * part is.
 *
 * Class folders, with need_labels: all folders in a folder are classes, over all inputs together.
 *
 *     With class_names, a folder has the name of its class, or the class's index (0, 07); a name goes before an index.
 *     Any byte may be spelled %XX, so that T-shirt%2Ftop is T-shirt/top, %2E a dot in front, %25 a percent sign. A
 *     folder that is no class, that may be two, or two folders that are one class fail.
 *
 *     Without, folders whose names are all numbers below class_count are class indices. Else the classes are the
 *     names, %XX replaced, numbered in the order of the folders' names sorted as strings.
 *
 * What was guessed, and classes without images, are notes (trib_source_note).
 *
 * Shards: the members of a sample lie side by side and share their names up to the first dot. NAME.cls beside NAME.jpg
 * is its label, and KEY.cls, KEY being the part before the first dot, that of the images without one of their own. Hard
 * and symbolic links to members that came before are read like these; of a gzipped shard or a pipe, to those of the
 * last 64 MiB, or of a sixteenth of the loader's memory if that is less. Other links, and members that are no files,
 * are failed items if they have an image's name.
 *
 * Memory: one image, with need_labels those of one sample (at most 256, or 256 MiB), and 64 MiB for links. */
trib_status trib_source_open(const char *const *inputs, int count, const trib_source_options *options,
                             trib_source **out);
void trib_source_close(trib_source *source); /* NULL is fine */
/* Number of items when it is known without reading everything (folders, files, IDX), else -1. A damaged .gz may turn
 * out to hold fewer. */
int64_t trib_source_count(const trib_source *source);
/* Class names that labels are places in when the source has class folders and labels are needed; else, and when the
 * folders are class indices and class_names was NULL, NULL. */
const char *const *trib_source_class_names(const trib_source *source, int *count);
/* The i-th thing that people should know about the class folders, a sentence that names the folder; NULL past the last.
 * The source owns it. */
const char *trib_source_note(const trib_source *source, int i);

/* So many names of a kind were passed over. */
typedef struct trib_passed_over {
    char kind[28]; /* ".gif": files with this extension; "hidden", "._*", "__MACOSX" ...; "link"; "other" */
    int64_t count;
} trib_passed_over;
/* What was passed over so far, *count kinds sorted by name. The source owns it and changes it while it is read: ask
 * when no loader reads. */
const trib_passed_over *trib_source_passed_over(const trib_source *source, int *count);
/* "3 .gif, 1 .heic, 2 hidden", cut to `size` with its zero byte. */
void trib_passed_over_text(const trib_passed_over *kinds, int count, char *text, size_t size);

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
    bool raw;            /* 8-bit RGB after resize and crop, not normalised, a quarter of the memory: for a device that
                            normalises (trib_preprocess_normalise); needs TRIB_NHWC */
    int64_t skip;        /* items to pass over without decoding (resume) */
    trib_device *device; /* pixels lie in memory that this device copies as it lies (trib_host_alloc), which must
                            outlive the loader; NULL: in ordinary memory */
    trib_decode_options decode;
    int64_t memory_limit; /* bytes for images before they are pixels of a batch (see trib_loader_create), 0: half of
                             what this process may use (memory.h) */
} trib_loader_options;

/* Does for one item of a source, on the calling thread, what a loader with these options does: reads, decodes and
 * preprocesses it into `row`, crop_height x crop_width x 3 numbers. Frees the item's data, and leaves
 * item->image.note; release the item still. */
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
