/* SPDX-License-Identifier: Apache-2.0
 * From settings to a device, a model with its preprocessing, and a session. */
#include <stdio.h>
#include <string.h>

#include "settings.h"
#include "tributary/internal/alloc.h"
#include "tuned.h"

/* ---- device ---- */

static void add_name(char *list, size_t size, const char *name)
{
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);
}

const char *cli_device_spec(const cli_settings *settings)
{
    return settings->target && strcmp(settings->device, "auto") == 0 ? "cuda" : settings->device;
}

/* A build without targets has no CUDA either, and opening the device reports that. */
static trib_status check_target(const char *target)
{
    char known[256] = "";
    for (int i = 0; trib_device_targets(i); ++i) {
        if (strcmp(trib_device_targets(i), target) == 0) return trib_success();
        add_name(known, sizeof known, trib_device_targets(i));
    }
    if (!*known) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "--target: there is no card '%s'; there are %s", target, known);
}

/* An option without effect is reported. */
static void check_environment(const cli_settings *settings)
{
    trib_cpus cpus = trib_cpus_get();
    if (cpus.omp_ignored && !settings->threads) cli_message("%s", cpus.omp);
}

trib_status cli_open_device(const cli_settings *settings, trib_device **out)
{
    char *choices = NULL;
    if (settings->target) TRIB_TRY(check_target(settings->target));
    check_environment(settings);
    TRIB_TRY(cli_choice_cache(settings, &choices));
    trib_device_options options = { .threads = settings->threads,
                                    .memory_limit = settings->memory_limit,
                                    .choices_path = choices,
                                    .target = settings->target };
    trib_status status = trib_device_open(cli_device_spec(settings), &options, out);
    trib_free(choices);
    return status;
}

/* ---- model ---- */

static trib_status load_random(const cli_settings *s, trib_model **out)
{
    trib_network_spec net = { .network = trib_network_find(s->arch),
                              .classes = s->classes,
                              .height = s->image_size,
                              .width = s->image_size,
                              .aux = s->aux,
                              .width_multiplier = s->width_multiplier };
    return trib_model_random(&net, (uint64_t)s->seed, out);
}

trib_status cli_load_model(const cli_settings *s, const char *path, trib_model **out, trib_preprocess *preprocess)
{
    trib_model *model = NULL;
    trib_preprocess own;
    trib_model_options options = { .height = s->image_size,
                                   .width = s->image_size,
                                   .aux = s->aux,
                                   .prototxt = s->prototxt,
                                   .mean_file = s->mean_file };
    if (!path && (s->prototxt || s->mean_file))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "--prototxt and --mean-file are for a MODEL; --arch has none");
    TRIB_TRY(path ? trib_model_load(path, &options, &model) : load_random(s, &model));
    if (trib_model_note(model)) cli_message("%s: %s", trib_model_path(model), trib_model_note(model));
    own = *trib_model_preprocess(model);
    trib_status status = cli_change_preprocess(s, trib_model_network(model), &own);
    if (trib_failed(&status)) {
        trib_add_context(&status, "%s", trib_model_path(model));
        trib_model_destroy(model);
        return status;
    }
    *out = model;
    *preprocess = own;
    return status;
}

/* ---- plan and session ---- */

static trib_status blocked_layout(const trib_device_info *info, int *out)
{
    for (int i = 0; i < info->layout_count; ++i)
        if (trib_layout_block(info->layouts[i]) > 1) {
            *out = (int)info->layouts[i];
            return trib_success();
        }
    return TRIB_ERROR(TRIB_UNSUPPORTED, "--layout blocked: device %s computes in no channel-blocked layout",
                      info->spec);
}

static trib_status disabled_passes(const cli_texts *names, unsigned *out)
{
    for (int i = 0; i < names->count; ++i) {
        int pass = trib_pass_find(names->items[i]);
        if (pass < 0) {
            char known[256] = "";
            for (int p = 0; p < TRIB_PASS_COUNT; ++p) add_name(known, sizeof known, trib_pass_name((trib_pass)p));
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "--disable-pass: there is no pass '%s'; there are %s",
                              names->items[i], known);
        }
        *out |= 1u << pass;
    }
    return trib_success();
}

static trib_layout input_layout(const cli_settings *s, const trib_device_info *info)
{
    bool nhwc = s->layout == CLI_LAYOUT_NHWC ||
                (s->layout == CLI_LAYOUT_AUTO && info->layout_count > 0 && info->layouts[0] == TRIB_NHWC);
    return nhwc ? TRIB_NHWC : TRIB_NCHW;
}

trib_status cli_plan_options(const cli_settings *s, trib_device *device, trib_plan_options *out)
{
    const trib_device_info *info = trib_device_get_info(device);
    trib_plan_options options = trib_plan_default_options();
    options.schedule = (trib_schedule)s->schedule.all;
    options.fork_schedules = s->schedule.forks;
    options.fork_schedule_count = s->schedule.names.count;
    options.precision = (trib_precision)s->precision;
    options.reference = s->reference;
    options.measure = s->measure;
    options.any_order = s->fast;
    options.input_layout = input_layout(s, info);
    if (s->layout == CLI_LAYOUT_NHWC) options.layout = TRIB_NHWC;
    if (s->layout == CLI_LAYOUT_BLOCKED) TRIB_TRY(blocked_layout(info, &options.layout));
    TRIB_TRY(disabled_passes(&s->disabled_passes, &options.disabled_passes));
    *out = options;
    return trib_success();
}

trib_status cli_session_options(const cli_settings *s, trib_device *device, int batch, trib_session_options *out)
{
    trib_session_options options = trib_session_default_options();
    TRIB_TRY(cli_plan_options(s, device, &options.plan));
    options.max_batch = batch;
    options.lanes = s->lanes;
    options.plan.batch = s->chunk;
    options.plan.threads = s->lane_threads;
    options.launch = (trib_launch)s->launch;
    *out = options;
    return trib_success();
}

bool cli_wants_raw_pixels(const cli_settings *s, const trib_device *device)
{
    return trib_device_get_info(device)->normalises && !s->reference;
}

void cli_take_raw_pixels(trib_plan_options *plan, const trib_preprocess *preprocess, trib_normalise *normalise)
{
    *normalise = trib_preprocess_normalise(preprocess);
    plan->normalise = normalise;
    plan->input_layout = TRIB_NHWC;
}

trib_status cli_create_session(const cli_settings *s, trib_device *device, const trib_model *model,
                               const trib_session_options *options, trib_session **out)
{
    trib_session_options own = *options;
    trib_plan_options key = options->plan;
    trib_tuned *tuned = NULL;
    key.batch = options->max_batch;
    TRIB_TRY(cli_find_tuned(s, device, trib_model_graph(model), &key, options->launch, &tuned));
    if (tuned) {
        const bool open = !own.lanes && !own.plan.batch && !own.plan.threads;
        trib_tuned_apply(tuned, &own.plan);
        if (open) own.lanes = tuned->lanes, own.plan.batch = tuned->chunk, own.plan.threads = tuned->threads;
    }
    trib_status status = trib_session_create(device, trib_model_graph(model), trib_model_parameters(model), &own, out);
    trib_tuned_destroy(tuned);
    if (!trib_failed(&status)) cli_save_choices(s, device);
    return status;
}

trib_status cli_create_trainer(const cli_settings *s, trib_device *device, const trib_model *model,
                               const trib_trainer_options *options, trib_trainer **out)
{
    trib_trainer_options own = *options;
    trib_tuned *tuned = NULL;
    TRIB_TRY(cli_find_tuned(s, device, trib_model_graph(model), &own.plan, own.launch, &tuned));
    if (tuned) trib_tuned_apply(tuned, &own.plan);
    trib_status status = trib_trainer_create(device, trib_model_graph(model), trib_model_parameters(model), &own, out);
    trib_tuned_destroy(tuned);
    if (!trib_failed(&status)) cli_save_choices(s, device);
    return status;
}

static bool is_output(const trib_graph *graph, const char *name)
{
    for (int i = 0; i < trib_graph_output_count(graph); ++i)
        if (strcmp(trib_graph_output(graph, i)->name, name) == 0) return true;
    return trib_graph_find_layer(graph, name) >= 0;
}

trib_status cli_check_outputs(const trib_graph *graph, const cli_texts *names)
{
    for (int i = 0; i < names->count; ++i) {
        if (is_output(graph, names->items[i])) continue;
        cli_suggestion near = cli_suggestion_begin(names->items[i]);
        for (int l = 0; l < trib_graph_layer_count(graph); ++l)
            cli_suggestion_offer(&near, trib_graph_layer(graph, l)->name);
        return TRIB_ERROR(TRIB_NOT_FOUND,
                          "--outputs: the network has no output or layer '%s'%s%s%s; 'tributary info MODEL --layers' "
                          "lists them",
                          names->items[i], near.best ? "; did you mean '" : "", near.best ? near.best : "",
                          near.best ? "'" : "");
    }
    return trib_success();
}
