/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "graph/graph.h"
#include "graph/kinds.h"
#include "tributary/version.h"

/* FNV-1a. */
static void add_bytes(uint64_t *hash, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        *hash ^= ((const unsigned char *)bytes)[i];
        *hash *= UINT64_C(0x100000001b3);
    }
}

static void add_number(uint64_t *hash, int number) { add_bytes(hash, &number, sizeof number); }
static void add_word(uint64_t *hash, const char *word) { add_bytes(hash, word, strlen(word) + 1); }

static void ints(void *hash, const char *name, const int *values, int count)
{
    add_word(hash, name);
    add_bytes(hash, values, (size_t)count * sizeof *values);
}

static void reals(void *hash, const char *name, const float *values, int count)
{
    add_word(hash, name);
    add_bytes(hash, values, (size_t)count * sizeof *values);
}

static void word(void *hash, const char *name, const char *value)
{
    add_word(hash, name);
    add_word(hash, value);
}

static void add_layer(uint64_t *hash, const trib_layer *l)
{
    const trib_kind_row *row = trib_kind_row_of(l->kind);
    add_word(hash, row->name);
    for (int i = 0; i < l->input_count; ++i) add_number(hash, l->inputs[i]);
    const int numbers[] = { l->input_count, l->c, l->h, l->w, l->fork, l->branch };
    add_bytes(hash, numbers, sizeof numbers);
    if (row->describe)
        row->describe(&l->attributes, &(trib_fields) { .ints = ints, .reals = reals, .word = word, .context = hash });
}

uint64_t trib_graph_hash(const trib_graph *g)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < g->layer_count; ++i) add_layer(&hash, &g->layers[i]);
    for (size_t f = 0; f < g->fork_count; ++f) add_word(&hash, g->forks[f].name);
    for (size_t i = 0; i < g->output_count; ++i) add_number(&hash, g->outputs[i].layer);
    return hash;
}

void trib_tune_key(const trib_device *device, const trib_graph *g, const trib_plan_options *o, trib_launch launch,
                   char key[TRIB_KEY_TEXT])
{
    const trib_device_info *info = trib_device_get_info(device);
    snprintf(key, TRIB_KEY_TEXT, "%s %.60s %016" PRIx64 " batch %d %s %s cores %d layout %s passes %x%s",
             o->training ? "train" : "infer", trib_graph_name(g), trib_graph_hash(g), o->batch > 0 ? o->batch : 1,
             trib_precision_name(o->precision), launch == TRIB_GRAPH ? "graph" : "eager", info->cores,
             o->layout < 0 ? "auto" : trib_layout_name((trib_layout)o->layout), o->disabled_passes,
             o->reference ? " reference" : "");
    key[strcspn(key, "\r\n")] = '\0'; /* a network may have any name */
}

void trib_tune_versions(const trib_device *device, char library[TRIB_KEY_TEXT], char name[TRIB_KEY_TEXT])
{
    const trib_device_info *info = trib_device_get_info(device);
    snprintf(library, TRIB_KEY_TEXT, "tributary %s, %.200s", trib_version(), info->library);
    snprintf(name, TRIB_KEY_TEXT, "%s, %s, %s", info->spec, info->name, info->instructions);
    library[strcspn(library, "\r\n")] = name[strcspn(name, "\r\n")] = '\0';
}
