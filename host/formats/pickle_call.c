/* SPDX-License-Identifier: Apache-2.0
 * Calls in a pickle. None is made; a list of names says which are refused. That list protects nobody here, and is not
 * complete: it warns people whose next program would make the call. */
#include <string.h>

#include "formats/pickle_private.h"

/* NULL: the module and all inside of it. */
typedef struct function {
    const char *module, *name;
} function;

static const function refused[] = {
    { "os", NULL },        { "posix", NULL },
    { "nt", NULL },        { "subprocess", NULL },
    { "sys", NULL },       { "builtins", NULL },
    { "importlib", NULL }, { "__builtin__", NULL },
    { "runpy", NULL },     { "operator", NULL },
    { "functools", NULL }, { "pty", NULL },
    { "socket", NULL },    { "shutil", NULL },
    { "ctypes", NULL },    { "code", NULL },
    { "commands", NULL },  { "webbrowser", NULL },
    { "pickle", NULL },    { "marshal", NULL },
    { "types", NULL },     { "torch.hub", NULL },
    { "torch", "load" },   { "torch.serialization", "load" },
    { "numpy", "load" },   { "torch.storage", "_load_from_bytes" },
};

/* Of the modules above: classes of plain values. */
static const char *const values[] = {
    "set",     "dict",      "list",      "tuple",  "int",   "long",  "float",           "bool",
    "complex", "bytearray", "frozenset", "object", "slice", "range", "SimpleNamespace",
};

static const function dicts[] = {
    { "collections", "OrderedDict" },
    { "collections", "defaultdict" },
    { "builtins", "dict" },
    { "__builtin__", "dict" },
};

static bool is_inside(const trib_pickle *pickle, uint32_t name, const char *module)
{
    const trib_pickle_value *v = trib_pickle_at(pickle, trib_pickle_at(pickle, name)->as.global.module);
    const size_t length = strlen(module);
    return v->count >= length && !memcmp(v->as.text, module, length) &&
           (v->count == length || v->as.text[length] == '.');
}

static bool is_value(const trib_pickle *pickle, uint32_t name)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; ++i)
        if (trib_pickle_is_text(pickle, trib_pickle_at(pickle, name)->as.global.name, values[i])) return true;
    return false;
}

static bool is_refused(const trib_pickle *pickle, uint32_t name)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
        if (refused[i].name && trib_pickle_is_name(pickle, name, refused[i].module, refused[i].name)) return true;
        if (!refused[i].name && is_inside(pickle, name, refused[i].module)) return !is_value(pickle, name);
    }
    return false;
}

static bool is_dict(const trib_pickle *pickle, uint32_t name)
{
    for (size_t i = 0; i < sizeof dicts / sizeof *dicts; ++i)
        if (trib_pickle_is_name(pickle, name, dicts[i].module, dicts[i].name)) return true;
    return false;
}

/* Python 2 passes the items of an OrderedDict as a list; the dict refers to it, so that many dicts of one long list
 * take no more memory than one. */
static trib_status add_dict(trib_pickle *pickle, uint32_t arguments, uint32_t *index)
{
    const uint32_t list = trib_pickle_item(pickle, arguments, 0);
    trib_pickle_value dict = { .kind = TRIB_PICKLE_DICT, .nested = 1 };
    if (trib_pickle_kind_of(pickle, list) == TRIB_PICKLE_LIST) {
        dict.as.items.source = list;
        dict.nested = pickle->values[list].nested;
    }
    return trib_pickle_add(pickle, dict, index);
}

trib_status trib_pickle_call(trib_pickle *pickle, uint32_t callee, uint32_t arguments, uint32_t *index)
{
    if (trib_pickle_kind_of(pickle, arguments) != TRIB_PICKLE_TUPLE)
        return TRIB_ERROR(TRIB_BAD_DATA, "it calls something with arguments that are not a tuple");
    if (trib_pickle_kind_of(pickle, callee) == TRIB_PICKLE_REFERENCE) /* ('module', class, ...) before torch 1.6 */
        callee = trib_pickle_item(pickle, trib_pickle_at(pickle, callee)->as.id, 1);
    if (trib_pickle_kind_of(pickle, callee) != TRIB_PICKLE_NAME)
        return TRIB_ERROR(TRIB_BAD_DATA, "it calls a value that is not a name");
    if (is_refused(pickle, callee))
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "it asks to run %s when it is loaded; nothing was run. Do not open the file with torch.load",
                          trib_pickle_show(pickle, callee).text);
    if (is_dict(pickle, callee)) return add_dict(pickle, arguments, index);
    return trib_pickle_add(pickle,
                           (trib_pickle_value) { .kind = TRIB_PICKLE_CALL,
                                                 .nested = 1,
                                                 .as.call = { .callee = callee, .arguments = arguments } },
                           index);
}
