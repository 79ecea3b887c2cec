/* SPDX-License-Identifier: Apache-2.0
 * What a network that classifies regions of images sees, and what its classes mean: objects, and background, which is
 * where no object is.
 *
 * Background is known by its label, "background" or "__background__", wherever in the list it stands. `train --boxes`
 * makes it class 0, so that the truth's categories are classes 1, 2 and so on, in their order. A network without such
 * a class is a plain classifier: each of its classes is one of objects, and no region is background. It can be used
 * where its user is told so: its scores say which object a region is most like, and not whether there is one. */
#ifndef TRIBUTARY_DETECT_REGION_CLASSES_H
#define TRIBUTARY_DETECT_REGION_CLASSES_H

#include <stdbool.h>

#include "tributary/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TRIB_BACKGROUND_LABEL "background"
enum { TRIB_BACKGROUND_CLASS = 0, TRIB_NO_BACKGROUND = -1 };

/* Pixels of a network's input of this width and height around a box, on each side, in training as in detection: R-CNN's
 * 16 of 224, and in proportion, rounded, of other inputs (5 of 64). For trib_region_with_context. */
int trib_region_context(int width, int height);

/* Whether a class of this name is background. NULL is none: a model may have no labels. */
bool trib_is_background(const char *label);
/* The first class of the model that is, or TRIB_NO_BACKGROUND. */
int trib_background_class(const trib_model *model);

#ifdef __cplusplus
}
#endif
#endif
