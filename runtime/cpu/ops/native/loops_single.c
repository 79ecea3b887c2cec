/* SPDX-License-Identifier: Apache-2.0 */
#define LANES 1
#define LOOPS trib_loops_single
#define USABLE true
#include "cpu/ops/native/loops_body.h"
