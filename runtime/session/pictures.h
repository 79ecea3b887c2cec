/* SPDX-License-Identifier: Apache-2.0
 * Regions of pictures as rows that a device reads. */
#ifndef TRIBUTARY_RUNTIME_SESSION_PICTURES_H
#define TRIBUTARY_RUNTIME_SESSION_PICTURES_H

#include "tributary/region.h"
#include "tributary/region_kernels.h"

/* Fails, naming the region by its index, unless each is one of a picture that is there, on this device. */
trib_status trib_pictures_check(const trib_pictures *pictures, const trib_device *device, const trib_region *regions,
                                int n);
/* Of regions that were checked. */
void trib_pictures_rows(const trib_pictures *pictures, const trib_region *regions, int n, trib_region_row *rows);

#endif
