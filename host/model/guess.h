/* SPDX-License-Identifier: Apache-2.0
 * The preprocessing of a model whose file does not specify it. */
#ifndef TRIBUTARY_MODEL_GUESS_H
#define TRIBUTARY_MODEL_GUESS_H

#include "tributary/image.h"
#include "tributary/model.h"
#include "tributary/network.h"

/* What the network most likely expects. *why, if not NULL: a sentence for people, what was guessed and why; a static
 * string. */
trib_preprocess trib_guess_preprocess(const trib_dialect *dialect, int classes, const char **why);

/* Of a model with a guess: mean and std are known nevertheless, from a mean image or from arithmetic in its graph. */
bool trib_model_mean_is_known(const trib_model *model);

#endif
