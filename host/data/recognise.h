/* SPDX-License-Identifier: Apache-2.0
 * What a file or a pipe holds. */
#ifndef TRIB_DATA_RECOGNISE_H
#define TRIB_DATA_RECOGNISE_H

#include <stdbool.h>

#include "data/reader.h"

typedef enum trib_content {
    TRIB_CONTENT_IMAGE, /* or anything else: the decoder decides */
    TRIB_CONTENT_TAR,
    TRIB_CONTENT_IDX
} trib_content;

/* .tar .tar.gz .tgz */
bool trib_has_tar_name(const char *path);
/* By name if that leaves no doubt, so that a damaged file gets the right message; otherwise by the first bytes, which
 * stay in the reader. `reader` NULL: looks at the file at `path`; one that cannot be opened counts as an image and is
 * reported at its turn. */
trib_status trib_recognise(const char *path, trib_reader *reader, trib_content *out);

#endif
