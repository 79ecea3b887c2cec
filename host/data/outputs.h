/* SPDX-License-Identifier: Apache-2.0
 * The files that the caller writes while a source is read: none of them may be read as an input. */
#ifndef TRIB_DATA_OUTPUTS_H
#define TRIB_DATA_OUTPUTS_H

#include <sys/types.h>

#include "tributary/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_output_file {
    char *path;
    bool known; /* the file exists, and was looked at */
    bool held;  /* something was in it before */
    dev_t device;
    ino_t inode;
} trib_output_file;

typedef struct trib_outputs {
    trib_output_file *items;
    int count;
} trib_outputs;

/* Copies the paths; on failure, too, release with trib_outputs_free. */
trib_status trib_outputs_copy(const char *const *paths, int count, trib_outputs *out);
void trib_outputs_free(trib_outputs *outputs);
/* Fails, naming both, when `path` leads to one of them. */
trib_status trib_outputs_check(trib_outputs *outputs, const char *path);
/* Whether one of them held something before: only then is there a file to lose. */
bool trib_outputs_held(const trib_outputs *outputs);
/* The same for what a folder calls `inode`: looks at the file only if that is an output's. 0 when it is not known, as
 * for a link. */
trib_status trib_outputs_check_entry(trib_outputs *outputs, const char *path, ino_t inode);

#ifdef __cplusplus
}
#endif
#endif
