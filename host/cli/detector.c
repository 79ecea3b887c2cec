/* SPDX-License-Identifier: Apache-2.0
 * Options of detection, and what it works with: models, images, proposals. */
#include "detector.h"

#include <stdio.h>

#include "detect/region_classes.h"
#include "detector_private.h"
#include "notes.h"
#include "tributary/internal/alloc.h"

#define AT(field) offsetof(cli_detector_options, field)
static const cli_option table[] = {
    { 0, "proposals", CLI_FILE_IN, AT(proposals), "FILE",
      "take the regions from FILE, which 'tributary propose' made; images are known by their content, whatever their "
      "names",
      0, 0 },
    { 0, "strategy", CLI_CHOICE, AT(strategy), "single|fast|quality|paper",
      "how to search for regions without --proposals ('tributary propose --help' compares them); default paper", 0, 0 },
    { 0, "max-proposals", CLI_INT, AT(most_regions), "N", "look at the N best regions of an image; default: all", 1,
      1 << 30 },
    { 0, "threshold", CLI_AMOUNT, AT(threshold), "X", "leave out boxes with a score below X; default 0.05", 0, 1 },
    { 0, "nms", CLI_AMOUNT, AT(overlap), "X",
      "of boxes of one class that overlap, the intersection being more than X of the union, keep the surest; default "
      "0.3",
      0, 1 },
    { 0, "max-boxes", CLI_INT, AT(most_boxes), "N",
      "of an image, all classes together, keep the N surest boxes; default 100", 1, 1000000 },
    { 0, "mirror", CLI_FLAG, AT(mirror), NULL,
      "look at each region twice, also mirrored, and average the probabilities: surer, in twice the time", 0, 0 },
    { 0, "vote", CLI_FLAG, AT(vote), NULL,
      "let regions that nearly coincide vote on what they show, and on where its box ends: surer, in about the same "
      "time. Scores are shares of the votes then, and lower",
      0, 0 },
    { 'b', "batch-size", CLI_INT, AT(batch), "N", "regions computed at once, of one image or several; default 32", 1,
      65536 },
    { 'j', "workers", CLI_INT, AT(workers), "N",
      "threads that read and decode images and search for regions; default: one per CPU this process may use, or "
      "OMP_NUM_THREADS if lower",
      1, 1024 },
};

cli_detector_options cli_default_detector_options(void)
{
    return (cli_detector_options) { .strategy = CLI_NOT_GIVEN,

                                    .threshold = 0.05,
                                    .overlap = 0.3,
                                    .most_boxes = 100,
                                    .batch = 32 };
}

cli_group cli_detector_group(cli_detector_options *options)
{
    return (cli_group)CLI_GROUP("Detection", table, options);
}

/* The rows between --proposals and --batch-size. */
cli_group cli_detector_search_group(cli_detector_options *options)
{
    enum { BEFORE = 1, AFTER = 2 };
    return (cli_group) { "Detection", table + BEFORE, (int)(sizeof table / sizeof *table) - BEFORE - AFTER, options };
}

int cli_detector_check(const cli_command *command, const cli_detector_options *options)
{
    if (options->strategy != CLI_NOT_GIVEN && options->proposals)
        return cli_usage(command, "--strategy is how to search for regions, but --proposals has them");
    return CLI_GO_ON;
}

/* A label for every class, in one block. */
static trib_status open_labels(cli_detector *d, const trib_model *model)
{
    enum { NUMBER = 12 };
    const size_t count = (size_t)d->classes;
    d->labels = trib_realloc_array(NULL, count, sizeof *d->labels + NUMBER);
    if (!d->labels) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d class names", d->classes);
    char *numbers = (char *)(d->labels + count);
    for (int c = 0; c < d->classes; ++c) {
        snprintf(numbers + NUMBER * c, NUMBER, "%d", c);
        d->labels[c] = trib_model_label(model, c);
        if (!d->labels[c]) d->labels[c] = numbers + NUMBER * c;
    }
    return trib_success();
}

static trib_status open_classes(cli_detector *d)
{
    const trib_model *model = cli_members_labels(&d->members);
    d->classes = trib_model_network(model)->classes;
    d->background = trib_background_class(model);
    if (d->background == TRIB_NO_BACKGROUND)
        cli_message("note: %s has no class 'background', so every region counts as an object of some class; 'tributary "
                    "train --boxes' makes models that know background",
                    trib_model_path(model));
    return open_labels(d, model);
}

static trib_status open_proposals(cli_detector *d)
{
    const cli_detector_options *o = d->options;
    const trib_strategy strategy = o->strategy == CLI_NOT_GIVEN ? TRIB_STRATEGY_PAPER : (trib_strategy)o->strategy;
    if (o->proposals) TRIB_TRY(trib_proposal_store_open(o->proposals, &d->store));
    d->proposals =
        (trib_proposal_source) { .store = d->store, .options = trib_propose_as(strategy), .limit = o->most_regions };
    return trib_success();
}

trib_status cli_detector_open(const cli_settings *settings, const cli_detector_options *options,
                              const cli_texts *arguments, int models, const trib_source_options *source,
                              cli_detector *detector)
{
    detector->settings = settings;
    detector->options = options;
    TRIB_TRY(cli_members_open(settings, arguments, models, &detector->members));
    TRIB_TRY(cli_detector_check_inputs(&detector->members));
    TRIB_TRY(open_classes(detector));
    TRIB_TRY(open_proposals(detector));
    TRIB_TRY(trib_source_open((const char *const *)arguments->items + models, arguments->count - models, source,
                              &detector->images.source));
    cli_print_notes(detector->images.source);
    return trib_success();
}

void cli_detector_close(cli_detector *detector)
{
    trib_source_close(detector->images.source);
    trib_proposal_store_close(detector->store);
    trib_free(detector->labels);
    cli_members_close(&detector->members);
}
