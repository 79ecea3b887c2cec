/* SPDX-License-Identifier: Apache-2.0
 * Writes zip archives as torch.save does: members stored, their data at multiples of 64 bytes. The same members give
 * the same bytes. */
#ifndef TRIBUTARY_FORMATS_ZIP_WRITE_H
#define TRIBUTARY_FORMATS_ZIP_WRITE_H

#include "formats/file.h"
#include "formats/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise but for `output`, which is borrowed. */
typedef struct trib_zip_writer {
    trib_output *output;
    uint64_t at; /* bytes written */
    int count;
    trib_text directory;
} trib_zip_writer;

/* Fails beyond 4 GiB or 65534 members. */
trib_status trib_zip_add(trib_zip_writer *zip, const char *name, const void *bytes, size_t size);
/* Writes the directory. */
trib_status trib_zip_finish(trib_zip_writer *zip);
void trib_zip_writer_free(trib_zip_writer *zip);

#ifdef __cplusplus
}
#endif

#endif
