/* SPDX-License-Identifier: Apache-2.0 */
#include "tuned.h"

#include <math.h>
#include <string.h>

#include "text.h"
#include "tributary/internal/alloc.h"

trib_status cli_tuned_path(const cli_settings *s, const trib_device *device, bool create, char **out)
{
    const trib_device_info *info = trib_device_get_info(device);
    char name[64];
    snprintf(name, sizeof name, "schedules-%s.txt", info->spec);
    for (char *c = name; *c; ++c)
        if (*c == ':') *c = '-';
    return cli_cache_file(s, name, create, out);
}

trib_status cli_find_tuned(const cli_settings *s, trib_device *device, const trib_graph *graph,
                           const trib_plan_options *plan, trib_launch launch, trib_tuned **out)
{
    char *path = NULL, note[TRIB_MESSAGE_SIZE] = "no file is kept";
    *out = NULL;
    if (!s->schedule.automatic) return trib_success();
    TRIB_TRY(cli_tuned_path(s, device, false, &path));
    trib_status status = path ? trib_tuned_load(path, device, graph, plan, launch, note, out) : trib_success();
    trib_free(path);
    if (!trib_failed(&status) && !*out)
        cli_message(
            "--schedule auto: serial is used, because nothing has been measured for this (%s); 'tributary tune' "
            "measures",
            note);
    return status;
}

/* ---- for people ---- */

static void print_ratio(const trib_ratio *r, FILE *out)
{
    if (!isfinite(r->ratio))
        fprintf(out, "%7s  %13s", "-", "");
    else if (isfinite(r->high))
        fprintf(out, "%7.3f  %5.3f - %5.3f", r->ratio, r->low, r->high);
    else
        fprintf(out, "%7.3f  %13s", r->ratio, "");
    fprintf(out, " %5d", r->pairs);
}

static void print_column(const char *text, int width, FILE *out)
{
    cli_print_safe(out, text);
    for (int i = (int)strlen(text); i < width; ++i) fputc(' ', out);
    fputc(' ', out);
}

static const char *reason(const trib_tune_verdict *v)
{
    if (v->taken) return "taken: faster by 1 % at least";
    if (!v->ratio.pairs) return "not taken: time was up";
    if (!isfinite(v->ratio.high))
        return v->ratio.ratio < 0.99 ? "not taken: too few pairs" : "not taken: no faster in a first try";
    if (v->ratio.low > 1) return "not taken: slower";
    return "not taken: not sure to be faster by 1 %";
}

void cli_print_tuned(const trib_tuned *t, FILE *out)
{
    fprintf(out, "\nschedule auto: searched in %.0f s, %d ways to run, %d runs%s%s", t->seconds, t->ways, t->runs,
            t->complete ? "" : "; cut short: time was up, or it was interrupted", *t->note ? "; " : "");
    cli_print_safe(out, t->note); /* of a file, as what was tried is */
    fputc('\n', out);
    if (t->lanes)
        fprintf(out, "%d lane%s of %d thread%s, %d image%s at a time\n", t->lanes, t->lanes == 1 ? "" : "s", t->threads,
                t->threads == 1 ? "" : "s", t->chunk, t->chunk == 1 ? "" : "s");
    if (!t->verdict_count) return;
    fprintf(out, "%-22s %-52s %-42s %7s  %-13s %5s\n", "", "tried", "compared with", "ratio", "95 % interval", "pairs");
    for (int i = 0; i < t->verdict_count; ++i) {
        const trib_tune_verdict *v = &t->verdicts[i];
        print_column(*v->fork ? v->fork : "network", 22, out);
        print_column(v->what, 52, out);
        print_column(v->than, 42, out);
        print_ratio(&v->ratio, out);
        fprintf(out, "  %s\n", reason(v));
    }
}
