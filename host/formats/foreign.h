/* SPDX-License-Identifier: Apache-2.0
 * Recognises, by their first bytes, other files that people pass instead of a model file. */
#ifndef TRIBUTARY_FORMATS_FOREIGN_H
#define TRIBUTARY_FORMATS_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "tributary/status.h"

/* Why a file that begins like this, and that no driver reads, cannot be read, and what to do: always a failure. Does
 * not name the file. `size` bytes, all of a short file. */
trib_status trib_foreign_format(const unsigned char *head, size_t size);
/* Whether there are no control characters but tabs and ends of lines. */
bool trib_is_text(const unsigned char *head, size_t size);
/* Whether it is a graph of TensorFlow, which a Caffe model is much like. */
bool trib_is_tensorflow_graph(const unsigned char *head, size_t size);

#endif
