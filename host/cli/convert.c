/* SPDX-License-Identifier: Apache-2.0
 * tributary convert: a model in another format. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "files.h"
#include "output.h"
#include "settings.h"

typedef struct convert_options {
    const char *labels;
    int dtype;
    bool overwrite;
} convert_options;

#define AT(field) offsetof(convert_options, field)
static const cli_option table[] = {
    { 0, "dtype", CLI_CHOICE, AT(dtype), "f32|f16|bf16",
      "type of the elements, rounded to nearest; default: as they are (float64 in the file: f32)", 0, 0 },
    { 0, "labels", CLI_FILE_IN, AT(labels), "FILE", "names of the classes, one per line, class 0 first", 0, 0 },
    CLI_OVERWRITE_OPTION(AT(overwrite)),
};

/* By the end of the name: what is written has no content yet that could tell. */
static bool format_of(const char *path, trib_model_format *out)
{
    static const struct {
        const char *end;
        trib_model_format format;
    } ends[] = { { ".safetensors", TRIB_MODEL_SAFETENSORS },
                 { ".pth", TRIB_MODEL_PYTORCH },
                 { ".pt", TRIB_MODEL_PYTORCH } };
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; ++i) {
        const size_t tail = strlen(ends[i].end);
        if (length <= tail || strcasecmp(path + length - tail, ends[i].end)) continue;
        *out = ends[i].format;
        return true;
    }
    return false;
}

static void say_what_is_lost(const trib_model *model, const convert_options *own)
{
    const bool labels = own->labels || trib_model_label(model, 0);
    cli_message("a PyTorch file holds a state_dict and nothing else: %spreprocessing and provenance are left out",
                labels ? "labels, " : "");
}

static void say_what_is_written(const trib_model *model, const char *path)
{
    const trib_network_spec *net = trib_model_network(model);
    cli_message("wrote %s: %s, %d classes%s, %d tensors", path, trib_network_name(net->network), net->classes,
                net->aux ? ", auxiliary classifiers" : "", trib_graph_parameter_count(trib_model_graph(model)));
}

static trib_status convert(const cli_settings *settings, const convert_options *own, const char *from, const char *to,
                           trib_model_format format)
{
    trib_model *model = NULL;
    trib_preprocess preprocess;
    const trib_dtype dtypes[] = { TRIB_F32, TRIB_F16, TRIB_BF16 };
    trib_model_save_options options = { .format = format, .labels = own->labels };
    TRIB_TRY(cli_output_check(to, own->overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW));
    TRIB_TRY(cli_load_model(settings, from, &model, &preprocess));
    if (format == TRIB_MODEL_SAFETENSORS) cli_say_guess(settings, model);
    if (own->dtype != CLI_NOT_GIVEN) options.dtype = &dtypes[own->dtype];
    char given[CLI_PREPROCESS_OPTIONS_TEXT];
    if (*cli_preprocess_options(settings, given)) options.preprocess = &preprocess;
    if (format == TRIB_MODEL_PYTORCH) say_what_is_lost(model, own);
    trib_status status = trib_model_save(model, to, &options);
    if (!trib_failed(&status)) say_what_is_written(model, to);
    trib_model_destroy(model);
    return status;
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    convert_options own = { .dtype = CLI_NOT_GIVEN };
    cli_group groups[] = { CLI_GROUP("Options", table, &own), cli_preprocess_group(&settings),
                           cli_caffe_group(&settings), CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    trib_model_format format = TRIB_MODEL_SAFETENSORS;
    settings.aux = true;
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 1, 1, "output file");
    if (code == CLI_GO_ON && !format_of(arguments.items[1], &format))
        code = cli_usage(self, "%s: the end of its name says the format to write: .safetensors, or .pth of PyTorch",
                         arguments.items[1]);
    if (code == CLI_GO_ON && own.labels && format == TRIB_MODEL_PYTORCH)
        code = cli_usage(self, "--labels: a PyTorch file has no place for labels; write .safetensors");
    if (code == CLI_GO_ON) {
        cli_files files = cli_files_of(groups, &settings, &arguments);
        files.prints = false;
        cli_files_add(&files.writes, "OUT", arguments.items[1]);
        trib_status status = cli_files_check(&files);
        if (!trib_failed(&status)) status = convert(&settings, &own, arguments.items[0], arguments.items[1], format);
        code = trib_failed(&status) ? cli_report(&status) : CLI_OK;
    }
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_convert = {
    .name = "convert",
    .summary = "write a model in another format: safetensors or PyTorch",
    .synopsis = "MODEL OUT.safetensors|OUT.pth [--dtype TYPE] [--labels FILE]",
    .description =
        "Reads a model of any format (info shows what is found in it) and writes it as safetensors, with network, "
        "labels, preprocessing and provenance, or as a state_dict that torch.load(OUT, weights_only=True) reads. "
        "Tensors "
        "keep their names. Preprocessing is the model's, or what options say; a guess is written down, and the "
        "provenance says that it is one. The same model and options give the same bytes.",
    .examples = "  $ tributary convert googlenet.pth googlenet.safetensors --labels imagenet-classes.txt\n"
                "  $ tributary convert bvlc_googlenet.caffemodel bvlc.safetensors --mean-file mean.binaryproto\n"
                "  $ tributary convert run googlenet.pth --dtype f16\n",
    .run = run,
};
