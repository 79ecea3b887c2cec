/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_cells.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "settings.h"
#include "tributary/internal/alloc.h"

static const int usual_batches[] = { 1, 32 };
static const cli_schedules usual_schedules = { 0 };

static int at(const cli_ints *list, int i) { return list->count ? list->items[i] : 0; }
static int length(int count) { return count ? count : 1; }

static int configurations(const cli_cell_lists *l)
{
    const int counts[] = { l->precisions.count, l->schedules.count, l->launches.count, l->in_flights.count };
    double product = 1; /* exact up to 2^53, far beyond what is refused */
    for (size_t i = 0; i < sizeof counts / sizeof *counts; ++i) product *= length(counts[i]);
    return product > INT_MAX ? INT_MAX : (int)product;
}

/* Configuration `n`: the number of what changes fastest, in flight, counts first. */
static cli_cell cell_of(const cli_cell_lists *l, int batch, int n)
{
    const int flights = length(l->in_flights.count), launches = length(l->launches.count);
    const int schedules = length(l->schedules.count);
    cli_cell cell = { .batch = batch, .configuration = n };
    cell.in_flight = at(&l->in_flights, n % flights);
    cell.launch = at(&l->launches, n / flights % launches);
    cell.schedule = n / flights / launches % schedules;
    cell.precision = at(&l->precisions, n / flights / launches / schedules);
    return cell;
}

enum { MOST_CELLS = 10000 };

trib_status cli_cells_make(const cli_cell_lists *l, cli_cells *out)
{
    const int *batches = l->batches.count ? l->batches.items : usual_batches;
    const int batch_count = l->batches.count ? l->batches.count : 2;
    *out = (cli_cells) { .configurations = configurations(l) };
    const double count = (double)out->configurations * batch_count;
    if (count > MOST_CELLS)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%.0f combinations are too many to measure (%d are the limit)", count,
                          MOST_CELLS);
    out->items = trib_realloc_array(NULL, (size_t)count, sizeof *out->items);
    if (!out->items) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %.0f combinations", count);
    for (int i = 0; i < batch_count; ++i)
        for (int n = 0; n < out->configurations; ++n) out->items[out->count++] = cell_of(l, batches[i], n);
    return trib_success();
}

void cli_cells_release(cli_cells *cells)
{
    trib_free(cells->items);
    *cells = (cli_cells) { 0 };
}

int cli_cells_turn(int count, int round, int i) { return round % 2 ? count - 1 - i : i; }

int cli_cells_share(int total, int rounds, int round) { return total / rounds + (round < total % rounds); }

const cli_schedules *cli_cell_schedules(const cli_cell_lists *lists, const cli_cell *cell)
{
    return lists->schedules.count ? &lists->schedules.items[cell->schedule] : &usual_schedules;
}

static void add(char text[CLI_CELL_TEXT], bool wanted, const char *word)
{
    size_t used = strlen(text);
    if (wanted) snprintf(text + used, CLI_CELL_TEXT - used, "%s%s", used ? ", " : "", word);
}

const char *cli_cell_name(const cli_cell_lists *l, const cli_cell *cell, char text[CLI_CELL_TEXT])
{
    char schedule[CLI_SCHEDULE_TEXT], in_flight[32];
    const bool single = configurations(l) == 1;
    snprintf(in_flight, sizeof in_flight, "%d in flight", cell->in_flight);
    *text = '\0';
    add(text, l->precisions.count > 1, trib_precision_name((trib_precision)cell->precision));
    add(text, l->schedules.count > 1 || single, cli_schedule_text(cli_cell_schedules(l, cell), schedule));
    add(text, l->launches.count > 1, cell->launch == TRIB_GRAPH ? "graph" : "eager");
    add(text, l->in_flights.count > 1, in_flight);
    return text;
}
