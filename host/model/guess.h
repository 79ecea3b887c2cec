/* SPDX-License-Identifier: Apache-2.0
 * The preprocessing of a model whose file says nothing about it. */
#ifndef TRIBUTARY_MODEL_GUESS_H
#define TRIBUTARY_MODEL_GUESS_H

#include "tributary/image.h"
#include "tributary/network.h"

/* What the network most likely expects. *why, if not NULL: what was guessed and from what, for people to read; a static
 * text. */
trib_preprocess trib_guess_preprocess(const trib_dialect *dialect, int classes, const char **why);

#endif
