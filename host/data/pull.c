/* SPDX-License-Identifier: Apache-2.0 */
#include "data/pull.h"

#include "data/input.h"

trib_status trib_pull_check(const trib_source *source, int64_t skip)
{
    if (skip < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%lld items to skip; it must not be negative", (long long)skip);
    return trib_source_check_process(source);
}

void trib_pull_open(trib_pull *pull, trib_loader_base *base, trib_source *source, int64_t skip)
{
    *pull = (trib_pull) { .base = base, .source = source, .lock = PTHREAD_MUTEX_INITIALIZER, .skip = skip };
    trib_source_limit(source, base->loading.encoded.limit);
}

static bool stopping(const trib_pull *pull)
{
    pthread_mutex_lock(&pull->base->lock);
    bool stop = pull->base->stop || pull->ended;
    pthread_mutex_unlock(&pull->base->lock);
    return stop;
}

void trib_pull_end(trib_pull *pull, const trib_status *status)
{
    pthread_mutex_lock(&pull->base->lock);
    pull->ended = true;
    pull->status = *status;
    pthread_cond_signal(&pull->base->ready);
    pthread_mutex_unlock(&pull->base->lock);
}

bool trib_pull_next(trib_pull *pull, trib_item *item)
{
    while (!stopping(pull)) {
        bool end = false;
        trib_status s = trib_source_next(pull->source, item, &end);
        if (trib_failed(&s) || end) {
            trib_pull_end(pull, &s);
            return false;
        }
        if (!pull->skip) {
            if (!trib_failed(&item->status)) item->status = trib_load_count(&pull->base->loading, item);
            return true;
        }
        --pull->skip;
        trib_item_release(item);
    }
    return false;
}

void trib_pull_stop(trib_pull *pull, bool cancelled)
{
    trib_loader_base_stop(pull->base, cancelled);
    trib_source_interrupt(pull->source);
}

/* A thread that waits for the source is woken by an interruption, which must end with the threads. */
void trib_pull_join(trib_pull *pull)
{
    if (!pull->base->started) return;
    trib_pull_stop(pull, false);
    trib_loader_base_join(pull->base);
    trib_source_clear_interrupt(pull->source);
}

void trib_pull_close(trib_pull *pull)
{
    trib_pull_join(pull);
    trib_source_limit(pull->source, 0);
    trib_loader_base_close(pull->base);
    pthread_mutex_destroy(&pull->lock);
}
