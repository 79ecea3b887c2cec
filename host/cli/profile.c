/* SPDX-License-Identifier: Apache-2.0
 * tributary profile: how far the branches of each module overlap, what bounds them, and which schedule is fastest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "files.h"
#include "output.h"
#include "profile_files.h"
#include "profile_json.h"
#include "profile_nsys.h"
#include "profile_print.h"
#include "tributary/internal/alloc.h"

typedef struct profile_options {
    int batch, iterations, warmup;
    cli_schedule_list schedules;
    bool train, details, overwrite;
    double aux_weight;
    const char *module, *json, *trace, *html, *nsys, *range;
} profile_options;
#define AT(field) offsetof(profile_options, field)
static const cli_option table[] = {
    { 'b', "batch-size", CLI_INT, AT(batch), "N", "images per batch; default 1", 1, 65536 },
    { 0, "schedule", CLI_SCHEDULE_LIST, AT(schedules), "SCHEDULE,...",
      "schedules to compare with serial; FORK=SCHEDULE changes the one before it for a module: "
      "branches,fused,inception_3a=serial are two. With auto, all run on the lanes that 'tributary tune' chose for it. "
      "Default: branches, and fused where its ops are others (plan --help "
      "describes them)",
      0, 0 },
    { 0, "iterations", CLI_INT, AT(iterations), "N", "measure N batches with each schedule; default 20", 1, 100000 },
    { 0, "warmup", CLI_INT, AT(warmup), "W", "batches with each schedule before that; default 3", 0, 100000 },
    { 0, "train", CLI_FLAG, AT(train), NULL, "profile a step of training on random images, forward and backward", 0,
      0 },
    { 0, "aux-weight", CLI_AMOUNT, AT(aux_weight), "W", "with --train: " CLI_AUX_WEIGHT_HELP, 0, 1000 },
    { 0, "module", CLI_TEXT, AT(module), "NAME",
      "also show what each stream did in this module, its critical path, and why streams were idle", 0, 0 },
    { 0, "details", CLI_FLAG, AT(details), NULL, "the same for all modules", 0, 0 },
    { 0, "json", CLI_FILE_OUT, AT(json), "FILE|-",
      "write all numbers and the run in the middle to FILE as JSON; - prints JSON in place of the text", 0, 0 },
    { 0, "trace", CLI_FILE_OUT, AT(trace), "FILE",
      "write the run in the middle of each schedule to FILE, for ui.perfetto.dev", 0, 0 },
    { 0, "html", CLI_FILE_OUT, AT(html), "FILE", "write a page to FILE that shows all of it, in any browser", 0, 0 },
    { 0, "nsys", CLI_FILE_IN, AT(nsys), "FILE",
      "instead, read a report of Nsight Systems, of this or any other program: an export (nsys export -t sqlite), or a "
      ".nsys-rep where nsys is on PATH",
      0, 0 },
    { 0, "range", CLI_TEXT, AT(range), "NAME", "with --nsys: only NVTX ranges of that name", 0, 0 },
    CLI_OVERWRITE_OPTION(AT(overwrite)),
};

typedef struct profile {
    const profile_options *options;
    const cli_settings *settings;
    cli_files files;
    trib_device *device;
    trib_model *model;
    cli_profile_results results;
    cli_profile_texts texts;
    cli_profile_heading heading;
    bool text;
} profile;

/* ---- what to measure ---- */

static bool is_serial(const cli_schedules *s) { return !s->automatic && s->all == TRIB_SERIAL && s->names.count == 0; }

/* Serial first, then the others as given; *count may be one less than the room in `list`. */
static void list_schedules(const cli_schedule_list *given, cli_schedules *list, int *count)
{
    static const cli_schedules usual[] = { { .all = TRIB_BRANCHES }, { .all = TRIB_FUSED } };
    const cli_schedules *items = given->count ? given->items : usual;
    int items_count = given->count ? given->count : (int)(sizeof usual / sizeof *usual);
    *count = 1;
    list[0] = (cli_schedules) { .all = TRIB_SERIAL };
    for (int i = 0; i < items_count; ++i)
        if (!is_serial(&items[i])) list[(*count)++] = items[i];
}

static trib_status measure(profile *p)
{
    const profile_options *o = p->options;
    int room = o->schedules.count + 3;
    cli_schedules *list = trib_alloc_zeroed((size_t)room, sizeof *list);
    if (!list) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d schedules", room);
    cli_profile_request request = { .settings = p->settings,
                                    .device = p->device,
                                    .model = p->model,
                                    .schedules = list,
                                    .leave_out_equals = o->schedules.count == 0,
                                    .batch = o->batch,
                                    .iterations = o->iterations,
                                    .warmup = o->warmup,
                                    .train = o->train,
                                    .aux_weight = o->aux_weight };
    list_schedules(&o->schedules, list, &request.schedule_count);
    trib_status status = cli_profile_measure(&request, &p->results);
    if (!trib_failed(&status)) status = cli_profile_texts_make(p->device, &p->results, &p->texts);
    trib_free(list);
    return status;
}

/* Before anything is measured. */
static trib_status check_module(const profile *p)
{
    const trib_graph *graph = trib_model_graph(p->model);
    const char *name = p->options->module;
    if (!name) return trib_success();
    cli_suggestion near = cli_suggestion_begin(name);
    for (int i = 0; i < trib_graph_fork_count(graph); ++i) {
        const char *fork = trib_graph_fork(graph, i)->name;
        if (strcmp(fork, name) == 0) return trib_success();
        cli_suggestion_offer(&near, fork);
    }
    return TRIB_ERROR(TRIB_NOT_FOUND, "--module: the network has no module '%s'%s%s%s", name,
                      near.best ? "; did you mean '" : "", near.best ? near.best : "", near.best ? "'?" : "");
}

/* ---- results ---- */

static void print_details(const profile *p, FILE *out)
{
    const cli_profiled *serial = p->results.schedules;
    if (p->options->details) cli_profile_print_details(&p->results, -1, out);
    if (p->options->details || !p->options->module) return;
    for (int w = 0; w < serial->medians.window_count; ++w) {
        const trib_profile_part *part = cli_profiled_part(serial, w);
        if (part->kind != TRIB_PROFILE_TRUNK && strcmp(part->name, p->options->module) == 0)
            cli_profile_print_details(&p->results, w, out);
    }
}

/* Into memory first, so that a failure of standard output is reported as everywhere else. */
static trib_status print_text(const profile *p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the text of a profile");
    cli_profile_print(&p->heading, &p->results, &p->texts, out);
    print_details(p, out);
    trib_status status = fclose(out) == 0 ? cli_write_stdout(text, size)
                                          : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the text of a profile");
    free(text); /* the C library's */
    return status;
}

static trib_status write_json(const profile *p, cli_output *file)
{
    cli_buffer buffer = { 0 };
    cli_profile_json(&p->heading, &p->results, &p->texts, &buffer);
    trib_status status = cli_output_write(file, &buffer);
    cli_buffer_release(&buffer);
    return trib_failed(&status) ? status : cli_output_close(file);
}

static trib_status write_results(profile *p, cli_output *json)
{
    const profile_options *o = p->options;
    p->heading = (cli_profile_heading) { trib_model_path(p->model), trib_device_get_info(p->device), p->settings,
                                         o->batch, o->train };
    if (p->text) TRIB_TRY(print_text(p));
    if (o->json) TRIB_TRY(write_json(p, json));
    if (o->trace) TRIB_TRY(cli_profile_write_trace(&p->results, o->trace));
    return o->html ? cli_profile_write_html(&p->heading, &p->results, &p->texts, o->html) : trib_success();
}

/* ---- the command ---- */

/* A trace and a page are made beside the file and then take its place: what is impossible is said before the runs. */
static trib_status check_picture(const char *path, cli_output_mode mode)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    char *folder = NULL;
    struct stat info;
    if (!path) return trib_success();
    TRIB_TRY(cli_output_check(path, mode));
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: is %s, not a file that could be replaced; name another one", path,
                          trib_kind_of_file(info.st_mode));
    if (slash && (folder = trib_strdup(path)) == NULL)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for its name", path);
    if (folder) folder[slash - path + 1] = '\0';
    int error = access(folder ? folder : ".", W_OK | X_OK) == 0 ? 0 : errno;
    trib_free(folder);
    if (!error) return trib_success();
    return TRIB_VENDOR_ERROR(TRIB_IO_ERROR, error, "access", "%s: cannot write into its folder: %s", path,
                             strerror(error));
}

static trib_status check_outputs(profile *p, cli_output *json)
{
    const profile_options *o = p->options;
    cli_output_mode mode = o->overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW;
    p->text = !o->json || strcmp(o->json, "-") != 0;
    TRIB_TRY(cli_files_check(&p->files));
    TRIB_TRY(check_picture(o->trace, mode));
    TRIB_TRY(check_picture(o->html, mode));
    return o->json ? cli_output_open(p->text ? o->json : NULL, mode, json) : trib_success();
}

static trib_status profile_model(profile *p, const char *model, cli_output *json)
{
    trib_preprocess preprocess;
    TRIB_TRY(check_outputs(p, json));
    TRIB_TRY(cli_open_device(p->settings, &p->device));
    TRIB_TRY(cli_load_model(p->settings, model, &p->model, &preprocess));
    TRIB_TRY(check_module(p));
    cli_catch_signals(); /* not while loading waits for the writer of a pipe */
    TRIB_TRY(measure(p));
    return write_results(p, json);
}

/* --schedule is a list here. */
static cli_group compute_group(cli_settings *settings)
{
    enum { MOST = 32 };
    static cli_option rest[MOST];
    cli_group all = cli_compute_group(settings), group = { all.title, rest, 0, settings };
    for (int i = 0; i < all.count && group.count < MOST; ++i)
        if (strcmp(all.options[i].name, "schedule") != 0) rest[group.count++] = all.options[i];
    return group;
}

static trib_status read_report(const profile *p)
{
    TRIB_TRY(cli_files_check(&p->files));
    return cli_profile_nsys(p->options->nsys, p->options->range);
}

static int check_usage(const cli_command *self, const cli_settings *settings, const profile_options *own,
                       const cli_texts *arguments)
{
    if (own->nsys && (arguments->count || settings->arch || own->train || own->json || own->trace || own->html))
        return cli_usage(self, "--nsys reads a report and runs nothing: leave out MODEL and all but --range");
    if (own->nsys) return CLI_GO_ON;
    int code = cli_expect(self, settings, arguments, 0, 0, NULL);
    if (code != CLI_GO_ON) return code;
    if (own->range) return cli_usage(self, "--range is for reports of Nsight Systems: add --nsys FILE");
    if (settings->fast && !own->train) return cli_usage(self, "--fast is for training: add --train");
    if ((own->trace && !strcmp(own->trace, "-")) || (own->html && !strcmp(own->html, "-")))
        return cli_usage(self, "--trace and --html take the name of a file; only --json - prints");
    if (own->details && own->module) return cli_usage(self, "--details shows all modules: leave out --module");
    return CLI_GO_ON;
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    profile_options own = { .batch = 1, .iterations = 20, .warmup = 3, .aux_weight = CLI_AUX_WEIGHT };
    cli_group groups[] = { CLI_GROUP("Options", table, &own), compute_group(&settings),    cli_order_group(&settings),
                           cli_size_group(&settings),         cli_random_group(&settings), CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = check_usage(self, &settings, &own, &arguments);
    if (code == CLI_GO_ON) {
        if (own.train) cli_training_settings(&settings, own.aux_weight);
        profile p = { .options = &own, .settings = &settings, .files = cli_files_of(groups, &settings, &arguments) };
        cli_output json = { .fd = -1 };
        trib_status status =
            own.nsys ? read_report(&p) : profile_model(&p, !settings.arch ? arguments.items[0] : NULL, &json);
        code = trib_failed(&status) ? cli_report(&status) : CLI_OK;
        cli_output_close(&json);
        cli_profile_texts_release(&p.texts);
        cli_profile_results_release(&p.results);
        trib_model_destroy(p.model);
        trib_device_close(p.device);
    }
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_profile = {
    .name = "profile",
    .summary = "show how far the branches overlap, what bounds them, and which schedule is fastest",
    .synopsis =
        "MODEL|--arch ARCH [-b N] [--train] [--module NAME|--details] [--json FILE] [--trace FILE] [--html FILE]\n"
        "       tributary profile --nsys REPORT [--range NAME]",
    .description =
        "Runs the network with each schedule in turn, times every op on its stream, and compares with serial. Per "
        "module: "
        "the time, how many times as fast as serial that is (gain), and four factors whose product the gain is in each "
        "iteration. Alone: "
        "how many times as fast as serial the same ops are one after another, without gaps; below 1 where they have "
        "fewer cores than in serial. Stretch: how long ops take alone, over how long they take here; below 1, they "
        "slow "
        "each other down. Concurrency: streams that are busy on average, while any is. Busy: the share of time in "
        "which "
        "any is.\n\n"
        "At most: the gain that is possible, and what limits it: the critical path (the longest chain of ops, each as "
        "fast as alone), the work per stream, the device filled (ops already use all of it), or the roofline (memory "
        "and arithmetic at the measured rates). Overlap is the share of busy time in which two or more streams are.\n\n"
        "A sentence per module says what is so and why. Tables show medians, each of its own column, so that they do "
        "not multiply to the gain; why streams are idle and the details are those of a real run, the one in the "
        "middle. If the times contradict the plan, that is reported instead of numbers.",
    .examples = "  $ tributary profile model.safetensors\n"
                "  $ tributary profile --arch googlenet -b 8 --module inception_4a\n"
                "  $ tributary profile --arch bvlc --schedule branches,fused --json profile.json --trace trace.json\n"
                "  $ tributary profile model.safetensors --device cuda --precision bf16 --launch graph -b 64\n"
                "  $ tributary profile --arch torchvision --train -b 16 --html report.html\n"
                "  $ tributary profile --nsys report.sqlite\n",
    .run = run,
};
