/* SPDX-License-Identifier: Apache-2.0
 * A tensor as torch pickles it: a call of a function that would rebuild it. */
#include <inttypes.h>
#include <string.h>

#include "formats/torch_private.h"

#define BAD(...) TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__)
#define UNSUPPORTED(...) TRIB_ERROR(TRIB_UNSUPPORTED, __VA_ARGS__)

/* How a function rebuilds a tensor from its arguments. */
typedef enum form {
    PLAIN,  /* (storage, offset, sizes, strides[, requires_grad, hooks[, metadata]]) */
    TYPED,  /* the same, and the element type before the metadata */
    INSIDE, /* (tensor, ...) */
    CALLED, /* (function, type, arguments, ...) */
    REFUSED
} form;

typedef struct rebuilder {
    const char *module, *name;
    form form;
    const char *what; /* of a tensor that is refused */
} rebuilder;

static const rebuilder rebuilders[] = {
    { "torch._utils", "_rebuild_tensor", PLAIN, NULL },
    { "torch._utils", "_rebuild_tensor_v2", PLAIN, NULL },
    { "torch._utils", "_rebuild_tensor_v3", TYPED, NULL },
    { "torch._utils", "_rebuild_parameter", INSIDE, NULL },
    { "torch._utils", "_rebuild_parameter_with_state", INSIDE, NULL },
    { "torch._tensor", "_rebuild_from_type_v2", CALLED, NULL },
    { "torch._utils", "_rebuild_qtensor", REFUSED, "is quantised; save the float weights it was made from" },
    { "torch._utils", "_rebuild_sparse_tensor", REFUSED, "is sparse; save it as a dense tensor" },
    { "torch._utils", "_rebuild_sparse_csr_tensor", REFUSED, "is sparse; save it as a dense tensor" },
    { "torch._utils", "_rebuild_nested_tensor", REFUSED, "is nested; save it as a dense tensor" },
    { "torch._utils", "_rebuild_meta_tensor_no_storage", REFUSED, "has no data: it is on PyTorch's device 'meta'" },
    { "torch._utils", "_rebuild_wrapper_subclass", REFUSED, "is a tensor of a class of its own; save a plain one" },
};

static const rebuilder *rebuilder_of(const trib_pickle *pickle, uint32_t name)
{
    for (size_t i = 0; i < sizeof rebuilders / sizeof *rebuilders; ++i)
        if (trib_pickle_is_name(pickle, name, rebuilders[i].module, rebuilders[i].name)) return &rebuilders[i];
    return NULL;
}

bool trib_torch_is_tensor(const trib_torch_file *file, uint32_t value)
{
    const trib_pickle_value *v = trib_pickle_at(&file->pickle, value);
    if (v->kind == TRIB_PICKLE_CALL) return rebuilder_of(&file->pickle, v->as.call.callee);
    return trib_torch_find_stored(file, value);
}

/* ---- element types ---- */

typedef struct element {
    const char *name;
    trib_dtype dtype;
} element;

static const element elements[] = {
    { "float32", TRIB_F32 },   { "float64", TRIB_F64 }, { "float16", TRIB_F16 },
    { "bfloat16", TRIB_BF16 }, { "int64", TRIB_I64 },   { "int32", TRIB_I32 },
    { "uint8", TRIB_U8 },      { "bool", TRIB_U8 },     { "uint64", TRIB_U64 },
};

static trib_status element_of_name(const trib_pickle *pickle, uint32_t value, trib_dtype *out)
{
    for (size_t i = 0; i < sizeof elements / sizeof *elements; ++i)
        if (trib_pickle_is_name(pickle, value, "torch", elements[i].name)) {
            *out = elements[i].dtype;
            return trib_success();
        }
    return UNSUPPORTED("has elements of type %s, which are not supported; save it as float32",
                       trib_pickle_show(pickle, value).text);
}

static trib_status element_of_storage(const trib_pickle *pickle, const trib_torch_storage *s, trib_dtype *out)
{
    if (s->dtype < 0)
        return UNSUPPORTED("is in a storage of type %s, which is not supported; save it as float32",
                           trib_pickle_show(pickle, s->type).text);
    *out = (trib_dtype)s->dtype;
    return trib_success();
}

/* ---- sizes and strides ---- */

/* A tuple of whole numbers from 0 on. */
static trib_status read_extents(const trib_pickle *pickle, uint32_t tuple, const char *what, int64_t *out, int *rank)
{
    const uint32_t count = trib_pickle_at(pickle, tuple)->count;
    if (trib_pickle_kind_of(pickle, tuple) != TRIB_PICKLE_TUPLE) return BAD("its %s are not a tuple", what);
    if (count > TRIB_MAX_RANK) return UNSUPPORTED("has %u dimensions; at most %d are supported", count, TRIB_MAX_RANK);
    for (uint32_t i = 0; i < count; ++i)
        if (!trib_pickle_integer(pickle, trib_pickle_item(pickle, tuple, i), &out[i]) || out[i] < 0)
            return BAD("one of its %s is negative or no number", what);
    *rank = (int)count;
    return trib_success();
}

static trib_status outside(const trib_pickle *pickle, const trib_torch_storage *s)
{
    return BAD("has elements outside of storage '%s', which has %" PRId64, trib_pickle_show(pickle, s->key).text,
               s->count);
}

bool trib_torch_reaches_outside(const trib_shape *shape, const trib_torch_view *view, int64_t room)
{
    int64_t last = view->offset, step = 0;
    for (int i = 0; i < shape->rank; ++i) {
        if (!shape->dim[i]) return false;
        if (__builtin_mul_overflow(shape->dim[i] - 1, view->stride[i], &step) ||
            __builtin_add_overflow(last, step, &last))
            return true;
    }
    return last >= room;
}

/* A storage of torch up to 0.4 may be a part of another: (key, offset, elements). */
static trib_status read_part(const trib_pickle *pickle, uint32_t id, int64_t count, int64_t *offset, int64_t *room)
{
    const uint32_t part = trib_pickle_item(pickle, id, 5);
    *offset = 0;
    *room = count;
    if (trib_pickle_kind_of(pickle, part) != TRIB_PICKLE_TUPLE) return trib_success();
    if (!trib_pickle_integer(pickle, trib_pickle_item(pickle, part, 1), offset) ||
        !trib_pickle_integer(pickle, trib_pickle_item(pickle, part, 2), room) || *offset < 0 || *room < 0 ||
        *offset > count || *room > count - *offset)
        return BAD("is in a view that reaches beyond its storage");
    return trib_success();
}

static trib_status read_place(const trib_torch_file *file, uint32_t arguments, trib_tensor *tensor,
                              trib_torch_view *view)
{
    const trib_pickle *pickle = &file->pickle;
    const trib_torch_storage *s = &file->storages[view->storage];
    const uint32_t id = trib_pickle_at(pickle, trib_pickle_item(pickle, arguments, 0))->as.id;
    const int64_t size = (int64_t)trib_dtype_size(view->dtype);
    int64_t count = 0, first = 0, room = 0;
    int strides = 0;
    if (!trib_pickle_integer(pickle, trib_pickle_item(pickle, arguments, 1), &view->offset) || view->offset < 0)
        return BAD("its offset in its storage is negative or no number");
    TRIB_TRY(
        read_extents(pickle, trib_pickle_item(pickle, arguments, 2), "sizes", tensor->shape.dim, &tensor->shape.rank));
    TRIB_TRY(read_extents(pickle, trib_pickle_item(pickle, arguments, 3), "strides", view->stride, &strides));
    if (strides != tensor->shape.rank) return BAD("has %d sizes and %d strides", tensor->shape.rank, strides);
    TRIB_TRY(trib_shape_count(&tensor->shape, &count));
    if (count > INT64_MAX / 16) return BAD("has too many elements");
    TRIB_TRY(read_part(pickle, id, s->count, &first, &room));
    if (trib_torch_reaches_outside(&tensor->shape, view, room * s->item / size)) return outside(pickle, s);
    view->offset += first;
    return trib_success();
}

/* ---- the call ---- */

/* PyTorch marks a conjugate or negated tensor instead of computing it. */
static trib_status check_metadata(const trib_pickle *pickle, uint32_t metadata)
{
    uint32_t key = 0, value = 0;
    trib_pickle_walk walk = trib_pickle_walk_over(pickle, metadata);
    if (trib_pickle_kind_of(pickle, metadata) != TRIB_PICKLE_DICT) return trib_success();
    while (trib_pickle_next_pair(&walk, &key, &value))
        if ((trib_pickle_is_text(pickle, key, "conj") || trib_pickle_is_text(pickle, key, "neg")) &&
            trib_pickle_at(pickle, value)->kind == TRIB_PICKLE_BOOL && trib_pickle_at(pickle, value)->as.integer)
            return UNSUPPORTED("is a conjugate or negated view; save a copy of it (clone)");
    return trib_success();
}

static trib_status find_storage(const trib_torch_file *file, uint32_t reference, int *out)
{
    const trib_pickle *pickle = &file->pickle;
    const trib_pickle_value *v = trib_pickle_at(pickle, reference);
    if (v->kind != TRIB_PICKLE_REFERENCE) return BAD("its storage is none");
    const trib_pickle_value *key = trib_pickle_at(pickle, trib_pickle_item(pickle, v->as.id, 2));
    *out = key->kind == TRIB_PICKLE_STRING ? trib_torch_find_storage(file, key->as.text, key->count) : -1;
    return *out < 0 ? BAD("its storage is none") : trib_success();
}

static trib_status describe_call(const trib_torch_file *file, const rebuilder *r, uint32_t arguments,
                                 trib_tensor *tensor, trib_torch_view *view)
{
    const trib_pickle *pickle = &file->pickle;
    const uint32_t type = trib_pickle_item(pickle, arguments, 6);
    if (r->form == REFUSED) return UNSUPPORTED("%s", r->what);
    TRIB_TRY(find_storage(file, trib_pickle_item(pickle, arguments, 0), &view->storage));
    TRIB_TRY(r->form == TYPED ? element_of_name(pickle, type, &view->dtype)
                              : element_of_storage(pickle, &file->storages[view->storage], &view->dtype));
    TRIB_TRY(check_metadata(pickle, trib_pickle_item(pickle, arguments, r->form == TYPED ? 7 : 6)));
    TRIB_TRY(read_place(file, arguments, tensor, view));
    tensor->dtype = view->dtype == TRIB_F64 ? TRIB_F32 : view->dtype;
    return trib_success();
}

static trib_status describe_wrapped(const trib_torch_file *file, uint32_t value, trib_tensor *tensor,
                                    trib_torch_view *view)
{
    enum { MOST_WRAPPERS = 4 };
    const trib_pickle *pickle = &file->pickle;
    uint32_t callee = 0, arguments = 0;
    for (int i = 0; i < MOST_WRAPPERS; ++i) {
        const trib_pickle_value *v = trib_pickle_at(pickle, value);
        if (v->kind == TRIB_PICKLE_CALL) {
            callee = v->as.call.callee;
            arguments = v->as.call.arguments;
        } else
            return BAD("is no tensor");
        const rebuilder *r = rebuilder_of(pickle, callee);
        if (r && r->form == CALLED) {
            r = rebuilder_of(pickle, trib_pickle_item(pickle, arguments, 0));
            arguments = trib_pickle_item(pickle, arguments, 2);
        }
        if (!r || r->form == CALLED)
            return UNSUPPORTED("is what %s makes, which is not supported", trib_pickle_show(pickle, callee).text);
        if (r->form != INSIDE) return describe_call(file, r, arguments, tensor, view);
        value = trib_pickle_item(pickle, arguments, 0);
    }
    return BAD("is wrapped too often");
}

trib_status trib_torch_describe(const trib_torch_file *file, uint32_t value, trib_tensor *tensor, trib_torch_view *view)
{
    const trib_torch_stored *stored = trib_torch_find_stored(file, value);
    if (!stored) return describe_wrapped(file, value, tensor, view);
    *tensor = stored->tensor;
    *view = stored->view;
    return trib_success();
}
