/* SPDX-License-Identifier: Apache-2.0
 * tributary info: what is in a model file, as the paper's Table 1. */
#include <inttypes.h>
#include <stdio.h>

#include "files.h"
#include "settings.h"
#include "table1.h"
#include "text.h"
#include "tributary/internal/alloc.h"

typedef struct info_options {
    bool layers, json;
} info_options;
static const cli_option table[] = {
    { 0, "layers", CLI_FLAG, offsetof(info_options, layers), NULL, "list every layer instead of the table", 0, 0 },
    { 0, "json", CLI_FLAG, offsetof(info_options, json), NULL, "everything as JSON, with exact numbers", 0, 0 },
};

typedef struct subject {
    bool random;
    const trib_model *model;
    const trib_graph *graph;
    const trib_network_spec *net;
    trib_preprocess preprocess;
    char options[CLI_PREPROCESS_OPTIONS_TEXT]; /* options that changed it */
    cli_table table;
} subject;

static int label_count(const subject *s)
{
    int count = 0;
    while (trib_model_label(s->model, count)) ++count;
    return count;
}

/* ---- for people ---- */

/* "112K", "360M", as in the paper; empty for 0. */
static const char *brief(int64_t n, char text[32])
{
    if (n == 0)
        text[0] = '\0';
    else if (n < 1000)
        snprintf(text, 32, "%" PRId64, n);
    else if (n < 1000000)
        snprintf(text, 32, n < 10000 ? "%.1fK" : "%.0fK", 1e-3 * (double)n);
    else if (n < 1000000000)
        snprintf(text, 32, n < 10000000 ? "%.1fM" : "%.0fM", 1e-6 * (double)n);
    else
        snprintf(text, 32, "%.2fG", 1e-9 * (double)n);
    return text;
}

static void print_row(const cli_table *table, const cli_table_row *row)
{
    char text[64], parameters[32], macs[32];
    printf("%-22s", row->name);
    snprintf(text, sizeof text, "%dx%d/%d", row->patch_h, row->patch_w, row->stride);
    printf(" %-8s", row->patch_h ? text : "");
    snprintf(text, sizeof text, "%dx%dx%d", row->h, row->w, row->c);
    printf(" %-12s %5d", text, row->depth);
    for (int i = 0; i < table->column_count; ++i) {
        snprintf(text, sizeof text, "%d", row->channels[i]);
        printf(" %*s", table->columns[i].width, row->channels[i] ? text : "");
    }
    printf(" %7s %7s\n", brief(row->parameters, parameters), brief(row->macs, macs));
}

static void print_table(const subject *s)
{
    char parameters[32], macs[32];
    const cli_table *table = &s->table;
    int width = printf("%-22s %-8s %-12s %5s", "layer", "patch", "output HxWxC", "depth");
    for (int i = 0; i < table->column_count; ++i)
        width += printf(" %*s", table->columns[i].width, table->columns[i].title);
    printf(" %7s %7s\n", "params", "ops");
    for (int i = 0; i < table->count; ++i) print_row(table, &table->rows[i]);
    printf("%-*s %7s %7s\n", width, "total", brief(table->parameters, parameters), brief(table->macs, macs));
}

static void print_layers(const subject *s)
{
    printf("%-28s %-20s %-14s %-16s %10s %12s\n", "layer", "kind", "output CxHxW", "branch", "params", "ops");
    for (int i = 0; i < trib_graph_layer_count(s->graph); ++i) {
        const trib_layer *l = trib_graph_layer(s->graph, i);
        char shape[64], branch[96] = "";
        snprintf(shape, sizeof shape, "%dx%dx%d", l->c, l->h, l->w);
        if (l->fork >= 0) snprintf(branch, sizeof branch, "%s:%d", trib_graph_fork(s->graph, l->fork)->name, l->branch);
        printf("%-28s %-20s %-14s %-16s %10" PRId64 " %12" PRId64 "\n", l->name, trib_kind_name(l->kind), shape, branch,
               trib_layer_parameter_elements(s->graph, i), cli_layer_macs(s->graph, i));
    }
}

static const char *guess(const subject *s) { return trib_model_preprocess_guess(s->model); }

static const char *preprocess_source(const subject *s)
{
    return s->random ? "the network's published files; parameters are random" : guess(s) ? "a guess" : "the model file";
}

static void print_facts(const subject *s)
{
    const trib_preprocess *p = &s->preprocess;
    printf("\nmodel          ");
    cli_print_safe(stdout, trib_model_path(s->model));
    printf("\nnetwork        %s, width %g, auxiliary classifiers %s\n", trib_network_name(s->net->network),
           s->net->width_multiplier, s->net->aux ? "kept" : "not kept");
    printf("classes        %d, %d labels\n", s->net->classes, label_count(s));
    printf("parameters     %" PRId64 "\n", s->table.parameters);
    printf("operations     %" PRId64 " multiply-adds per image\n", s->table.macs);
    printf("input          %d x %d (HxW), %s\n", s->net->height, s->net->width, p->bgr ? "BGR" : "RGB");
    printf("preprocessing  %s", trib_resize_mode_name(p->resize_mode));
    if (p->resize_mode != TRIB_RESIZE_NONE)
        printf(" %d %s%s", p->resize, trib_interpolation_name(p->interpolation),
               p->resample_order == TRIB_CHEAPER_FIRST ? " as Pillow 13" : "");
    printf(", centre crop %d x %d, pixel * %g, minus %g,%g,%g, over %g,%g,%g\n", p->crop_height, p->crop_width,
           (double)p->scale, (double)p->mean[0], (double)p->mean[1], (double)p->mean[2], (double)p->std[0],
           (double)p->std[1], (double)p->std[2]);
    printf("  comes from   ");
    cli_print_safe(stdout, preprocess_source(s));
    if (s->options[0]) printf("; changed by %s", s->options);
    if (guess(s)) printf("\n  guessed      %s", guess(s));
    printf("\n");
    const char *provenance = trib_model_provenance(s->model);
    printf("provenance     ");
    cli_print_safe(stdout, provenance ? provenance : "not known");
    printf("\n");
}

/* ---- for programs ---- */

static cJSON *row_json(const cli_table *table, const cli_table_row *row)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "name", cli_json_text(row->name));
    cJSON_AddItemToObject(json, "type", cli_json_text(row->type));
    if (row->patch_h) cJSON_AddNumberToObject(json, "patch", row->patch_h);
    if (row->patch_w != row->patch_h) cJSON_AddNumberToObject(json, "patch_width", row->patch_w);
    if (row->patch_h) cJSON_AddNumberToObject(json, "stride", row->stride);
    cJSON_AddItemToObject(json, "output", cJSON_CreateIntArray((const int[]) { row->c, row->h, row->w }, 3));
    cJSON_AddNumberToObject(json, "depth", row->depth);
    for (int i = 0; i < table->column_count; ++i)
        if (row->channels[i]) cJSON_AddNumberToObject(json, table->columns[i].leaf, row->channels[i]);
    cJSON_AddNumberToObject(json, "parameters", (double)row->parameters);
    cJSON_AddNumberToObject(json, "macs", (double)row->macs);
    return json;
}

static cJSON *layer_json(const subject *s, int layer)
{
    const trib_layer *l = trib_graph_layer(s->graph, layer);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "name", cli_json_text(l->name));
    cJSON_AddItemToObject(json, "kind", cli_json_text(trib_kind_name(l->kind)));
    cJSON_AddItemToObject(json, "output", cJSON_CreateIntArray((const int[]) { l->c, l->h, l->w }, 3));
    if (l->fork >= 0) cJSON_AddItemToObject(json, "fork", cli_json_text(trib_graph_fork(s->graph, l->fork)->name));
    if (l->fork >= 0) cJSON_AddNumberToObject(json, "branch", l->branch);
    cJSON_AddNumberToObject(json, "parameters", (double)trib_layer_parameter_elements(s->graph, layer));
    cJSON_AddNumberToObject(json, "macs", (double)cli_layer_macs(s->graph, layer));
    return json;
}

/* A float in the fewest digits that identify it, without the tail it has as a double. */
static cJSON *float_json(float value)
{
    char text[32];
    for (int digits = 6; digits <= 9; ++digits) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        float back;
        if (sscanf(text, "%f", &back) == 1 && back == value) break;
    }
    return cJSON_CreateRaw(text);
}

static cJSON *floats_json(const float values[3])
{
    cJSON *json = cJSON_CreateArray();
    for (int i = 0; i < 3; ++i) cJSON_AddItemToArray(json, float_json(values[i]));
    return json;
}

static cJSON *preprocess_json(const subject *s)
{
    const trib_preprocess *p = &s->preprocess;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "resize_mode", cli_json_text(trib_resize_mode_name(p->resize_mode)));
    cJSON_AddNumberToObject(json, "resize", p->resize);
    cJSON_AddItemToObject(json, "interpolation", cli_json_text(trib_interpolation_name(p->interpolation)));
    cJSON_AddItemToObject(json, "resample_order", cli_json_text(trib_resample_order_name(p->resample_order)));
    cJSON_AddItemToObject(json, "crop", cJSON_CreateIntArray((const int[]) { p->crop_height, p->crop_width }, 2));
    cJSON_AddItemToObject(json, "channels", cli_json_text(p->bgr ? "bgr" : "rgb"));
    cJSON_AddItemToObject(json, "scale", float_json(p->scale));
    cJSON_AddItemToObject(json, "mean", floats_json(p->mean));
    cJSON_AddItemToObject(json, "std", floats_json(p->std));
    cJSON_AddItemToObject(json, "source", cli_json_text(s->random ? "network" : guess(s) ? "guess" : "file"));
    cJSON_AddItemToObject(json, "guess", cli_json_text(guess(s)));
    cJSON_AddItemToObject(json, "changed_by", cli_json_text(s->options[0] ? s->options : NULL));
    return json;
}

static cJSON *subject_json(const subject *s, bool layers)
{
    cJSON *json = cJSON_CreateObject();
    cli_json_add_name(json, "model", trib_model_path(s->model));
    cJSON_AddItemToObject(json, "network", cli_json_text(trib_network_name(s->net->network)));
    cJSON_AddNumberToObject(json, "classes", s->net->classes);
    cJSON_AddNumberToObject(json, "width_multiplier", s->net->width_multiplier);
    cJSON_AddBoolToObject(json, "aux", s->net->aux);
    cJSON_AddItemToObject(json, "input", cJSON_CreateIntArray((const int[]) { 3, s->net->height, s->net->width }, 3));
    cJSON_AddNumberToObject(json, "parameters", (double)s->table.parameters);
    cJSON_AddNumberToObject(json, "macs", (double)s->table.macs);
    cJSON_AddItemToObject(json, "preprocessing", preprocess_json(s));
    cJSON_AddItemToObject(json, "provenance", cli_json_text(trib_model_provenance(s->model)));
    cJSON *labels = cJSON_AddArrayToObject(json, "labels");
    for (int i = 0; trib_model_label(s->model, i); ++i)
        cJSON_AddItemToArray(labels, cli_json_text(trib_model_label(s->model, i)));
    cJSON *rows = cJSON_AddArrayToObject(json, "table");
    for (int i = 0; i < s->table.count; ++i) cJSON_AddItemToArray(rows, row_json(&s->table, &s->table.rows[i]));
    cJSON *all = layers ? cJSON_AddArrayToObject(json, "layers") : NULL;
    for (int i = 0; all && i < trib_graph_layer_count(s->graph); ++i) cJSON_AddItemToArray(all, layer_json(s, i));
    return json;
}

/* ---- the command ---- */

static trib_status show(const cli_settings *settings, const info_options *own, const char *path)
{
    trib_model *model = NULL;
    subject s = { .random = !path };
    TRIB_TRY(cli_load_model(settings, path, &model, &s.preprocess));
    s.model = model;
    s.graph = trib_model_graph(model);
    s.net = trib_model_network(model);
    cli_preprocess_options(settings, s.options);
    trib_status status = cli_table_of(s.graph, s.net->network, &s.table);
    if (!trib_failed(&status) && own->json)
        status = cli_json_print(subject_json(&s, own->layers));
    else if (!trib_failed(&status)) {
        if (own->layers)
            print_layers(&s);
        else
            print_table(&s);
        print_facts(&s);
    }
    trib_free(s.table.rows);
    trib_model_destroy(model);
    return status;
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    info_options own = { 0 };
    cli_group groups[] = { CLI_GROUP("Options", table, &own), cli_size_group(&settings),  cli_random_group(&settings),
                           cli_preprocess_group(&settings),   cli_caffe_group(&settings), CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 0, 0, NULL);
    if (code == CLI_GO_ON) {
        cli_files files = cli_files_of(groups, &settings, &arguments);
        trib_status status = cli_files_check(&files);
        if (!trib_failed(&status)) status = show(&settings, &own, !settings.arch ? arguments.items[0] : NULL);
        code = trib_failed(&status) ? cli_report(&status) : CLI_OK;
    }
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_info = {
    .name = "info",
    .summary = "show layers, shapes, parameters, operations and preprocessing of a model",
    .synopsis = "MODEL|--arch ARCH [--layers] [--json]",
    .description =
        "Prints the paper's Table 1 for a model: output size, depth, convolutions per branch, parameters, and "
        "operations (multiply-adds of convolutions and linear layers, per image). Then come its network, classes, "
        "input size, provenance, and preprocessing: from the model file, from options, or guessed if the file does "
        "not say.",
    .examples = "  $ tributary info model.safetensors\n"
                "  $ tributary info --arch bvlc --layers\n"
                "  $ tributary info model.safetensors --json\n",
    .run = run,
};
