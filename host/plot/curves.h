/* SPDX-License-Identifier: Apache-2.0
 * Curves as SVG: panels under one another that share an axis. Light and dark as the reader's screen is, light in print;
 * title and description for those who do not see it. */
#ifndef TRIBUTARY_PLOT_CURVES_H
#define TRIBUTARY_PLOT_CURVES_H

#include <stdbool.h>
#include <stddef.h>

#include "formats/text.h"
#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_CURVE_COLORS = 6 };

/* Points in order of x. A value that is not finite, or beyond 1e30, is a gap, and is said to be one. */
typedef struct trib_curve {
    const char *name;
    int color;   /* 0 .. TRIB_CURVE_COLORS - 1 */
    bool dashed; /* so that two curves of one color are told apart, in print too */
    const double *x, *y;
    size_t count;
    size_t stride; /* from one point to the next, in elements of x and y; 0: 1 */
    bool dots;     /* at its points, where there are few and each was measured */
} trib_curve;

typedef struct trib_curve_panel {
    const char *title;
    const trib_curve *curves;
    int count;
    bool from_zero; /* the y axis includes 0 */
} trib_curve_panel;

typedef struct trib_curves {
    const char *title, *x_title;
    const trib_curve_panel *panels; /* those without a point are left out */
    int count;
    const char *const *x_names; /* of x = 0, 1, ...: the ticks, evenly spaced; NULL: numbers */
    int x_name_count;
    bool parts; /* x and y are parts of 1: both axes are from 0 to 1, and last values are not repeated in the legend */
} trib_curves;

/* Any number of points: what is narrower than the picture's resolution is drawn from its lowest to its highest value.
 * `text` fails when out of memory. Same curves, same bytes. */
void trib_curves_svg(const trib_curves *curves, trib_text *text);
/* Replaces `path` as a whole. */
trib_status trib_curves_write(const char *path, const trib_curves *curves);

#ifdef __cplusplus
}
#endif
#endif
