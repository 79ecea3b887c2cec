/* SPDX-License-Identifier: Apache-2.0
 * The table of networks; networks and dialects by name. */
#include <stdio.h>
#include <string.h>

#include "network/row.h"
#include "network/tensor_index.h"

static const trib_network *const networks[] = { &trib_googlenet_bvlc, &trib_googlenet_torchvision,
                                                &trib_googlenet_bvlc_floor };

const trib_network *trib_network_at(int index)
{
    return index >= 0 && (size_t)index < sizeof networks / sizeof *networks ? networks[index] : NULL;
}

const trib_network *trib_network_find(const char *name)
{
    for (int i = 0; trib_network_at(i); ++i) {
        const trib_network *n = networks[i];
        if (!strcmp(n->name, name) || (n->alias && !strcmp(n->alias, name))) return n;
    }
    return NULL;
}

const char *trib_network_name(const trib_network *network) { return network->name; }
const char *trib_network_summary(const trib_network *network) { return network->summary; }
const trib_dialect *trib_network_dialect(const trib_network *network) { return network->dialects[0]; }
const trib_init_rule *trib_network_init_rule(const trib_network *network)
{
    return network->init ? network->init : &trib_init_he;
}

const trib_network *trib_network_by_tensors(const trib_network *network)
{
    return network->tensors_of ? network->tensors_of : network;
}

const trib_network_column *trib_network_columns(const trib_network *network, int *count)
{
    for (*count = 0; *count < TRIB_MAX_COLUMNS && network->columns[*count].leaf;) ++*count;
    return network->columns;
}

const trib_dialect *trib_dialect_find(const char *name)
{
    for (int i = 0; trib_network_at(i); ++i)
        for (const trib_dialect *const *d = networks[i]->dialects; *d; ++d)
            if (!strcmp((*d)->name, name)) return *d;
    return NULL;
}

const char *trib_dialect_name(const trib_dialect *dialect) { return dialect->name; }

/* ---- names ---- */

const char *trib_parameter_file_name(const trib_graph *graph, const trib_dialect *dialect, int parameter, char *text)
{
    const trib_parameter *p = trib_graph_parameter(graph, parameter);
    return dialect->file_name(p ? p->name : "", text);
}

const char *trib_canonical_name(const char *canonical, char *text)
{
    snprintf(text, TRIB_NAME_TEXT, "%s", canonical);
    return text;
}

const char *trib_sublayer(char *text, const char *prefix, const char *leaf)
{
    snprintf(text, TRIB_NAME_TEXT, "%s/%s", prefix, leaf);
    return text;
}

const trib_dialect trib_caffe_dialect = { .name = "caffe", .file_name = trib_canonical_name };

/* In a dialect, the prefix of a layer is the common prefix of its parameters' names in files. Prefixes in rows end
 * where a layer's own name begins, so the weight of their classifier tells the prefix. */
bool trib_is_auxiliary(const trib_network *network, const trib_dialect *dialect, const char *bare_name)
{
    char canonical[TRIB_NAME_TEXT], text[TRIB_NAME_TEXT];
    for (const char *const *head = network->auxiliary; head && *head; ++head) {
        snprintf(canonical, sizeof canonical, "%s/classifier.weight", *head);
        dialect->file_name(canonical, text);
        size_t length =
            strcspn(text, "./") + 1; /* "aux1." of "aux1.fc2.weight", "loss1/" of "loss1/classifier.weight" */
        if (!strncmp(bare_name, text, length)) return true;
    }
    return false;
}

bool trib_network_uses(const trib_network_spec *spec, const trib_dialect *dialect, const char *tensor_name)
{
    const char *name = trib_bare_name(tensor_name);
    if (trib_is_training_state(name)) return false;
    return spec->aux || !trib_is_auxiliary(spec->network, dialect, name);
}

bool trib_is_classifier(const trib_graph *graph, int layer)
{
    for (int i = 0; i < trib_graph_output_count(graph); ++i)
        if (trib_graph_output(graph, i)->layer == layer) return true;
    return false;
}

/* ---- specs ---- */

int trib_scaled_channels(int channels, double width_multiplier)
{
    int eighths = (int)(channels * width_multiplier / 8 + 0.5);
    return eighths < 1 ? 8 : 8 * eighths;
}

static trib_status check(const trib_network_spec *s)
{
    const char *family = s->network->family;
    if (s->classes < 1 || s->classes > TRIB_MAX_CLASSES)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: %d classes; 1 to %d are possible", family, s->classes,
                          TRIB_MAX_CLASSES);
    if (s->height < 1 || s->width < 1)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: an input of %dx%d is not possible", family, s->height, s->width);
    if (!(s->width_multiplier > 0 && s->width_multiplier <= TRIB_MAX_WIDTH_MULTIPLIER))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: a width multiplier of %g; more than 0, at most %d is possible",
                          family, s->width_multiplier, TRIB_MAX_WIDTH_MULTIPLIER);
    return trib_success();
}

trib_status trib_network_resolve(const trib_network_spec *spec, trib_network_spec *out)
{
    trib_network_spec s = *spec;
    if (!s.network) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "spec->network is NULL; trib_network_find finds networks");
    if (!s.classes) s.classes = s.network->classes;
    if (!s.height) s.height = s.network->height;
    if (!s.width) s.width = s.network->width;
    if (s.width_multiplier == 0) s.width_multiplier = 1;
    TRIB_TRY(check(&s));
    *out = s;
    return trib_success();
}

trib_status trib_network_graph(const trib_network_spec *spec, trib_graph **out)
{
    trib_network_spec s;
    TRIB_TRY(trib_network_resolve(spec, &s));
    trib_graph_builder *builder = trib_graph_begin(s.network->graph_name);
    s.network->build(builder, &s);
    trib_status status = trib_graph_finish(builder, out);
    trib_add_context(&status, "an input of %dx%d", s.height, s.width);
    return status;
}
