/* SPDX-License-Identifier: Apache-2.0
 * tributary propose: a line of boxes for each image, in input order. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "files.h"
#include "image_run.h"
#include "notes.h"
#include "output.h"
#include "propose_lines.h"
#include "skipped.h"

typedef struct propose_options {
    int strategy, workers, min_side, pixels, limit;
    const char *output, *errors;
    bool resume, overwrite;
} propose_options;
#define AT(field) offsetof(propose_options, field)
static const cli_option table[] = {
    { 'o', "output", CLI_FILE_OUT, AT(output), "FILE", "write to FILE instead of standard output", 0, 0 },
    { 0, "strategy", CLI_CHOICE, AT(strategy), "single|fast|quality|paper", "how to search, see above; default paper",
      0, 0 },
    { 0, "min-side", CLI_INT, AT(min_side), "N", "leave out boxes with a side of less than N pixels; default 20", 1,
      1 << 30 },
    { 0, "limit", CLI_INT, AT(limit), "N", "keep the N best boxes of an image; default: all", 1, 1 << 30 },
    { 0, "pixels", CLI_INT, AT(pixels), "N",
      "search a copy of about N pixels where an image has more, for what is found depends on the scale; 0: never; "
      "default 250000",
      0, TRIB_MAX_IMAGE_PIXELS },
    { 0, "resume", CLI_FLAG, AT(resume), NULL,
      "continue an interrupted --output: keep its complete lines, check that they match these inputs and options, and "
      "add the rest; the --errors file is rewritten",
      0, 0 },
    CLI_ERRORS_OPTION(AT(errors)),
    CLI_OVERWRITE_OPTION(AT(overwrite)),
    { 'j', "workers", CLI_INT, AT(workers), "N",
      "threads that read, decode and search images; default: one per CPU this process may use, or OMP_NUM_THREADS if "
      "lower",
      1, 1024 },
};

typedef struct propose {
    const propose_options *options;
    cli_files files;
    cli_propose_lines lines;
    char by[128];
    cli_output output;
    cli_buffer out;
    cli_skipped skipped;
    cli_resume resume;
    cli_image_run images;
    int64_t boxes;
} propose;

/* ---- options ---- */

/* All that decides about an image's boxes: two files with the same words are of the same kind. */
static void say_by(propose *p, const cli_settings *settings)
{
    const trib_propose_options *o = &p->lines.source.options, usual = trib_propose_as(TRIB_STRATEGY_PAPER);
    size_t used = 0;
#define ADD(condition, ...) \
    if (condition) used += (size_t)snprintf(p->by + used, sizeof p->by - used, __VA_ARGS__)
    ADD(true, "%s", trib_strategy_name((trib_strategy)p->options->strategy));
    ADD(o->min_side != usual.min_side, " min-side=%d", o->min_side);
    ADD(o->pixels != usual.pixels, " pixels=%d", o->pixels);
    ADD(p->lines.source.limit, " limit=%d", p->lines.source.limit);
    ADD(settings->decode.apply_orientation, " upright");
#undef ADD
}

static void set_up(propose *p, const cli_settings *settings)
{
    const propose_options *o = p->options;
    cli_propose_lines *lines = &p->lines;
    lines->source.options = trib_propose_as((trib_strategy)o->strategy);
    if (o->min_side != CLI_NOT_GIVEN) lines->source.options.min_side = o->min_side;
    if (o->pixels != CLI_NOT_GIVEN) lines->source.options.pixels = o->pixels;
    lines->source.limit = o->limit;
    lines->loading = (trib_image_loader_options) { .workers = o->workers,
                                                   .decode = settings->decode,
                                                   .memory_limit = settings->loader_memory,
                                                   .make_bytes = cli_propose_bytes };
    say_by(p, settings);
    lines->by = p->by;
}

/* ---- lines ---- */

static void note_failure(void *context, const char *name, const char *reason)
{
    propose *p = context;
    cli_progress_clear(&p->images.progress);
    cli_skipped_note(&p->skipped, name, reason);
}

static trib_status write_line(void *context, const trib_image_item *item)
{
    propose *p = context;
    if (trib_failed(&item->status)) {
        const trib_status status = cli_with_hint(&item->status);
        note_failure(p, item->name, cli_reason(&status, item->name));
        return cli_skipped_write(&p->skipped);
    }
    const cli_propose_line *line = item->result;
    p->boxes += (int64_t)line->boxes;
    cli_append(&p->out, line->text.bytes, line->text.size);
    return cli_output_write(&p->output, &p->out);
}

static trib_status open_outputs(propose *p)
{
    const propose_options *o = p->options;
    TRIB_TRY(cli_output_open(o->output, cli_output_mode_of(o->resume, o->overwrite), &p->output));
    const cli_records records = cli_propose_records(&p->lines);
    p->resume = (cli_resume) { .records = &records, .source = p->images.source, .failed = note_failure, .context = p };
    if (o->resume) TRIB_TRY(cli_resume_output(&p->resume, &p->output));
    return cli_skipped_open(&p->skipped, o->resume, o->overwrite);
}

/* ---- the run ---- */

/* Also when interrupted: how far the run got. */
static void summarise(const propose *p)
{
    const cli_image_run *r = &p->images;
    const int64_t before = p->resume.items - p->resume.failures;
    fprintf(stderr, "%" PRId64 " searched", r->good);
    if (before > 0) fprintf(stderr, " after %" PRId64 " from before", before);
    fprintf(stderr, ", %" PRId64 " skipped", r->skipped + p->resume.failures);
    if (r->good > 0) fprintf(stderr, "; %.0f boxes per image", (double)p->boxes / (double)r->good);
    if (r->seconds > 0) fprintf(stderr, "; %.1f images/s over %.2f s", (double)r->good / r->seconds, r->seconds);
    fputc('\n', stderr);
}

static trib_status run_images(propose *p)
{
    p->images.loading = p->lines.loading;
    p->images.rows_on_terminal = !p->options->output && isatty(STDOUT_FILENO);
    p->images.already_done = p->resume.items;
    p->images.make = cli_propose_make;
    p->images.release = cli_propose_release;
    p->images.make_context = &p->lines;
    p->images.handle = write_line;
    p->images.context = p;
    return cli_image_run_all(&p->images);
}

static trib_status propose_all(propose *p, const cli_settings *settings, const cli_texts *arguments)
{
    TRIB_TRY(cli_files_check(&p->files));
    trib_source_options source = { .outputs = p->files.writes.path, .output_count = p->files.writes.count };
    set_up(p, settings);
    TRIB_TRY(trib_source_open((const char *const *)arguments->items, arguments->count, &source, &p->images.source));
    cli_print_notes(p->images.source);
    TRIB_TRY(open_outputs(p));
    trib_status status = run_images(p);
    if (!trib_failed(&status)) status = cli_skipped_write(&p->skipped);
    if (!trib_failed(&status)) status = cli_output_write(&p->output, &p->out); /* replaces a file by no lines, too */
    if (!trib_failed(&status)) status = cli_output_close(&p->output);
    if (!trib_failed(&status)) status = cli_skipped_close(&p->skipped);
    if (!trib_failed(&status) || status.code == TRIB_CANCELLED) summarise(p);
    cli_output_say_unfinished(&status, p->options->output);
    return status;
}

static int propose_inputs(const propose_options *options, const cli_settings *settings, const cli_texts *arguments,
                          cli_files files)
{
    files.prints = !options->output;
    propose p = {
        .options = options, .files = files, .output = { .fd = -1 }, .skipped = cli_skipped_begin(options->errors)
    };
    trib_status status = propose_all(&p, settings, arguments);
    int code = trib_failed(&status) ? cli_report(&status) : p.images.skipped + p.resume.failures ? CLI_SKIPPED : CLI_OK;
    cli_output_close(&p.output);
    cli_buffer_release(&p.out);
    cli_skipped_release(&p.skipped);
    trib_source_close(p.images.source);
    return code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    propose_options own = { .strategy = TRIB_STRATEGY_PAPER, .min_side = CLI_NOT_GIVEN, .pixels = CLI_NOT_GIVEN };
    cli_group groups[] = { CLI_GROUP("Options", table, &own), cli_decode_group(&settings), CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON && !arguments.count) code = cli_usage(self, "INPUT is missing");
    if (code == CLI_GO_ON && own.resume && !own.output)
        code = cli_usage(self, "--resume continues a file: add -o FILE");
    if (code == CLI_GO_ON && own.resume && own.overwrite)
        code = cli_usage(self, "--resume and --overwrite contradict each other");
    if (code == CLI_GO_ON) code = propose_inputs(&own, &settings, &arguments, cli_files_of(groups, NULL, &arguments));
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_propose = {
    .name = "propose",
    .summary = "find boxes in which there may be an object",
    .synopsis = "INPUT... [-o FILE] [--strategy single|fast|quality|paper] [--resume]",
    .description =
        "Searches each image for boxes that may hold an object of any kind (selective search: regions of like colour "
        "and "
        "texture, joined step by step), and writes one line of JSON for each, in input order, as soon as it is done. "
        "An "
        "INPUT is what 'tributary classify' takes: images, folders, @LIST, -, tar files, IDX files, pipes. Results are "
        "the "
        "same for any number of threads, and on any machine.\n\n"
        "A line has the image's name (bytes that are not UTF-8 are U+FFFD), the SHA-256 of its file (of the pixels of "
        "an "
        "IDX image), its size, by which options the boxes were made, and the boxes, best first: x0, y0, x1, y1 in "
        "pixels "
        "from the top left corner, x1 and y1 outside. Such a file spares 'tributary detect' the search; it may be "
        "joined with others, and images are known in it by their SHA-256, wherever they lie.\n\n"
        "Strategies, with what each found of 320 garments, many of them partly hidden, in 40 images of 500x375, how "
        "many "
        "boxes of at least 20 pixels an image had, and the time of its search relative to paper:\n"
        "  paper    97 %, 826 boxes, 1; GoogLeNet's paper: fast with start regions of twice the size\n"
        "  single   90 %, 255 boxes, 0.3; one colour space, one size of start regions\n"
        "  fast     99 %, 1567 boxes, 1.0; R-CNN's: two colour spaces and two sizes\n"
        "  quality  100 %, 6990 boxes, 4.0, and boxes fit best; five colour spaces, four sizes\n"
        "Classifying a box takes longer than finding it, so paper is the default: half the boxes of fast.\n\n"
        "An image that cannot be read is skipped and reported on standard error with the reason; the exit code is then "
        "3.",
    .examples = "  $ tributary propose photos/ -o photos.jsonl\n"
                "  $ tributary propose photos/ -o photos.jsonl --resume --errors skipped.csv\n"
                "  $ tributary propose 'shard-{000000..000009}.tar' --strategy quality --limit 2000 -o boxes.jsonl\n"
                "  $ tributary propose photo.jpg --min-side 50\n",
    .run = run,
};
