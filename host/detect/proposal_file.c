/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/proposal_file.h"

#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "detect/image_names.h"
#include "detect/proposal_store.h"
#include "tributary/internal/alloc.h"

typedef struct reading {
    const trib_truths *truths;
    trib_image_names names;
    trib_proposal_file file;
    char (*sums)[TRIB_SHA256_TEXT]; /* of each image that has had a line, or "" */
} reading;

static trib_status check_size(const trib_proposal_line *line, const trib_boxed_image *image)
{
    if (!image->width || !image->height || (line->width == image->width && line->height == image->height))
        return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "the proposals of '%s' are of %d x %d pixels, but the truth is of %d x %d",
                      trib_shorten(line->image).text, line->width, line->height, image->width, image->height);
}

static trib_status add_boxes(reading *r, const trib_proposal_line *line, int image)
{
    for (size_t i = 0; i < line->proposals.count; ++i) {
        const trib_proposal *p = &line->proposals.boxes[i];
        const trib_box box = { p->x0, p->y0, (double)p->x1 - p->x0, (double)p->y1 - p->y0 };
        const trib_detection d = { image, 0, box, -(double)i };
        TRIB_TRY(trib_detections_add(&r->file.proposals, &d));
    }
    return trib_success();
}

static trib_status take(reading *r, const trib_proposal_line *line)
{
    char fault[TRIB_IMAGE_FAULT_TEXT];
    const int image = trib_find_image(&r->names, line->image);
    if (image == TRIB_NO_IMAGE) return ++r->file.passed_over, trib_success();
    if (image < 0) return TRIB_ERROR(TRIB_BAD_DATA, "%s", trib_image_fault(image, line->image, fault));
    if (!strcmp(r->sums[image], line->sha256)) return trib_success(); /* the same again */
    if (*r->sums[image])
        return TRIB_ERROR(
            TRIB_BAD_DATA,
            "two lines with different sums are of the truth's image '%s'; keep the line of that image as it is now",
            trib_shorten(r->truths->images[image].name).text);
    memcpy(r->sums[image], line->sha256, sizeof *r->sums);
    ++r->file.images;
    TRIB_TRY(check_size(line, &r->truths->images[image]));
    return add_boxes(r, line, image);
}

static trib_status read_all(reading *r, const trib_proposal_store *store)
{
    trib_status s = trib_success();
    for (size_t i = 0; i < trib_proposal_store_count(store) && !trib_failed(&s); ++i) {
        trib_proposal_line line;
        TRIB_TRY(trib_proposal_store_at(store, i, &line));
        s = take(r, &line);
        trib_proposal_line_release(&line);
    }
    if (!trib_failed(&s) && !r->file.images)
        s = TRIB_ERROR(TRIB_BAD_DATA, "none of its %zu lines is of an image of the truth",
                       trib_proposal_store_count(store));
    return s;
}

trib_status trib_proposals_open(const char *path, const trib_truths *truths, trib_proposal_file *out)
{
    trib_proposal_store *store = NULL;
    reading r = { .truths = truths };
    TRIB_TRY(trib_proposal_store_open(path, &store));
    trib_status s = trib_image_names_of(truths, &r.names);
    r.sums = trib_alloc_zeroed(truths->image_count + 1, sizeof *r.sums);
    if (!trib_failed(&s) && !r.sums) s = trib_no_memory(path);
    if (!trib_failed(&s)) s = trib_with_name(read_all(&r, store), path);
    trib_image_names_release(&r.names);
    trib_free(r.sums);
    trib_proposal_store_close(store);
    if (trib_failed(&s))
        trib_detections_release(&r.file.proposals);
    else
        *out = r.file;
    return s;
}
