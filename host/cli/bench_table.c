/* SPDX-License-Identifier: Apache-2.0
 * Several configurations side by side: a row each, by batch size. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "tributary/internal/alloc.h"

enum { MOST_COLUMNS = 12, FIELD = CLI_CELL_TEXT };

/* Fields are aligned right, but the second, the configuration. */
typedef struct row {
    char field[MOST_COLUMNS][FIELD];
    int count;
    const char *rest; /* not NULL: what is said instead of further fields */
} row;

TRIB_PRINTF(2, 3)
static void add(row *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->field[r->count++], FIELD, format, args);
    va_end(args);
}

static void add_spread(row *r, const cli_spread *s, int digits)
{
    if (s->count)
        add(r, "%.*f-%.*f", digits, s->min, digits, s->max);
    else
        add(r, "-");
}

static void add_percentile(row *r, double milliseconds)
{
    if (isnan(milliseconds))
        add(r, "-");
    else
        add(r, "%.2f", milliseconds);
}

/* ---- columns ---- */

static void name_columns(const bench *b, row *r)
{
    const bench_options *o = b->options;
    add(r, "batch");
    add(r, "configuration");
    for (int rate = 0; rate < CLI_RATE_COUNT && !o->end_to_end && !o->train; ++rate)
        if (bench_wants(b, (cli_rate)rate)) add(r, "%s", cli_rate_name((cli_rate)rate));
    if (o->end_to_end || o->train) add(r, "images/s");
    add(r, "range");
    add(r, "ratio");
    add(r, "range");
    if (o->end_to_end) return;
    add(r, o->train ? "step p50" : "latency p50");
    add(r, "p99");
    add(r, "of runs");
    add(r, "MiB");
}

static trib_status summary_of(const bench *b, const bench_cell *c, cli_bench_summary *out)
{
    if (b->options->train) return cli_samples_summarise(&c->train.samples, CLI_STEP, out);
    return cli_samples_summarise(&c->rates.samples, c->rates.latency, out);
}

static trib_status add_times(const bench *b, const bench_cell *c, row *r)
{
    cli_bench_summary s;
    TRIB_TRY(summary_of(b, c, &s));
    const int64_t bytes = b->options->train ? c->train.peak_rss - c->train.rss_before : c->rates.session_bytes;
    add_percentile(r, s.count ? s.percentile[0] : NAN);
    add_percentile(r, s.count ? s.percentile[CLI_PERCENTILES - 1] : NAN);
    if (s.count)
        add(r, "%zu", s.count);
    else
        add(r, "-");
    add(r, "%.1f", (double)bytes / 1048576.0);
    return trib_success();
}

static trib_status fill_row(const bench *b, const bench_cell *c, row *r)
{
    const bench_options *o = b->options;
    char name[CLI_CELL_TEXT];
    add(r, "%d", c->is.batch);
    add(r, "%s", cli_cell_name(&o->lists, &c->is, name));
    if (trib_failed(&c->status)) {
        r->rest = c->status.message;
        return trib_success();
    }
    const cli_spread spread = bench_spread(b, c), ratio = bench_ratio(b, c);
    for (int rate = 0; rate < CLI_RATE_COUNT && !o->end_to_end && !o->train; ++rate)
        if (bench_wants(b, (cli_rate)rate)) add(r, "%.1f", c->rates.images_per_second[rate]);
    if (o->end_to_end || o->train) add(r, "%.1f", spread.median);
    add_spread(r, &spread, 1);
    if (ratio.count)
        add(r, "%.3f", ratio.median);
    else
        add(r, "-");
    add_spread(r, &ratio, 3);
    return o->end_to_end ? trib_success() : add_times(b, c, r);
}

/* ---- printing ---- */

static void print_row(const row *r, const int *widths)
{
    for (int i = 0; i < r->count; ++i)
        if (i == 1)
            printf("  %-*s", widths[i], r->field[i]);
        else
            printf("%s%*s", i ? "  " : "", widths[i], r->field[i]);
    printf(r->rest ? "  not measured: %s\n" : "\n", r->rest);
}

static void print_rows(const row *rows, int count)
{
    int widths[MOST_COLUMNS] = { 0 };
    for (int i = 0; i < count; ++i)
        for (int k = 0; k < rows[i].count; ++k) {
            const int length = (int)strlen(rows[i].field[k]);
            if (length > widths[k]) widths[k] = length;
        }
    for (int i = 0; i < count; ++i) print_row(&rows[i], widths);
}

static void print_rounds(const bench *b)
{
    if (b->rounds_done < b->rounds)
        printf("images/s: the median of the turns that a row had (ended early, after %d of %d round%s)", b->rounds_done,
               b->rounds, b->rounds == 1 ? "" : "s");
    else
        printf("images/s: the median of %d round%s%s", b->rounds, b->rounds == 1 ? "" : "s",
               b->rounds == 1 ? "" : " with a turn for each row");
}

static void explain(const bench *b)
{
    char name[CLI_CELL_TEXT];
    const bench_options *o = b->options;
    print_rounds(b);
    printf(", and the range%s; ratio: to '%s' at the same batch size, within each round, with its range\n",
           o->end_to_end || o->train || o->rate != BENCH_ALL_RATES ? "" : " with copies",
           cli_cell_name(&o->lists, &b->grid.items[0], name));
    if (o->end_to_end) return;
    printf(o->train ? "step: in ms, of all rounds; p99 needs 100 runs; MiB: what the process grows by\n"
                    : "latency: in ms of a whole batch, one at a time, with copies, of all rounds; p99 needs 100 runs; "
                      "MiB: device memory of the session\n");
}

trib_status bench_print_table(const bench *b)
{
    row *rows = trib_alloc_zeroed((size_t)b->grid.count + 1, sizeof *rows);
    if (!rows) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a table of %d rows", b->grid.count);
    name_columns(b, &rows[0]);
    trib_status status = trib_success();
    for (int i = 0; i < b->grid.count && !trib_failed(&status); ++i) status = fill_row(b, &b->cells[i], &rows[i + 1]);
    if (!trib_failed(&status)) {
        print_rows(rows, b->grid.count + 1);
        explain(b);
    }
    trib_free(rows);
    return status;
}
