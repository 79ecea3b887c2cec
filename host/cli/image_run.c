/* SPDX-License-Identifier: Apache-2.0 */
#include "image_run.h"

#include "freed_memory.h"
#include "notes.h"
#include "watch.h"

static trib_status run_images(cli_image_run *run, trib_image_loader *loader, cli_image_notes *notes)
{
    for (;;) {
        const trib_image_item *item = NULL;
        if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
        TRIB_TRY(trib_image_loader_next(loader, &item));
        if (!item) return trib_success();
        const bool good = !trib_failed(&item->status);
        trib_status s = run->handle(run->context, item);
        if (good) cli_image_notes_count(notes, item->note);
        trib_image_loader_give_back(loader, item);
        if (trib_failed(&s)) return s;
        ++*(good ? &run->good : &run->skipped);
        cli_progress_update(&run->progress, run->already_done + run->good + run->skipped, run->skipped);
    }
}

static void cancel(void *loader) { trib_image_loader_cancel(loader); }

trib_status cli_image_run_all(cli_image_run *run)
{
    trib_image_loader *loader = NULL;
    cli_watch *watch = NULL;
    cli_image_notes notes = { 0 };
    const double start = cli_now();
    trib_status status;
    cli_catch_signals();
    cli_keep_little_freed_memory(run->loading.memory_limit, run->loading.workers);
    run->progress = cli_progress_begin(trib_source_count(run->source), run->already_done, run->rows_on_terminal);
    TRIB_TRY_GOTO(
        status, done,
        trib_image_loader_create(run->source, &run->loading, run->make, run->release, run->make_context, &loader));
    TRIB_TRY_GOTO(status, done, cli_watch_start(cancel, loader, &watch));
    status = run_images(run, loader, &notes);
    run->seconds = cli_now() - start;
done:
    cli_progress_clear(&run->progress);
    cli_image_notes_print(&notes);
    cli_watch_stop(watch);
    trib_image_loader_destroy(loader);
    if (!trib_failed(&status) || status.code == TRIB_CANCELLED) cli_print_passed_over(run->source);
    return status;
}
