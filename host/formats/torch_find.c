/* SPDX-License-Identifier: Apache-2.0
 * Where in a saved object the weights are. People save a state_dict, a checkpoint that has one among other things, or
 * a whole model; then the tensors are in a tree of modules, and their names are the path to them. */
#include <string.h>

#include "formats/torch_private.h"
#include "tributary/internal/alloc.h"

#define BAD(...) TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__)

/* Keys of weights in checkpoints. The first that is there counts: averaged weights are what was evaluated. */
static const char *const known_keys[] = {
    "state_dict_ema", "model_ema", "ema_state_dict", "state_dict", "model", "net", "model_state_dict", "module",
};

/* Pairs that one search looks at, for each byte of the pickle: many more than there are, unless dicts are repeated. */
enum { STEPS_PER_BYTE = 16 };

static bool is_exhausted(const trib_torch_file *file) { return file->steps / STEPS_PER_BYTE > file->pickle.used; }

/* The pairs of a dict, until the search takes too long; that is an error in the end. */
static bool next_pair(trib_torch_file *file, trib_pickle_walk *walk, uint32_t *key, uint32_t *value)
{
    ++file->steps;
    return !is_exhausted(file) && trib_pickle_next_pair(walk, key, value);
}

/* Other values than dicts have no pairs. */
static trib_pickle_walk pairs_of(const trib_torch_file *file, uint32_t value)
{
    const bool is_dict = trib_pickle_kind_of(&file->pickle, value) == TRIB_PICKLE_DICT;
    return trib_pickle_walk_over(&file->pickle, is_dict ? value : TRIB_PICKLE_NOTHING);
}

static uint32_t find_key(trib_torch_file *file, uint32_t dict, const char *name)
{
    uint32_t key = 0, value = 0, found = TRIB_PICKLE_NOTHING;
    trib_pickle_walk walk = pairs_of(file, dict);
    while (next_pair(file, &walk, &key, &value))
        if (trib_pickle_is_text(&file->pickle, key, name)) found = value; /* as in Python, the last of a key counts */
    return found;
}

/* A torch.nn.Module is an object with these dicts; `value` need not be one. */
static uint32_t part_of_module(trib_torch_file *file, uint32_t value, const char *part)
{
    const trib_pickle_value *v = trib_pickle_at(&file->pickle, value);
    return v->kind == TRIB_PICKLE_CALL ? find_key(file, v->as.call.state, part) : TRIB_PICKLE_NOTHING;
}

static bool is_module(trib_torch_file *file, uint32_t value)
{
    return trib_pickle_kind_of(&file->pickle, part_of_module(file, value, "_modules")) == TRIB_PICKLE_DICT;
}

static bool is_named_tensor(const trib_torch_file *file, uint32_t key, uint32_t value)
{
    return trib_pickle_kind_of(&file->pickle, key) == TRIB_PICKLE_STRING && trib_torch_is_tensor(file, value);
}

static bool has_weights(trib_torch_file *file, uint32_t value)
{
    uint32_t key = 0, item = 0;
    trib_pickle_walk walk = pairs_of(file, value);
    while (next_pair(file, &walk, &key, &item))
        if (is_named_tensor(file, key, item)) return true;
    return is_module(file, value);
}

/* ---- the object ---- */

/* Dicts and lists inside of each other that are looked into, the object itself not counted. */
enum { MOST_DEPTH = 3 };

/* Where weights are: the value, and the keys to it, the last one first. */
typedef struct place {
    uint32_t weights; /* TRIB_PICKLE_NOTHING: nowhere */
    trib_pickle_text keys[MOST_DEPTH + 1];
    int levels;
} place;

static place place_of(trib_torch_file *file, uint32_t value)
{
    return (place) { .weights = has_weights(file, value) ? value : TRIB_PICKLE_NOTHING };
}

/* What a dict has under a string, or a list as an item. The state of an optimiser has tensors by name as well, and is
 * never the weights. */
static bool next_child(trib_torch_file *file, trib_pickle_walk *walk, uint32_t container, trib_pickle_text *key,
                       uint32_t *value)
{
    static const char optimiser[] = "optim";
    const trib_pickle *pickle = &file->pickle;
    uint32_t name = 0;
    if (trib_pickle_kind_of(pickle, container) == TRIB_PICKLE_LIST) {
        ++file->steps;
        strcpy(key->text, "a list");
        return !is_exhausted(file) && trib_pickle_next(walk, value);
    }
    while (next_pair(file, walk, &name, value)) {
        *key = trib_pickle_show(pickle, name);
        if (trib_pickle_kind_of(pickle, name) == TRIB_PICKLE_STRING &&
            strncmp(key->text, optimiser, sizeof optimiser - 1) != 0)
            return true;
    }
    return false;
}

static trib_pickle_walk children_of(const trib_torch_file *file, uint32_t value)
{
    const trib_pickle_kind kind = trib_pickle_kind_of(&file->pickle, value);
    const bool is_container = kind == TRIB_PICKLE_DICT || kind == TRIB_PICKLE_LIST;
    return trib_pickle_walk_over(&file->pickle, is_container ? value : TRIB_PICKLE_NOTHING);
}

static trib_status look(trib_torch_file *file, uint32_t object, int depth, place *out);

/* Under the first known key that leads to weights: directly, or by a way of up to `depth` keys. */
static trib_status under_known_key(trib_torch_file *file, uint32_t object, int depth, place *out)
{
    for (size_t i = 0; i < sizeof known_keys / sizeof *known_keys && !out->weights; ++i) {
        const uint32_t value = find_key(file, object, known_keys[i]);
        if (!value) continue;
        if (depth)
            TRIB_TRY(look(file, value, depth - 1, out));
        else
            *out = place_of(file, value);
        if (out->weights) strcpy(out->keys[out->levels++].text, known_keys[i]);
    }
    return trib_success();
}

/* The only one of the object's values that has weights, or leads to them by a way of up to `depth` keys. */
static trib_status only_one(trib_torch_file *file, uint32_t object, int depth, place *out)
{
    trib_pickle_text key;
    uint32_t value = 0;
    trib_pickle_walk walk = children_of(file, object);
    while (next_child(file, &walk, object, &key, &value)) {
        place own = { 0 };
        if (depth)
            TRIB_TRY(look(file, value, depth - 1, &own));
        else
            own = place_of(file, value);
        if (!own.weights || own.weights == out->weights) continue;
        if (out->weights)
            return BAD("it holds two sets of weights, '%s' and '%s', and no key says which is the model; save one",
                       out->keys[out->levels - 1].text, key.text);
        *out = own;
        out->keys[out->levels++] = key;
    }
    return trib_success();
}

/* What is nearer comes first. */
static trib_status look(trib_torch_file *file, uint32_t object, int depth, place *out)
{
    TRIB_TRY(under_known_key(file, object, 0, out));
    if (!out->weights) *out = place_of(file, object);
    if (!out->weights) TRIB_TRY(only_one(file, object, 0, out));
    if (!out->weights && depth) TRIB_TRY(under_known_key(file, object, depth, out));
    if (!out->weights && depth) TRIB_TRY(only_one(file, object, depth, out));
    return trib_success();
}

static trib_status choose(trib_torch_file *file, uint32_t object, uint32_t *weights)
{
    place found = { 0 };
    TRIB_TRY(look(file, object, MOST_DEPTH, &found));
    *weights = found.weights;
    if (found.levels) trib_torch_say(file, "the weights are those under ", found.keys[found.levels - 1].text);
    for (int i = found.levels - 2; i >= 0; --i) {
        trib_text_add(&file->imported.note, ", ");
        trib_text_add(&file->imported.note, found.keys[i].text);
    }
    if (*weights) return trib_success();
    return BAD("its pickle holds no weights: no dict of tensors by name, alone or in a checkpoint, and no whole model; "
               "save a model's state_dict");
}

/* ---- names ---- */

static trib_status check_name(const char *name, size_t size)
{
    if (size > TRIB_TORCH_MAX_NAME) return BAD("the name of a tensor is too long: %zu bytes", size);
    for (size_t i = 0; i < size;) {
        const int length = trib_utf8_length(name + i);
        if (!length || (size_t)length > size - i) return BAD("the name of a tensor is not UTF-8");
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7F) return BAD("the name of a tensor has control characters");
        i += (size_t)length;
    }
    return trib_success();
}

/* Room for one more in the lists of tensors. */
static trib_status make_room(trib_torch_file *file)
{
    void *tensors = file->base.tensors, *views = file->views;
    const size_t count = (size_t)file->base.count + 1;
    if (count > TRIB_TORCH_MAX_TENSORS) return BAD("it has more than %d tensors", TRIB_TORCH_MAX_TENSORS);
    int failed = trib_grow(&tensors, &file->tensor_capacity, count, sizeof *file->base.tensors);
    file->base.tensors = tensors;
    failed = trib_grow(&views, &file->view_capacity, count, sizeof *file->views) || failed;
    file->views = views;
    if (failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %zu tensors", count);
    return trib_success();
}

/* Averages of models (torch.optim.swa_utils) count their updates. */
static bool is_counter(const trib_pickle *pickle, uint32_t key, size_t prefix)
{
    return !prefix && trib_pickle_is_text(pickle, key, "n_averaged");
}

/* A tensor called `prefix` and `key`. */
static trib_status add_tensor(trib_torch_file *file, const trib_text *prefix, uint32_t key, uint32_t value)
{
    const trib_pickle_value *k = trib_pickle_at(&file->pickle, key);
    const size_t at = file->names.size;
    if (is_counter(&file->pickle, key, prefix->size)) return trib_success();
    TRIB_TRY(check_name(k->as.text, k->count));
    TRIB_TRY(make_room(file));
    if (prefix->size) trib_text_put(&file->names, prefix->bytes, prefix->size);
    trib_text_put(&file->names, k->as.text, k->count);
    trib_text_put(&file->names, "", 1);
    if (file->names.failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the names of tensors");
    trib_tensor *tensor = &file->base.tensors[file->base.count];
    trib_torch_view *view = &file->views[file->base.count];
    *tensor = (trib_tensor) { 0 };
    *view = (trib_torch_view) { 0 };
    trib_status s = trib_torch_describe(file, value, tensor, view);
    if (s.code == TRIB_UNSUPPORTED) { /* only if it is needed */
        *tensor = (trib_tensor) { 0 };
        *view = (trib_torch_view) { .storage = TRIB_TORCH_NO_STORAGE, .value = value };
        s = trib_success();
    }
    trib_add_context(&s, "tensor '%.150s'", file->names.bytes + at);
    if (!trib_failed(&s)) ++file->base.count;
    return s;
}

static trib_status add_dict(trib_torch_file *file, const trib_text *prefix, uint32_t dict)
{
    uint32_t key = 0, value = 0;
    trib_pickle_walk walk = pairs_of(file, dict);
    while (next_pair(file, &walk, &key, &value))
        if (is_named_tensor(file, key, value)) TRIB_TRY(add_tensor(file, prefix, key, value));
    return trib_success();
}

/* ---- whole models ---- */

enum { MOST_LEVELS = 100 };

/* The way from the root to a module: on each level, the modules that are left, and the length of the path. */
typedef struct tree {
    trib_torch_file *file;
    trib_text path; /* ends in '.' */
    trib_pickle_walk left[MOST_LEVELS];
    size_t length[MOST_LEVELS];
    int levels;
    bool *visited; /* by value: a module that has several names has its first */
} tree;

static trib_status enter(tree *t, uint32_t module)
{
    trib_torch_file *file = t->file;
    if (t->visited[module] || !is_module(file, module)) return trib_success();
    if (t->levels == MOST_LEVELS || t->path.size > TRIB_TORCH_MAX_NAME) return BAD("its modules are nested too deep");
    t->visited[module] = true;
    TRIB_TRY(add_dict(file, &t->path, part_of_module(file, module, "_parameters")));
    TRIB_TRY(add_dict(file, &t->path, part_of_module(file, module, "_buffers")));
    t->length[t->levels] = t->path.size;
    t->left[t->levels++] = pairs_of(file, part_of_module(file, module, "_modules"));
    return trib_success();
}

/* Goes to the next module below the current one, or back to the one above. */
static trib_status go_on(tree *t)
{
    uint32_t key = 0, module = 0;
    const int level = t->levels - 1;
    t->path.size = t->length[level];
    if (!next_pair(t->file, &t->left[level], &key, &module)) {
        --t->levels;
        return trib_success();
    }
    const trib_pickle_value *name = trib_pickle_at(&t->file->pickle, key);
    if (name->kind != TRIB_PICKLE_STRING) return trib_success();
    TRIB_TRY(check_name(name->as.text, name->count));
    trib_text_put(&t->path, name->as.text, name->count);
    trib_text_add(&t->path, ".");
    if (t->path.failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a module");
    return enter(t, module);
}

static trib_status add_modules(trib_torch_file *file, uint32_t root)
{
    tree *t = trib_alloc_zeroed(1, sizeof *t);
    trib_status s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to go through a model");
    if (!t) return s;
    t->file = file;
    t->visited = trib_alloc_zeroed(file->pickle.count, sizeof *t->visited);
    if (t->visited) s = enter(t, root);
    while (!trib_failed(&s) && t->levels) s = go_on(t);
    trib_text_free(&t->path);
    trib_free(t->visited);
    trib_free(t);
    return s;
}

/* ---- prefixes ---- */

/* More than a layer has: what these share is no part of a network's own names. */
enum { SEVERAL = 8 };

static void point_to_names(trib_torch_file *file, size_t skipped)
{
    const char *name = file->names.bytes;
    for (int i = 0; i < file->base.count; ++i) {
        file->base.tensors[i].name = name + skipped;
        name += strlen(name) + 1;
    }
}

/* Length of the part up to the first dot, with it, that all names have; 0: they differ. */
static size_t shared_part(const trib_torch_file *file)
{
    const char *first = file->base.tensors[0].name, *dot = strchr(first, '.');
    const size_t length = dot ? (size_t)(dot - first) + 1 : 0;
    for (int i = 1; i < file->base.count; ++i)
        if (strncmp(file->base.tensors[i].name, first, length)) return 0;
    return length;
}

/* Data parallelism, compilation, averages and Lightning put `module.`, `_orig_mod.` or `model.` before all names. */
static void leave_off_prefixes(trib_torch_file *file)
{
    size_t skipped = 0, length = 0;
    point_to_names(file, 0);
    while (file->base.count >= SEVERAL && (length = shared_part(file))) {
        skipped += length;
        point_to_names(file, skipped);
    }
    if (!skipped) return;
    file->names.bytes[skipped - 1] = '\0'; /* its last dot: nobody needs it any more */
    trib_torch_say(file, "left off before all names: ", file->names.bytes);
}

trib_status trib_torch_list_tensors(trib_torch_file *file)
{
    const trib_text none = { 0 };
    uint32_t weights = 0;
    trib_text_add(&file->imported.provenance, "a PyTorch file (torch.save)");
    TRIB_TRY(choose(file, file->pickle.result, &weights));
    if (is_module(file, weights)) {
        trib_torch_say(file, "a whole model", "");
        TRIB_TRY(add_modules(file, weights));
    } else
        TRIB_TRY(add_dict(file, &none, weights));
    if (is_exhausted(file)) return BAD("its pickle repeats its dicts more often than a file of weights does");
    leave_off_prefixes(file);
    TRIB_TRY(trib_torch_keep_network(file));
    return trib_imported_finish(&file->imported, NULL, &file->base);
}
