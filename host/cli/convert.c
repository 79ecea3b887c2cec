/* SPDX-License-Identifier: Apache-2.0
 * tributary convert: a model in another format. (Boxes: convert_boxes.c.) */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "convert_boxes.h"
#include "files.h"
#include "output.h"
#include "settings.h"
#include "tributary/internal/alloc.h"

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
                 { ".pt", TRIB_MODEL_PYTORCH },
                 { ".onnx", TRIB_MODEL_ONNX },
                 { ".caffemodel", TRIB_MODEL_CAFFE } };
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; ++i) {
        const size_t tail = strlen(ends[i].end);
        if (length <= tail || strcasecmp(path + length - tail, ends[i].end)) continue;
        *out = ends[i].format;
        return true;
    }
    return false;
}

/* What the format is called, if it has no place for labels; else NULL. */
static const char *without_labels(trib_model_format format)
{
    return format == TRIB_MODEL_PYTORCH ? "PyTorch file" : format == TRIB_MODEL_CAFFE ? "Caffe model" : NULL;
}

/* The text that belongs to OUT.caffemodel: OUT.prototxt. NULL when out of memory; release it with trib_free. */
static char *text_beside(const char *model)
{
    static const char end[] = ".prototxt";
    const size_t stem = strlen(model) - strlen(".caffemodel");
    char *path = trib_alloc(stem + sizeof end);
    if (!path) return NULL;
    memcpy(path, model, stem);
    memcpy(path + stem, end, sizeof end);
    return path;
}

static void say_what_is_lost(const trib_model *model, const convert_options *own, trib_model_format format)
{
    const char *labels = own->labels || trib_model_label(model, 0) ? "labels, " : "";
    const int unused = trib_model_unused_tensors(model);
    if (unused > 0)
        cli_message("%d tensor%s that only training uses (counters of batch norms, its state) %s left out", unused,
                    unused == 1 ? "" : "s", unused == 1 ? "is" : "are");
    if (format == TRIB_MODEL_PYTORCH)
        cli_message("a PyTorch file holds a state_dict and nothing else: %spreprocessing and provenance are left out",
                    labels);
    if (format == TRIB_MODEL_CAFFE)
        cli_message(
            "a Caffe model says of images only scale and mean, and those only for BGR from 0 to 255: %sresizing "
            "and provenance are left out",
            labels);
    if (format == TRIB_MODEL_ONNX && trib_model_network(model)->aux)
        cli_message("auxiliary classifiers, which only training needs, are left out");
}

/* Tensors of the file: ONNX has none of auxiliary classifiers. */
static int count_tensors(const trib_model *model, bool aux)
{
    char name[128];
    const trib_graph *graph = trib_model_graph(model);
    trib_network_spec net = *trib_model_network(model);
    int count = 0;
    net.aux = net.aux && aux;
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i)
        count += trib_network_uses(&net, trib_model_dialect(model),
                                   trib_parameter_file_name(graph, trib_model_dialect(model), i, name));
    return count;
}

static void say_what_is_written(const trib_model *model, const char *path, const trib_model_save_options *options)
{
    const trib_network_spec *net = trib_model_network(model);
    const bool aux = net->aux && options->format != TRIB_MODEL_ONNX;
    cli_message("wrote %s: %s, %d classes%s, %d tensors", path, trib_network_name(net->network), net->classes,
                aux ? ", auxiliary classifiers" : "", count_tensors(model, aux));
    if (options->prototxt) cli_message("wrote %s: the same network as text", options->prototxt);
}

/* Where a model goes. */
typedef struct target {
    const char *path;
    trib_model_format format;
    char *prototxt; /* NULL: none is written */
} target;

static trib_status check_outputs(const target *to, bool overwrite)
{
    const cli_output_mode mode = overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW;
    TRIB_TRY(cli_output_check(to->path, mode));
    return to->prototxt ? cli_output_check(to->prototxt, mode) : trib_success();
}

static trib_status convert(const cli_settings *settings, const convert_options *own, const char *from, const target *to)
{
    trib_model *model = NULL;
    trib_preprocess preprocess;
    const trib_dtype dtypes[] = { TRIB_F32, TRIB_F16, TRIB_BF16 };
    trib_model_save_options options = { .format = to->format, .labels = own->labels, .prototxt = to->prototxt };
    TRIB_TRY(check_outputs(to, own->overwrite));
    TRIB_TRY(cli_load_model(settings, from, &model, &preprocess));
    if (to->format == TRIB_MODEL_SAFETENSORS || to->format == TRIB_MODEL_ONNX) cli_say_guess(settings, model);
    if (own->dtype != CLI_NOT_GIVEN) options.dtype = &dtypes[own->dtype];
    char given[CLI_PREPROCESS_OPTIONS_TEXT];
    if (*cli_preprocess_options(settings, given)) options.preprocess = &preprocess;
    trib_status status = trib_model_save(model, to->path, &options);
    if (!trib_failed(&status)) {
        say_what_is_lost(model, own, to->format);
        say_what_is_written(model, to->path, &options);
    }
    trib_model_destroy(model);
    return status;
}

static int check_usage(const cli_command *self, const convert_options *own, target *to)
{
    if (!format_of(to->path, &to->format))
        return cli_usage(self,
                         "%s: the end of its name says the format to write: .safetensors, .pth of PyTorch, .onnx, or "
                         ".caffemodel",
                         to->path);
    if (own->labels && without_labels(to->format))
        return cli_usage(self, "--labels: a %s has no place for labels; write .safetensors or .onnx",
                         without_labels(to->format));
    if (to->format == TRIB_MODEL_CAFFE && own->dtype > 0)
        return cli_usage(self, "--dtype: a Caffe model holds f32 only; write .safetensors, .pth or .onnx");
    return CLI_GO_ON;
}

static trib_status check_files(const cli_group *groups, const cli_settings *settings, const cli_texts *arguments,
                               target *to)
{
    cli_files files = cli_files_of(groups, settings, arguments);
    files.prints = false;
    cli_files_add(&files.writes, "OUT", to->path);
    if (to->format == TRIB_MODEL_CAFFE) {
        to->prototxt = text_beside(to->path);
        if (!to->prototxt) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a file");
        cli_files_add(&files.writes, "OUT's text", to->prototxt);
    }
    return cli_files_check(&files);
}

static int convert_model(const cli_command *self, const convert_options *own, const cli_group *groups,
                         const cli_settings *settings, const cli_texts *arguments)
{
    target to = { 0 };
    int code = cli_expect(self, settings, arguments, 1, 1, "output file");
    if (code != CLI_GO_ON) return code;
    to.path = arguments->items[1];
    code = check_usage(self, own, &to);
    if (code != CLI_GO_ON) return code;
    trib_status status = check_files(groups, settings, arguments, &to);
    if (!trib_failed(&status)) status = convert(settings, own, arguments->items[0], &to);
    trib_free(to.prototxt);
    return trib_failed(&status) ? cli_report(&status) : CLI_OK;
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    convert_options own = { .dtype = CLI_NOT_GIVEN };
    cli_convert_boxes_options boxes = { .format = CLI_NOT_GIVEN };
    cli_group groups[] = { CLI_GROUP("Options", table, &own), cli_convert_boxes_group(&boxes),
                           cli_truth_group(&boxes.files),     cli_preprocess_group(&settings),
                           cli_caffe_group(&settings),        CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    settings.aux = true;
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_convert_boxes_check(self, &boxes, &arguments);
    if (code == CLI_GO_ON && boxes.truth && (own.labels || own.dtype != CLI_NOT_GIVEN))
        code = cli_usage(self, "--%s is for models, not for --boxes", own.labels ? "labels" : "dtype");
    if (code == CLI_GO_ON)
        code = boxes.truth ? cli_convert_boxes(&boxes, own.overwrite, groups, &settings, &arguments)
                           : convert_model(self, &own, groups, &settings, &arguments);
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_convert = {
    .name = "convert",
    .summary = "write a model as safetensors, PyTorch, ONNX or Caffe, or boxes as COCO, VOC, ILSVRC or YOLO",
    .synopsis = "MODEL OUT.safetensors|.pth|.onnx|.caffemodel [--dtype TYPE] [--labels FILE]\n"
                "       tributary convert --boxes TRUTH [DETECTIONS] OUT [--format coco|voc|ilsvrc|yolo]",
    .description =
        "Reads a model of any format (info shows what is found in it) and writes it as safetensors, with network, "
        "labels, preprocessing and provenance; as a state_dict that torch.load(OUT, weights_only=True) reads; as an "
        "ONNX model of opset 17 from image to logits, with the same metadata as safetensors; or, for bvlc, as a Caffe "
        "model with its OUT.prototxt beside it. Tensors keep their names (in a Caffe model they have Caffe's). "
        "Preprocessing is the model's, or what "
        "options "
        "say; a guess is written down, and the provenance says that it is one. The same model and options give the "
        "same bytes.\n\n"
        "ONNX keeps batch norms as nodes; f16 and bf16 are cast to f32 where they are used. Caffe has f32 only.\n\n"
        "With --boxes, the boxes of TRUTH, or DETECTIONS of them, are written as a JSON file of COCO's, a folder of "
        "VOC's "
        "or ILSVRC's XML (ILSVRC's with map_det.txt and list.txt, the numbers of classes and images in results) or of "
        "YOLO's text (with classes.txt), or as results: COCO's JSON, ILSVRC's text, folders of "
        "VOC's files per class and of YOLO's per image. Images and their sizes are those of TRUTH.",
    .examples = "  $ tributary convert googlenet.pth googlenet.safetensors --labels imagenet-classes.txt\n"
                "  $ tributary convert bvlc_googlenet.caffemodel bvlc.safetensors --mean-file mean.binaryproto\n"
                "  $ tributary convert run googlenet.pth --dtype f16\n"
                "  $ tributary convert googlenet.pth googlenet.onnx\n"
                "  $ tributary convert bvlc.safetensors bvlc.caffemodel\n"
                "  $ tributary convert --boxes VOC2007/Annotations voc2007.json\n"
                "  $ tributary convert --boxes truth.json labels/ --format yolo\n"
                "  $ tributary convert --boxes truth.json found.csv found.json\n",
    .run = run,
};
