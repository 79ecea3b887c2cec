/* SPDX-License-Identifier: Apache-2.0
 * Workers take items in source order, which is the order of the queue, and finish them in any order; the caller takes
 * the queue's first record when it is done. */
#include "tributary/image_loader.h"

#include "data/input.h"
#include "data/pull.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/process.h"
#include "tributary/memory.h"

enum { AHEAD_PER_WORKER = 4, MAX_AHEAD = 1 << 20, RESULTS_SHARE = 4 };

typedef struct record {
    trib_image_item item; /* first: the caller's pointer. Its name is owned */
    int64_t bytes_kept;
    bool done;
    bool ends_run; /* item.status is that of the run */
    struct record *next;
} record;

struct trib_image_loader {
    trib_loader_base base; /* its lock protects everything from `first` on */
    trib_pull pull;
    trib_image_loader_options options; /* with defaults filled in */
    trib_image_make make;
    trib_image_release_result release;
    void *context;

    record *first, *last; /* the queue */
    int count;            /* of its records */
    record *out;          /* what the caller holds */
    int64_t bytes_kept;   /* by results in the queue and with the caller */
    int waiting;          /* callers */
    bool ending;          /* the queue has a record that ends the run: nothing is begun any more */
    trib_image_loader_stats stats;
};

/* ---- one image ---- */

typedef struct making {
    const trib_image_loader_options *options;
    trib_image_make make;
    void *context;
    const char *name;
    void *result;
    int64_t bytes_kept;
    bool ends_run;
} making;

static int64_t make_bytes(void *context, int width, int height, int channels)
{
    (void)channels;
    const making *m = context;
    int64_t bytes = m->options->make_bytes ? m->options->make_bytes(m->context, width, height) : 0;
    return bytes > 0 ? bytes : 0;
}

static trib_status make_result(void *context, const trib_item *item, const trib_image *image)
{
    making *m = context;
    trib_image_task task = { .name = m->name,
                             .index = item->index,
                             .label = item->label,
                             .bytes = item->bytes,
                             .size = item->size,
                             .image = image };
    trib_status s = m->make(m->context, &task, &m->result, &m->bytes_kept);
    m->ends_run = s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_CANCELLED;
    if (trib_failed(&s)) m->result = NULL;
    if (trib_failed(&s) || m->bytes_kept < 0) m->bytes_kept = 0;
    return trib_outcome(&s);
}

static trib_image_use use_of(making *m)
{
    return (trib_image_use) { .bytes = make_bytes, .use = make_result, .context = m, .reads_encoded = true };
}

trib_status trib_item_make(trib_item *item, const trib_image_loader_options *options, trib_image_make make,
                           void *context, void **result, int64_t *bytes_kept)
{
    static const trib_image_loader_options defaults;
    if (!options) options = &defaults;
    TRIB_TRY(item->status);
    trib_loading loading;
    TRIB_TRY(trib_loading_init(&loading, &options->decode, options->memory_limit));
    making m = { .options = options, .make = make, .context = context, .name = item->name };
    const trib_image_use use = use_of(&m);
    trib_status s = trib_load_single(&loading, item, &use);
    trib_loading_destroy(&loading);
    *result = m.result;
    *bytes_kept = m.bytes_kept;
    return trib_outcome(&s);
}

/* ---- workers ---- */

/* A caller who waits while nothing is in the making would wait for ever if results could not be more than their limit.
 */
static bool has_room(const trib_image_loader *l)
{
    if (l->count >= l->options.ahead) return false;
    return l->bytes_kept <= l->options.results_limit || (l->waiting && !l->count);
}

/* False: the loader stops. Call with the pull's lock held, so that no other worker takes the room. */
static bool wait_for_room(trib_image_loader *l)
{
    pthread_mutex_lock(&l->base.lock);
    while (!l->base.stop && !l->ending && !has_room(l)) pthread_cond_wait(&l->base.space, &l->base.lock);
    bool go_on = !l->base.stop && !l->ending;
    pthread_mutex_unlock(&l->base.lock);
    return go_on;
}

static void append(trib_image_loader *l, record *r, trib_item *item)
{
    r->item = (trib_image_item) { .index = item->index, .name = item->name, .label = item->label };
    r->item.status = item->status;
    item->name = NULL;
    pthread_mutex_lock(&l->base.lock);
    r->done = trib_failed(&r->item.status);
    l->stats.failed += r->done;
    if (l->first)
        l->last->next = r;
    else
        l->first = r;
    l->last = r;
    ++l->count;
    if (r->done) pthread_cond_broadcast(&l->base.ready);
    pthread_mutex_unlock(&l->base.lock);
}

/* NULL: there is no more, or the loader stops. */
static record *take_next(trib_image_loader *l, trib_item *item)
{
    record *r = NULL;
    pthread_mutex_lock(&l->pull.lock);
    if (wait_for_room(l) && trib_pull_next(&l->pull, item)) {
        r = trib_alloc_zeroed(1, sizeof *r);
        trib_status s = r ? trib_success() : trib_no_memory("loader");
        if (r)
            append(l, r, item);
        else
            trib_pull_end(&l->pull, &s);
    }
    pthread_mutex_unlock(&l->pull.lock);
    return r;
}

static void settle(trib_image_loader *l, record *r, const making *m, const trib_status *s, double seconds)
{
    pthread_mutex_lock(&l->base.lock);
    r->item.status = *s;
    r->item.result = m->result;
    r->bytes_kept = m->bytes_kept;
    r->ends_run = m->ends_run;
    r->done = true;
    l->bytes_kept += r->bytes_kept;
    l->ending |= r->ends_run;
    ++*(trib_failed(s) ? &l->stats.failed : &l->stats.made);
    l->stats.make_seconds += seconds;
    pthread_cond_broadcast(&l->base.ready);
    if (r->ends_run) pthread_cond_broadcast(&l->base.space);
    pthread_mutex_unlock(&l->base.lock);
}

static void work(trib_image_loader *l, record *r, trib_item *item)
{
    double begin = trib_seconds();
    making m = { .options = &l->options, .make = l->make, .context = l->context, .name = r->item.name };
    const trib_image_use use = use_of(&m);
    trib_status s = trib_load_image(&l->base.loading, item, r->item.name, &use, &r->item.note);
    settle(l, r, &m, &s, trib_seconds() - begin);
}

static void *run_worker(void *argument)
{
    trib_image_loader *l = argument;
    for (;;) {
        trib_item item = { .label = TRIB_NO_LABEL };
        record *r = take_next(l, &item);
        if (r && !trib_failed(&item.status)) work(l, r, &item);
        trib_item_release(&item);
        if (!r) return NULL;
    }
}

/* ---- creating and destroying ---- */

static trib_status check(const trib_source *source, const trib_image_loader_options *o)
{
    TRIB_TRY(trib_workers_check(1, o->workers, 0));
    if (o->ahead < 0 || o->ahead > MAX_AHEAD)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d images ahead; it must be 0 .. %d", o->ahead, MAX_AHEAD);
    if (o->results_limit < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a limit of %lld bytes for results; it must not be negative",
                          (long long)o->results_limit);
    return trib_pull_check(source, o->skip);
}

static void fill_in(trib_image_loader_options *o)
{
    if (!o->workers) o->workers = trib_workers_default();
    if (!o->ahead) o->ahead = AHEAD_PER_WORKER * o->workers;
    if (!o->memory_limit) o->memory_limit = trib_memory_get().bytes / 2;
    if (!o->results_limit) o->results_limit = o->memory_limit / RESULTS_SHARE;
}

/* The base first: without it there is nothing to destroy. */
static trib_status open(trib_source *source, const trib_image_loader_options *options, trib_image_loader **out)
{
    trib_image_loader *l = trib_alloc_zeroed(1, sizeof *l);
    if (!l) return trib_no_memory("loader");
    if (options) l->options = *options;
    trib_status s = check(source, &l->options);
    if (!trib_failed(&s)) s = trib_loader_base_open(&l->base, &l->options.decode, l->options.memory_limit);
    if (trib_failed(&s)) {
        trib_free(l);
        return s;
    }
    fill_in(&l->options);
    trib_pull_open(&l->pull, &l->base, source, l->options.skip);
    *out = l;
    return s;
}

trib_status trib_image_loader_create(trib_source *source, const trib_image_loader_options *options,
                                     trib_image_make make, trib_image_release_result release, void *context,
                                     trib_image_loader **out)
{
    trib_image_loader *l = NULL;
    TRIB_TRY(open(source, options, &l));
    l->make = make;
    l->release = release;
    l->context = context;
    trib_status s = trib_loader_base_start(&l->base, l->options.workers, run_worker, l);
    if (trib_failed(&s))
        trib_image_loader_destroy(l);
    else
        *out = l;
    return s;
}

static void free_record(const trib_image_loader *l, record *r)
{
    if (r->item.result && l->release) l->release(r->item.result);
    trib_free((char *)r->item.name);
    trib_free(r);
}

static void free_records(const trib_image_loader *l, record *r)
{
    while (r) {
        record *next = r->next;
        free_record(l, r);
        r = next;
    }
}

void trib_image_loader_destroy(trib_image_loader *l)
{
    if (!l || !trib_loader_base_is_here(&l->base)) return;
    trib_pull_join(&l->pull);
    free_records(l, l->first);
    free_records(l, l->out);
    trib_pull_close(&l->pull);
    trib_free(l);
}

/* ---- callers ---- */

static bool has_answer(const trib_image_loader *l)
{
    return l->base.cancelled || (l->first ? l->first->done : l->pull.ended);
}

static record *take_first(trib_image_loader *l)
{
    record *r = l->first;
    l->first = r->next;
    --l->count;
    r->next = l->out;
    l->out = r;
    pthread_cond_broadcast(&l->base.space);
    return r;
}

trib_status trib_image_loader_next(trib_image_loader *l, const trib_image_item **out)
{
    TRIB_TRY(trib_made_here(l->base.process, "loader"));
    trib_status s = trib_success();
    double begin = trib_seconds();
    pthread_mutex_lock(&l->base.lock);
    ++l->waiting;
    pthread_cond_broadcast(&l->base.space);
    while (!has_answer(l)) pthread_cond_wait(&l->base.ready, &l->base.lock);
    --l->waiting;
    if (l->base.cancelled)
        s = TRIB_ERROR(TRIB_CANCELLED, "loading was cancelled");
    else if (!l->first)
        s = l->pull.status;
    else if (l->first->ends_run)
        s = l->first->item.status;
    if (!trib_failed(&s)) *out = l->first ? &take_first(l)->item : NULL;
    l->stats.wait_seconds += trib_seconds() - begin;
    pthread_mutex_unlock(&l->base.lock);
    return trib_outcome(&s);
}

/* Takes it off the list; NULL: the caller does not hold it. */
static record *take_out(trib_image_loader *l, const trib_image_item *item)
{
    for (record **r = &l->out; *r; r = &(*r)->next) {
        record *found = *r;
        if (&found->item != item) continue;
        *r = found->next;
        return found;
    }
    return NULL;
}

/* The result is released before its bytes are free for others. */
void trib_image_loader_give_back(trib_image_loader *l, const trib_image_item *item)
{
    if (!item || !trib_loader_base_is_here(&l->base)) return;
    pthread_mutex_lock(&l->base.lock);
    record *r = take_out(l, item);
    pthread_mutex_unlock(&l->base.lock);
    if (!r) return;
    int64_t bytes = r->bytes_kept;
    free_record(l, r);
    pthread_mutex_lock(&l->base.lock);
    l->bytes_kept -= bytes;
    pthread_cond_broadcast(&l->base.space);
    pthread_mutex_unlock(&l->base.lock);
}

void trib_image_loader_cancel(trib_image_loader *l)
{
    if (trib_loader_base_is_here(&l->base)) trib_pull_stop(&l->pull, true);
}

trib_image_loader_stats trib_image_loader_get_stats(const trib_image_loader *loader)
{
    trib_image_loader *l = (trib_image_loader *)loader; /* to lock it; nothing changes */
    if (!trib_loader_base_is_here(&l->base)) return (trib_image_loader_stats) { 0 };
    pthread_mutex_lock(&l->base.lock);
    trib_image_loader_stats stats = l->stats;
    pthread_mutex_unlock(&l->base.lock);
    return stats;
}
