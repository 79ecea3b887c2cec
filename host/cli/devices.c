/* SPDX-License-Identifier: Apache-2.0
 * tributary devices: what can compute on this machine. */
#include <stdio.h>
#include <string.h>

#include "settings.h"
#include "text.h"

enum { MOST_DEVICES = 64 };

typedef struct device_options {
    bool json;
} device_options;
static const cli_option table[] = {
    { 0, "json", CLI_FLAG, offsetof(device_options, json), NULL, "print a JSON array", 0, 0 },
};

/* How many CPUs and how much memory this process may use, and what limits each. */
static void print_limits(void)
{
    char text[TRIB_CPUS_TEXT_SIZE];
    trib_cpus cpus = trib_cpus_get();
    trib_cpus_describe(&cpus, text);
    fputs("  limits        ", stdout);
    cli_print_safe(stdout, text);
    trib_memory memory = trib_memory_get();
    printf("\n                %.1f GiB: ", (double)memory.bytes / (1 << 30));
    cli_print_safe(stdout, memory.source);
    putchar('\n');
}

static void print_device(const trib_device_info *info)
{
    printf("%-10s available\n", info->spec);
    printf("  name          %s\n", info->name);
    printf("  cores         %d\n", info->cores);
    if (info->host) print_limits();
    printf("  instructions  %s\n", info->instructions);
    printf("  library       %s\n", info->library);
    printf("  memory        %.1f GiB\n", (double)info->memory_bytes / (1024.0 * 1024 * 1024));
    printf("  layouts      ");
    for (int i = 0; i < info->layout_count; ++i) printf(" %s", trib_layout_name(info->layouts[i]));
    printf("\n  precisions   ");
    for (int p = 0; p < TRIB_PRECISION_COUNT; ++p)
        if (info->precisions >> p & 1u) printf(" %s", trib_precision_name((trib_precision)p));
    printf("\n  pixels        %s\n", info->normalises ? "u8 f32" : "f32");
    printf("  capture       %s\n", info->has_capture ? "yes (--launch graph)" : "no");
}

/* Plans can be made for cards of other machines, so targets are listed even if there is no card here. */
static bool has_targets(const char *spec) { return strncmp(spec, "cuda", 4) == 0 && trib_device_targets(0); }

static void print_targets(void)
{
    printf("  targets      ");
    for (int i = 0; trib_device_targets(i); ++i) printf(" %s", trib_device_targets(i));
    printf(" (plan --target)\n");
}

static void add_targets(cJSON *device)
{
    cJSON *targets = cJSON_AddArrayToObject(device, "targets");
    for (int i = 0; trib_device_targets(i); ++i) cJSON_AddItemToArray(targets, cli_json_text(trib_device_targets(i)));
}

static void add_number_or_null(cJSON *object, const char *name, double value)
{
    if (value > 0)
        cJSON_AddNumberToObject(object, name, value);
    else
        cJSON_AddNullToObject(object, name);
}

static void add_limits(cJSON *device)
{
    char text[TRIB_CPUS_TEXT_SIZE];
    trib_cpus cpus = trib_cpus_get();
    trib_cpus_describe(&cpus, text);
    cJSON *limits = cJSON_AddObjectToObject(device, "limits");
    cJSON_AddNumberToObject(limits, "cpus", cpus.count);
    cJSON_AddNumberToObject(limits, "affinity", cpus.affinity);
    add_number_or_null(limits, "cgroup", cpus.cgroup_cpus);
    add_number_or_null(limits, "omp_num_threads", cpus.omp_num_threads);
    cJSON_AddItemToObject(limits, "text", cli_json_text(text));
    trib_memory memory = trib_memory_get();
    cJSON_AddNumberToObject(limits, "memory_bytes", (double)memory.bytes);
    cJSON_AddItemToObject(limits, "memory_source", cli_json_text(memory.source));
}

static void add_abilities(cJSON *device, const trib_device_info *info)
{
    cJSON *layouts = cJSON_AddArrayToObject(device, "layouts");
    for (int i = 0; i < info->layout_count; ++i)
        cJSON_AddItemToArray(layouts, cli_json_text(trib_layout_name(info->layouts[i])));
    cJSON *precisions = cJSON_AddArrayToObject(device, "precisions");
    for (int p = 0; p < TRIB_PRECISION_COUNT; ++p)
        if (info->precisions >> p & 1u)
            cJSON_AddItemToArray(precisions, cli_json_text(trib_precision_name((trib_precision)p)));
    cJSON *pixels = cJSON_AddArrayToObject(device, "pixels");
    if (info->normalises) cJSON_AddItemToArray(pixels, cli_json_text("u8"));
    cJSON_AddItemToArray(pixels, cli_json_text("f32"));
}

static cJSON *device_json(const char *spec, const trib_device_info *info, const char *reason)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "spec", cli_json_text(spec));
    cJSON_AddBoolToObject(json, "available", info != NULL);
    if (has_targets(spec)) add_targets(json);
    if (!info) {
        cJSON_AddItemToObject(json, "reason", cli_json_text(reason));
        return json;
    }
    cJSON_AddItemToObject(json, "name", cli_json_text(info->name));
    cJSON_AddNumberToObject(json, "cores", info->cores);
    if (info->host) add_limits(json);
    cJSON_AddItemToObject(json, "instructions", cli_json_text(info->instructions));
    cJSON_AddItemToObject(json, "library", cli_json_text(info->library));
    cJSON_AddNumberToObject(json, "memory_bytes", (double)info->memory_bytes);
    cJSON_AddBoolToObject(json, "capture", info->has_capture);
    add_abilities(json, info);
    return json;
}

/* Opens a device to ask for its properties. One that is listed as available but does not open is shown with the reason.
 */
static void show(const trib_device_listing *listing, cJSON *array)
{
    trib_device *device = NULL;
    trib_status status = trib_success();
    const char *reason = listing->description;
    if (listing->available) {
        status = trib_device_open(listing->spec, NULL, &device);
        if (trib_failed(&status)) reason = status.message;
    }
    const trib_device_info *info = device ? trib_device_get_info(device) : NULL;
    if (array)
        cJSON_AddItemToArray(array, device_json(listing->spec, info, reason));
    else if (info)
        print_device(info);
    else
        printf("%-10s not available: %s\n", listing->spec, reason);
    if (!array && has_targets(listing->spec)) print_targets();
    trib_device_close(device);
}

static int list_devices(bool json)
{
    trib_device_listing listings[MOST_DEVICES];
    int count = trib_device_list(listings, MOST_DEVICES);
    cJSON *array = json ? cJSON_CreateArray() : NULL;
    for (int i = 0; i < count && i < MOST_DEVICES; ++i) show(&listings[i], array);
    if (!json) return CLI_OK;
    trib_status status = cli_json_print(array);
    return trib_failed(&status) ? cli_report(&status) : CLI_OK;
}

static int run(const cli_command *self, int argc, char **argv)
{
    device_options options = { 0 };
    cli_group groups[] = { CLI_GROUP("Options", table, &options), CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON && arguments.count)
        code = cli_usage(self, "takes no argument, but got '%s'", arguments.items[0]);
    if (code == CLI_GO_ON) code = list_devices(options.json);
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_devices = {
    .name = "devices",
    .summary = "list what can compute on this machine, and with which libraries",
    .synopsis = "[--json]",
    .description =
        "Lists the devices this build supports: name, cores, instructions, library versions, memory, memory layouts "
        "(best first), precisions, and pixel formats (u8: the device normalises images itself). A device that cannot "
        "be used is listed with the reason.\n\n"
        "Under targets are the cards that 'plan --target' knows. Under limits are the CPUs and the memory that this "
        "process may use, and what limits each: the affinity mask, control groups (a fraction of a CPU counts as one), "
        "OMP_NUM_THREADS, ulimit. The lowest limit counts; --threads and --workers override OMP_NUM_THREADS.",
    .examples = "  $ tributary devices\n  $ tributary devices --json\n",
    .run = run,
};
