/* SPDX-License-Identifier: Apache-2.0
 * Chooses among the instruction sets that the loops were compiled for. */
#include "cpu/ops/native/loops.h"

#include <stddef.h>

const trib_loops *const trib_loops_all[] = {
#ifdef TRIB_X86_LOOPS
    &trib_loops_avx512,   &trib_loops_avx2,
#endif
    &trib_loops_baseline, &trib_loops_single, NULL,
};

const trib_loops *trib_loops_of(int width)
{
    const trib_loops *const *l = trib_loops_all;
    while (width % (*l)->lanes || !(*l)->usable()) ++l;
    return *l;
}
