/* SPDX-License-Identifier: Apache-2.0 */
#include "panel/panel.h"

#include <math.h>

#include "panel/panel_private.h"
#include "tributary/internal/alloc.h"

enum { DEFAULT_PICTURE_BYTES = 1 << 30, DEFAULT_MOST_ITEMS = 4096 };

/* ---- creating ---- */

static trib_status check_members(const trib_panel_member *members, int count)
{
    if (count < 1 || count > TRIB_MOST_MEMBERS)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d models; there can be 1 to %d", count, TRIB_MOST_MEMBERS);
    const int classes = trib_model_network(members[0].model)->classes;
    for (int m = 1; m < count; ++m) {
        int others = trib_model_network(members[m].model)->classes;
        if (others != classes)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%.150s has %d classes, but %.150s has %d",
                              trib_model_path(members[m].model), others, trib_model_path(members[0].model), classes);
    }
    return trib_success();
}

static trib_status open_device(trib_panel *panel, trib_device *device, int64_t bytes, trib_panel_device **out)
{
    trib_panel_device *next = &panel->devices[panel->device_count];
    for (trib_panel_device *d = panel->devices; d < next; ++d)
        if (d->device == device) return *out = d, trib_success();
    TRIB_TRY(trib_pictures_create(device, bytes, &next->pictures));
    next->device = device;
    next->host = trib_device_get_info(device)->host;
    ++panel->device_count;
    *out = next;
    return trib_success();
}

static trib_status open_member(trib_panel *panel, const trib_panel_member *member, int64_t bytes)
{
    trib_panel_seat *seat = &panel->seats[panel->members];
    TRIB_TRY(open_device(panel, member->device, bytes, &seat->device));
    seat->index = panel->members++;
    trib_status status = trib_panel_seat_open(panel, member, seat);
    trib_add_context(&status, "%.200s", trib_model_path(member->model));
    return trib_outcome(&status);
}

static trib_status open_members(trib_panel *panel, const trib_panel_member *members, int count, int64_t bytes)
{
    panel->seats = trib_alloc_zeroed((size_t)count, sizeof *panel->seats);
    panel->devices = trib_alloc_zeroed((size_t)count, sizeof *panel->devices);
    if (!panel->seats || !panel->devices) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d models", count);
    for (int m = 0; m < count; ++m) TRIB_TRY(open_member(panel, &members[m], bytes));
    return trib_success();
}

trib_status trib_panel_create(const trib_panel_member *members, int count, const trib_panel_options *options,
                              trib_panel **out)
{
    const trib_panel_options own = options ? *options : (trib_panel_options) { 0 };
    TRIB_TRY(check_members(members, count));
    trib_panel *panel = trib_alloc_zeroed(1, sizeof *panel);
    if (!panel) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a panel");
    panel->classes = trib_model_network(members[0].model)->classes;
    panel->most_items = own.most_items > 0 ? own.most_items : DEFAULT_MOST_ITEMS;
    panel->status = trib_success();
    trib_status status =
        open_members(panel, members, count, own.picture_bytes > 0 ? own.picture_bytes : DEFAULT_PICTURE_BYTES);
    if (trib_failed(&status))
        trib_panel_destroy(panel);
    else
        *out = panel;
    return status;
}

void trib_panel_destroy(trib_panel *panel)
{
    if (!panel) return;
    for (int m = 0; m < panel->members; ++m) trib_panel_seat_close(&panel->seats[m]);
    for (int d = 0; d < panel->device_count; ++d) trib_pictures_destroy(panel->devices[d].pictures);
    for (trib_panel_entry *entry = panel->first, *next; entry; entry = next) {
        next = entry->next;
        trib_panel_entry_free(entry);
    }
    trib_panel_entry_free(panel->taken);
    trib_free(panel->seats);
    trib_free(panel->devices);
    trib_free(panel);
}

int trib_panel_members(const trib_panel *panel) { return panel->members; }
int trib_panel_classes(const trib_panel *panel) { return panel->classes; }
const trib_session *trib_panel_session(const trib_panel *panel, int member) { return panel->seats[member].session; }
trib_panel_stats trib_panel_get_stats(const trib_panel *panel) { return panel->stats; }

/* ---- items ---- */

/* What the session would refuse with a whole batch, which belongs to several items. */
static trib_status check_box(const trib_region *r)
{
    if (trib_region_is_possible(r)) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a region of %g x %g pixels at %g, %g; it must be finite and not empty",
                      (double)r->width, (double)r->height, (double)r->x, (double)r->y);
}

static trib_status check_region(const trib_panel_item *item, const trib_panel_region *r)
{
    const trib_region *box = &r->region;
    if (box->picture < 0 || box->picture >= item->picture_count)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a region of picture %lld, but the item has %d",
                          (long long)box->picture, item->picture_count);
    if (r->row < 0 || r->row >= item->rows)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a region for row %d, but the item has %d", r->row, item->rows);
    if (!isfinite(r->weight)) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a region's weight is %g", r->weight);
    return check_box(box);
}

static trib_status check_item(const trib_panel *panel, const trib_panel_item *item)
{
    if (item->rows < 0 || item->picture_count < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "an item with %d rows and %d pictures", item->rows,
                          item->picture_count);
    for (int i = 0; i < item->picture_count; ++i) {
        const trib_image *p = &item->pictures[i];
        if (!p->pixels || p->channels != 3 || p->width < 1 || p->height < 1)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "picture %d is not RGB of at least one pixel", i);
    }
    for (int m = 0; m < panel->members && item->rows > 0; ++m)
        for (int i = 0; i < item->parts[m].count; ++i) TRIB_TRY(check_region(item, &item->parts[m].regions[i]));
    return trib_success();
}

static trib_status place_part(trib_panel *panel, const trib_panel_item *item, trib_panel_seat *seat,
                              trib_panel_entry *entry)
{
    const trib_panel_part *part = &item->parts[seat->index];
    for (int i = 0; i < part->count; ++i) {
        const trib_panel_region *region = &part->regions[i];
        int64_t handle;
        TRIB_TRY(trib_panel_entry_picture(panel, entry, item, (int)region->region.picture, seat->device, &handle));
        TRIB_TRY(trib_panel_place(panel, seat, region, handle, entry));
    }
    return trib_success();
}

static trib_status take(trib_panel *panel, const trib_panel_item *item)
{
    trib_panel_entry *entry;
    TRIB_TRY(trib_panel_entry_add(panel, item, &entry));
    for (int m = 0; m < panel->members && item->rows > 0; ++m)
        TRIB_TRY(place_part(panel, item, &panel->seats[m], entry));
    entry->open = false;
    trib_panel_entry_settle(panel, entry);
    return panel->count > panel->most_items ? trib_panel_flush(panel) : trib_success();
}

/* Remembers the first failure: what was in batches then is lost. */
static trib_status keep(trib_panel *panel, const trib_status *status)
{
    if (trib_failed(status) && !trib_failed(&panel->status)) panel->status = *status;
    return trib_outcome(status);
}

trib_status trib_panel_submit(trib_panel *panel, const trib_panel_item *item)
{
    TRIB_TRY(trib_outcome(&panel->status));
    TRIB_TRY(check_item(panel, item));
    trib_status status = take(panel, item);
    return keep(panel, &status);
}

trib_status trib_panel_flush(trib_panel *panel)
{
    trib_status status = trib_outcome(&panel->status);
    for (bool moved = true; moved && !trib_failed(&status);) status = trib_panel_advance(panel, &moved);
    return keep(panel, &status);
}

trib_status trib_panel_next(trib_panel *panel, const trib_panel_result **out)
{
    trib_panel_entry *entry = panel->first;
    TRIB_TRY(trib_outcome(&panel->status));
    *out = NULL;
    trib_panel_entry_free(panel->taken);
    panel->taken = NULL;
    if (!entry || !entry->complete) return trib_success();
    panel->first = entry->next;
    if (!panel->first) panel->last = NULL;
    --panel->count;
    panel->taken = entry;
    *out = &entry->result;
    return trib_success();
}
