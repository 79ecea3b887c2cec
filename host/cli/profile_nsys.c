/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_nsys.h"

#include <stdio.h>
#include <stdlib.h>

#include "profile/nsys_print.h"

typedef struct results {
    trib_nsys_report *report;
    trib_nsys_networks networks;
    trib_nsys_overlaps overlaps;
} results;

/* Into memory first, so that a failure of standard output is reported as everywhere else. */
static trib_status print(const results *r)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the text of a report");
    trib_nsys_print(r->report, &r->overlaps, &r->networks, out);
    trib_status status = fclose(out) == 0 ? cli_write_stdout(text, size)
                                          : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the text of a report");
    free(text); /* the C library's */
    return status;
}

static trib_status read_and_print(const char *path, const char *range, results *r)
{
    TRIB_TRY(trib_nsys_read(path, cli_stopped, &r->report));
    TRIB_TRY(trib_nsys_overlaps_of(r->report, range, &r->overlaps));
    TRIB_TRY(trib_nsys_networks_of(r->report, &r->networks));
    TRIB_TRY(print(r));
    cli_message(
        "note: a report also holds the environment of the program and the names of all processes; look through it "
        "before you pass it on");
    return trib_success();
}

trib_status cli_profile_nsys(const char *path, const char *range)
{
    results r = { 0 };
    cli_catch_signals();
    trib_status status = read_and_print(path, range, &r);
    trib_nsys_networks_release(&r.networks);
    trib_nsys_overlaps_release(&r.overlaps);
    trib_nsys_release(r.report);
    return status;
}
