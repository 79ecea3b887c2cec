/* SPDX-License-Identifier: Apache-2.0
 * Names that are no images and no classes, and how many of each kind a source has met. */
#ifndef TRIB_DATA_PASSED_OVER_H
#define TRIB_DATA_PASSED_OVER_H

#include "tributary/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_MAX_PASSED_KINDS = 32 };

typedef struct trib_passed_list {
    trib_passed_over kinds[TRIB_MAX_PASSED_KINDS]; /* sorted by name; the last rest is counted as "other" */
    int count;
} trib_passed_list;

void trib_pass_over(trib_passed_list *list, const char *kind);
/* Counted by the extension of its name, in lower case: ".gif"; "other" without a usual one. */
void trib_pass_over_file(trib_passed_list *list, const char *name);

/* Why a path found in a folder or a tar shard is neither read nor a class: a part of it is hidden (begins with '.') or
 * is a name under which systems leave things beside people's files. The kind to count; NULL: it is not. */
const char *trib_unwanted(const char *path);
/* The same for a path that somebody wrote into a list: may be hidden, but is not what a system leaves in an archive. */
const char *trib_unwanted_in_list(const char *path);

#ifdef __cplusplus
}
#endif
#endif
