/* SPDX-License-Identifier: Apache-2.0
 * Finds tensors by name in a file with any number of them. */
#include "network/tensor_index.h"

#include <stdlib.h>
#include <string.h>

#include "tributary/internal/alloc.h"

static bool skip(const char **name, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(*name, prefix, length)) return false;
    *name += length;
    return true;
}

const char *trib_bare_name(const char *name)
{
    while (skip(&name, "module.") || skip(&name, "_orig_mod.")) continue;
    return name;
}

bool trib_is_training_state(const char *bare_name)
{
    return !strncmp(bare_name, TRIB_TRAINING_PREFIX, sizeof TRIB_TRAINING_PREFIX - 1);
}

static int by_bare_name(const void *a, const void *b)
{
    return strcmp(((const trib_tensor_entry *)a)->bare_name, ((const trib_tensor_entry *)b)->bare_name);
}

trib_status trib_tensor_index_build(const trib_tensor *tensors, int count, trib_tensor_index *index)
{
    index->count = count < 0 ? 0 : (size_t)count;
    index->entries = trib_alloc_zeroed(index->count, sizeof *index->entries);
    if (!index->entries) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the names of %d tensors", count);
    for (size_t i = 0; i < index->count; ++i)
        index->entries[i] = (trib_tensor_entry) { .bare_name = trib_bare_name(tensors[i].name), .tensor = &tensors[i] };
    qsort(index->entries, index->count, sizeof *index->entries, by_bare_name);
    for (size_t i = 1; i < index->count; ++i)
        if (!by_bare_name(&index->entries[i - 1], &index->entries[i]))
            return TRIB_ERROR(TRIB_BAD_DATA, "the tensors %.128s and %.128s have the same name except for a prefix",
                              index->entries[i - 1].tensor->name, index->entries[i].tensor->name);
    return trib_success();
}

void trib_tensor_index_release(trib_tensor_index *index)
{
    trib_free(index->entries);
    *index = (trib_tensor_index) { 0 };
}

trib_tensor_entry *trib_tensor_index_find(const trib_tensor_index *index, const char *bare_name)
{
    const trib_tensor_entry key = { .bare_name = bare_name };
    return bsearch(&key, index->entries, index->count, sizeof *index->entries, by_bare_name);
}
