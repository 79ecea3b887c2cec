/* SPDX-License-Identifier: Apache-2.0
 * An input of a source: a file, pipe, folder, list, tar shard or IDX file, behind a small interface. */
#ifndef TRIB_DATA_INPUT_H
#define TRIB_DATA_INPUT_H

#include "data/names.h"
#include "data/passed_over.h"
#include "data/reader.h"
#include "tributary/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

struct trib_outputs;
typedef struct trib_input trib_input;

typedef struct trib_input_kind {
    /* Fills an empty item (all but its index), or sets *end. Fails only if nothing more can be read at all; errors of
     * one item go to item->status. */
    trib_status (*next)(trib_input *input, trib_item *item, bool *end);
    int64_t (*count)(const trib_input *input); /* optional: NULL if the number is known only at the end */
    /* (optional) Random access: fills an item with the data of the image that was located at `place`, or with its path.
     * NULL: the input can be read only once. Safe from any thread. */
    trib_status (*load)(const trib_input *input, const char *name, int64_t place, int64_t most_bytes, trib_item *item);
    /* (optional) Frees what only `next` needs. */
    void (*forget)(trib_input *input);
    void (*close)(trib_input *input);
} trib_input_kind;

/* First member of each kind's own struct. */
struct trib_input {
    const trib_input_kind *kind;
    size_t root;   /* length of the input's own path, with which its items' names begin; 0: they do not */
    bool one_size; /* all its images have it: an IDX file */
    bool samples;  /* items whose names are equal up to the first dot belong together */
};

/* Shared by all inputs of a source; outlives them. */
typedef struct trib_input_context {
    bool need_labels;
    int wake_fd; /* waiting reads end with TRIB_CANCELLED once this is readable; -1: never */
    /* Maximum bytes of an item; an input holds at most as much again of what follows. 0: only the kind's own limits. */
    int64_t most_bytes;
    /* Items are only located: they have no data, `index` is their place for load(), and `size` the bytes that load()
     * will give, or 0 if these are not known without opening the image's file. */
    bool locate;
    int64_t most_kept; /* with `locate`: most memory for data that cannot be found again in a file */
    trib_passed_list *passed_over;
    struct trib_outputs *outputs; /* files of the caller's that no input may read */
} trib_input_context;

/* Fails if an image of `bytes` bytes is too large for an input. */
trib_status trib_input_check_size(int64_t most_bytes, const char *name, int64_t bytes);

trib_status trib_file_input_open(const char *path, trib_input **out);
/* An image, a tar shard or an IDX file that can be read only once. Opened and recognised at its turn, because its
 * writer may wait until another pipe has been read. `labels_path` as for IDX files; may be NULL. */
trib_status trib_pipe_input_open(const trib_input_context *context, const char *path, const char *labels_path,
                                 trib_input **out);
/* `path` "-": standard input. */
trib_status trib_list_input_open(const trib_input_context *context, const char *path, trib_input **out);
/* `opened`: the reader to use, taken also on failure; NULL: the file at `path` is opened at its turn. */
trib_status trib_tar_input_open(const trib_input_context *context, const char *path, trib_reader *opened,
                                trib_input **out);
/* `opened` as above, but read at once. `labels_path` NULL: derived from `path` if labels are needed. */
trib_status trib_idx_input_open(const trib_input_context *context, const char *path, trib_reader *opened,
                                const char *labels_path, trib_input **out);

/* Walks the whole folder; fails if an output is one of its images. */
trib_status trib_folder_input_open(const trib_input_context *context, const char *path, trib_input **out);
const char *trib_folder_path(const trib_input *folder);
/* Names of its direct subfolders; `used[i]`: there is an image in or below it. */
const char *const *trib_folder_classes(const trib_input *folder, int *count, const bool **used);
/* Images in or below the i-th subfolder get the label map[i]. */
void trib_folder_set_labels(trib_input *folder, const int *map);

/* Sets the labels of all class folders, and lists the class names they refer to (none if the folders are class indices
 * and `options` has no names). `notes`: what was guessed, and oddities. */
trib_status trib_assign_classes(trib_input *const *folders, size_t folder_count, const trib_source_options *options,
                                trib_names *names, trib_names *notes);
/* Replaces each %XX by its byte, in place; false, without changes, if there is none. */
bool trib_decode_class_name(char *name);
/* The value of a name that is a number below `limit`; otherwise -1. */
int trib_class_index(const char *name, int limit);

/* "shard-{000..009}.tar" to 10 names; a name without braces to itself. */
trib_status trib_expand_ranges(const char *pattern, trib_names *names);

/* ---- items ---- */
trib_status trib_item_set_path(trib_item *item, const char *path);
/* Gives an item its name and the reason why it has no data. */
trib_status trib_item_set_failure(trib_item *item, const char *name, const trib_status *reason);

/* Fails in a child of the process that opened the source. */
trib_status trib_source_check_process(const trib_source *source);
/* Takes the last item back, which trib_source_next then gives again. */
void trib_source_return(trib_source *source, trib_item *item);
/* Sets most_bytes of all inputs. */
void trib_source_limit(trib_source *source, int64_t most_bytes);
/* From now on, items are only located (context.locate). */
void trib_source_locate(trib_source *source, int64_t most_kept);
/* The input of the last item. */
size_t trib_source_current(const trib_source *source);
trib_input *trib_source_input(const trib_source *source, size_t i); /* NULL past the last */
/* Makes a worker that waits inside trib_source_next return TRIB_CANCELLED, until cleared. */
void trib_source_interrupt(trib_source *source);
void trib_source_clear_interrupt(trib_source *source);

trib_status trib_no_memory(const char *what); /* "WHAT: out of memory" */

#ifdef __cplusplus
}
#endif
#endif
