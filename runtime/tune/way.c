/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/way.h"

#include <string.h>

#include "tributary/internal/alloc.h"

trib_status trib_way_create(int fork_count, trib_way *out)
{
    *out =
        (trib_way) { .fork_count = fork_count, .words = trib_alloc_zeroed((size_t)fork_count + 1, sizeof *out->words) };
    return out->words ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a schedule");
}

trib_status trib_way_copy(const trib_way *from, trib_way *out)
{
    TRIB_TRY(trib_way_create(from->fork_count, out));
    memcpy(out->words, from->words, (size_t)from->fork_count * sizeof *out->words);
    out->all = from->all;
    out->setting = from->setting;
    return trib_success();
}

void trib_way_release(trib_way *way)
{
    trib_free(way->words);
    way->words = NULL;
}
