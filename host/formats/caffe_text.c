/* SPDX-License-Identifier: Apache-2.0
 * A prototxt: the same layers, without blobs. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "formats/caffe.h"
#include "tributary/internal/alloc.h"

enum { LAYER_DEPTH = 1, BLOCK_DEPTH = 2 };

typedef struct reader {
    trib_tf tf;
    trib_caffe_net *net;
    trib_caffe_layer *layer; /* NULL outside of layers */
    char block[64];          /* the message inside the layer */
    char field[64];          /* what the innermost message is called */
    int dims;                /* extents of the input's shape so far */
} reader;

/* Words that stand for numbers. */
static double number_of(const trib_tf_field *f)
{
    static const struct {
        const char *word;
        double value;
    } words[] = { { "true", 1 },  { "false", 0 },           { "MAX", 0 },           { "AVE", 1 }, { "CEIL", 0 },
                  { "FLOOR", 1 }, { "ACROSS_CHANNELS", 0 }, { "WITHIN_CHANNEL", 1 } };
    if (f->kind == TRIB_TF_NUMBER) return f->number;
    for (size_t i = 0; i < sizeof words / sizeof *words; ++i)
        if (!strcmp(f->text, words[i].word)) return words[i].value;
    return -1;
}

/* input_dim, input_shape { dim } and input_param { shape { dim } }: N, C, H, W. */
static void take_extent(reader *r, const trib_tf_field *f)
{
    if (f->kind != TRIB_TF_NUMBER || !(f->number >= 1 && f->number <= INT_MAX)) return;
    if (r->dims == 2) r->net->height = (int)f->number;
    if (r->dims == 3) r->net->width = (int)f->number;
    if (r->dims < 4) ++r->dims;
}

static trib_status set_name(reader *r, const trib_tf_field *f)
{
    trib_free(r->layer->name);
    r->layer->name = trib_strdup(f->text);
    return r->layer->name ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a layer");
}

static void set_kind(reader *r, const trib_tf_field *f)
{
    r->layer->kind = f->kind == TRIB_TF_NUMBER ? trib_caffe_old_kind((uint64_t)fmin(fmax(f->number, 0), 1000))
                                               : trib_caffe_kind(f->text);
}

static void set_number(reader *r, const trib_tf_field *f)
{
    for (size_t i = 0; i < trib_caffe_row_count; ++i) {
        const trib_caffe_row *row = &trib_caffe_rows[i];
        if (!strcmp(row->block, r->block) && !strcmp(row->name, f->name))
            trib_caffe_set(r->layer, row->slot, number_of(f));
    }
}

static trib_status take_value(reader *r, const trib_tf_field *f)
{
    const bool shape =
        !strcmp(r->field, "input_shape") || (r->layer && r->layer->kind == TRIB_INPUT && !strcmp(r->field, "shape"));
    if (shape ? !strcmp(f->name, "dim") : !r->layer && !strcmp(f->name, "input_dim")) take_extent(r, f);
    if (!r->layer) return trib_success();
    if (r->tf.depth == LAYER_DEPTH && !strcmp(f->name, "name")) return set_name(r, f);
    if (r->tf.depth == LAYER_DEPTH && !strcmp(f->name, "bottom"))
        return trib_caffe_add_value(&r->layer->bottoms, trib_strdup(f->text));
    if (r->tf.depth == LAYER_DEPTH && !strcmp(f->name, "top"))
        return trib_caffe_add_value(&r->layer->tops, trib_strdup(f->text));
    if (r->tf.depth == LAYER_DEPTH && !strcmp(f->name, "type")) set_kind(r, f);
    if (r->tf.depth == BLOCK_DEPTH) set_number(r, f);
    return trib_success();
}

static trib_status open_message(reader *r, const trib_tf_field *f)
{
    trib_status s = trib_success();
    memcpy(r->field, f->name, sizeof r->field);
    if (r->tf.depth == BLOCK_DEPTH) memcpy(r->block, f->name, sizeof r->block);
    if (r->tf.depth == BLOCK_DEPTH && r->layer && !strcmp(f->name, "layer"))
        return TRIB_ERROR(
            TRIB_UNSUPPORTED,
            "line %d: it is in Caffe's format of 2013 (V0); convert it with Caffe's upgrade_net_proto_text",
            r->tf.line);
    if (r->tf.depth != LAYER_DEPTH || (strcmp(f->name, "layer") != 0 && strcmp(f->name, "layers") != 0)) return s;
    if (!strcmp(f->name, "layers")) r->net->v1 = true;
    r->layer = trib_caffe_add_layer(r->net, &s);
    return r->layer ? set_name(r, &(trib_tf_field) { .text = "" }) : s;
}

static trib_status take(reader *r, const trib_tf_field *f)
{
    if (f->kind == TRIB_TF_OPEN) return open_message(r, f);
    if (f->kind != TRIB_TF_CLOSE) return take_value(r, f);
    r->field[0] = '\0';
    if (!r->tf.depth) r->layer = NULL;
    return trib_success();
}

trib_status trib_caffe_read_text(const char *text, size_t size, trib_caffe_net *net)
{
    reader r = { .tf = trib_tf_of(text, size), .net = net };
    trib_tf_field f = { 0 };
    while (trib_tf_next(&r.tf, &f)) TRIB_TRY(take(&r, &f));
    TRIB_TRY(trib_tf_end(&r.tf, &f));
    return net->count ? trib_success() : TRIB_ERROR(TRIB_BAD_DATA, "it describes no layers");
}
