/* SPDX-License-Identifier: Apache-2.0
 * Which tensors are a network's. A checkpoint also has those of losses, metrics and averages, some of types that are
 * not supported: what a network does not need is left out, and the note names it. But a tensor of one of the network's
 * own modules that the network does not know means another network, and stays to be refused. */
#include <string.h>

#include "formats/torch_private.h"
#include "tributary/internal/alloc.h"

/* Each prefix is looked for among all tensors: nobody keeps that many networks in a file. */
enum { NAME_TEXT = 128, MOST_PREFIXES = 100 };

void trib_torch_say(trib_torch_file *file, const char *what, const char *name)
{
    trib_text *note = &file->imported.note;
    trib_text_add(note, note->size ? "; " : "");
    trib_text_add(note, what);
    trib_text_add(note, name);
}

static bool is_described(const trib_torch_file *file, int i) { return file->views[i].storage != TRIB_TORCH_NO_STORAGE; }

/* -1: there is none of that name. */
static int find(const trib_torch_file *file, const char *name)
{
    for (int i = 0; i < file->base.count; ++i)
        if (!strcmp(file->base.tensors[i].name, name)) return i;
    return -1;
}

/* Why tensor `i` is not described. */
static trib_status refuse(const trib_torch_file *file, int i)
{
    trib_tensor tensor = { 0 };
    trib_torch_view view = { 0 };
    trib_status s = trib_torch_describe(file, file->views[i].value, &tensor, &view);
    trib_add_context(&s, "tensor '%.150s'", file->base.tensors[i].name);
    return s;
}

/* ---- what is left out ---- */

typedef struct left_out {
    const char *first;
    int count;
} left_out;

/* Keeps the tensors with keep[i]; the others move up. */
static void keep_only(trib_torch_file *file, const bool *keep, left_out *left)
{
    int kept = 0;
    for (int i = 0; i < file->base.count; ++i) {
        if (!keep[i]) {
            if (!left->count++) left->first = file->base.tensors[i].name;
            continue;
        }
        file->base.tensors[kept] = file->base.tensors[i];
        file->views[kept++] = file->views[i];
    }
    file->base.count = kept;
}

static void say_left_out(trib_torch_file *file, const left_out *left)
{
    if (!left->count) return;
    trib_torch_say(file, "left out, as the network does not have it: ", left->first);
    if (left->count > 1) trib_text_format(&file->imported.note, " and %d more", left->count - 1);
}

/* ---- a prefix ---- */

/* Names of a network's first weight and of its classifier's, by which it is found among other tensors. */
typedef struct landmarks {
    char first[NAME_TEXT], classifier[NAME_TEXT];
} landmarks;

static landmarks landmarks_of(const trib_network *network, const trib_graph *graph)
{
    landmarks l;
    const trib_dialect *dialect = trib_network_dialect(network);
    const trib_layer *classifier = trib_graph_layer(graph, trib_graph_output(graph, 0)->layer);
    trib_parameter_file_name(graph, dialect, 0, l.first);
    trib_parameter_file_name(graph, dialect, classifier->parameters[TRIB_WEIGHT], l.classifier);
    return l;
}

/* Whether there is a tensor called `length` bytes of `prefix`, and `leaf`. */
static bool has_tensor(const trib_torch_file *file, const char *prefix, size_t length, const char *leaf)
{
    for (int i = 0; i < file->base.count; ++i) {
        const char *name = file->base.tensors[i].name;
        if (!strncmp(name, prefix, length) && !strcmp(name + length, leaf)) return true;
    }
    return false;
}

/* Length of what stands before `leaf` in a name that ends in it, with a dot; 0: nothing, or it is another name. */
static size_t length_before(const char *name, const char *leaf)
{
    const size_t size = strlen(name), tail = strlen(leaf);
    return size > tail && name[size - tail - 1] == '.' && !strcmp(name + size - tail, leaf) ? size - tail : 0;
}

/* What stands before the names of a network: *length bytes of *prefix. */
static trib_status find_prefix(const trib_torch_file *file, const landmarks *l, const char **prefix, size_t *length)
{
    if (find(file, l->first) >= 0) return trib_success();
    for (int i = 0, tried = 0; i < file->base.count && tried < MOST_PREFIXES; ++i) {
        const char *name = file->base.tensors[i].name;
        const size_t before = length_before(name, l->first);
        tried += before > 0;
        if (!before || !has_tensor(file, name, before, l->classifier)) continue;
        if (*length)
            return TRIB_ERROR(TRIB_BAD_DATA,
                              "it holds two networks, one with '%.*s' before its names and one with '%.*s'; save one",
                              (int)*length - 1, *prefix, (int)before - 1, name);
        *prefix = name;
        *length = before;
    }
    return trib_success();
}

static trib_status no_memory(const trib_torch_file *file)
{
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d tensors", file->base.count);
}

static trib_status leave_off(trib_torch_file *file, const char *prefix, size_t length, left_out *left)
{
    char text[TRIB_TORCH_MAX_NAME + 1] = "";
    bool *keep = trib_alloc_zeroed((size_t)file->base.count, sizeof *keep);
    if (!keep) return no_memory(file);
    strncat(text, prefix, length - 1 < sizeof text - 1 ? length - 1 : sizeof text - 1);
    for (int i = 0; i < file->base.count; ++i) keep[i] = !strncmp(file->base.tensors[i].name, prefix, length);
    keep_only(file, keep, left);
    for (int i = 0; i < file->base.count; ++i) file->base.tensors[i].name += length;
    trib_torch_say(file, "left off before the network's names: ", text);
    trib_free(keep);
    return trib_success();
}

/* ---- what a network that has these names needs ---- */

/* Fails if a tensor is needed and not supported. *missing becomes the name of a parameter of an auxiliary classifier
 * that has no tensor; it stays empty if all are there. `graph` has auxiliary classifiers. */
static trib_status check_parameters(const trib_torch_file *file, const trib_network *network, const trib_graph *graph,
                                    char *missing)
{
    char name[NAME_TEXT];
    const trib_dialect *dialect = trib_network_dialect(network);
    const trib_network_spec without_aux = { .network = network };
    for (int p = 0; p < trib_graph_parameter_count(graph); ++p) {
        trib_parameter_file_name(graph, dialect, p, name);
        const int found = find(file, name);
        const bool described = found >= 0 && is_described(file, found);
        if (!trib_network_uses(&without_aux, dialect, name)) {
            if (!described && !*missing) strcpy(missing, name);
        } else if (found >= 0 && !described)
            return refuse(file, found);
    }
    return trib_success();
}

/* Half of the auxiliary classifiers is none. */
static trib_status drop_auxiliary(trib_torch_file *file, const trib_network *network, const char *missing)
{
    left_out left = { 0 };
    const trib_network_spec without_aux = { .network = network };
    bool *keep = trib_alloc_zeroed((size_t)file->base.count, sizeof *keep);
    if (!keep) return no_memory(file);
    for (int i = 0; i < file->base.count; ++i)
        keep[i] = trib_network_uses(&without_aux, trib_network_dialect(network), file->base.tensors[i].name);
    keep_only(file, keep, &left);
    if (left.count) trib_torch_say(file, "the auxiliary classifiers are left out, as they are without ", missing);
    trib_free(keep);
    return trib_success();
}

/* If the file has the network: what stands before its names is left off, what it needs is supported, and all of the
 * auxiliary classifiers are there or none. */
static trib_status prepare(trib_torch_file *file, const trib_network *network, left_out *left)
{
    char missing[NAME_TEXT] = "";
    const char *prefix = NULL;
    size_t length = 0;
    trib_graph *graph = NULL;
    TRIB_TRY(trib_network_graph(&(const trib_network_spec) { .network = network, .aux = true }, &graph));
    const landmarks l = landmarks_of(network, graph);
    trib_status s;
    TRIB_TRY_GOTO(s, done, find_prefix(file, &l, &prefix, &length));
    if (length) TRIB_TRY_GOTO(s, done, leave_off(file, prefix, length, left));
    if (find(file, l.first) >= 0) TRIB_TRY_GOTO(s, done, check_parameters(file, network, graph, missing));
    if (*missing) s = drop_auxiliary(file, network, missing);
done:
    trib_graph_destroy(graph);
    return s;
}

/* No network is known: those that are supported stay, for messages. */
static trib_status keep_described(trib_torch_file *file, bool *keep, left_out *left)
{
    int described = 0;
    for (int i = 0; i < file->base.count; ++i) described += keep[i] = is_described(file, i);
    if (!described && file->base.count) return refuse(file, 0);
    keep_only(file, keep, left);
    return trib_success();
}

/* ---- the network ---- */

/* Bytes of a name up to its module's end: "aux1" of "aux1.fc2.weight". */
static size_t module_length(const char *name) { return strcspn(name, "./"); }

static bool same_module(const char *a, const char *b)
{
    const size_t length = module_length(a);
    return length == module_length(b) && !strncmp(a, b, length);
}

/* Keeps the tensors of the modules of `graph`. */
static trib_status keep_modules(trib_torch_file *file, const trib_graph *graph, const trib_dialect *dialect, bool *keep,
                                left_out *left)
{
    char name[NAME_TEXT];
    for (int p = 0; p < trib_graph_parameter_count(graph); ++p) {
        trib_parameter_file_name(graph, dialect, p, name);
        for (int i = 0; i < file->base.count; ++i) keep[i] = keep[i] || same_module(name, file->base.tensors[i].name);
    }
    for (int i = 0; i < file->base.count; ++i)
        if (keep[i] && !is_described(file, i)) return refuse(file, i);
    keep_only(file, keep, left);
    return trib_success();
}

static trib_status keep_network(trib_torch_file *file, bool *keep, left_out *left)
{
    trib_network_spec spec;
    const trib_dialect *dialect = NULL;
    trib_graph *graph = NULL;
    trib_status s = trib_network_detect(file->base.tensors, file->base.count, &spec, &dialect);
    if (trib_failed(&s)) return s.code == TRIB_OUT_OF_MEMORY ? s : keep_described(file, keep, left);
    TRIB_TRY(trib_network_graph(&spec, &graph));
    s = keep_modules(file, graph, dialect, keep, left);
    trib_graph_destroy(graph);
    return s;
}

/* A file of fewer tensors has no network; then all of them are needed. */
enum { SEVERAL = 8 };

static trib_status check_all(const trib_torch_file *file)
{
    for (int i = 0; i < file->base.count; ++i)
        if (!is_described(file, i)) return refuse(file, i);
    return trib_success();
}

trib_status trib_torch_keep_network(trib_torch_file *file)
{
    left_out left = { 0 };
    if (file->base.count < SEVERAL) return check_all(file);
    for (int i = 0; trib_network_at(i); ++i)
        if (trib_network_by_tensors(trib_network_at(i)) == trib_network_at(i))
            TRIB_TRY(prepare(file, trib_network_at(i), &left));
    bool *keep = trib_alloc_zeroed((size_t)file->base.count, sizeof *keep);
    if (!keep) return no_memory(file);
    trib_status s = keep_network(file, keep, &left);
    if (!trib_failed(&s)) say_left_out(file, &left);
    trib_free(keep);
    return s;
}
