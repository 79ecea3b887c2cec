/* SPDX-License-Identifier: Apache-2.0
 * Names that are neither images nor classes, and how many of each kind a source has met. */
#ifndef TRIB_DATA_PASSED_OVER_H
#define TRIB_DATA_PASSED_OVER_H

#include "tributary/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_MAX_PASSED_KINDS = 32 };

typedef struct trib_passed_list {
    trib_passed_over kinds[TRIB_MAX_PASSED_KINDS]; /* sorted by name; kinds without a place count as "other" */
    int count;
} trib_passed_list;

void trib_pass_over(trib_passed_list *list, const char *kind);
/* Counts by extension, in lower case: ".gif"; "other" if it has no usual one. */
void trib_pass_over_file(trib_passed_list *list, const char *name);

/* The kind under which to count a path of a folder or tar shard, if one of its parts is hidden (begins with '.') or a
 * system file; NULL: read it. */
const char *trib_unwanted(const char *path);
/* The same for a path in a list, which may be hidden, but may not be a system file of an archive. */
const char *trib_unwanted_in_list(const char *path);

#ifdef __cplusplus
}
#endif
#endif
