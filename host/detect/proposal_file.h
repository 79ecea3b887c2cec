/* SPDX-License-Identifier: Apache-2.0
 * A file of proposals (detect/proposal_lines.h) beside truth: whose images are found by their names. */
#ifndef TRIBUTARY_DETECT_PROPOSAL_FILE_H
#define TRIBUTARY_DETECT_PROPOSAL_FILE_H

#include "detect/boxes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_proposal_file {
    trib_detections proposals; /* of category 0; scores fall with the rank */
    size_t images;             /* of the truth that have a line, which may be without boxes */
    size_t passed_over;        /* lines of images that the truth does not have */
} trib_proposal_file;

/* Fails as trib_proposal_store_open does, and with TRIB_BAD_DATA where a line was made of an image of another size than
 * the truth's, where two lines with different sums are of one image, and where no line is of the truth. *out is changed
 * only on success; release out->proposals. */
trib_status trib_proposals_open(const char *path, const trib_truths *truths, trib_proposal_file *out);

#ifdef __cplusplus
}
#endif
#endif
