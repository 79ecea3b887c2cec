/* SPDX-License-Identifier: Apache-2.0
 * The stack machine: a function per kind of opcode, and a table. An opcode without a row is refused: EXT and PERSID
 * need a registry, INST and OBJ are calls that no PyTorch writes, the buffers of protocol 5 are outside of the file. */
#include "formats/pickle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/pickle_private.h"
#include "tributary/internal/alloc.h"

enum { MAX_PROTOCOL = 5, FALSE_VALUE = 1, TRUE_VALUE, EMPTY_MEMO = UINT32_MAX };

typedef struct machine {
    trib_pickle *pickle;
    const unsigned char *bytes;
    size_t size, at;
    uint32_t *stack, *memo, *marks; /* marks: heights of the stack */
    size_t height, stack_capacity, memo_count, memo_capacity, mark_count, mark_capacity, memoized;
    bool stopped;
} machine;

#define BAD(...) TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__)

/* ---- bytes ---- */

static trib_status take(machine *m, uint64_t size, const unsigned char **out)
{
    if (size > m->size - m->at) {
        m->pickle->cut_short = true;
        return BAD("it ends inside a value of %" PRIu64 " bytes", size);
    }
    *out = m->bytes + m->at;
    m->at += (size_t)size;
    return trib_success();
}

static trib_status take_number(machine *m, size_t size, uint64_t *out)
{
    const unsigned char *p = NULL;
    TRIB_TRY(take(m, size, &p));
    *out = 0;
    for (size_t i = 0; i < size; ++i) *out |= (uint64_t)p[i] << (8 * i);
    return trib_success();
}

/* Up to a line feed, which is not counted. */
static trib_status take_line(machine *m, const char **line, size_t *size)
{
    const unsigned char *p = m->bytes + m->at, *end = memchr(p, '\n', m->size - m->at);
    if (!end) {
        m->pickle->cut_short = true;
        return BAD("it ends inside a line of text");
    }
    *line = (const char *)p;
    *size = (size_t)(end - p);
    m->at += *size + 1;
    return trib_success();
}

/* ---- stack ---- */

static trib_status put(uint32_t **list, size_t *count, size_t *capacity, uint32_t value)
{
    void *block = *list;
    if (trib_grow(&block, capacity, *count + 1, sizeof **list)) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory");
    *list = block;
    (*list)[(*count)++] = value;
    return trib_success();
}

static trib_status push(machine *m, uint32_t value) { return put(&m->stack, &m->height, &m->stack_capacity, value); }

static trib_status push_new(machine *m, trib_pickle_value value)
{
    uint32_t index = 0;
    TRIB_TRY(trib_pickle_add(m->pickle, value, &index));
    return push(m, index);
}

/* Values on the stack above the last mark. */
static size_t above_mark(const machine *m) { return m->height - (m->mark_count ? m->marks[m->mark_count - 1] : 0); }

/* Takes `count` values; *values, valid until the next push, is the lowest. */
static trib_status pop(machine *m, size_t count, const uint32_t **values)
{
    if (above_mark(m) < count) return BAD("it takes a value from an empty stack");
    m->height -= count;
    *values = count ? m->stack + m->height : NULL;
    return trib_success();
}

/* Takes all values above the last mark, and the mark. */
static trib_status pop_marked(machine *m, const uint32_t **values, size_t *count)
{
    if (!m->mark_count) return BAD("it takes values up to a mark, and there is no mark");
    *count = above_mark(m);
    TRIB_TRY(pop(m, *count, values));
    --m->mark_count;
    return trib_success();
}

static trib_status top(const machine *m, uint32_t *value)
{
    if (!above_mark(m)) return BAD("it uses the top of an empty stack");
    *value = m->stack[m->height - 1];
    return trib_success();
}

/* ---- opcodes ---- */

static trib_status op_protocol(machine *m, int op)
{
    uint64_t version = 0;
    (void)op;
    TRIB_TRY(take_number(m, 1, &version));
    if (version <= MAX_PROTOCOL) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED, "it has protocol %d; only protocols up to %d are known", (int)version,
                      MAX_PROTOCOL);
}

/* A frame is only a hint to readers of streams. */
static trib_status op_frame(machine *m, int op)
{
    uint64_t size = 0;
    (void)op;
    return take_number(m, 8, &size);
}

static trib_status op_stop(machine *m, int op)
{
    const uint32_t *value = NULL;
    (void)op;
    TRIB_TRY(pop(m, 1, &value));
    m->pickle->result = *value;
    m->stopped = true;
    return trib_success();
}

static trib_status op_mark(machine *m, int op)
{
    (void)op;
    return put(&m->marks, &m->mark_count, &m->mark_capacity, (uint32_t)m->height);
}

static trib_status op_pop(machine *m, int op)
{
    const uint32_t *values = NULL;
    size_t count = 0;
    if (op == '1' || (m->mark_count && !above_mark(m))) return pop_marked(m, &values, &count);
    return pop(m, 1, &values);
}

static trib_status op_duplicate(machine *m, int op)
{
    uint32_t value = 0;
    (void)op;
    TRIB_TRY(top(m, &value));
    return push(m, value);
}

static trib_status op_constant(machine *m, int op)
{
    return push(m, op == 'N' ? TRIB_PICKLE_NOTHING : op == 0x88 ? TRUE_VALUE : FALSE_VALUE);
}

static trib_status push_integer(machine *m, int64_t integer)
{
    return push_new(m, (trib_pickle_value) { .kind = TRIB_PICKLE_INTEGER, .as.integer = integer });
}

static trib_status op_integer(machine *m, int op)
{
    uint64_t n = 0;
    TRIB_TRY(take_number(m, op == 'K' ? 1 : op == 'M' ? 2 : 4, &n));
    return push_integer(m, op == 'J' ? (int32_t)(uint32_t)n : (int64_t)n);
}

/* Python 2 writes an integer of more than 32 bits as text; 00 and 01 are bools. */
static trib_status op_text_integer(machine *m, int op)
{
    const char *line = NULL;
    size_t size = 0;
    char *end = NULL;
    (void)op;
    TRIB_TRY(take_line(m, &line, &size));
    if (size == 2 && line[0] == '0' && (line[1] == '0' || line[1] == '1'))
        return push(m, line[1] == '1' ? TRUE_VALUE : FALSE_VALUE);
    errno = 0;
    const long long integer = strtoll(line, &end, 10);
    if (errno || end != line + size || !size) return BAD("its text of an integer is none, or over 64 bits");
    return push_integer(m, integer);
}

static trib_status push_text(machine *m, trib_pickle_kind kind, const void *text, size_t size)
{
    if (size > UINT32_MAX) return BAD("a string of %zu bytes is too long", size);
    return push_new(m, (trib_pickle_value) { .kind = (uint8_t)kind, .count = (uint32_t)size, .as.text = text });
}

static trib_status op_long(machine *m, int op)
{
    const unsigned char *p = NULL;
    uint64_t size = 0, n = 0;
    TRIB_TRY(take_number(m, op == 0x8A ? 1 : 4, &size));
    if (size > INT32_MAX) return BAD("it has a long number of negative size");
    TRIB_TRY(take(m, size, &p));
    if (size > sizeof n) return push_text(m, TRIB_PICKLE_LONG, p, (size_t)size);
    for (size_t i = 0; i < sizeof n; ++i)
        n |= (uint64_t)(i < size ? p[i] : size && p[size - 1] & 0x80 ? 0xFF : 0) << (8 * i);
    return push_integer(m, (int64_t)n);
}

static trib_status op_float(machine *m, int op)
{
    const unsigned char *p = NULL;
    uint64_t bits = 0;
    double number;
    (void)op;
    TRIB_TRY(take(m, sizeof bits, &p));
    for (size_t i = 0; i < sizeof bits; ++i) bits = bits << 8 | p[i];
    memcpy(&number, &bits, sizeof number);
    return push_new(m, (trib_pickle_value) { .kind = TRIB_PICKLE_FLOAT, .as.number = number });
}

static int bytes_of_length(int op)
{
    return op == 'U' || op == 'C' || op == 0x8C ? 1 : op == 'X' || op == 'T' || op == 'B' ? 4 : 8;
}

/* Python 2's strings are names, too. */
static trib_status op_text(machine *m, int op)
{
    const bool bytes = op == 'C' || op == 'B' || op == 0x8E || op == 0x96;
    const unsigned char *p = NULL;
    uint64_t size = 0;
    TRIB_TRY(take_number(m, (size_t)bytes_of_length(op), &size));
    TRIB_TRY(take(m, size, &p));
    return push_text(m, bytes ? TRIB_PICKLE_BYTES : TRIB_PICKLE_STRING, p, (size_t)size);
}

static trib_status push_container(machine *m, trib_pickle_kind kind, const uint32_t *values, size_t count)
{
    uint32_t index = 0;
    TRIB_TRY(trib_pickle_add(m->pickle, (trib_pickle_value) { .kind = (uint8_t)kind, .nested = 1 }, &index));
    if (kind != TRIB_PICKLE_SET) TRIB_TRY(trib_pickle_append(m->pickle, index, values, count));
    return push(m, index);
}

static trib_status op_empty(machine *m, int op)
{
    return push_container(m,
                          op == ')'   ? TRIB_PICKLE_TUPLE
                          : op == ']' ? TRIB_PICKLE_LIST
                          : op == '}' ? TRIB_PICKLE_DICT
                                      : TRIB_PICKLE_SET,
                          NULL, 0);
}

static trib_status op_short_tuple(machine *m, int op)
{
    const size_t count = (size_t)(op - 0x84);
    const uint32_t *values = NULL;
    TRIB_TRY(pop(m, count, &values));
    return push_container(m, TRIB_PICKLE_TUPLE, values, count);
}

static trib_status op_marked(machine *m, int op)
{
    const uint32_t *values = NULL;
    size_t count = 0;
    TRIB_TRY(pop_marked(m, &values, &count));
    if (op == 'd' && count % 2) return BAD("it makes a dict of a key without a value");
    return push_container(m,
                          op == 't'   ? TRIB_PICKLE_TUPLE
                          : op == 'l' ? TRIB_PICKLE_LIST
                          : op == 'd' ? TRIB_PICKLE_DICT
                                      : TRIB_PICKLE_SET,
                          values, count);
}

/* Puts `values` into the container below them: a list or, in pairs, a dict. Objects have methods for that; what these
 * would do with the values is not known, and they are dropped. */
static trib_status put_into(machine *m, trib_pickle_kind kind, const uint32_t *values, size_t count)
{
    uint32_t container = 0;
    TRIB_TRY(top(m, &container));
    const trib_pickle_kind found = trib_pickle_kind_of(m->pickle, container);
    if (found == TRIB_PICKLE_CALL || (found == TRIB_PICKLE_SET && kind == found)) return trib_success();
    if (found != kind)
        return kind == TRIB_PICKLE_LIST   ? BAD("it appends to something that is not a list")
               : kind == TRIB_PICKLE_DICT ? BAD("it sets items (SETITEM) of something that is not a dict")
                                          : BAD("it adds items to something that is not a set");
    return trib_pickle_append(m->pickle, container, values, count);
}

static trib_status op_append(machine *m, int op)
{
    const uint32_t *values = NULL;
    size_t count = 1;
    TRIB_TRY(op == 'a' ? pop(m, 1, &values) : pop_marked(m, &values, &count));
    return put_into(m, op == 0x90 ? TRIB_PICKLE_SET : TRIB_PICKLE_LIST, values, count);
}

static trib_status op_set_items(machine *m, int op)
{
    const uint32_t *values = NULL;
    size_t count = 2;
    TRIB_TRY(op == 's' ? pop(m, 2, &values) : pop_marked(m, &values, &count));
    if (count % 2) return BAD("SETITEMS has a key without a value: they are no pairs");
    return put_into(m, TRIB_PICKLE_DICT, values, count);
}

/* ---- memo ---- */

/* What wrote the pickle numbers the places in order, so none is beyond the number of bytes so far. */
static trib_status remember(machine *m, uint64_t place)
{
    uint32_t value = 0;
    TRIB_TRY(top(m, &value));
    if (place > m->at) return BAD("place %" PRIu64 " of its memo is beyond its size", place);
    while (m->memo_count <= place) TRIB_TRY(put(&m->memo, &m->memo_count, &m->memo_capacity, EMPTY_MEMO));
    m->memo[place] = value;
    return trib_success();
}

static trib_status op_put(machine *m, int op)
{
    uint64_t place = m->memoized++;
    if (op != 0x94) TRIB_TRY(take_number(m, op == 'q' ? 1 : 4, &place));
    return remember(m, place);
}

static trib_status op_get(machine *m, int op)
{
    uint64_t place = 0;
    TRIB_TRY(take_number(m, op == 'h' ? 1 : 4, &place));
    if (place >= m->memo_count || m->memo[place] == EMPTY_MEMO)
        return BAD("place %" PRIu64 " of its memo is empty", place);
    return push(m, m->memo[place]);
}

/* ---- names and calls ---- */

static trib_status push_name(machine *m, uint32_t module, uint32_t name)
{
    return push_new(m, (trib_pickle_value) { .kind = TRIB_PICKLE_NAME, .as.global = { module, name } });
}

static trib_status op_name(machine *m, int op)
{
    const char *line = NULL;
    size_t size = 0;
    uint32_t part[2] = { 0 };
    (void)op;
    for (int i = 0; i < 2; ++i) {
        TRIB_TRY(take_line(m, &line, &size));
        if (size > UINT32_MAX) return BAD("a name of %zu bytes is too long", size);
        TRIB_TRY(trib_pickle_add(
            m->pickle, (trib_pickle_value) { .kind = TRIB_PICKLE_STRING, .count = (uint32_t)size, .as.text = line },
            &part[i]));
    }
    return push_name(m, part[0], part[1]);
}

static trib_status op_stack_name(machine *m, int op)
{
    const uint32_t *part = NULL;
    (void)op;
    TRIB_TRY(pop(m, 2, &part));
    for (int i = 0; i < 2; ++i)
        if (trib_pickle_kind_of(m->pickle, part[i]) != TRIB_PICKLE_STRING) return BAD("a name in it is not a string");
    return push_name(m, part[0], part[1]);
}

/* Keyword arguments (NEWOBJ_EX) are dropped. */
static trib_status op_call(machine *m, int op)
{
    const uint32_t *values = NULL;
    uint32_t index = 0;
    TRIB_TRY(pop(m, op == 0x92 ? 3 : 2, &values));
    TRIB_TRY(trib_pickle_call(m->pickle, values[0], values[1], &index));
    return push(m, index);
}

/* The state is kept beside the object, never applied. Attributes of a dict are of no use. */
static trib_status op_build(machine *m, int op)
{
    const uint32_t *state = NULL;
    uint32_t object = 0;
    (void)op;
    TRIB_TRY(pop(m, 1, &state));
    const uint32_t kept = *state;
    TRIB_TRY(top(m, &object));
    trib_pickle_value *v = &m->pickle->values[object];
    if (v->kind == TRIB_PICKLE_CALL) v->as.call.state = kept;
    return trib_success();
}

static trib_status op_reference(machine *m, int op)
{
    const uint32_t *id = NULL;
    (void)op;
    TRIB_TRY(pop(m, 1, &id));
    return push_new(m, (trib_pickle_value) { .kind = TRIB_PICKLE_REFERENCE, .as.id = *id });
}

static trib_status (*const operations[256])(machine *, int op) = {
    [0x80] = op_protocol,    [0x95] = op_frame,    ['.'] = op_stop,
    ['('] = op_mark,         ['0'] = op_pop,       ['1'] = op_pop,       /* POP_MARK */
    ['2'] = op_duplicate,    ['N'] = op_constant,  [0x88] = op_constant, /* NEWTRUE */
    [0x89] = op_constant,                                                /* NEWFALSE */
    ['K'] = op_integer,                                                  /* BININT1 */
    ['M'] = op_integer,                                                  /* BININT2 */
    ['J'] = op_integer,                                                  /* BININT */
    ['I'] = op_text_integer,                                             /* INT */
    [0x8A] = op_long,                                                    /* LONG1 */
    [0x8B] = op_long,                                                    /* LONG4 */
    ['G'] = op_float,                                                    /* BINFLOAT */
    ['U'] = op_text,                                                     /* SHORT_BINSTRING */
    ['T'] = op_text,                                                     /* BINSTRING */
    ['X'] = op_text,                                                     /* BINUNICODE */
    [0x8C] = op_text,                                                    /* SHORT_BINUNICODE */
    [0x8D] = op_text,                                                    /* BINUNICODE8 */
    ['C'] = op_text,                                                     /* SHORT_BINBYTES */
    ['B'] = op_text,                                                     /* BINBYTES */
    [0x8E] = op_text,                                                    /* BINBYTES8 */
    [0x96] = op_text,                                                    /* BYTEARRAY8 */
    [')'] = op_empty,                                                    /* EMPTY_TUPLE */
    [']'] = op_empty,                                                    /* EMPTY_LIST */
    ['}'] = op_empty,                                                    /* EMPTY_DICT */
    [0x8F] = op_empty,                                                   /* EMPTY_SET */
    [0x85] = op_short_tuple,                                             /* TUPLE1 */
    [0x86] = op_short_tuple,                                             /* TUPLE2 */
    [0x87] = op_short_tuple,                                             /* TUPLE3 */
    ['t'] = op_marked,                                                   /* TUPLE */
    ['l'] = op_marked,                                                   /* LIST */
    ['d'] = op_marked,                                                   /* DICT */
    [0x91] = op_marked,                                                  /* FROZENSET */
    ['a'] = op_append,                                                   /* APPEND */
    ['e'] = op_append,                                                   /* APPENDS */
    [0x90] = op_append,                                                  /* ADDITEMS */
    ['s'] = op_set_items,                                                /* SETITEM */
    ['u'] = op_set_items,                                                /* SETITEMS */
    ['q'] = op_put,                                                      /* BINPUT */
    ['r'] = op_put,                                                      /* LONG_BINPUT */
    [0x94] = op_put,                                                     /* MEMOIZE */
    ['h'] = op_get,                                                      /* BINGET */
    ['j'] = op_get,                                                      /* LONG_BINGET */
    ['c'] = op_name,                                                     /* GLOBAL */
    [0x93] = op_stack_name,                                              /* STACK_GLOBAL */
    ['R'] = op_call,                                                     /* REDUCE */
    [0x81] = op_call,                                                    /* NEWOBJ */
    [0x92] = op_call,                                                    /* NEWOBJ_EX */
    ['b'] = op_build,        ['Q'] = op_reference,                       /* BINPERSID */
};

static trib_status step(machine *m)
{
    const size_t at = m->at;
    const unsigned char *op = NULL;
    trib_status s = take(m, 1, &op);
    if (trib_failed(&s)) return BAD("it ends without STOP");
    if (!operations[*op]) return TRIB_ERROR(TRIB_UNSUPPORTED, "its opcode 0x%02x at byte %zu is not known", *op, at);
    s = operations[*op](m, *op);
    if (trib_failed(&s)) trib_add_context(&s, "byte %zu", at);
    return s;
}

/* The values that have their places in every pickle. */
static trib_status add_constants(trib_pickle *pickle)
{
    uint32_t index = 0;
    TRIB_TRY(trib_pickle_add(pickle, (trib_pickle_value) { .kind = TRIB_PICKLE_NONE }, &index));
    for (int truth = 0; truth < 2; ++truth)
        TRIB_TRY(
            trib_pickle_add(pickle, (trib_pickle_value) { .kind = TRIB_PICKLE_BOOL, .as.integer = truth }, &index));
    return trib_success();
}

trib_status trib_pickle_read(const void *bytes, size_t size, trib_pickle *out)
{
    machine m = { .pickle = out, .bytes = bytes, .size = size };
    *out = (trib_pickle) { 0 };
    trib_status s = size > UINT32_MAX ? BAD("it has %zu bytes, more than any model's", size) : add_constants(out);
    while (!trib_failed(&s) && !m.stopped) s = step(&m);
    out->used = m.at;
    trib_free(m.stack);
    trib_free(m.memo);
    trib_free(m.marks);
    trib_add_context(&s, "its pickle");
    return s;
}
