/* SPDX-License-Identifier: Apache-2.0
 * Values of the trainer's tensors, without a copy where they are in host memory. */
#include "train/train_private.h"
#include "tributary/internal/alloc.h"

trib_status trib_train_copies_allocate(int most, trib_train_copies *out)
{
    *out = (trib_train_copies) { .items = trib_alloc_zeroed((size_t)most, sizeof *out->items) };
    return out->items ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d tensors", most);
}

trib_status trib_train_values(trib_train *t, int index, trib_train_copies *copies, const float **out)
{
    trib_trainer_tensor tensor = trib_trainer_tensor_at(t->trainer, index);
    int64_t count;
    *out = trib_trainer_values(t->trainer, index);
    if (*out) return trib_success();
    TRIB_TRY(trib_shape_count(&tensor.shape, &count));
    float *copy = trib_realloc_array(NULL, (size_t)count, sizeof *copy);
    if (!copy) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a copy of '%s'", tensor.name);
    *out = copies->items[copies->count++] = copy;
    return trib_trainer_read(t->trainer, index, copy);
}

void trib_train_copies_free(trib_train_copies *copies)
{
    for (int i = 0; i < copies->count; ++i) trib_free(copies->items[i]);
    trib_free(copies->items);
    *copies = (trib_train_copies) { 0 };
}
