/* SPDX-License-Identifier: Apache-2.0 */
#define LANES 4
#define LOOPS trib_loops_baseline
#define USABLE true
#include "cpu/ops/native/loops_body.h"
