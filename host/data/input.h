/* SPDX-License-Identifier: Apache-2.0
 * One input of a source: a file, a folder, a list, a tar shard or an IDX file, behind one small interface. */
#ifndef TRIB_DATA_INPUT_H
#define TRIB_DATA_INPUT_H

#include "data/names.h"
#include "tributary/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_input trib_input;

typedef struct trib_input_kind {
    /* Fills an empty item (all but its index), or sets *end. A failure means that nothing more can be read at all; what
     * spoils one item only belongs into item->status. */
    trib_status (*next)(trib_input *input, trib_item *item, bool *end);
    int64_t (*count)(const trib_input *input); /* optional: NULL when only reading everything would tell */
    void (*close)(trib_input *input);
} trib_input_kind;

/* First member of every kind's own struct. */
struct trib_input {
    const trib_input_kind *kind;
    /* Most bytes that an item may hold when it is given; the input reads ahead at most as much again. 0: only the
     * kind's own limits. */
    int64_t most_bytes;
};

/* Fails when an image of `bytes` bytes is more than an input may hold. */
trib_status trib_input_check_size(int64_t most_bytes, const char *name, int64_t bytes);

trib_status trib_file_input_open(const char *path, trib_input **out);
/* `path` "-": standard input. `wake_fd`: a waiting read gives up with TRIB_CANCELLED once this is readable. */
trib_status trib_list_input_open(const char *path, int wake_fd, trib_input **out);
trib_status trib_tar_input_open(const char *path, bool need_labels, trib_input **out);
/* `labels_path` NULL: guessed from `path` when `need_labels`, else no labels. */
trib_status trib_idx_input_open(const char *path, bool need_labels, const char *labels_path, trib_input **out);

/* Walks the whole folder. */
trib_status trib_folder_input_open(const char *path, trib_input **out);
const char *trib_folder_path(const trib_input *folder);
/* Names of the folders directly inside it; `used[i]` tells whether there is an image in or below it. */
const char *const *trib_folder_classes(const trib_input *folder, int *count, const bool **used);
/* Images in or below the i-th of these get the label map[i]. */
void trib_folder_set_labels(trib_input *folder, const int *map);

/* Sets the labels of all class folders, and makes the list of class names they refer to. */
trib_status trib_assign_classes(trib_input *const *folders, size_t folder_count, const trib_source_options *options,
                                trib_names *names);

/* "shard-{000..009}.tar" to 10 names; a name without braces to itself. */
trib_status trib_expand_ranges(const char *pattern, trib_names *names);

/* ---- items ---- */
trib_status trib_item_set_path(trib_item *item, const char *path);
/* Gives the item its name and the reason why it has no data. */
trib_status trib_item_set_failure(trib_item *item, const char *name, const trib_status *reason);

/* Fails in a child of the process that opened the source. */
trib_status trib_source_check_process(const trib_source *source);
/* Sets most_bytes of all inputs. */
void trib_source_limit(trib_source *source, int64_t most_bytes);
/* Makes a worker that waits inside trib_source_next come back with TRIB_CANCELLED, until cleared. */
void trib_source_interrupt(trib_source *source);
void trib_source_clear_interrupt(trib_source *source);

trib_status trib_no_memory(const char *what); /* "WHAT: out of memory" */

#ifdef __cplusplus
}
#endif
#endif
