/* SPDX-License-Identifier: Apache-2.0
 * Proposals as text: one line of JSON for each image, so that a file can be written as images are finished, continued,
 * and joined with another one.
 *
 *     {"image":"a/1.jpg","sha256":"9f86...","width":500,"height":375,"by":"fast","boxes":[[0,0,500,375],[12,3,80,64]]}
 *
 * image   the name of the file, for people: bytes that are not UTF-8 are U+FFFD
 * sha256  of the file's bytes, 64 small hexadecimal digits: by this an image is known
 * width, height   of the image as it was decoded
 * by      what made the boxes, such as a strategy's name; may be missing
 * boxes   x0, y0, x1, y1 of each, half-open, in pixels of the image, best first; may be none; equal ones are read */
#ifndef TRIBUTARY_DETECT_PROPOSAL_LINES_H
#define TRIBUTARY_DETECT_PROPOSAL_LINES_H

#include "formats/json.h"
#include "formats/sha256.h"
#include "formats/text.h"
#include "tributary/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_proposal_line {
    char *image, *by; /* owned; by may be NULL */
    char sha256[TRIB_SHA256_TEXT];
    int width, height;
    trib_proposals proposals; /* owned */
} trib_proposal_line;
void trib_proposal_line_release(trib_proposal_line *line);

/* Adds a line with its end to `text`, which fails when out of memory. */
void trib_proposal_line_write(const trib_proposal_line *line, trib_text *text);
/* Of `size` bytes without the line's end. Fails with TRIB_BAD_DATA, naming the field, on what is not such a line: other
 * members than these, a size out of range, and boxes that are empty or reach beyond the image included. */
trib_status trib_proposal_line_read(const char *bytes, size_t size, trib_proposal_line *out);
/* The same of a line that was parsed; `json` may be NULL, which is no line. */
trib_status trib_proposal_line_read_json(const cJSON *json, trib_proposal_line *out);

#ifdef __cplusplus
}
#endif
#endif
