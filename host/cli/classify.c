/* SPDX-License-Identifier: Apache-2.0
 * tributary classify: a row of labels for each image, in input order. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "feed.h"
#include "files.h"
#include "output.h"
#include "rows.h"
#include "skipped.h"

typedef struct classify_options {
    int batch, workers, topk, format;
    const char *output, *errors;
    bool resume, overwrite;
} classify_options;
#define AT(field) offsetof(classify_options, field)
static const cli_option table[] = {
    { 'o', "output", CLI_FILE_OUT, AT(output), "FILE", "write to FILE instead of standard output", 0, 0 },
    { 0, "format", CLI_CHOICE, AT(format), "csv|jsonl|table",
      "csv: one row per readable image; jsonl: one object per image, with predictions or the error, and with "
      "percent-encoded filename_bytes if the name is not UTF-8; table: for people; default: table on a terminal, "
      "otherwise csv",
      0, 0 },
    { 0, "topk", CLI_INT, AT(topk), "K", "how many of the most likely classes to list, at most all; default 5", 1,
      1000000 },
    CLI_ERRORS_OPTION(AT(errors)),
    { 0, "resume", CLI_FLAG, AT(resume), NULL,
      "continue an interrupted --output: keep its complete rows, check that they match these inputs, and add the rest. "
      "The file does not say which models and options made it, so they are not checked: give the same. The --errors "
      "file is rewritten",
      0, 0 },
    CLI_OVERWRITE_OPTION(AT(overwrite)),
    { 'b', "batch-size", CLI_INT, AT(batch), "N", "images computed at once; default 32", 1, 65536 },
    { 'j', "workers", CLI_INT, AT(workers), "N",
      "threads that read and decode images; default: one per CPU this process may use, or OMP_NUM_THREADS if lower", 1,
      1024 },
};

typedef struct classify {
    const classify_options *options;
    int models; /* of the arguments */
    cli_files files;
    cli_feed feed;
    cli_rows rows;
    cli_output output;
    cli_buffer out;
    cli_skipped skipped;
    cli_resume resume;
} classify;

static void note_failure(void *context, const char *name, const char *reason)
{
    classify *c = context;
    cli_progress_clear(&c->feed.progress);
    cli_skipped_note(&c->skipped, name, reason);
}

/* Failures first: if the run is interrupted between the two writes, --resume finds and lists them again. */
static trib_status write_pending(void *context)
{
    classify *c = context;
    TRIB_TRY(cli_skipped_write(&c->skipped));
    return cli_output_write(&c->output, &c->out);
}

static trib_status write_image(void *context, const cli_answer *answer)
{
    classify *c = context;
    if (!trib_failed(answer->status)) {
        cli_rows_good(&c->rows, answer->name, answer->probabilities, answer->indices, &c->out);
        return trib_success();
    }
    const trib_status status = cli_with_hint(answer->status);
    const char *reason = cli_reason(&status, answer->name);
    note_failure(c, answer->name, reason);
    cli_rows_failed(&c->rows, answer->name, reason, &c->out);
    return trib_success();
}

static trib_status open_outputs(classify *c)
{
    const classify_options *o = c->options;
    TRIB_TRY(cli_output_open(o->output, cli_output_mode_of(o->resume, o->overwrite), &c->output));
    const cli_records records = cli_rows_records(&c->rows);
    c->resume = (cli_resume) {
        .records = &records, .source = c->feed.source, .failed = note_failure, .context = c, .empty = true
    };
    if (o->resume) TRIB_TRY(cli_resume_output(&c->resume, &c->output));
    c->feed.already_done = c->resume.items;
    if (c->resume.empty) cli_rows_header(&c->rows, &c->out);
    return cli_skipped_open(&c->skipped, o->resume, o->overwrite);
}

static trib_status prepare(classify *c)
{
    const classify_options *o = c->options;
    bool terminal = !o->output && isatty(STDOUT_FILENO);
    c->feed.rows_on_terminal = terminal;
    c->rows.format = o->format >= 0 ? (cli_row_format)o->format : terminal ? CLI_TABLE : CLI_CSV;
    c->rows.model = c->feed.model;
    c->rows.feed = &c->feed;
    c->rows.topk = o->topk < c->feed.classes ? o->topk : c->feed.classes;
    return open_outputs(c);
}

/* Also when interrupted: how far the run got. */
static void summarise(const classify *c)
{
    const cli_feed *f = &c->feed;
    int64_t skipped = f->skipped + c->resume.failures, before = c->resume.items - c->resume.failures;
    fprintf(stderr, "%" PRId64 " classified", f->good);
    if (before > 0) fprintf(stderr, " after %" PRId64 " from before", before);
    fprintf(stderr, ", %" PRId64 " skipped", skipped);
    if (f->seconds > 0)
        fprintf(stderr,
                "; %.1f images/s over %.2f s, from the first read to the last row, preparing the network included",
                (double)f->good / f->seconds, f->seconds);
    fputc('\n', stderr);
}

static trib_status classify_all(classify *c, const cli_settings *settings, const cli_texts *arguments)
{
    const classify_options *o = c->options;
    TRIB_TRY(cli_files_check(&c->files));
    trib_source_options source = { .outputs = c->files.writes.path, .output_count = c->files.writes.count };
    TRIB_TRY(cli_feed_open(settings, arguments, c->models, &source, o->batch, o->workers, &c->feed));
    TRIB_TRY(prepare(c));
    trib_status status = cli_feed_run(
        &c->feed, c->rows.topk, &(cli_feed_handler) { .image = write_image, .pause = write_pending, .context = c });
    if (!trib_failed(&status)) status = write_pending(c); /* writes headers if there was no batch */
    if (!trib_failed(&status)) status = cli_output_close(&c->output);
    if (!trib_failed(&status)) status = cli_skipped_close(&c->skipped);
    if (!trib_failed(&status) || status.code == TRIB_CANCELLED) summarise(c);
    cli_output_say_unfinished(&status, c->options->output);
    return status;
}

static int classify_inputs(const classify_options *options, const cli_settings *settings, const cli_texts *arguments,
                           int models, cli_files files)
{
    files.prints = !options->output;
    cli_files_add_models(&files, arguments, models);
    classify c = { .options = options,
                   .models = models,
                   .files = files,
                   .output = { .fd = -1 },
                   .skipped = cli_skipped_begin(options->errors) };
    trib_status status = classify_all(&c, settings, arguments);
    int code = trib_failed(&status) ? cli_report(&status) : c.feed.skipped + c.resume.failures ? CLI_SKIPPED : CLI_OK;
    cli_output_close(&c.output);
    cli_skipped_release(&c.skipped);
    cli_buffer_release(&c.out);
    cli_feed_close(&c.feed);
    return code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    classify_options own = { .batch = 32, .topk = 5, .format = -1 };
    cli_group groups[] = { CLI_GROUP("Options", table, &own),    cli_crops_group(&settings),
                           cli_members_compute_group(&settings), cli_size_group(&settings),
                           cli_decode_group(&settings),          cli_preprocess_group(&settings),
                           cli_caffe_group(&settings),           CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int models = 0, code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 1, 1 << 30, "INPUT");
    if (code == CLI_GO_ON && own.resume && !own.output)
        code = cli_usage(self, "--resume continues a file: add -o FILE");
    if (code == CLI_GO_ON && own.resume && own.format == CLI_TABLE)
        code = cli_usage(self, "--resume needs --format csv or jsonl: a table cannot be continued");
    if (code == CLI_GO_ON && own.resume && own.overwrite)
        code = cli_usage(self, "--resume and --overwrite contradict each other");
    if (code == CLI_GO_ON) code = cli_expect_models(self, &settings, &arguments, "INPUT", &models);
    if (code == CLI_GO_ON)
        code = classify_inputs(&own, &settings, &arguments, models, cli_files_of(groups, &settings, &arguments));
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_classify = {
    .name = "classify",
    .summary = "list the most likely classes of images",
    .synopsis = "MODEL... INPUT... [-o FILE] [--format csv|jsonl|table] [--topk K] [--crops 1|10|144]",
    .description =
        "Classifies images and writes one row per image, in input order. An INPUT is an image (JPEG, PNG, WebP), a "
        "folder (searched recursively), @LIST (a file with one path per line), - (paths on standard input), a tar file "
        "(shards as name-{000000..000009}.tar), an IDX file of images (.gz too), or a pipe that carries an image, a "
        "tar file or an IDX file (/dev/stdin, <(command)).\n\n"
        "An image that cannot be read is skipped and reported on standard error with the reason; the exit code is then "
        "3. In folders and tar files, hidden names, system files (__MACOSX, Thumbs.db) and files without an image's "
        "extension are ignored; their number is reported.\n\n"
        "Several models are asked together: the first argument is a MODEL, and so are those after it that are model "
        "files or folders of training runs, recognised by their content. They may differ in architecture, input size, "
        "device and precision, but not in their classes. Their probabilities are averaged, over all crops of an image "
        "(--crops) and all models, before the most likely classes are taken; of equal ones, the one with the lower "
        "index comes first.\n\n"
        "The columns of csv are filename,index_0,label_0,prob_0,... with the most likely class first. Labels are empty "
        "if the model has none.",
    .examples = "  $ tributary classify model.safetensors photo.jpg\n"
                "  $ tributary classify model.safetensors photos/ -o photos.csv --errors skipped.csv\n"
                "  $ find . -name '*.jpg' | tributary classify model.safetensors - --format jsonl --topk 1\n"
                "  $ tributary classify a.safetensors b.safetensors c.safetensors photos/ --crops 10 --precision bf16\n"
                "  $ curl -s https://example.org/photo.jpg | tributary classify model.safetensors /dev/stdin\n"
                "  $ tributary classify model.safetensors 'shard-{000000..000009}.tar' -o shards.csv --resume\n",
    .run = run,
};
