/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIBUTARY_TESTS_CUDNN_PLANS_REAL_CUPTI_H
#define TRIBUTARY_TESTS_CUDNN_PLANS_REAL_CUPTI_H

#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Begins and ends the use of CUPTI, with all that is switched on for a timeline. */
trib_status try_real_cupti(uint32_t *version);

#ifdef __cplusplus
}
#endif
#endif
