/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/coco_plot.h"

#include <stdio.h>

#include "data/input.h"
#include "detect/path.h"
#include "plot/curves.h"
#include "tributary/internal/alloc.h"

enum { SHOWN = 3 };

static const int shown[SHOWN] = { 0, 5, 8 }; /* of trib_coco_iou */

typedef struct class_panel {
    trib_curve curves[SHOWN];
    char title[200], names[SHOWN][40];
} class_panel;

/* The first panel is the mean's. */
typedef struct plot {
    trib_curve_panel *panels;
    class_panel *classes;
    double recall[TRIB_RECALL_POINTS], mean[TRIB_COCO_IOUS][TRIB_RECALL_POINTS];
    int count;
} plot;

static bool counts(const trib_coco_class *c) { return c->numbers.ap[TRIB_COCO_ALL] >= 0; }

static void average(const trib_coco_ap *ap, plot *p)
{
    size_t count = 0;
    for (size_t c = 0; c < ap->count; ++c) count += counts(&ap->classes[c]);
    for (size_t c = 0; c < ap->count; ++c)
        for (int s = 0; s < SHOWN && counts(&ap->classes[c]); ++s)
            for (int i = 0; i < TRIB_RECALL_POINTS; ++i)
                p->mean[shown[s]][i] += ap->classes[c].best_precision[shown[s]][i] / (double)count;
}

/* AP at one overlap is the mean of its points. */
static double mean_of(const double *precision)
{
    double sum = 0;
    for (int i = 0; i < TRIB_RECALL_POINTS; ++i) sum += precision[i];
    return sum / TRIB_RECALL_POINTS;
}

static void add_panel(plot *p, const char *name, double ap, const double precision[TRIB_COCO_IOUS][TRIB_RECALL_POINTS])
{
    class_panel *panel = &p->classes[p->count];
    snprintf(panel->title, sizeof panel->title, "%.100s: AP %.3f, and at IoU", name, ap);
    for (int s = 0; s < SHOWN; ++s) {
        const double *curve = precision[shown[s]];
        snprintf(panel->names[s], sizeof *panel->names, "%g: %.3f", trib_coco_iou(shown[s]), mean_of(curve));
        panel->curves[s] = (trib_curve) {
            .name = panel->names[s], .color = s, .x = p->recall, .y = curve, .count = TRIB_RECALL_POINTS
        };
    }
    p->panels[p->count++] = (trib_curve_panel) { .title = panel->title, .curves = panel->curves, .count = SHOWN };
}

static void fill(const trib_truths *truths, const trib_coco_ap *ap, plot *p)
{
    for (int i = 0; i < TRIB_RECALL_POINTS; ++i) p->recall[i] = i * 0.01;
    average(ap, p);
    if (ap->mean.ap[TRIB_COCO_ALL] >= 0) add_panel(p, "Mean over classes", ap->mean.ap[TRIB_COCO_ALL], p->mean);
    for (size_t c = 0; c < ap->count; ++c)
        if (counts(&ap->classes[c]))
            add_panel(p, truths->categories[c].name, ap->classes[c].numbers.ap[TRIB_COCO_ALL],
                      ap->classes[c].best_precision);
}

trib_status trib_coco_svg(const trib_truths *truths, const trib_coco_ap *ap, const char *title, trib_text *text)
{
    trib_status s = trib_no_memory("curves of precision and recall");
    plot *p = trib_alloc_zeroed(1, sizeof *p);
    if (p) p->panels = trib_alloc_zeroed(ap->count + 1, sizeof *p->panels);
    if (p) p->classes = trib_alloc_zeroed(ap->count + 1, sizeof *p->classes);
    if (p && p->panels && p->classes) {
        fill(truths, ap, p);
        trib_curves_svg(
            &(trib_curves) {
                .title = title, .x_title = "recall", .parts = true, .panels = p->panels, .count = p->count },
            text);
        if (!text->failed) s = trib_success();
    }
    if (p) trib_free(p->panels);
    if (p) trib_free(p->classes);
    trib_free(p);
    return s;
}

trib_status trib_coco_plot_write(const char *path, const trib_truths *truths, const trib_coco_ap *ap, const char *title)
{
    trib_text text = { 0 };
    trib_status s = trib_coco_svg(truths, ap, title, &text);
    if (!trib_failed(&s)) s = trib_write_text(path, &text);
    trib_text_free(&text);
    return s;
}
