/* SPDX-License-Identifier: Apache-2.0
 * Members of a panel at work: batches are filled, computed, and summed in the order in which they were begun. */
#include "panel/panel_private.h"
#include "tributary/internal/alloc.h"

static trib_panel_batch *batch_at(const trib_panel_seat *seat, int64_t number)
{
    return &seat->batches[number % (seat->in_flight + 1)];
}

/* ---- opening and closing ---- */

static trib_status create_session(const trib_panel_member *member, trib_panel_seat *seat)
{
    static const char *const outputs[] = { "probabilities" };
    trib_session_options options = *member->session;
    options.max_batch = seat->size;
    options.in_flight = seat->in_flight;
    options.plan.regions = true;
    options.plan.normalise = &seat->normalise;
    options.plan.outputs = outputs;
    options.plan.output_count = 1;
    options.plan.top_k = 0;
    if (member->create) return member->create(member->context, member, &options, &seat->session);
    return trib_session_create(member->device, trib_model_graph(member->model), trib_model_parameters(member->model),
                               &options, &seat->session);
}

static trib_status open_batch(const trib_panel_seat *seat, size_t classes, trib_panel_batch *batch)
{
    void *probabilities;
    size_t size = (size_t)seat->size;
    batch->regions = trib_realloc_array(NULL, size, sizeof *batch->regions);
    batch->targets = trib_realloc_array(NULL, size, sizeof *batch->targets);
    if (!batch->regions || !batch->targets)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a batch of %d regions", seat->size);
    TRIB_TRY(trib_host_alloc(seat->device->device, size * classes * sizeof(float), &probabilities));
    batch->probabilities = probabilities;
    return trib_success();
}

trib_status trib_panel_seat_open(trib_panel *panel, const trib_panel_member *member, trib_panel_seat *seat)
{
    const trib_session_options *options = member->session;
    seat->size = options->max_batch ? options->max_batch : 1;
    seat->in_flight = options->in_flight ? options->in_flight : seat->device->host ? 1 : 2;
    seat->normalise =
        trib_preprocess_normalise(member->preprocess ? member->preprocess : trib_model_preprocess(member->model));
    TRIB_TRY(create_session(member, seat));
    size_t batches = (size_t)seat->in_flight + 1;
    seat->batches = trib_alloc_zeroed(batches, sizeof *seat->batches);
    if (!seat->batches) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu batches", batches);
    for (size_t i = 0; i < batches; ++i) TRIB_TRY(open_batch(seat, (size_t)panel->classes, &seat->batches[i]));
    return trib_success();
}

void trib_panel_seat_close(trib_panel_seat *seat)
{
    trib_session_destroy(seat->session); /* waits for what writes to the batches */
    for (int i = 0; seat->batches && i <= seat->in_flight; ++i) {
        trib_free(seat->batches[i].regions);
        trib_free(seat->batches[i].targets);
        trib_host_free(seat->device->device, seat->batches[i].probabilities);
    }
    trib_free(seat->batches);
}

/* ---- computing ---- */

static void add_row(const trib_panel *panel, int member, const trib_panel_target *target, const float *probabilities)
{
    double *sums = trib_panel_entry_sums(panel, target->entry, member, target->row);
    for (int c = 0; c < panel->classes; ++c) sums[c] += target->weight * (double)probabilities[c];
}

/* Waits for the seat's oldest batch. */
static trib_status finish(trib_panel *panel, trib_panel_seat *seat)
{
    trib_panel_batch *batch = batch_at(seat, seat->finished++);
    TRIB_TRY(trib_session_wait(seat->session, batch->job));
    panel->stats.regions += batch->count;
    for (int i = 0; i < batch->count; ++i) {
        const trib_panel_target *target = &batch->targets[i];
        add_row(panel, seat->index, target, batch->probabilities + (size_t)i * (size_t)panel->classes);
        --target->entry->left;
        trib_panel_entry_settle(panel, target->entry);
    }
    batch->count = 0;
    return trib_success();
}

/* On a cpu members take turns: side by side, each of them would use all cores. */
static trib_status make_room(trib_panel *panel, trib_panel_seat *seat)
{
    for (int m = 0; m < panel->members; ++m) {
        trib_panel_seat *other = &panel->seats[m];
        bool in_the_way = other != seat && other->device == seat->device && seat->device->host;
        while (in_the_way && other->finished < other->begun) TRIB_TRY(finish(panel, other));
    }
    return seat->begun - seat->finished < seat->in_flight ? trib_success() : finish(panel, seat);
}

static trib_status begin(trib_panel *panel, trib_panel_seat *seat)
{
    TRIB_TRY(make_room(panel, seat));
    trib_panel_batch *batch = batch_at(seat, seat->begun);
    TRIB_TRY(trib_session_submit_regions(seat->session, seat->device->pictures, batch->regions, batch->count,
                                         (void *const[]) { batch->probabilities }, &batch->job));
    batch->number = panel->stats.batches++;
    ++seat->begun;
    return trib_success();
}

trib_status trib_panel_place(trib_panel *panel, trib_panel_seat *seat, const trib_panel_region *region, int64_t handle,
                             trib_panel_entry *entry)
{
    trib_panel_batch *batch = batch_at(seat, seat->begun);
    batch->regions[batch->count] = region->region;
    batch->regions[batch->count].picture = handle;
    batch->targets[batch->count] = (trib_panel_target) { entry, region->row, region->weight };
    ++entry->left;
    return ++batch->count == seat->size ? begin(panel, seat) : trib_success();
}

static trib_panel_seat *oldest_running(const trib_panel *panel)
{
    trib_panel_seat *oldest = NULL;
    for (trib_panel_seat *s = panel->seats; s < panel->seats + panel->members; ++s)
        if (s->finished < s->begun &&
            (!oldest || batch_at(s, s->finished)->number < batch_at(oldest, oldest->finished)->number))
            oldest = s;
    return oldest;
}

trib_status trib_panel_advance(trib_panel *panel, bool *moved)
{
    trib_panel_seat *running = oldest_running(panel);
    *moved = true;
    if (running) return finish(panel, running);
    for (trib_panel_seat *s = panel->seats; s < panel->seats + panel->members; ++s)
        if (batch_at(s, s->begun)->count > 0) return begin(panel, s);
    *moved = false;
    return trib_success();
}
