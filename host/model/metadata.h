/* SPDX-License-Identifier: Apache-2.0
 * Reads and writes Tributary's keys in __metadata__ of a model file. See tributary/model.h for the keys. */
#ifndef TRIBUTARY_MODEL_METADATA_H
#define TRIBUTARY_MODEL_METADATA_H

#include "formats/text.h"
#include "tributary/image.h"
#include "tributary/network.h"

/* *network, found by its tensors, becomes the one that `text`, the value of tributary.variant, names. Fails unless that
 * has the same tensors. */
trib_status trib_metadata_choose_network(const char *text, const trib_network **network);

/* Class names in output order; `classes` of them. Free *out with trib_free: one block that includes the names. */
trib_status trib_metadata_read_labels(const char *text, int classes, const char ***out);

trib_status trib_metadata_read_preprocessing(const char *text, trib_preprocess *out);

/* The same texts: reading them gives what was written. */
void trib_metadata_write_labels(const char *const *labels, int classes, trib_text *out);
void trib_metadata_write_preprocessing(const trib_preprocess *preprocess, trib_text *out);

#endif
