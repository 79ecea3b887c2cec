/* SPDX-License-Identifier: Apache-2.0
 * eval MODEL... IMAGES... --boxes TRUTH: detections that are made here, as 'detect' makes them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "detect/image_names.h"
#include "eval_boxes.h"
#include "rows.h"
#include "tributary/internal/alloc.h"

typedef struct detecting {
    cli_box_scores *scores;
    cli_detector detector;
    trib_image_names names; /* of the truth's images */
    int *category;          /* of each class of the models; -1: the truth does not have it */
    bool *seen;             /* of each image of the truth */
    size_t seen_count;
    int64_t refused; /* images that were read, but are not what the truth says */
} detecting;

/* ---- classes ---- */

static int category_of(const trib_truths *t, const char *label)
{
    for (size_t i = 0; i < t->category_count; ++i)
        if (!strcmp(t->categories[i].name, label)) return (int)i;
    return -1;
}

static void say_missing(const char *begin, const cli_buffer *names, size_t count)
{
    if (count && !names->failed) cli_message("%s: %.300s%s", begin, names->data, count > 5 ? " and others" : "");
}

static void add_name(cli_buffer *names, size_t *count, const char *name, const char *similar)
{
    if (++*count > 5) return;
    cli_append_format(names, "%s%.60s", *count > 1 ? ", " : "", name);
    if (similar) cli_append_format(names, " (but %.60s)", similar);
}

static const char *similar_label(const cli_detector *r, const char *name)
{
    for (int c = 0; c < r->classes; ++c)
        if (strcasecmp(r->labels[c], name) == 0) return r->labels[c];
    return NULL;
}

/* The other way round: classes of the truth that no class of the models is called like. */
static size_t say_missing_categories(const detecting *d)
{
    const trib_truths *t = &d->scores->truth.truths;
    cli_buffer names = { 0 };
    size_t missing = 0;
    for (size_t i = 0; i < t->category_count; ++i) {
        bool found = false;
        for (int c = 0; c < d->detector.classes; ++c) found |= d->category[c] == (int)i;
        if (!found)
            add_name(&names, &missing, t->categories[i].name, similar_label(&d->detector, t->categories[i].name));
    }
    say_missing("the model has no class for", &names, missing);
    cli_buffer_release(&names);
    return t->category_count - missing;
}

static trib_status match_classes(detecting *d)
{
    const trib_truths *t = &d->scores->truth.truths;
    cli_buffer names = { 0 };
    size_t missing = 0;
    d->category = trib_alloc_zeroed((size_t)d->detector.classes, sizeof *d->category);
    if (!d->category) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d classes", d->detector.classes);
    for (int c = 0; c < d->detector.classes; ++c) {
        const char *label = d->detector.labels[c];
        d->category[c] = c == d->detector.background ? -1 : category_of(t, label);
        if (c != d->detector.background && d->category[c] < 0) add_name(&names, &missing, label, NULL);
    }
    say_missing("left out: classes of the model that the truth does not have", &names, missing);
    cli_buffer_release(&names);
    if (say_missing_categories(d)) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "no class of the model is one of the truth's, such as '%.200s'",
                      t->categories[0].name);
}

/* ---- images ---- */

/* Called by workers. */
static const char *refuse(void *context, const char *name, char text[TRIB_MESSAGE_SIZE])
{
    const detecting *d = context;
    const int image = trib_find_image(&d->names, name);
    return image >= 0 ? NULL : trib_image_fault(image, name, text);
}

static void say_skipped(detecting *d, const char *name, const char *reason)
{
    cli_progress_clear(&d->detector.images.progress);
    fputs("skipped: ", stderr);
    cli_print_safe(stderr, name);
    fputs(": ", stderr);
    cli_print_safe(stderr, reason);
    fputc('\n', stderr);
}

static void say_other_size(detecting *d, const cli_found *found, const trib_boxed_image *image)
{
    char text[200];
    snprintf(text, sizeof text,
             "it has %d x %d pixels, but the truth is of %d x %d (--apply-orientation turns photos upright)",
             found->width, found->height, image->width, image->height);
    say_skipped(d, found->name, text);
    ++d->refused;
}

static trib_status take_image(void *context, const cli_found *found)
{
    detecting *d = context;
    if (trib_failed(found->status)) {
        const trib_status status = cli_with_hint(found->status);
        say_skipped(d, found->name, cli_reason(&status, found->name));
        return trib_success();
    }
    const int index = trib_find_image(&d->names, found->name);
    const trib_boxed_image *image = &d->scores->truth.truths.images[index];
    if (d->seen[index])
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: another input is the truth's image '%.200s' as well", found->name,
                          image->name);
    if (image->width && image->height && (image->width != found->width || image->height != found->height))
        return say_other_size(d, found, image), trib_success();
    d->seen[index] = true;
    ++d->seen_count;
    for (size_t i = 0; i < found->count; ++i) {
        const trib_scored_box *box = &found->boxes[i];
        const trib_detection detection = { index, d->category[box->klass], box->box, box->score };
        if (detection.category >= 0) TRIB_TRY(trib_detections_add(&d->scores->found.detections, &detection));
    }
    return trib_success();
}

/* ---- the run ---- */

static trib_status prepare(detecting *d, const cli_eval_boxes_models *models)
{
    const trib_source_options source = { .outputs = models->files->writes.path,
                                         .output_count = models->files->writes.count };
    const size_t images = d->scores->truth.truths.image_count;
    TRIB_TRY(trib_image_names_of(&d->scores->truth.truths, &d->names));
    d->seen = trib_alloc_zeroed(images + 1, sizeof *d->seen);
    if (!d->seen) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu images", images);
    TRIB_TRY(cli_detector_open(models->settings, models->detection, models->arguments, models->count, &source,
                               &d->detector));
    TRIB_TRY(match_classes(d));
    d->detector.refuse = refuse;
    d->detector.handle = take_image;
    d->detector.context = d;
    return trib_success();
}

static void say_how_far(const detecting *d)
{
    const cli_detector *r = &d->detector;
    const size_t images = d->scores->truth.truths.image_count;
    fprintf(stderr, "%" PRId64 " images, %" PRId64 " skipped; %zu boxes of %" PRId64 " regions in %.2f s\n",
            r->good - d->refused, r->skipped + d->refused, d->scores->found.detections.count, r->regions, r->seconds);
    if (d->seen_count < images)
        cli_message("%zu of the truth's %zu images were not among the inputs, or were skipped; their objects count as "
                    "not found",
                    images - d->seen_count, images);
}

static trib_status keep_numbers(const detecting *d)
{
    cli_box_scores *s = d->scores;
    s->with = trib_alloc_zeroed((size_t)s->models, sizeof *s->with);
    if (!s->with) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the results of %d models", s->models);
    for (int i = 0; i < s->models; ++i) {
        const cli_member *member = &d->detector.members.items[i];
        snprintf(s->with[i].device, sizeof s->with[i].device, "%s", trib_device_get_info(member->device)->name);
        s->with[i].precision = trib_precision_name((trib_precision)member->settings.precision);
    }
    s->images = (int64_t)d->seen_count;
    s->skipped = d->detector.skipped + d->refused;
    s->regions = d->detector.regions;
    s->seconds = d->detector.seconds;
    return trib_success();
}

static trib_status detect_all(detecting *d, const cli_eval_boxes_models *models)
{
    TRIB_TRY(prepare(d, models));
    trib_status status = cli_detector_run(&d->detector);
    if (status.code == TRIB_CANCELLED) cli_message("interrupted; nothing was written");
    if (trib_failed(&status)) return status;
    say_how_far(d);
    TRIB_TRY(keep_numbers(d));
    if (d->seen_count) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "none of the %" PRId64 " images could be read and is one of the truth's",
                      d->scores->skipped);
}

trib_status cli_box_scores_detect(cli_box_scores *scores, const cli_eval_boxes_models *models)
{
    detecting d = { .scores = scores };
    trib_status status = detect_all(&d, models);
    cli_detector_close(&d.detector);
    trib_image_names_release(&d.names);
    trib_free(d.category);
    trib_free(d.seen);
    return status;
}
