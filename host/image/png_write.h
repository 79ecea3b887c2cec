/* SPDX-License-Identifier: Apache-2.0
 * Pictures as PNG files in memory, by libspng. */
#ifndef TRIBUTARY_IMAGE_PNG_WRITE_H
#define TRIBUTARY_IMAGE_PNG_WRITE_H

#include <stdbool.h>

#include "tributary/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether this build can: else trib_png_write fails with TRIB_UNSUPPORTED and says what is missing. */
trib_status trib_png_can_write(void);
/* Of a picture with 1 or 3 channels. The file says that `software` made it (a PNG text "Software"). Release *bytes with
 * trib_free. The same picture gives the same bytes with the same libspng and zlib. */
trib_status trib_png_write(const trib_image *picture, const char *software, uint8_t **bytes, size_t *size);
/* Whether a file that begins with these bytes says so. */
enum { TRIB_PNG_SOFTWARE_BYTES = 256 }; /* enough of the beginning for that */
bool trib_png_is_by(const uint8_t *bytes, size_t size, const char *software);

#ifdef __cplusplus
}
#endif
#endif
