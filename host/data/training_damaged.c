/* SPDX-License-Identifier: Apache-2.0
 * Images that could not be read, each listed once. A batch's problems are entered when the caller takes it, in the
 * order of its rows: so the list does not depend on what was made ahead. */
#include <stdlib.h>

#include "data/input.h"
#include "data/training_state.h"
#include "tributary/internal/alloc.h"

static int by_row(const void *a, const void *b)
{
    const trib_row_problem *p = a, *q = b;
    return p->row != q->row ? p->row - q->row : p->attempt - q->attempt;
}

static trib_status enter(trib_training_loader *loader, const trib_row_problem *problem)
{
    unsigned char *byte = &loader->damaged[problem->sample / 8], bit = (unsigned char)(1 << problem->sample % 8);
    if (*byte & bit) return trib_success();
    *byte |= bit;
    ++loader->stats.damaged;
    if (loader->list_count == TRIB_MOST_LISTED) return trib_success();
    if (trib_grow((void **)&loader->list, &loader->list_capacity, loader->list_count + 1, sizeof *loader->list))
        return trib_no_memory("the list of damaged images");
    loader->list[loader->list_count++] = (trib_damaged_image) { problem->sample, problem->reason };
    return trib_success();
}

trib_status trib_training_list_damaged(trib_training_loader *loader, trib_training_buffer *buffer)
{
    size_t n = buffer->problem_count;
    if (!n) return trib_success();
    qsort(buffer->problems, n, sizeof *buffer->problems, by_row);
    for (size_t i = 0; i < n; ++i) TRIB_TRY(enter(loader, &buffer->problems[i]));
    int64_t damaged = loader->stats.damaged;
    if (2 * damaged <= loader->images) return trib_success();
    trib_status s = loader->list[0].reason;
    trib_add_context(&s,
                     "%lld of %lld images cannot be read, more than half (are the data still there?); the first one",
                     (long long)damaged, (long long)loader->images);
    return s;
}

bool trib_training_loader_damaged(const trib_training_loader *loader, int i, int64_t *sample, trib_status *reason)
{
    if (i < 0 || (size_t)i >= loader->list_count) return false;
    *sample = loader->list[i].sample;
    *reason = loader->list[i].reason;
    return true;
}
