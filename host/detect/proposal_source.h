/* SPDX-License-Identifier: Apache-2.0
 * Where the proposals of an image come from: a file of them, or a search. For functions that an image loader calls. */
#ifndef TRIBUTARY_DETECT_PROPOSAL_SOURCE_H
#define TRIBUTARY_DETECT_PROPOSAL_SOURCE_H

#include "detect/proposal_store.h"
#include "tributary/image_loader.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Set up once, then used by any number of threads. */
typedef struct trib_proposal_source {
    const trib_proposal_store *store; /* must outlive it; NULL: images are searched */
    trib_propose_options options;     /* without a store */
    int limit;                        /* at most this many boxes of an image, the best; 0: all */
} trib_proposal_source;

/* By which an image is known: the sum of its file as it is; of an image that never was encoded (IDX), that of its
 * pixels, row by row. */
void trib_image_task_sha256(const trib_image_task *task, char text[TRIB_SHA256_TEXT]);

/* The proposals of the task's image, which may be none. From a store: fails with TRIB_NOT_FOUND if it has none for this
 * image, or for the image as it was before a change, and with TRIB_BAD_DATA if they are for an image of another size
 * (it was turned by its EXIF data, or not, when they were made). Messages say what to do. */
trib_status trib_proposal_source_find(const trib_proposal_source *source, const trib_image_task *task,
                                      trib_proposals *out);
/* For trib_image_loader_options.make_bytes: the most that trib_proposal_source_find takes, without the result. */
int64_t trib_proposal_source_bytes(const trib_proposal_source *source, int width, int height);

#ifdef __cplusplus
}
#endif
#endif
