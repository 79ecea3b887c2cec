/* SPDX-License-Identifier: Apache-2.0
 * bench --end-to-end: everything that classify does. */
#include "bench.h"
#include "feed.h"

enum { USUAL_TOP_K = 5 };

static trib_status ignore_image(void *context, const cli_answer *answer)
{
    (void)context, (void)answer;
    return trib_success();
}

static trib_status add_pass(bench_passes *p, const cli_feed *feed, int round)
{
    const double rate = (double)feed->good / feed->seconds;
    const int64_t peak = cli_peak_rss();
    p->good += feed->good;
    p->skipped += feed->skipped;
    p->seconds += feed->seconds;
    p->decode_seconds += feed->loader.decode_seconds;
    p->wait_seconds += feed->loader.wait_seconds;
    if (peak > p->peak_rss) p->peak_rss = peak;
    if (!(rate > 0)) return trib_success(); /* all were skipped */
    return cli_samples_add(&p->samples, (cli_sample) { .round = round, .seconds = 1 / rate });
}

/* Uses the bench's device and model: a pipe can deliver its model only once. */
trib_status bench_pass(bench *b, bench_cell *cell, int round, bool last)
{
    cli_feed feed = { .settings = &cell->settings,
                      .device = b->device,
                      .model = b->model,
                      .preprocess = b->preprocess,
                      .batch_size = cell->is.batch,
                      .workers = b->options->workers,
                      .keeps_parameters = !last };
    const cli_feed_handler handler = { .image = ignore_image };
    cli_texts inputs = { .items = (char *[]) { (char *)b->options->end_to_end }, .count = 1 };
    trib_source_options source = { .outputs = b->files.writes.path, .output_count = b->files.writes.count };
    trib_status status = cli_feed_open_source(&feed, &inputs, 0, &source);
    cli_reset_peak_rss();
    if (!trib_failed(&status)) status = cli_feed_run(&feed, USUAL_TOP_K, &handler);
    if (!trib_failed(&status)) status = add_pass(&cell->passes, &feed, round);
    trib_source_close(feed.source);
    return status;
}
