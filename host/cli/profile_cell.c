/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_cell.h"

#include <time.h>

#include "tributary/internal/alloc.h"

static trib_status no_memory(const cli_cell *c)
{
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a batch of %d images", c->options.batch);
}

const trib_plan *cli_cell_plan(const cli_cell *c)
{
    return c->session ? trib_session_plan(c->session) : trib_trainer_plan(c->trainer);
}

/* ---- input and output ---- */

/* Values a network sees, without repetition. */
static trib_status make_input(cli_cell *c)
{
    const trib_network_spec *net = trib_model_network(c->options.model);
    size_t batch = (size_t)c->options.batch, count = batch * 3 * (size_t)net->height * (size_t)net->width;
    uint64_t state = 88172645463325252u;
    c->pixels = trib_realloc_array(NULL, count, sizeof *c->pixels);
    c->labels = trib_realloc_array(NULL, batch, sizeof *c->labels);
    if (!c->pixels || !c->labels) return no_memory(c);
    for (size_t i = 0; i < count; ++i) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        c->pixels[i] = (float)(state >> 40) * (4.0f / 16777216.0f) - 2.0f;
    }
    for (size_t i = 0; i < batch; ++i) c->labels[i] = (int32_t)(trib_uniform("labels", 1, i) * net->classes);
    return trib_success();
}

static trib_status make_outputs(cli_cell *c)
{
    const trib_plan *plan = cli_cell_plan(c);
    c->outputs = trib_alloc_zeroed((size_t)plan->output_count, sizeof *c->outputs);
    if (!c->outputs) return no_memory(c);
    for (int i = 0; i < plan->output_count; ++i) {
        int64_t count;
        TRIB_TRY(trib_shape_count(&plan->outputs[i].shape, &count));
        c->outputs[i] = trib_realloc_array(NULL, (size_t)(count * c->chunks), sizeof(float));
        if (!c->outputs[i]) return no_memory(c);
    }
    return trib_success();
}

/* ---- what runs ---- */

static trib_status open_session(cli_cell *c)
{
    static const char *const outputs[] = { "logits" };
    const cli_cell_options *o = &c->options;
    trib_session_options options;
    TRIB_TRY(cli_session_options(o->settings, o->device, o->batch, &options));
    options.plan.outputs = outputs;
    options.plan.output_count = 1;
    options.timeline = c->timeline;
    options.one_stream = o->one_stream;
    options.in_flight = o->in_flight;
    return cli_create_session(o->settings, o->device, o->model, &options, &c->session);
}

static trib_status open_trainer(cli_cell *c)
{
    const cli_cell_options *o = &c->options;
    cli_training training;
    trib_trainer_options options = { .launch = (trib_launch)o->settings->launch };
    cli_training_of(trib_model_graph(o->model), o->settings, o->aux_weight, &training);
    TRIB_TRY(cli_plan_options(o->settings, o->device, &options.plan));
    options.plan.batch = o->batch;
    options.plan.training = &training.training;
    options.timeline = c->timeline;
    options.one_stream = o->one_stream;
    return cli_create_trainer(o->settings, o->device, o->model, &options, &c->trainer);
}

/* A timeline is made before the session, which decides on the number of chunks: on a cpu at most one per image. */
static trib_status open_timeline(cli_cell *c)
{
    const cli_cell_options *o = &c->options;
    int most = !o->train && trib_device_get_info(o->device)->host ? o->batch : 1;
    return o->timed_runs ? trib_timeline_create(o->timed_runs * most, &c->timeline) : trib_success();
}

trib_status cli_cell_open(const cli_cell_options *options, cli_cell *c)
{
    *c = (cli_cell) { .options = *options };
    TRIB_TRY(open_timeline(c));
    TRIB_TRY(options->train ? open_trainer(c) : open_session(c));
    const trib_plan *plan = cli_cell_plan(c);
    c->lanes = c->session ? trib_session_lanes(c->session) : 1;
    c->chunks = (options->batch + plan->batch - 1) / plan->batch;
    TRIB_TRY(make_input(c));
    return make_outputs(c);
}

void cli_cell_close(cli_cell *c)
{
    for (int i = 0; c->outputs && i < cli_cell_plan(c)->output_count; ++i) trib_free(c->outputs[i]);
    trib_free(c->outputs);
    trib_free(c->labels);
    trib_free(c->pixels);
    trib_session_destroy(c->session);
    trib_trainer_destroy(c->trainer);
    trib_timeline_destroy(c->timeline);
    *c = (cli_cell) { 0 };
}

/* ---- running ---- */

/* A rate that changes the weights but does not spoil them. */
static trib_status run_step(cli_cell *c)
{
    trib_step_controls controls = {
        .seed = 1, .step = c->step++, .lr = 1e-4f, .momentum = 0.9f, .weight_decay = 2e-4f, .loss_scale = 1
    };
    return trib_trainer_step(c->trainer, c->pixels, c->labels, &controls, c->outputs);
}

static double now(const cli_cell *c)
{
    bool host = trib_device_get_info(c->options.device)->host;
    return host ? (double)clock() / CLOCKS_PER_SEC : cli_now();
}

trib_status cli_cell_run(cli_cell *c, double *seconds)
{
    if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
    double start = now(c);
    TRIB_TRY(c->trainer ? run_step(c) : trib_session_run(c->session, c->pixels, c->options.batch, c->outputs));
    if (seconds) *seconds = now(c) - start;
    return trib_success();
}

trib_status cli_run_in_a_row(trib_session *session, int batch, int runs, double *seconds)
{
    int64_t jobs[2];
    if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
    double start = cli_now();
    for (int i = 0; i <= runs; ++i) {
        if (i < runs) TRIB_TRY(trib_session_submit_resident(session, batch, &jobs[i % 2]));
        if (i > 0) TRIB_TRY(trib_session_wait(session, jobs[(i - 1) % 2]));
    }
    *seconds = cli_now() - start;
    return trib_success();
}
