/* SPDX-License-Identifier: Apache-2.0
 * Caffe's NetParameter on the wire: name 1, layers 2 (the older kind), layer 100. */
#include <string.h>

#include "formats/caffe.h"
#include "tributary/internal/alloc.h"

enum { NET_NAME = 1, OLD_LAYERS = 2, LAYER = 100 };

/* Where the two kinds of layers differ. */
typedef struct layer_form {
    bool old;
    uint32_t name, type, blobs, bottom, top;
} layer_form;
static const layer_form old_form = { true, 4, 5, 6, 2, 3 }, new_form = { false, 1, 2, 7, 3, 4 };

static uint32_t block_of(const trib_caffe_row *row, bool old) { return old ? row->old_block : row->block_number; }

static double number_of(const trib_pb_field *f)
{
    return f->type == TRIB_PB_VARINT ? (double)(int64_t)f->value : (double)trib_pb_float(f);
}

/* A field of a message of numbers. */
static trib_status set_number(trib_caffe_layer *layer, const trib_caffe_row *row, const trib_pb_field *f)
{
    int64_t values[8];
    int count = 0;
    if (row->slot == TRIB_CAFFE_MEAN_FILE || f->type != TRIB_PB_BYTES) {
        trib_caffe_set(layer, row->slot, f->type == TRIB_PB_BYTES ? 1 : number_of(f));
        return trib_success();
    }
    if (row->slot == TRIB_CAFFE_MEAN_VALUE) return TRIB_ERROR(TRIB_BAD_DATA, "mean_value is not a number");
    TRIB_TRY(trib_pb_take_integers(f, values, 8, &count));
    for (int i = 0; i < count && i < 8; ++i) trib_caffe_set(layer, row->slot, (double)values[i]);
    return trib_success();
}

/* `f` is the message of some of the rows, or of none. */
static trib_status read_numbers(const trib_pb_field *f, bool old, trib_caffe_layer *layer)
{
    trib_pb block = f->bytes;
    trib_pb_field inner;
    bool known = false;
    for (size_t i = 0; i < trib_caffe_row_count; ++i) known |= block_of(&trib_caffe_rows[i], old) == f->number;
    while (known && trib_pb_next(&block, &inner))
        for (size_t i = 0; i < trib_caffe_row_count; ++i) {
            const trib_caffe_row *row = &trib_caffe_rows[i];
            if (block_of(row, old) == f->number && row->number == inner.number)
                TRIB_TRY(set_number(layer, row, &inner));
        }
    return trib_pb_end(&block);
}

static trib_status set_name(trib_caffe_layer *layer, const trib_pb_field *f)
{
    trib_free(layer->name);
    layer->name = trib_pb_copy(&f->bytes);
    if (!layer->name) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its name");
    return trib_success();
}

static void set_kind(trib_caffe_layer *layer, const trib_pb_field *f)
{
    if (f->type == TRIB_PB_VARINT)
        layer->kind = trib_caffe_old_kind(f->value);
    else if (f->type == TRIB_PB_BYTES)
        layer->kind = trib_caffe_kind(trib_pb_show(&f->bytes).text);
}

static trib_status read_blob(trib_caffe_layer *layer, const trib_pb_field *f)
{
    if (layer->blob_count < TRIB_CAFFE_BLOBS) {
        trib_status s = trib_caffe_read_blob(f->bytes, &layer->blobs[layer->blob_count]);
        trib_add_context(&s, "blob %d", layer->blob_count);
        if (trib_failed(&s)) return s;
    }
    ++layer->blob_count;
    return trib_success();
}

static trib_status read_field(const trib_pb_field *f, const layer_form *form, trib_caffe_layer *layer)
{
    if (f->number == form->type) set_kind(layer, f);
    if (f->type != TRIB_PB_BYTES) return trib_success();
    if (f->number == form->name) return set_name(layer, f);
    if (f->number == form->bottom) return trib_caffe_add_value(&layer->bottoms, trib_pb_copy(&f->bytes));
    if (f->number == form->top) return trib_caffe_add_value(&layer->tops, trib_pb_copy(&f->bytes));
    if (f->number == form->blobs) return read_blob(layer, f);
    if (form->old && f->number == 1)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "is in Caffe's format of 2013 (V0); convert the file with Caffe's "
                                            "upgrade_net_proto_binary");
    return read_numbers(f, form->old, layer);
}

/* The name of a layer may come after what is wrong with it. */
static trib_pb_shown name_of(trib_pb bytes, const layer_form *form)
{
    trib_pb_field f;
    trib_pb_shown shown = { "without a name" };
    while (trib_pb_next(&bytes, &f))
        if (trib_pb_is(&f, form->name, TRIB_PB_BYTES)) shown = trib_pb_show(&f.bytes);
    return shown;
}

/* Layers with blobs need a name. */
static trib_status check_name(const trib_caffe_layer *layer)
{
    const trib_pb name = trib_pb_of(layer->name, strlen(layer->name));
    if (!layer->blob_count || trib_pb_is_name(&name)) return trib_success();
    if (!layer->name[0]) return TRIB_ERROR(TRIB_BAD_DATA, "has values but no name");
    return TRIB_ERROR(TRIB_BAD_DATA, "its name has control characters, or is not UTF-8");
}

static trib_status read_layer(trib_pb bytes, const layer_form *form, trib_caffe_net *net)
{
    trib_status s = trib_success();
    trib_pb rest = bytes;
    trib_pb_field f;
    trib_caffe_layer *layer = trib_caffe_add_layer(net, &s);
    if (!layer) return s;
    while (!trib_failed(&s) && trib_pb_next(&rest, &f)) s = read_field(&f, form, layer);
    if (!trib_failed(&s)) s = trib_pb_end(&rest);
    if (!trib_failed(&s) && !layer->name) s = set_name(layer, &(trib_pb_field) { .bytes = trib_pb_of("", 0) });
    if (!trib_failed(&s)) s = check_name(layer);
    trib_add_context(&s, "layer %s", name_of(bytes, form).text);
    return s;
}

static trib_status nothing(bool numbers)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "%s",
                      numbers
                          ? "a blob alone, such as a mean image, without layers; a mean image is named with --mean-file"
                          : "it has no layers");
}

trib_status trib_caffe_read(trib_pb file, trib_caffe_net *net)
{
    trib_pb_field f;
    bool numbers = false;
    while (trib_pb_next(&file, &f)) {
        if (f.type == TRIB_PB_VARINT && f.number <= 4) numbers = true;
        if (trib_pb_is(&f, NET_NAME, TRIB_PB_BYTES)) net->name = trib_pb_show(&f.bytes);
        if (trib_pb_is(&f, OLD_LAYERS, TRIB_PB_BYTES)) {
            net->v1 = true;
            TRIB_TRY(read_layer(f.bytes, &old_form, net));
        }
        if (trib_pb_is(&f, LAYER, TRIB_PB_BYTES)) TRIB_TRY(read_layer(f.bytes, &new_form, net));
    }
    TRIB_TRY(trib_pb_end(&file));
    return net->count ? trib_success() : nothing(numbers);
}
