/* SPDX-License-Identifier: Apache-2.0
 * What detect writes for one image, in each format.
 *
 *     csv      filename,label,score,x,y,width,height: a row per box; an image without boxes has none
 *     jsonl    a line per image: {"filename": ..., "width": ..., "height": ..., "detections": [{"label": ..., "score":
 *              ..., "bbox": [x, y, width, height]}]}, or {"filename": ..., "error": ...}
 *     coco     COCO's results, a line per box between "[" and "]", each with the names of image and category besides
 *     ilsvrc   ILSVRC's results, a line per box
 *
 * Boxes are in pixels from 0 on; ILSVRC's last row and column belong to the box. Numbers of images and categories are
 * those of a truth that has them by name, or places: of the image in the inputs, of the class among those of objects,
 * from 1 on. */
#ifndef TRIBUTARY_CLI_BOX_ROWS_H
#define TRIBUTARY_CLI_BOX_ROWS_H

#include "detect/image_names.h"
#include "detect/nms.h"
#include "detect/proposal_source.h"
#include "resume.h"

typedef enum cli_box_format { CLI_BOXES_CSV, CLI_BOXES_JSONL, CLI_BOXES_COCO, CLI_BOXES_ILSVRC } cli_box_format;

typedef struct cli_box_rows {
    cli_box_format format;
    const char *const *labels; /* of the classes, background included */
    int classes, background;
    const trib_truths *truths;             /* (optional) whose numbers are written */
    const trib_image_names *names;         /* of the truth's images */
    const trib_decode_options *decode;     /* to try an image again that has no rows */
    int64_t memory_limit;                  /* the same */
    const trib_proposal_source *proposals; /* (optional) the same, of a file of them: a search is not tried again */
    bool some;                             /* coco: a box has been written */
    int64_t *categories;                   /* owned: numbers of the classes */
    int64_t *inputs; /* owned: of each of the truth's images, the input that is it, from 1 on; 0: none yet */
} cli_box_rows;

/* Finds the numbers of the classes. Fails, naming the class, if the truth does not have one of objects. */
trib_status cli_box_rows_open(cli_box_rows *rows);
void cli_box_rows_close(cli_box_rows *rows);

/* The first line, if the format has one; csv, coco. */
void cli_box_rows_header(const cli_box_rows *rows, cli_buffer *out);
/* The last one; coco. */
void cli_box_rows_end(const cli_box_rows *rows, cli_buffer *out);

/* NULL, or why the format cannot have this image: the truth does not. Safe from any thread. */
const char *cli_box_rows_fault(const cli_box_rows *rows, const char *name, char text[TRIB_IMAGE_FAULT_TEXT]);

/* Every input once, in order, also one that failed: by its name it may be an image of the truth. Fails if an earlier
 * one is the same. */
trib_status cli_box_rows_take(const cli_box_rows *rows, const char *name, int64_t index);

typedef struct cli_boxed_image {
    const char *name;
    int64_t index; /* in the inputs, from 0 */
    int width, height;
    const trib_scored_box *boxes;
    size_t count;
} cli_boxed_image;
/* What all rows of an image begin with; of another image differently. */
void cli_box_rows_begin(const cli_box_rows *rows, const char *name, int64_t index, cli_buffer *out);
void cli_box_rows_good(cli_box_rows *rows, const cli_boxed_image *image, cli_buffer *out);
/* jsonl only; the other formats write nothing. */
void cli_box_rows_failed(const cli_box_rows *rows, const char *name, const char *reason, cli_buffer *out);

/* How a file of them is continued; `rows` has to live as long. */
cli_records cli_box_rows_records(const cli_box_rows *rows);

#endif
