/* SPDX-License-Identifier: Apache-2.0
 * Values that do not depend on the image, computed as far as exporters leave it to do: shapes are changed without
 * touching values, and a tensor of one number stays one number however large it is. */
#include <math.h>
#include <string.h>

#include "formats/onnx.h"

/* Nodes on the way to a constant; each step goes to an earlier node, so this only bounds the time. */
enum { MOST_STEPS = 64 };

typedef struct folder {
    const trib_onnx_model *model;
    int steps;
} folder;

static trib_status fold(folder *f, const trib_pb *name, trib_onnx_constant *out);

static trib_status unsupported(const trib_onnx_node *node, const char *why)
{
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: %s", trib_onnx_show(node).text, why);
}

static trib_status of_tensor(const trib_onnx_tensor *tensor, trib_onnx_constant *out)
{
    *out = (trib_onnx_constant) { .kind = TRIB_ONNX_VALUES, .tensor = *tensor, .shape = tensor->shape };
    if (tensor->shape.rank <= 1 && trib_onnx_whole_numbers(tensor, out->whole, TRIB_ONNX_INTS, &out->count))
        out->kind = TRIB_ONNX_WHOLE;
    return trib_success();
}

static trib_status of_whole(const int64_t *values, int count, bool list, trib_onnx_constant *out)
{
    *out =
        (trib_onnx_constant) { .kind = TRIB_ONNX_WHOLE, .count = count, .shape = { .rank = list, .dim = { count } } };
    memcpy(out->whole, values, (size_t)count * sizeof *values);
    return trib_success();
}

static trib_status input(folder *f, const trib_onnx_node *node, int i, trib_onnx_constant *out)
{
    if (i >= node->input_count) return unsupported(node, "an input is missing");
    return fold(f, trib_onnx_input(f->model, node, i), out);
}

/* Whole numbers of an input, or of the attribute that older operator sets have instead. */
static trib_status list(folder *f, const trib_onnx_node *node, int i, const char *attribute, int64_t *out, int *count)
{
    const trib_onnx_attribute a = trib_onnx_get(node, attribute);
    trib_onnx_constant c;
    *count = a.count;
    memcpy(out, a.ints, sizeof a.ints);
    if (a.found && a.count <= TRIB_ONNX_INTS) return trib_success();
    TRIB_TRY(input(f, node, i, &c));
    if (c.kind != TRIB_ONNX_WHOLE) return unsupported(node, "an input is no short list of whole numbers");
    *count = c.count;
    memcpy(out, c.whole, sizeof c.whole);
    return trib_success();
}

/* ---- operators ---- */

static trib_status constant(const trib_onnx_node *node, trib_onnx_constant *out)
{
    const trib_onnx_attribute tensor = trib_onnx_get(node, "value"), one = trib_onnx_get(node, "value_float");
    const trib_onnx_attribute whole = trib_onnx_get(node, "value_int"), wholes = trib_onnx_get(node, "value_ints");
    trib_onnx_tensor t;
    if (tensor.found) {
        TRIB_TRY(trib_onnx_read_tensor(tensor.tensor, &t));
        if (!trib_pb_size(&t.name)) t.name = node->name;
        return of_tensor(&t, out);
    }
    if (whole.found) return of_whole(&whole.i, 1, false, out);
    if (wholes.found && wholes.count <= TRIB_ONNX_INTS) return of_whole(wholes.ints, wholes.count, true, out);
    if (!one.found) return unsupported(node, "its kind of value is not supported");
    *out = (trib_onnx_constant) { .kind = TRIB_ONNX_FILL, .fill = (double)one.f };
    return trib_success();
}

static trib_status take_shape(const trib_onnx_node *node, const trib_onnx_constant *c, trib_shape *shape)
{
    int64_t count;
    if (c->kind != TRIB_ONNX_WHOLE) return unsupported(node, "its shape is no short list of whole numbers");
    *shape = (trib_shape) { .rank = c->count };
    memcpy(shape->dim, c->whole, (size_t)c->count * sizeof *c->whole);
    trib_status s = trib_shape_count(shape, &count);
    trib_add_context(&s, "%s", trib_onnx_show(node).text);
    return s;
}

static trib_status constant_of_shape(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    const trib_onnx_attribute value = trib_onnx_get(node, "value");
    trib_onnx_constant shape;
    trib_onnx_tensor t;
    double number = 0;
    int count = 1;
    TRIB_TRY(input(f, node, 0, &shape));
    if (value.found) {
        TRIB_TRY(trib_onnx_read_tensor(value.tensor, &t));
        if (!trib_onnx_numbers(&t, &number, 1, &count) || count != 1)
            return unsupported(node, "its value is not one number");
    }
    *out = (trib_onnx_constant) { .kind = TRIB_ONNX_FILL, .fill = number };
    return take_shape(node, &shape, &out->shape);
}

/* A zero keeps an extent, unless allowzero; one -1 takes what is left. */
static trib_status reshape(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    int64_t dims[TRIB_ONNX_INTS], total, product = 1;
    int count = 0, open = -1;
    TRIB_TRY(input(f, node, 0, out));
    TRIB_TRY(list(f, node, 1, "shape", dims, &count));
    if (out->kind == TRIB_ONNX_WHOLE || out->transposed)
        return unsupported(node, "reshapes what is not supported here");
    TRIB_TRY(trib_shape_count(&out->shape, &total));
    for (int i = 0; i < count; ++i) {
        if (dims[i] == 0 && i < out->shape.rank && !trib_onnx_int(node, "allowzero", 0)) dims[i] = out->shape.dim[i];
        if (dims[i] == -1 && open < 0)
            open = i;
        else if (dims[i] < 0 || (dims[i] > 0 && product > total / dims[i]))
            return unsupported(node, "the new shape does not have as many values");
        else
            product *= dims[i];
    }
    if (open >= 0) dims[open] = product ? total / product : 0;
    if (open >= 0) product *= dims[open];
    if (product != total) return unsupported(node, "the new shape does not have as many values");
    out->shape = (trib_shape) { .rank = count };
    memcpy(out->shape.dim, dims, (size_t)count * sizeof *dims);
    return trib_success();
}

/* Of matrices only. */
static trib_status transpose(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    const trib_onnx_attribute perm = trib_onnx_get(node, "perm");
    TRIB_TRY(input(f, node, 0, out));
    if (out->shape.rank != 2 || (perm.found && (perm.count != 2 || perm.ints[0] != 1 || perm.ints[1] != 0)))
        return unsupported(node, "only matrices can be transposed here");
    const int64_t rows = out->shape.dim[0];
    out->shape.dim[0] = out->shape.dim[1];
    out->shape.dim[1] = rows;
    out->transposed = !out->transposed;
    return trib_success();
}

static trib_status squeeze(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    trib_shape shape = { 0 };
    TRIB_TRY(input(f, node, 0, out));
    if (out->kind == TRIB_ONNX_WHOLE) return trib_success();
    if (out->transposed) return unsupported(node, "squeezes what is not supported here");
    for (int i = 0; i < out->shape.rank; ++i)
        if (out->shape.dim[i] != 1) shape.dim[shape.rank++] = out->shape.dim[i];
    out->shape = shape;
    return trib_success();
}

/* A list of one for a scalar; or extents of 1 at the end, as a bias gets them. */
static trib_status unsqueeze(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    int64_t axes[TRIB_ONNX_INTS];
    int count = 0;
    TRIB_TRY(input(f, node, 0, out));
    TRIB_TRY(list(f, node, 1, "axes", axes, &count));
    if (out->kind == TRIB_ONNX_WHOLE && out->shape.rank == 0) {
        out->shape = (trib_shape) { .rank = 1, .dim = { 1 } };
        return trib_success();
    }
    if (out->transposed || out->shape.rank + count > TRIB_MAX_RANK)
        return unsupported(node, "unsqueezes what is not supported here");
    for (int i = 0; i < count; ++i) {
        const int64_t axis = axes[i] < 0 ? axes[i] + out->shape.rank + 1 : axes[i];
        if (axis < 0 || axis > out->shape.rank) return unsupported(node, "an axis is outside of the shape");
        memmove(&out->shape.dim[axis + 1], &out->shape.dim[axis],
                (size_t)(out->shape.rank - axis) * sizeof *out->shape.dim);
        out->shape.dim[axis] = 1;
        ++out->shape.rank;
    }
    return trib_success();
}

/* Of one number. */
static trib_status expand(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    trib_onnx_constant shape;
    double number;
    int count = 0;
    TRIB_TRY(input(f, node, 0, out));
    TRIB_TRY(input(f, node, 1, &shape));
    if (out->kind == TRIB_ONNX_VALUES && trib_onnx_numbers(&out->tensor, &number, 1, &count) && count == 1)
        *out = (trib_onnx_constant) { .kind = TRIB_ONNX_FILL, .fill = number };
    if (out->kind != TRIB_ONNX_FILL) return unsupported(node, "only one number can be expanded here");
    return take_shape(node, &shape, &out->shape);
}

static trib_status shape_of(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    trib_onnx_constant c;
    TRIB_TRY(input(f, node, 0, &c));
    return of_whole(c.shape.dim, c.shape.rank, true, out);
}

static trib_status gather(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    trib_onnx_constant from, index;
    int64_t picked[TRIB_ONNX_INTS];
    TRIB_TRY(input(f, node, 0, &from));
    TRIB_TRY(input(f, node, 1, &index));
    if (from.kind != TRIB_ONNX_WHOLE || index.kind != TRIB_ONNX_WHOLE)
        return unsupported(node, "only short lists can be gathered here");
    for (int i = 0; i < index.count; ++i) {
        const int64_t at = index.whole[i] < 0 ? index.whole[i] + from.count : index.whole[i];
        if (at < 0 || at >= from.count) return unsupported(node, "an index is outside of the list");
        picked[i] = from.whole[at];
    }
    return of_whole(picked, index.count, index.shape.rank > 0, out);
}

static trib_status concat(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    int64_t all[TRIB_ONNX_INTS];
    int count = 0;
    for (int i = 0; i < node->input_count; ++i) {
        trib_onnx_constant part;
        TRIB_TRY(input(f, node, i, &part));
        if (part.kind != TRIB_ONNX_WHOLE || count + part.count > TRIB_ONNX_INTS)
            return unsupported(node, "only short lists can be joined here");
        memcpy(all + count, part.whole, (size_t)part.count * sizeof *all);
        count += part.count;
    }
    return of_whole(all, count, true, out);
}

static trib_status same(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    return input(f, node, 0, out);
}

/* Fractions are cut off, as C does it. */
static trib_status to_whole(const trib_onnx_node *node, int64_t limit, trib_onnx_constant *out)
{
    double values[TRIB_ONNX_INTS] = { out->fill };
    int64_t whole[TRIB_ONNX_INTS];
    int count = out->kind == TRIB_ONNX_WHOLE ? out->count : 1;
    if (out->kind == TRIB_ONNX_FILL
            ? out->shape.rank != 0
            : out->kind == TRIB_ONNX_VALUES &&
                  (out->shape.rank > 1 || !trib_onnx_numbers(&out->tensor, values, TRIB_ONNX_INTS, &count)))
        return unsupported(node, "only short lists can become whole numbers here");
    for (int i = 0; i < count; ++i) {
        if (out->kind == TRIB_ONNX_WHOLE) values[i] = (double)out->whole[i];
        if (!(fabs(values[i]) <= (double)limit)) return unsupported(node, "a number is out of range");
        whole[i] = out->kind == TRIB_ONNX_WHOLE ? out->whole[i] : (int64_t)values[i];
    }
    return of_whole(whole, count, out->shape.rank > 0, out);
}

/* Floating-point values are converted to the network's type when they are taken. */
static trib_status cast_to(const trib_onnx_node *node, uint64_t type, trib_onnx_constant *out)
{
    if (trib_onnx_is_float(type)) return trib_success();
    if (type == TRIB_ONNX_I32) return to_whole(node, INT32_MAX, out);
    if (type == TRIB_ONNX_I64) return to_whole(node, (int64_t)1 << 62, out);
    return unsupported(node, "constants cannot have its type here");
}

static trib_status cast(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    TRIB_TRY(input(f, node, 0, out));
    return cast_to(node, (uint64_t)trib_onnx_int(node, "to", 0), out);
}

/* What is no constant depends on the image, so it has floating-point values. */
static trib_status cast_like(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    trib_onnx_constant like;
    uint64_t type = TRIB_ONNX_F32;
    TRIB_TRY(input(f, node, 0, out));
    const trib_status s = input(f, node, 1, &like);
    if (!trib_failed(&s) && like.kind == TRIB_ONNX_WHOLE) type = TRIB_ONNX_I64;
    if (!trib_failed(&s) && like.kind != TRIB_ONNX_FILL && like.tensor.type) type = like.tensor.type;
    return cast_to(node, type, out);
}

static trib_status compute(folder *f, const trib_onnx_node *node, trib_onnx_constant *out)
{
    static const struct {
        const char *op;
        trib_status (*call)(folder *, const trib_onnx_node *, trib_onnx_constant *);
    } rows[] = { { "ConstantOfShape", constant_of_shape },
                 { "Reshape", reshape },
                 { "Transpose", transpose },
                 { "Squeeze", squeeze },
                 { "Unsqueeze", unsqueeze },
                 { "Expand", expand },
                 { "Shape", shape_of },
                 { "Gather", gather },
                 { "Concat", concat },
                 { "Identity", same },
                 { "Cast", cast },
                 { "CastLike", cast_like } };
    if (trib_onnx_is(node, "Constant")) return constant(node, out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i)
        if (trib_onnx_is(node, rows[i].op)) return rows[i].call(f, node, out);
    return unsupported(node, "stands where a constant is needed");
}

/* Recursion is bounded: each node comes after those it reads, and steps are counted. */
static trib_status fold(folder *f, const trib_pb *name, trib_onnx_constant *out)
{
    const trib_onnx_value *value = trib_onnx_find(f->model, name);
    int64_t size[2];
    trib_pb own;
    if (!trib_pb_size(name)) return TRIB_ERROR(TRIB_BAD_DATA, "an input that is needed has no name");
    if (!value && trib_onnx_image(f->model, name, &own, size))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%.100s is no constant: it is an input of the model",
                          trib_pb_show(name).text);
    if (!value)
        return TRIB_ERROR(TRIB_BAD_DATA, "%.100s is missing: neither an initialiser nor a node gives it",
                          trib_pb_show(name).text);
    if (value->node < 0) return of_tensor(&f->model->tensors[value->tensor], out);
    if (++f->steps > MOST_STEPS)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%.100s: takes more than %d nodes to compute", trib_pb_show(name).text,
                          MOST_STEPS);
    return compute(f, &f->model->nodes[value->node], out);
}

trib_status trib_onnx_fold(const trib_onnx_model *model, const trib_pb *name, trib_onnx_constant *out)
{
    folder f = { .model = model };
    return fold(&f, name, out);
}
