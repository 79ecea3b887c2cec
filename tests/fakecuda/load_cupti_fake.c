/* SPDX-License-Identifier: Apache-2.0
 * The simulated CUPTI's functions, in place of those that runtime/cuda/libraries/cupti_load.c loads. */
#include "cuda/libraries/cupti_functions.h"

#define FUNCTION(type, name, parameters) .name = name,
trib_cupti_functions trib_libcupti = { TRIB_CUPTI_FUNCTIONS(FUNCTION) };

bool fakecuda_has_cupti(void);

trib_status trib_cupti_load(void)
{
    if (fakecuda_has_cupti()) return trib_success();
    return TRIB_ERROR(TRIB_NOT_FOUND, "libcupti.so.13 cannot be loaded (no such file)");
}
