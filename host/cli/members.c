/* SPDX-License-Identifier: Apache-2.0 */
#include "members.h"

#include <string.h>

#include "tributary/internal/alloc.h"

static trib_status count_models(const cli_texts *arguments, int *count)
{
    bool is_model = true;
    for (*count = 1; *count < arguments->count; ++*count) {
        TRIB_TRY(trib_model_recognise(arguments->items[*count], &is_model));
        if (!is_model) break;
    }
    return trib_success();
}

int cli_expect_models(const cli_command *command, const cli_settings *settings, const cli_texts *arguments,
                      const char *what, int *models)
{
    trib_status status = count_models(arguments, models);
    if (trib_failed(&status)) return cli_report(&status);
    if (*models == arguments->count) return cli_usage(command, "which %s? All arguments are models", what);
    if (*models > 1 && (settings->prototxt || settings->mean_file))
        return cli_usage(command, "--prototxt and --mean-file are for one MODEL; 'tributary convert' stores what they "
                                  "say in a model file");
    return CLI_GO_ON;
}

/* ---- opening ---- */

static trib_status check_list(const char *option, int given, int models)
{
    if (given <= 1 || given == models) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "--%s has %d values for %d model%s; give one for all, or one for each",
                      option, given, models, models == 1 ? "" : "s");
}

static trib_status open_device(cli_members *members, cli_member *member)
{
    for (const cli_member *m = members->items; m < member; ++m)
        if (strcmp(m->settings.device, member->settings.device) == 0) {
            member->device = m->device;
            return trib_success();
        }
    return cli_open_device(&member->settings, &member->device);
}

static trib_status open_member(cli_members *members, const cli_settings *settings, const char *path)
{
    int i = members->count++;
    cli_member *member = &members->items[i];
    const cli_texts *devices = &settings->devices;
    const cli_ints *precisions = &settings->precisions;
    member->settings = *settings;
    if (devices->count) member->settings.device = devices->items[devices->count > 1 ? i : 0];
    if (precisions->count) member->settings.precision = precisions->items[precisions->count > 1 ? i : 0];
    TRIB_TRY(open_device(members, member));
    TRIB_TRY(cli_load_model(&member->settings, path, &member->model, &member->preprocess));
    cli_say_guess(&member->settings, member->model);
    return trib_success();
}

/* ---- classes ---- */

trib_model *cli_members_labels(const cli_members *members)
{
    for (int i = 0; i < members->count; ++i)
        if (trib_model_label(members->items[i].model, 0)) return members->items[i].model;
    return members->items[0].model;
}

static trib_status check_classes(const trib_model *a, const trib_model *b)
{
    int classes = trib_model_network(a)->classes, others = trib_model_network(b)->classes;
    if (classes != others)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%.120s has %d classes, and %.120s has %d; models can be asked together only about the same "
                          "classes",
                          trib_model_path(a), classes, trib_model_path(b), others);
    for (int c = 0; c < classes; ++c) {
        const char *label = trib_model_label(a, c), *other = trib_model_label(b, c);
        if (label && other && strcmp(label, other) != 0)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                              "class %d is '%.60s' in %.100s, and '%.60s' in %.100s; models can be asked together only "
                              "about the same classes in the same order",
                              c, label, trib_model_path(a), other, trib_model_path(b));
    }
    return trib_success();
}

trib_status cli_members_open(const cli_settings *settings, const cli_texts *arguments, int count, cli_members *members)
{
    TRIB_TRY(check_list("device", settings->devices.count, count));
    TRIB_TRY(check_list("precision", settings->precisions.count, count));
    if (count > TRIB_MOST_MEMBERS)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d models; there can be up to %d", count, TRIB_MOST_MEMBERS);
    members->items = trib_alloc_zeroed((size_t)count, sizeof *members->items);
    if (!members->items) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d models", count);
    while (members->count < count) TRIB_TRY(open_member(members, settings, arguments->items[members->count]));
    const trib_model *labels = cli_members_labels(members);
    for (int i = 0; i < count; ++i) TRIB_TRY(check_classes(labels, members->items[i].model));
    return trib_success();
}

static bool is_shared(const cli_members *members, int i)
{
    for (int j = 0; j < i; ++j)
        if (members->items[j].device == members->items[i].device) return true;
    return false;
}

void cli_members_close(cli_members *members)
{
    for (int i = 0; i < members->count; ++i) trib_model_destroy(members->items[i].model);
    for (int i = members->count - 1; i >= 0; --i)
        if (!is_shared(members, i)) trib_device_close(members->items[i].device);
    trib_free(members->items);
    *members = (cli_members) { 0 };
}

/* ---- the panel ---- */

static trib_status create_session(void *context, const trib_panel_member *member, const trib_session_options *options,
                                  trib_session **out)
{
    cli_member *own = context;
    TRIB_TRY(cli_create_session(&own->settings, member->device, member->model, options, out));
    trib_model_release_parameters(own->model);
    return trib_success();
}

trib_status cli_members_panel(cli_members *members, int batch, trib_panel **out)
{
    trib_panel_member asked[TRIB_MOST_MEMBERS];
    trib_session_options options[TRIB_MOST_MEMBERS];
    for (int i = 0; i < members->count; ++i) {
        cli_member *m = &members->items[i];
        TRIB_TRY(cli_session_options(&m->settings, m->device, batch, &options[i]));
        asked[i] = (trib_panel_member) { .device = m->device,
                                         .model = m->model,
                                         .preprocess = &m->preprocess,
                                         .session = &options[i],
                                         .create = create_session,
                                         .context = m };
    }
    return trib_panel_create(asked, members->count, NULL, out);
}
