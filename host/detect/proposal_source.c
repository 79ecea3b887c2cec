/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/proposal_source.h"

void trib_image_task_sha256(const trib_image_task *task, char text[TRIB_SHA256_TEXT])
{
    const trib_image *image = task->image;
    size_t pixels = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    if (task->bytes)
        trib_sha256_of_bytes(task->bytes, task->size, text);
    else
        trib_sha256_of_bytes(image->pixels, pixels, text);
}

static trib_status look_up(const trib_proposal_store *store, const trib_image_task *task, trib_proposals *out)
{
    char sha256[TRIB_SHA256_TEXT];
    trib_proposal_line line;
    const trib_image *image = task->image;
    trib_image_task_sha256(task, sha256);
    TRIB_TRY(trib_proposal_store_find(store, task->name, sha256, &line));
    trib_status s = trib_success();
    if (line.width != image->width || line.height != image->height) {
        s = TRIB_ERROR(
            TRIB_BAD_DATA,
            "its proposals are for %d x %d pixels, but the image has %d x %d: turn images by their EXIF data "
            "both times, or not at all",
            line.width, line.height, image->width, image->height);
    } else {
        *out = line.proposals;
        line.proposals = (trib_proposals) { 0 };
    }
    trib_proposal_line_release(&line);
    return s;
}

trib_status trib_proposal_source_find(const trib_proposal_source *source, const trib_image_task *task,
                                      trib_proposals *out)
{
    TRIB_TRY(source->store ? look_up(source->store, task, out) : trib_propose(&source->options, task->image, out));
    if (source->limit && out->count > (size_t)source->limit) out->count = (size_t)source->limit;
    return trib_success();
}

int64_t trib_proposal_source_bytes(const trib_proposal_source *source, int width, int height)
{
    return source->store ? 0 : trib_propose_bytes(&source->options, width, height);
}
