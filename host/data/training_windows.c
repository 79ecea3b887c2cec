/* SPDX-License-Identifier: Apache-2.0
 * Which windows there are, and which of them is in a row. */
#include "data/training_windows.h"

#include <math.h>
#include <stdlib.h>

#include "data/image_cache.h"
#include "data/input.h"
#include "data/training_set.h"
#include "data/window_row.h"
#include "image/draw.h"
#include "tributary/internal/alloc.h"

enum { MILLION = 1000000 };

typedef struct window_list {
    trib_window *items;
    size_t count, capacity;
} window_list;

typedef enum window_kind { OF_OBJECTS, OF_BACKGROUND, KINDS } window_kind;

struct trib_training_windows {
    const trib_training_set *set;
    trib_windows_options options;
    int64_t per_million; /* rows of objects */
    window_list parts[TRIB_PARTS][KINDS];
    window_list measured; /* of validation, by image */
    trib_image_cache *cache;
    uint64_t hash;
};

/* ---- making ---- */

static trib_status check(const trib_windows_options *o)
{
    if (o->objects > 0 && o->objects <= 1 && llround(o->objects * MILLION) > 0) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a share of %g of windows with objects; it is a number from 0.000001 to 1",
                      o->objects);
}

trib_status trib_training_windows_create(const trib_training_set *set, const trib_windows_options *options,
                                         trib_training_windows **out)
{
    TRIB_TRY(check(options));
    trib_training_windows *w = trib_alloc_zeroed(1, sizeof *w);
    if (!w) return trib_no_memory("windows");
    const int64_t images = trib_training_set_count(set, TRIB_TRAINING) + trib_training_set_count(set, TRIB_VALIDATION);
    *w = (trib_training_windows) {
        .set = set, .options = *options, .per_million = llround(options->objects * MILLION), .hash = TRIB_HASH_START
    };
    w->hash = trib_training_hash(w->hash, &options->context, sizeof options->context);
    trib_status s = trib_image_cache_create(images, options->kept_bytes, &w->cache);
    if (trib_failed(&s))
        trib_training_windows_destroy(w);
    else
        *out = w;
    return s;
}

void trib_training_windows_destroy(trib_training_windows *w)
{
    if (!w) return;
    for (int part = 0; part < TRIB_PARTS; ++part)
        for (int kind = 0; kind < KINDS; ++kind) trib_free(w->parts[part][kind].items);
    trib_free(w->measured.items);
    trib_image_cache_destroy(w->cache);
    trib_free(w);
}

static trib_status append(window_list *list, const trib_window *window)
{
    if (trib_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items))
        return trib_no_memory("windows");
    list->items[list->count++] = *window;
    return trib_success();
}

trib_status trib_training_windows_add(trib_training_windows *w, trib_training_part part, const trib_window *window)
{
    const window_kind kind = window->label == w->options.background ? OF_BACKGROUND : OF_OBJECTS;
    const float box[] = { window->x, window->y, window->width, window->height };
    const int32_t numbers[] = { window->image, window->label, (int32_t)part };
    w->hash = trib_training_hash(w->hash, box, sizeof box);
    w->hash = trib_training_hash(w->hash, numbers, sizeof numbers);
    return append(&w->parts[part][kind], window);
}

/* ---- which is where ---- */

/* Rows before `position` that show objects. */
static int64_t objects_before(const trib_training_windows *w, int64_t position)
{
    return position / MILLION * w->per_million + position % MILLION * w->per_million / MILLION;
}

/* The first number of rows that has `objects` of them. */
static int64_t rows_with(const trib_training_windows *w, int64_t objects)
{
    int64_t rows = (objects * MILLION + w->per_million - 1) / w->per_million;
    while (objects_before(w, rows) < objects) ++rows;
    return rows;
}

typedef struct turn {
    window_kind kind;
    int64_t number; /* of those of this kind */
} turn;

static turn turn_of(const trib_training_windows *w, int64_t position)
{
    const int64_t before = objects_before(w, position);
    if (objects_before(w, position + 1) > before) return (turn) { OF_OBJECTS, before };
    return (turn) { OF_BACKGROUND, position - before };
}

static int64_t index_at(const window_list *list, const turn *t, uint64_t seed)
{
    const int64_t count = (int64_t)list->count;
    return trib_training_order(trib_key_with(seed, (uint64_t)t->kind), t->number / count, t->number % count, count);
}

static int64_t another(const window_list *list, const trib_row_place *place)
{
    trib_draws draws = trib_draws_of(trib_row_key(place->seed, -1, place->position, place->attempt));
    return (int64_t)(trib_draw_unit(&draws) * (double)list->count);
}

/* ---- what is measured ---- */

static int by_image(const void *a, const void *b)
{
    const trib_window *p = a, *q = b;
    const float differences[] = { p->x - q->x, p->y - q->y, p->width - q->width, p->height - q->height };
    if (p->image != q->image) return p->image < q->image ? -1 : 1;
    for (size_t i = 0; i < sizeof differences / sizeof *differences; ++i)
        if (differences[i] < 0 || differences[i] > 0) return differences[i] < 0 ? -1 : 1;
    return 0;
}

/* Always the same ones, whatever the seed of the run: results can be compared. */
static trib_status choose_measured(trib_training_windows *w, int64_t most)
{
    const window_list *lists = w->parts[TRIB_VALIDATION];
    const bool mixed = w->per_million < MILLION;
    if (!lists[OF_OBJECTS].count || (mixed && !lists[OF_BACKGROUND].count)) return trib_success();
    int64_t count = rows_with(w, (int64_t)lists[OF_OBJECTS].count);
    if (count > most) count = most;
    for (int64_t i = 0; i < count; ++i) {
        const turn t = turn_of(w, i);
        TRIB_TRY(append(&w->measured, &lists[t.kind].items[index_at(&lists[t.kind], &t, 0)]));
    }
    qsort(w->measured.items, w->measured.count, sizeof *w->measured.items, by_image);
    return trib_success();
}

trib_status trib_training_windows_finish(trib_training_windows *w, int64_t most)
{
    const window_list *lists = w->parts[TRIB_TRAINING];
    if (!lists[OF_OBJECTS].count)
        return TRIB_ERROR(TRIB_BAD_DATA, "no image to train on has an object that counts: all boxes are difficult or "
                                         "crowds, or there are none");
    if (w->per_million < MILLION && !lists[OF_BACKGROUND].count)
        return TRIB_ERROR(TRIB_BAD_DATA, "no proposal shows background: there is nothing to tell objects from");
    return choose_measured(w, most);
}

int64_t trib_training_windows_objects(const trib_training_windows *w, trib_training_part part)
{
    return (int64_t)w->parts[part][OF_OBJECTS].count;
}

int64_t trib_training_windows_background(const trib_training_windows *w, trib_training_part part)
{
    return (int64_t)w->parts[part][OF_BACKGROUND].count;
}

uint64_t trib_training_windows_hash(const trib_training_windows *w) { return w->hash; }

/* ---- rows ---- */

static trib_row_choice choose(const trib_training_rows *rows, const trib_row_place *place)
{
    const trib_training_windows *w = rows->context;
    const turn t = turn_of(w, place->position);
    const window_list *list = place->in_order ? &w->measured : &w->parts[rows->part][t.kind];
    const int64_t item = place->in_order  ? place->position
                         : place->attempt ? another(list, place)
                                          : index_at(list, &t, place->seed);
    return (trib_row_choice) { .image = list->items[item].image,
                               .item = item,
                               .label = list->items[item].label,
                               .key = trib_row_key(place->seed, place->position, item, place->attempt) };
}

/* Labels tell the lists apart. */
static const trib_window *window_of(const trib_training_rows *rows, const trib_row_choice *choice)
{
    const trib_training_windows *w = rows->context;
    if (rows->part == TRIB_VALIDATION) return &w->measured.items[choice->item];
    const window_kind kind = choice->label == w->options.background ? OF_BACKGROUND : OF_OBJECTS;
    return &w->parts[rows->part][kind].items[choice->item];
}

/* Both parts share the cache. */
static int64_t number_in_cache(const trib_training_rows *rows, const trib_row_choice *choice)
{
    return choice->image + (rows->part == TRIB_VALIDATION ? trib_training_set_count(rows->set, TRIB_TRAINING) : 0);
}

static trib_status cut(const trib_training_rows *rows, const trib_loading *loading, const trib_row_choice *choice,
                       const trib_image *image, void *row)
{
    const trib_training_windows *w = rows->context;
    trib_draws draws = trib_draws_of(choice->key);
    const bool mirror = loading->sampling && loading->sampling->mirror && trib_draw(&draws) >> 63;
    return trib_window_row(window_of(rows, choice), w->options.context, mirror, loading, image, row);
}

static bool recall(const trib_training_rows *rows, const trib_loading *loading, const trib_row_choice *choice,
                   void *row, trib_status *s)
{
    const trib_training_windows *w = rows->context;
    const int64_t number = number_in_cache(rows, choice);
    const trib_image *image = trib_image_cache_hold(w->cache, number);
    if (!image) return false;
    *s = cut(rows, loading, choice, image, row);
    trib_image_cache_let_go(w->cache, number);
    return true;
}

typedef struct window_use {
    const trib_training_rows *rows;
    const trib_loading *loading;
    const trib_row_choice *choice;
    void *row;
} window_use;

static trib_status use(void *context, const trib_item *item, const trib_image *image)
{
    const window_use *u = context;
    const trib_training_windows *w = u->rows->context;
    (void)item;
    trib_image_cache_keep(w->cache, number_in_cache(u->rows, u->choice), image);
    return cut(u->rows, u->loading, u->choice, image, u->row);
}

/* A copy in colours, of a gray image. */
static int64_t most_bytes(void *context, int width, int height, int channels)
{
    (void)context;
    return channels == 1 ? 3 * (int64_t)width * height : 0;
}

static trib_status load(const trib_training_rows *rows, trib_loading *loading, trib_item *item, const char *name,
                        const trib_row_choice *choice, void *row)
{
    window_use u = { rows, loading, choice, row };
    const trib_image_use how = { .bytes = most_bytes, .use = use, .context = &u };
    const char *note;
    return trib_load_image(loading, item, name, &how, &note);
}

trib_training_rows trib_window_rows(const trib_training_windows *w, trib_training_part part)
{
    const int64_t count =
        part == TRIB_VALIDATION ? (int64_t)w->measured.count : rows_with(w, (int64_t)w->parts[part][OF_OBJECTS].count);
    return (trib_training_rows) {
        .set = w->set, .part = part, .count = count, .context = w, .choose = choose, .recall = recall, .load = load
    };
}
