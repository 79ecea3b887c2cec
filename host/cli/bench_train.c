/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_train.h"

#include <time.h>

#include "training.h"
#include "tributary/internal/alloc.h"

typedef struct runner {
    const cli_train_request *request;
    cli_training training;
    trib_trainer *trainer;
    float *pixels;
    int32_t *labels;
    void **outputs; /* of the plan */
    uint64_t step;
} runner;

static trib_status no_memory(int batch)
{
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a batch of %d images", batch);
}

/* Values a network sees, without repetition. */
static trib_status make_batch(runner *r)
{
    const trib_network_spec *net = trib_model_network(r->request->model);
    int batch = r->request->batch;
    size_t count = (size_t)batch * 3 * (size_t)net->height * (size_t)net->width;
    uint64_t state = 88172645463325252u;
    r->pixels = trib_realloc_array(NULL, count, sizeof *r->pixels);
    r->labels = trib_realloc_array(NULL, (size_t)batch, sizeof *r->labels);
    if (!r->pixels || !r->labels) return no_memory(batch);
    for (size_t i = 0; i < count; ++i) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        r->pixels[i] = (float)(state >> 40) * (4.0f / 16777216.0f) - 2.0f;
    }
    for (int i = 0; i < batch; ++i) r->labels[i] = (int32_t)(trib_uniform("labels", 1, (uint64_t)i) * net->classes);
    return trib_success();
}

static trib_status create(runner *r)
{
    const cli_train_request *q = r->request;
    trib_trainer_options options = { .launch = (trib_launch)q->settings->launch,
                                     .timeline = q->layers ? q->layers->timeline : NULL };
    cli_training_of(trib_model_graph(q->model), q->settings, q->aux_weight, &r->training);
    TRIB_TRY(cli_plan_options(q->settings, q->device, &options.plan));
    options.plan.batch = q->batch;
    options.plan.training = &r->training.training;
    TRIB_TRY(cli_create_trainer(q->settings, q->device, q->model, &options, &r->trainer));
    if (q->last) trib_model_release_parameters(q->model);
    const trib_plan *plan = trib_trainer_plan(r->trainer);
    cli_say_order(q->settings, plan);
    r->outputs = trib_alloc_zeroed((size_t)plan->output_count, sizeof *r->outputs);
    if (!r->outputs) return no_memory(q->batch);
    for (int i = 0; i < plan->output_count; ++i) {
        int64_t count;
        TRIB_TRY(trib_shape_count(&plan->outputs[i].shape, &count));
        r->outputs[i] = trib_realloc_array(NULL, (size_t)count, sizeof(float));
        if (!r->outputs[i]) return no_memory(q->batch);
    }
    return trib_success();
}

/* A rate that changes the weights but does not spoil them. */
static trib_status run_step(runner *r)
{
    trib_step_controls controls = {
        .seed = 1, .step = r->step++, .lr = 1e-4f, .momentum = 0.9f, .weight_decay = 2e-4f, .loss_scale = 1
    };
    if (cli_stopped()) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
    return trib_trainer_step(r->trainer, r->pixels, r->labels, &controls, r->outputs);
}

static double cpu_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

/* A step that counts. */
static trib_status timed_step(runner *r)
{
    cli_layers *layers = r->request->layers;
    TRIB_TRY(run_step(r));
    return layers ? cli_layers_take(layers, trib_trainer_plan(r->trainer)) : trib_success();
}

static trib_status measure_steps(runner *r, const cli_turn *turn, cli_train_rates *out)
{
    for (int i = 1; i < turn->warmup; ++i) TRIB_TRY(run_step(r));
    if (r->request->layers) cli_layers_pass(r->request->layers);
    double begin = cli_now(), last = begin, cpu = cpu_seconds();
    const size_t most = (size_t)turn->iterations;
    size_t steps = 0;
    while (most ? steps < most : last - begin < turn->seconds || steps < 3) {
        TRIB_TRY(timed_step(r));
        double now = cli_now();
        TRIB_TRY(cli_samples_add(&out->samples, (cli_sample) { turn->round, CLI_STEP, last, now - last }));
        last = now;
        ++steps;
    }
    out->cpu_seconds += cpu_seconds() - cpu;
    return trib_success();
}

static int64_t plan_bytes(const trib_plan *plan)
{
    int64_t parameters = 0;
    for (int i = 0; i < plan->tensor_count; ++i)
        if (plan->tensors[i].role == TRIB_TENSOR_PARAMETER) parameters += trib_view_bytes(&plan->tensors[i].view);
    return plan->arena_bytes + plan->parameter_bytes - parameters + cli_library_bytes(plan);
}

static void describe_plan(const trib_plan *plan, cli_train_rates *out)
{
    const double seconds = trib_plan_seconds_at_best(plan);
    out->plan_bytes = plan_bytes(plan);
    out->any_order_ops = plan->any_order_ops;
    if (seconds > 0) out->at_best = plan->batch / seconds;
}

static trib_status measure(runner *r, const cli_turn *turn, cli_train_rates *out)
{
    TRIB_TRY(make_batch(r));
    cli_reset_peak_rss();
    const int64_t before = cli_rss();
    double begin = cli_now();
    TRIB_TRY(create(r));
    TRIB_TRY(run_step(r));
    if (out->samples.count == 0) out->first_seconds = cli_now() - begin;
    describe_plan(trib_trainer_plan(r->trainer), out);
    TRIB_TRY(measure_steps(r, turn, out));
    const int64_t peak = cli_peak_rss();
    if (peak - before <= out->peak_rss - out->rss_before) return trib_success();
    out->peak_rss = peak;
    out->rss_before = before;
    return trib_success();
}

trib_status cli_train_turn(const cli_train_request *request, const cli_turn *turn, cli_train_rates *out)
{
    runner r = { .request = request };
    trib_status s = measure(&r, turn, out);
    for (int i = 0; r.outputs && i < trib_trainer_plan(r.trainer)->output_count; ++i) trib_free(r.outputs[i]);
    trib_free(r.outputs);
    trib_trainer_destroy(r.trainer);
    trib_free(r.pixels);
    trib_free(r.labels);
    return s;
}

void cli_train_release(cli_train_rates *rates) { cli_samples_release(&rates->samples); }
