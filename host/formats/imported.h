/* SPDX-License-Identifier: Apache-2.0
 * Metadata for weights that come from a file of another program. */
#ifndef TRIBUTARY_FORMATS_IMPORTED_H
#define TRIBUTARY_FORMATS_IMPORTED_H

#include "formats/text.h"
#include "formats/weights_file.h"
#include "tributary/image.h"
#include "tributary/network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise. The texts own what the pairs point to. */
typedef struct trib_imported {
    trib_text labels; /* in JSON; empty: unknown */
    trib_text preprocessing, provenance;
    trib_text assumed;           /* of preprocessing; the file's own text of it */
    trib_text note;              /* what was assumed or left out, for people; empty: nothing */
    const trib_network *variant; /* NULL: the one that its tensors are taken for */
    trib_key_value pairs[5];
} trib_imported;

/* Sets the file's metadata: how to prepare images (NULL: unknown), and what the other texts say by now. */
trib_status trib_imported_finish(trib_imported *imported, const trib_preprocess *preprocess, trib_weights_file *file);
void trib_imported_release(trib_imported *imported);

#ifdef __cplusplus
}
#endif
#endif
