/* SPDX-License-Identifier: Apache-2.0
 * Precision against recall by COCO's rules as SVG: at IoUs 0.5, 0.75 and 0.9, the mean over classes, then a panel per
 * class that has something to be found. */
#ifndef TRIBUTARY_DETECT_COCO_PLOT_H
#define TRIBUTARY_DETECT_COCO_PLOT_H

#include "detect/coco_ap.h"
#include "formats/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `ap` is of `truths`. Curves are of the best precision at 101 recalls. `text` fails when out of memory, and then so
 * does the function. */
trib_status trib_coco_svg(const trib_truths *truths, const trib_coco_ap *ap, const char *title, trib_text *text);
/* Replaces `path` as a whole. */
trib_status trib_coco_plot_write(const char *path, const trib_truths *truths, const trib_coco_ap *ap,
                                 const char *title);

#ifdef __cplusplus
}
#endif
#endif
