/* SPDX-License-Identifier: Apache-2.0
 * One input of a source: a file, a pipe, a folder, a list, a tar shard or an IDX file, behind one small interface. */
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
    /* Fills an empty item (all but its index), or sets *end. A failure means that nothing more can be read at all; what
     * spoils one item only belongs into item->status. */
    trib_status (*next)(trib_input *input, trib_item *item, bool *end);
    int64_t (*count)(const trib_input *input); /* optional: NULL when only reading everything would tell */
    void (*close)(trib_input *input);
} trib_input_kind;

/* First member of every kind's own struct. */
struct trib_input {
    const trib_input_kind *kind;
};

/* What the inputs of a source share; outlives them. */
typedef struct trib_input_context {
    bool need_labels;
    int wake_fd; /* a waiting read gives up with TRIB_CANCELLED once this is readable; -1: never */
    /* Most bytes that an item may hold when it is given; an input holds at most as much again of what comes after it.
     * 0: only the kind's own limits. */
    int64_t most_bytes;
    trib_passed_list *passed_over;
    struct trib_outputs *outputs; /* what the caller writes, and no input may read */
} trib_input_context;

/* Fails when an image of `bytes` bytes is more than an input may hold. */
trib_status trib_input_check_size(int64_t most_bytes, const char *name, int64_t bytes);

trib_status trib_file_input_open(const char *path, trib_input **out);
/* An image, a tar shard or an IDX file that can be read only once. Opened and recognised at its turn, because its
 * writer may wait for another to be read first. `labels_path` as for IDX files, NULL is fine. */
trib_status trib_pipe_input_open(const trib_input_context *context, const char *path, const char *labels_path,
                                 trib_input **out);
/* `path` "-": standard input. */
trib_status trib_list_input_open(const trib_input_context *context, const char *path, trib_input **out);
/* `opened`: what is read, taken also on failure; NULL: the file at `path`, opened at its turn. */
trib_status trib_tar_input_open(const trib_input_context *context, const char *path, trib_reader *opened,
                                trib_input **out);
/* `opened` as above, but read at once. `labels_path` NULL: guessed from `path` when labels are needed, else none. */
trib_status trib_idx_input_open(const trib_input_context *context, const char *path, trib_reader *opened,
                                const char *labels_path, trib_input **out);

/* Walks the whole folder; fails when an output is an image in it. */
trib_status trib_folder_input_open(const trib_input_context *context, const char *path, trib_input **out);
const char *trib_folder_path(const trib_input *folder);
/* Names of the folders directly inside it; `used[i]` tells whether there is an image in or below it. */
const char *const *trib_folder_classes(const trib_input *folder, int *count, const bool **used);
/* Images in or below the i-th of these get the label map[i]. */
void trib_folder_set_labels(trib_input *folder, const int *map);

/* Sets the labels of all class folders, and makes the list of class names they refer to (none when the folders' names
 * are class indices and `options` has no names). `notes`: what was guessed and what is odd. */
trib_status trib_assign_classes(trib_input *const *folders, size_t folder_count, const trib_source_options *options,
                                trib_names *names, trib_names *notes);
/* Replaces each %XX by the byte it means, in place; false, and nothing changed, when there is none. */
bool trib_decode_class_name(char *name);
/* The number that the whole name is, if it is below `limit`; else -1. */
int trib_class_index(const char *name, int limit);

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
