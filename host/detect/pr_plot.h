/* SPDX-License-Identifier: Apache-2.0
 * Precision against recall as SVG: the mean over classes, then a panel per class that has something to be found. */
#ifndef TRIBUTARY_DETECT_PR_PLOT_H
#define TRIBUTARY_DETECT_PR_PLOT_H

#include "detect/ap.h"
#include "formats/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `ap` is of `truths`. The mean's curve is of the best precision at 101 recalls; a class's curve has a point per
 * detection. `text` fails when out of memory, and then so does the function. */
trib_status trib_precision_recall_svg(const trib_truths *truths, const trib_ap *ap, const char *title, trib_text *text);
/* Replaces `path` as a whole. */
trib_status trib_precision_recall_write(const char *path, const trib_truths *truths, const trib_ap *ap,
                                        const char *title);

#ifdef __cplusplus
}
#endif
#endif
