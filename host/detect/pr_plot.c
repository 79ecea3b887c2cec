/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/pr_plot.h"

#include <stdio.h>

#include "data/input.h"
#include "detect/path.h"
#include "plot/curves.h"
#include "tributary/internal/alloc.h"

typedef struct class_panel {
    trib_curve curve;
    char title[200];
} class_panel;

/* The first panel is the mean's. */
typedef struct plot {
    trib_curve_panel *panels;
    class_panel *classes;
    double *points; /* recall and precision of each point, of all curves */
    double mean[TRIB_RECALL_POINTS];
    int count;
} plot;

/* ---- points ---- */

static size_t count_points(const trib_ap *ap)
{
    size_t count = TRIB_RECALL_POINTS;
    for (size_t c = 0; c < ap->count; ++c) count += ap->classes[c].curve.truths ? ap->classes[c].curve.count : 0;
    return count;
}

static double *put_class(const trib_precision_recall *curve, double *points)
{
    for (size_t i = 0; i < curve->count; ++i) {
        *points++ = trib_recall_at(curve, i);
        *points++ = trib_precision_at(curve, i);
    }
    return points;
}

/* Mean of the best precision over the classes that have something to be found. */
static void average(const trib_ap *ap, double mean[TRIB_RECALL_POINTS])
{
    double best[TRIB_RECALL_POINTS];
    size_t count = 0;
    for (size_t c = 0; c < ap->count; ++c) {
        if (trib_average_precision_101(&ap->classes[c].curve, best) < 0) continue;
        for (int i = 0; i < TRIB_RECALL_POINTS; ++i) mean[i] += best[i];
        ++count;
    }
    for (int i = 0; i < TRIB_RECALL_POINTS && count; ++i) mean[i] /= (double)count;
}

/* ---- panels ---- */

static void add_panel(plot *p, const double *points, size_t count, int color)
{
    class_panel *c = &p->classes[p->count];
    c->curve =
        (trib_curve) { .name = "precision", .color = color, .x = points, .y = points + 1, .count = count, .stride = 2 };
    p->panels[p->count++] = (trib_curve_panel) { .title = c->title, .curves = &c->curve, .count = 1 };
}

static void fill(const trib_truths *truths, const trib_ap *ap, plot *p)
{
    double *points = p->points;
    average(ap, p->mean);
    snprintf(p->classes[0].title, sizeof p->classes[0].title, "Mean over classes: AP %.3f", ap->mean);
    for (int i = 0; i < TRIB_RECALL_POINTS; ++i) {
        points[2 * i] = i * 0.01;
        points[2 * i + 1] = p->mean[i];
    }
    add_panel(p, points, ap->mean < 0 ? 0 : TRIB_RECALL_POINTS, 0);
    points += 2 * TRIB_RECALL_POINTS;
    for (size_t c = 0; c < ap->count; ++c) {
        const trib_precision_recall *curve = &ap->classes[c].curve;
        if (!curve->truths) continue;
        snprintf(p->classes[p->count].title, sizeof p->classes[0].title, "%.100s: AP %.3f, objects: %zu",
                 truths->categories[c].name, ap->classes[c].ap, curve->truths);
        const double *first = points;
        points = put_class(curve, points);
        add_panel(p, first, curve->count, 1);
    }
}

trib_status trib_precision_recall_svg(const trib_truths *truths, const trib_ap *ap, const char *title, trib_text *text)
{
    plot p = { 0 };
    p.panels = trib_alloc_zeroed(ap->count + 1, sizeof *p.panels);
    p.classes = trib_alloc_zeroed(ap->count + 1, sizeof *p.classes);
    p.points = trib_realloc_array(NULL, count_points(ap), 2 * sizeof *p.points);
    trib_status s = trib_success();
    if (p.panels && p.classes && p.points) {
        fill(truths, ap, &p);
        trib_curves_svg(
            &(trib_curves) { .title = title, .x_title = "recall", .parts = true, .panels = p.panels, .count = p.count },
            text);
    }
    if (!p.panels || !p.classes || !p.points || text->failed) s = trib_no_memory("curves of precision and recall");
    trib_free(p.panels);
    trib_free(p.classes);
    trib_free(p.points);
    return s;
}

trib_status trib_precision_recall_write(const char *path, const trib_truths *truths, const trib_ap *ap,
                                        const char *title)
{
    trib_text text = { 0 };
    trib_status s = trib_precision_recall_svg(truths, ap, title, &text);
    if (!trib_failed(&s)) s = trib_write_text(path, &text);
    trib_text_free(&text);
    return s;
}
