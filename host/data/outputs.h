/* SPDX-License-Identifier: Apache-2.0
 * Files that the caller writes while a source is read: none of them may be read as an input. */
#ifndef TRIB_DATA_OUTPUTS_H
#define TRIB_DATA_OUTPUTS_H

#include <sys/types.h>

#include "tributary/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_output_file {
    char *path;
    bool known; /* the file exists and was examined */
    bool held;  /* it was not empty */
    dev_t device;
    ino_t inode;
} trib_output_file;

typedef struct trib_outputs {
    trib_output_file *items;
    int count;
} trib_outputs;

/* Copies the paths; release with trib_outputs_free, also on failure. */
trib_status trib_outputs_copy(const char *const *paths, int count, trib_outputs *out);
void trib_outputs_free(trib_outputs *outputs);
/* Fails if `path` leads to one of them, naming both. */
trib_status trib_outputs_check(trib_outputs *outputs, const char *path);
/* Whether one of them was not empty: only then is there a file to lose. */
bool trib_outputs_held(const trib_outputs *outputs);
/* The same for a folder's entry with number `inode`: examines the file only if an output has that number. 0: unknown,
 * as for a link. */
trib_status trib_outputs_check_entry(trib_outputs *outputs, const char *path, ino_t inode);

#ifdef __cplusplus
}
#endif
#endif
