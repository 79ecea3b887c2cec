/* SPDX-License-Identifier: Apache-2.0
 * Shared by the reader of pickles, its values, and its calls. */
#ifndef TRIBUTARY_FORMATS_PICKLE_PRIVATE_H
#define TRIBUTARY_FORMATS_PICKLE_PRIVATE_H

#include "formats/pickle.h"

/* Deeper than any model's tree of modules, with a dict or two per level; and 100 MB of values. */
enum { TRIB_PICKLE_MAX_NESTED = 100, TRIB_PICKLE_MAX_VALUES = 4 << 20 };

/* A new value; *index is its place. */
trib_status trib_pickle_add(trib_pickle *pickle, trib_pickle_value value, uint32_t *index);
/* Puts `count` values at the end of a container. */
trib_status trib_pickle_append(trib_pickle *pickle, uint32_t container, const uint32_t *values, size_t count);
/* The value of a call, after the check of what is called. */
trib_status trib_pickle_call(trib_pickle *pickle, uint32_t callee, uint32_t arguments, uint32_t *index);

#endif
