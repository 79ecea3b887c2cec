/* SPDX-License-Identifier: Apache-2.0
 * Items in a panel: their pictures on devices, and the sums of their probabilities. */
#include "panel/panel_private.h"
#include "tributary/internal/alloc.h"

static size_t cells(const trib_panel *panel, int rows) { return (size_t)rows * (size_t)panel->classes; }

static trib_status allocate(const trib_panel *panel, const trib_panel_item *item, trib_panel_entry *entry)
{
    size_t tables = panel->members > 1 ? (size_t)panel->members + 1 : 1;
    size_t handles = (size_t)panel->device_count * (size_t)item->picture_count;
    entry->sums = trib_alloc_zeroed((size_t)item->rows, (size_t)panel->classes * tables * sizeof *entry->sums);
    entry->handles = trib_realloc_array(NULL, handles, sizeof *entry->handles);
    if (!entry->sums || !entry->handles)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d rows of %d probabilities and %d pictures", item->rows,
                          panel->classes, item->picture_count);
    for (size_t i = 0; i < handles; ++i) entry->handles[i] = NO_HANDLE;
    return trib_success();
}

static void append(trib_panel *panel, trib_panel_entry *entry)
{
    if (panel->last)
        panel->last->next = entry;
    else
        panel->first = entry;
    panel->last = entry;
    ++panel->count;
}

trib_status trib_panel_entry_add(trib_panel *panel, const trib_panel_item *item, trib_panel_entry **out)
{
    trib_panel_entry *entry = trib_alloc_zeroed(1, sizeof *entry);
    if (!entry) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for an item");
    trib_status status = allocate(panel, item, entry);
    if (trib_failed(&status)) {
        trib_panel_entry_free(entry);
        return status;
    }
    const double *sums = entry->sums;
    entry->picture_count = item->picture_count;
    entry->open = true;
    entry->result = (trib_panel_result) {
        .context = item->context, .rows = item->rows, .classes = panel->classes, .members = sums, .joint = sums
    };
    if (panel->members > 1) entry->result.joint += (size_t)panel->members * cells(panel, item->rows);
    append(panel, entry);
    *out = entry;
    return status;
}

/* A device that is full has room again when the jobs of earlier items are done. */
static trib_status add_picture(trib_panel *panel, trib_pictures *pictures, const trib_image *image, int64_t *handle)
{
    for (bool moved = true;;) {
        trib_status status = trib_pictures_add(pictures, image->pixels, image->width, image->height, handle);
        if (status.code != TRIB_OUT_OF_MEMORY) return trib_outcome(&status);
        TRIB_TRY(trib_panel_advance(panel, &moved));
        if (!moved) return status;
    }
}

trib_status trib_panel_entry_picture(trib_panel *panel, trib_panel_entry *entry, const trib_panel_item *item,
                                     int picture, const trib_panel_device *device, int64_t *handle)
{
    int64_t *own = &entry->handles[(device - panel->devices) * entry->picture_count + picture];
    if (*own == NO_HANDLE) TRIB_TRY(add_picture(panel, device->pictures, &item->pictures[picture], own));
    *handle = *own;
    return trib_success();
}

double *trib_panel_entry_sums(const trib_panel *panel, const trib_panel_entry *entry, int member, int row)
{
    return entry->sums + (size_t)member * cells(panel, entry->result.rows) + cells(panel, row);
}

/* Member by member, so that bits do not depend on which was done first. */
static void join_members(const trib_panel *panel, const trib_panel_entry *entry)
{
    size_t count = cells(panel, entry->result.rows);
    if (panel->members == 1) return;
    double *joint = entry->sums + (size_t)panel->members * count;
    for (int m = 0; m < panel->members; ++m)
        for (size_t i = 0; i < count; ++i) joint[i] += entry->sums[(size_t)m * count + i];
    for (size_t i = 0; i < count; ++i) joint[i] /= panel->members;
}

static void remove_pictures(const trib_panel *panel, const trib_panel_entry *entry)
{
    const int64_t *handle = entry->handles;
    for (int d = 0; d < panel->device_count; ++d)
        for (int i = 0; i < entry->picture_count; ++i, ++handle)
            if (*handle != NO_HANDLE) trib_pictures_remove(panel->devices[d].pictures, *handle);
}

void trib_panel_entry_settle(trib_panel *panel, trib_panel_entry *entry)
{
    if (entry->open || entry->left > 0) return;
    join_members(panel, entry);
    remove_pictures(panel, entry);
    entry->complete = true;
}

void trib_panel_entry_free(trib_panel_entry *entry)
{
    if (!entry) return;
    trib_free(entry->sums);
    trib_free(entry->handles);
    trib_free(entry);
}
