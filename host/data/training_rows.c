/* SPDX-License-Identifier: Apache-2.0
 * Rows that are images: all of a part in the order of the epoch. */
#include "data/training_rows.h"

#include "data/training_set.h"
#include "image/draw.h"

uint64_t trib_row_key(uint64_t seed, int64_t epoch, int64_t number, int attempt)
{
    uint64_t key = trib_key_with(trib_key_with(1, seed), (uint64_t)epoch);
    return trib_key_with(trib_key_with(key, (uint64_t)number), (uint64_t)attempt);
}

static int64_t image_at(const trib_training_rows *rows, const trib_row_place *place)
{
    int64_t epoch = place->position / rows->count, at = place->position % rows->count;
    if (place->in_order) return at;
    if (!place->attempt) return trib_training_order(place->seed, epoch, at, rows->count);
    trib_draws draws =
        trib_draws_of(trib_row_key(place->seed, epoch, ~at, place->attempt)); /* ~at: no image's number */
    return (int64_t)(trib_draw_unit(&draws) * (double)rows->count);
}

static trib_row_choice choose(const trib_training_rows *rows, const trib_row_place *place)
{
    int64_t image = image_at(rows, place), epoch = place->position / rows->count;
    return (trib_row_choice) { .image = image,
                               .label = trib_training_set_label(rows->set, rows->part, image),
                               .key = trib_row_key(place->seed, epoch, image, place->attempt) };
}

static trib_status load(const trib_training_rows *rows, trib_loading *loading, trib_item *item, const char *name,
                        const trib_row_choice *choice, void *row)
{
    const char *note;
    (void)rows;
    return trib_load_item(loading, item, name, choice->key, row, &note);
}

trib_training_rows trib_image_rows(const trib_training_set *set, trib_training_part part)
{
    return (trib_training_rows) {
        .set = set, .part = part, .count = trib_training_set_count(set, part), .choose = choose, .load = load
    };
}
