/* SPDX-License-Identifier: Apache-2.0
 * What is not finite after a step, and how that is said. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "data/file.h"
#include "train/train_private.h"
#include "tributary/internal/alloc.h"

enum { LISTED = 3, FILES_TEXT = 216 };

bool trib_train_all_finite(const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; ++i)
        if (!isfinite(values[i])) return false;
    return true;
}

/* ---- where ---- */

static trib_status is_finite(trib_train *t, int index, bool *finite)
{
    trib_trainer_tensor tensor = trib_trainer_tensor_at(t->trainer, index);
    int64_t count;
    const float *values = NULL;
    trib_train_copies copies;
    TRIB_TRY(trib_shape_count(&tensor.shape, &count));
    TRIB_TRY(trib_train_copies_allocate(1, &copies));
    trib_status s = trib_train_values(t, index, &copies, &values);
    if (!trib_failed(&s)) *finite = trib_train_all_finite(values, count);
    trib_train_copies_free(&copies);
    return s;
}

static bool is_statistic(const trib_train *t, int index)
{
    trib_trainer_tensor tensor = trib_trainer_tensor_at(t->trainer, index);
    trib_role role = trib_graph_parameter(t->graph, trib_graph_find_parameter(t->graph, tensor.name))->role;
    return tensor.role == TRIB_TENSOR_PARAMETER && (role == TRIB_BN_MEAN || role == TRIB_BN_VAR);
}

trib_status trib_train_find_bad(trib_train *t, int *index)
{
    *index = -1;
    for (int statistics = 1; statistics >= 0; --statistics)
        for (int i = 0; i < trib_trainer_tensor_count(t->trainer); ++i) {
            bool finite = true;
            if (is_statistic(t, i) != statistics) continue;
            TRIB_TRY(is_finite(t, i, &finite));
            if (!finite) return *index = i, trib_success();
        }
    return trib_success();
}

/* ---- what is said ---- */

/* Whole names only, as far as there is room for them and the number of the others. */
static bool list_file(const char *name, int listed, char *text, size_t *used)
{
    size_t left = FILES_TEXT - *used;
    int n = snprintf(text + *used, left, "%s%s", listed ? ", " : "", trib_shorten(name).text);
    if (n < 0 || (size_t)n + sizeof " and 65535 more" > left) return text[*used] = '\0', false;
    *used += (size_t)n;
    return true;
}

/* The last batch's files, and of those the ones whose loss is not finite first. */
static const char *list_files(const trib_train *t, int head, char text[FILES_TEXT])
{
    size_t used = 0;
    int listed = 0;
    bool room = true;
    text[0] = '\0';
    for (int bad = 1; bad >= 0; --bad)
        for (int i = 0; i < t->named && listed < LISTED && room; ++i)
            if (isfinite(t->head_losses[head][i]) != bad) listed += room = list_file(t->names[i], listed, text, &used);
    if (listed < t->named) snprintf(text + used, FILES_TEXT - used, " and %d more", t->named - listed);
    return text;
}

trib_status trib_train_check(trib_train *t, const trib_train_sums *sums)
{
    char files[FILES_TEXT], where[128] = "";
    int head = 0, bad;
    while (head < t->training.loss_count && isfinite(sums->losses[head])) ++head;
    if (head == t->training.loss_count) return trib_success();
    t->bad_step = t->state.step + 1;
    trib_status s = trib_train_find_bad(t, &bad);
    if (!trib_failed(&s) && bad >= 0)
        snprintf(where, sizeof where, "; in the network it begins with '%.60s'",
                 trib_trainer_tensor_at(t->trainer, bad).name);
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "step %" PRId64 ": the loss of head '%s' is not finite (%s)%s; its batch had %s; a lower "
                      "learning rate or a warm-up may help",
                      t->bad_step, trib_train_head_name(t, head), isnan(sums->losses[head]) ? "nan" : "infinite", where,
                      list_files(t, head, files));
}

trib_status trib_train_bad_tensor(trib_train *t, const trib_trainer_tensor *tensor)
{
    char files[FILES_TEXT];
    t->bad_step = t->state.step;
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "after step %" PRId64
                      ", %s of '%.60s' is not finite; its batch had %s; a lower learning rate or a "
                      "warm-up may help",
                      t->state.step, trib_tensor_role_name(tensor->role), tensor->name, list_files(t, 0, files));
}
