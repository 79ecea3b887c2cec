/* SPDX-License-Identifier: Apache-2.0
 * A file of proposals (detect/proposal_lines.h), to be asked for one image after the other. */
#ifndef TRIBUTARY_DETECT_PROPOSAL_STORE_H
#define TRIBUTARY_DETECT_PROPOSAL_STORE_H

#include "detect/proposal_lines.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_PROPOSAL_LINE_BYTES = 64 << 20 }; /* of the longest line */

typedef struct trib_proposal_store trib_proposal_store;

/* Reads and checks every line of a regular file, and keeps where it is, its image and its sum: about 200 bytes for each
 * image. An empty file has no images; several images may have one name, as in files that were joined. Fails with
 * TRIB_BAD_DATA, naming the line, on a damaged one, and on a last line without an end, which is what a writer leaves
 * that was stopped. */
trib_status trib_proposal_store_open(const char *path, trib_proposal_store **out);
void trib_proposal_store_close(trib_proposal_store *store);         /* NULL is fine */
size_t trib_proposal_store_count(const trib_proposal_store *store); /* of lines */

/* The i-th line, in an order of the store's own; safe from any thread. */
trib_status trib_proposal_store_at(const trib_proposal_store *store, size_t i, trib_proposal_line *out);
/* The first line with this sum. Without one it fails with TRIB_NOT_FOUND, and says so if the file has the image's name
 * with other sums only: it was changed since. Reads the line again, from the file that was opened; safe from any
 * thread. */
trib_status trib_proposal_store_find(const trib_proposal_store *store, const char *image, const char *sha256,
                                     trib_proposal_line *out);

#ifdef __cplusplus
}
#endif
#endif
