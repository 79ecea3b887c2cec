/* SPDX-License-Identifier: Apache-2.0
 * A regions op's geometry, as kernels take it. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_REGIONS_H
#define TRIBUTARY_RUNTIME_DEVICE_REGIONS_H

#include "tributary/op.h"
#include "tributary/region_kernels.h"

trib_regions_geometry trib_regions_of(const trib_op_desc *desc);

#endif
