/* SPDX-License-Identifier: Apache-2.0 */
#include "train/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tributary/declare.h"

const char *trib_duration_text(double seconds, char *text)
{
    static const struct {
        const char *name, *next;
        int64_t unit, part;
    } units[] = { { "d", "h", 86400, 3600 }, { "h", "min", 3600, 60 }, { "min", "s", 60, 1 } };
    if (!(seconds >= 0 && seconds < 1000 * 86400.0)) return strcpy(text, "?");
    for (size_t i = 0; i < sizeof units / sizeof *units; ++i) {
        const int64_t parts = (int64_t)(seconds / (double)units[i].part + 0.5), each = units[i].unit / units[i].part;
        if (parts < each) continue;
        int n = snprintf(text, TRIB_DURATION_TEXT, "%" PRId64 " %s", parts / each, units[i].name);
        if (parts % each)
            snprintf(text + n, (size_t)(TRIB_DURATION_TEXT - n), " %" PRId64 " %s", parts % each, units[i].next);
        return text;
    }
    snprintf(text, TRIB_DURATION_TEXT, "%.0f s", floor(seconds + 0.5));
    return text;
}

/* ---- speed ---- */

void trib_pace_add(trib_pace *pace, double seconds, int64_t images)
{
    const int64_t at = pace->moments++ % (TRIB_PACE_STEPS + 1);
    pace->seconds[at] = seconds;
    pace->images[at] = (double)images;
}

/* Steps in the ring; *seconds and *images that they took. */
static int64_t span(const trib_pace *pace, double *seconds, double *images)
{
    const int64_t size = TRIB_PACE_STEPS + 1, last = pace->moments - 1;
    const int64_t first = pace->moments > size ? pace->moments - size : 0;
    if (last <= first) return 0;
    *seconds = pace->seconds[last % size] - pace->seconds[first % size];
    *images = pace->images[last % size] - pace->images[first % size];
    return *seconds > 0 ? last - first : 0;
}

double trib_pace_images_per_second(const trib_pace *pace)
{
    double seconds, images;
    return span(pace, &seconds, &images) ? images / seconds : NAN;
}

double trib_pace_seconds_for(const trib_pace *pace, int64_t steps)
{
    double seconds, images;
    const int64_t done = span(pace, &seconds, &images);
    return done ? seconds / (double)done * (double)steps : NAN;
}

trib_limit trib_limit_of(double seconds, double waited, double reading, double decoding)
{
    if (!(seconds > 0) || !(waited >= 0)) return TRIB_LIMIT_UNKNOWN;
    if (waited < 0.1 * seconds) return TRIB_LIMIT_COMPUTING;
    if (!(reading >= 0 && decoding >= 0 && reading + decoding > 0)) return TRIB_LIMIT_UNKNOWN;
    return reading > decoding ? TRIB_LIMIT_READING : TRIB_LIMIT_DECODING;
}

const char *trib_limit_name(trib_limit limit)
{
    static const char *const names[] = { "", "reading", "decoding", "computing" };
    return (unsigned)limit < sizeof names / sizeof *names ? names[limit] : "";
}

/* ---- progress ---- */

/* A part of the line, and how soon it is left out when there is no room: the largest first, 0 never. */
typedef struct part {
    char text[96];
    int order;
} part;

typedef struct parts {
    part items[8];
    int count;
} parts;

TRIB_PRINTF(3, 4)
static void add(parts *p, int order, const char *format, ...)
{
    part *item = &p->items[p->count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(item->text, sizeof item->text, format, arguments);
    va_end(arguments);
    item->order = order;
}

static const char *loss_text(double loss, char *text)
{
    snprintf(text, 16, fabs(loss) < 1000 ? "%.3f" : "%.3g", loss);
    return text;
}

static void add_aux(parts *p, const trib_progress_report *r)
{
    char list[80] = "", loss[16];
    size_t used = 0;
    for (int i = 0; i < r->aux_count && used + sizeof loss < sizeof list; ++i)
        used += (size_t)snprintf(list + used, sizeof list - used, " %s", loss_text(r->aux[i], loss));
    if (used) add(p, 5, "(aux%s)", list);
}

static void add_counts(parts *p, const trib_progress_report *r)
{
    if (r->epochs > 0) add(p, 0, "epoch %" PRId64 "/%" PRId64, r->epoch, r->epochs);
    if (r->steps > 0)
        add(p, 1, "step %" PRId64 "/%" PRId64, r->step, r->steps);
    else
        add(p, 1, "step %" PRId64, r->step);
}

/* " " before the auxiliary losses, which belong to the one before; "  " elsewhere. */
static size_t join(const parts *p, int below, char *text)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < p->count; ++i) {
        if (p->items[i].order >= below) continue;
        const char *space = !used ? "" : p->items[i].text[0] == '(' ? " " : "  ";
        const int n = snprintf(text + used, TRIB_REPORT_LINE - used, "%s%s", space, p->items[i].text);
        used = used + (size_t)n < TRIB_REPORT_LINE ? used + (size_t)n : TRIB_REPORT_LINE - 1;
    }
    return used;
}

const char *trib_progress_line(const trib_progress_report *r, int columns, char *text)
{
    parts p = { .count = 0 };
    char number[TRIB_DURATION_TEXT];
    add_counts(&p, r);
    if (!isnan(r->loss)) add(&p, 2, "loss %s", loss_text(r->loss, number));
    add_aux(&p, r);
    if (!isnan(r->top1)) add(&p, 4, "top-1 %.1f %%", r->top1);
    if (r->images_per_second > 0)
        add(&p, 6, r->images_per_second < 10 ? "%.1f images/s" : "%.0f images/s", r->images_per_second);
    bool starved =
        r->limit == TRIB_LIMIT_READING || r->limit == TRIB_LIMIT_DECODING; /* something can be done about it */
    if (*trib_limit_name(r->limit)) add(&p, starved ? 3 : 7, "limited by %s", trib_limit_name(r->limit));
    if (!isnan(r->seconds_left)) add(&p, 2, "%s left", trib_duration_text(r->seconds_left, number));
    int below = 8;
    while (join(&p, below, text) > (size_t)(columns > 0 ? columns : TRIB_REPORT_LINE) && below > 1) --below;
    return text;
}

TRIB_PRINTF(2, 3)
static void append(char *text, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, TRIB_REPORT_LINE - used, format, arguments);
    va_end(arguments);
}

const char *trib_epoch_line(const trib_epoch_report *r, char *text)
{
    char number[TRIB_DURATION_TEXT];
    snprintf(text, TRIB_REPORT_LINE, "epoch %" PRId64, r->epoch);
    if (r->epochs > 0) append(text, "/%" PRId64, r->epochs);
    append(text, ": loss %s", loss_text(r->train_loss, number));
    if (!isnan(r->eval_loss)) append(text, ", validation %s", loss_text(r->eval_loss, number));
    if (!isnan(r->top1)) append(text, ", top-1 %.1f %%", r->top1);
    if (!isnan(r->averaged_top1)) append(text, " (averaged %.1f %%)", r->averaged_top1);
    if (r->best) append(text, ", the best so far");
    if (!isnan(r->lr)) append(text, "; lr %.3g", r->lr);
    if (!isnan(r->seconds)) append(text, "; %s", trib_duration_text(r->seconds, number));
    return text;
}

/* ---- heads that do not learn ---- */

trib_plateau trib_plateau_begin(int classes, int heads, int64_t after)
{
    trib_plateau p = { .uniform = classes > 1 ? log(classes) : NAN, .after = after };
    p.heads = heads < TRIB_PLATEAU_HEADS ? heads : TRIB_PLATEAU_HEADS;
    return p;
}

/* The older half and the newer half, each as a mean: a loss that falls through the value is not at rest there. False if
 * one of them is not a number. `oldest`: where the ring begins. */
static bool sits_at(const double *losses, int64_t oldest, double uniform)
{
    const int half = TRIB_PLATEAU_STEPS / 2;
    for (int begin = 0; begin < TRIB_PLATEAU_STEPS; begin += half) {
        double sum = 0;
        for (int i = begin; i < begin + half; ++i) sum += losses[(oldest + i) % TRIB_PLATEAU_STEPS];
        if (!(fabs(sum / half - uniform) <= 0.01 * uniform)) return false;
    }
    return true;
}

unsigned trib_plateau_add(trib_plateau *plateau, int64_t step, const double *losses)
{
    unsigned heads = 0;
    const int64_t at = plateau->seen++ % TRIB_PLATEAU_STEPS;
    for (int i = 0; i < plateau->heads; ++i) plateau->losses[i][at] = losses[i];
    if (step < plateau->after || plateau->seen < TRIB_PLATEAU_STEPS) return 0;
    for (int i = 0; i < plateau->heads; ++i) {
        if (plateau->warned[i] || !sits_at(plateau->losses[i], plateau->seen, plateau->uniform)) continue;
        plateau->warned[i] = true;
        heads |= 1u << i;
    }
    return heads;
}

const char *trib_plateau_warning(const trib_plateau *plateau, int64_t step, const char *head, char *text)
{
    snprintf(text, TRIB_REPORT_LINE,
             "%.60s sits at %.2f, ln(%.0f), after %" PRId64
             " steps: this head knows nothing yet; a lower learning rate, a "
             "warm-up or another seed may let it begin to learn",
             head, plateau->uniform, exp(plateau->uniform), step);
    return text;
}
