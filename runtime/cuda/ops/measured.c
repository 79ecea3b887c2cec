/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/ops/measured.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "choices/choice_cache.h"
#include "graph/kinds.h"

/* ---- keys ---- */

typedef struct line {
    char *text;
    size_t used;
} line;

TRIB_PRINTF(2, 3)
static void add(line *l, const char *format, ...)
{
    va_list arguments;
    if (l->used >= TRIB_CUDA_OP_KEY) return;
    va_start(arguments, format);
    int more = vsnprintf(l->text + l->used, TRIB_CUDA_OP_KEY - l->used, format, arguments);
    va_end(arguments);
    if (more > 0) l->used += (size_t)more;
}

static void add_view(line *l, const trib_view *v)
{
    add(l, " %s%s %dx%dx%dx%d/%d", trib_dtype_name(v->dtype), v->layout == TRIB_NHWC ? "" : trib_layout_name(v->layout),
        v->n, v->c, v->h, v->w, v->c_total);
}

static void add_ints(void *context, const char *name, const int *values, int count)
{
    add(context, " %s ", name);
    for (int i = 0; i < count; ++i) add(context, "%s%d", i ? "," : "", values[i]);
}

static void add_reals(void *context, const char *name, const float *values, int count)
{
    add(context, " %s ", name);
    for (int i = 0; i < count; ++i) add(context, "%s%.9g", i ? "," : "", (double)values[i]);
}

static void add_word(void *context, const char *name, const char *value) { add(context, " %s %s", name, value); }

const char *trib_cuda_op_key(const trib_op_desc *d, char *text)
{
    line l = { text, 0 };
    add(&l, "%s %s%s%s%s%s", trib_kind_name(d->kind), trib_precision_name(d->precision), d->has_bias ? " bias" : "",
        d->relu ? " relu" : "", d->accumulate ? " accumulate" : "", d->any_order ? " any order" : "");
    for (int i = 0; i < d->input_count; ++i) add_view(&l, &d->inputs[i]);
    add(&l, " to");
    for (int i = 0; i < d->output_count; ++i) add_view(&l, &d->outputs[i]);
    trib_op_describe(d, &(trib_fields) { .ints = add_ints, .reals = add_reals, .word = add_word, .context = &l });
    return text;
}

/* ---- the cache ---- */

trib_status trib_cuda_choices_open(trib_cuda_device *device, const char *path)
{
    return trib_choice_cache_open(path, device->base.info.library, device->base.info.name, NULL, &device->choices);
}

void trib_cuda_choices_close(trib_cuda_device *device)
{
    if (!device->choices) return;
    trib_choice_cache_save(device->choices); /* callers who need to know of failures have saved before */
    trib_choice_cache_close(device->choices);
}

trib_status trib_cuda_save_choices(trib_device *device)
{
    return trib_choice_cache_save(trib_cuda_of(device)->choices);
}

trib_status trib_cuda_op_recall(trib_device *base, const trib_op_desc *desc, const char **name, int64_t *nanoseconds)
{
    trib_cuda_device *device = trib_cuda_of(base);
    char key[TRIB_CUDA_OP_KEY];
    trib_choice choice;
    bool found;
    TRIB_TRY(trib_choice_cache_find(device->choices, trib_cuda_op_key(desc, key), &found, &choice));
    if (!found) return trib_success();
    trib_status status = trib_cuda_intern(&device->interned, choice.name, name);
    *nanoseconds = choice.nanoseconds;
    trib_choice_clear(&choice);
    return status;
}

trib_status trib_cuda_op_remember(trib_device *base, const trib_op_desc *desc, const char *name, int64_t nanoseconds)
{
    char key[TRIB_CUDA_OP_KEY];
    trib_choice choice = { .nanoseconds = nanoseconds };
    snprintf(choice.name, sizeof choice.name, "%s", name);
    return trib_choice_cache_put(trib_cuda_of(base)->choices, trib_cuda_op_key(desc, key), &choice);
}
