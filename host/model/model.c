/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "formats/text.h"
#include "formats/weights_file.h"
#include "model/caffe_files.h"
#include "model/guess.h"
#include "model/metadata.h"
#include "model/preprocess_size.h"
#include "train/checkpoint_load.h"
#include "train/run_model.h"
#include "tributary/internal/alloc.h"

struct trib_model {
    char *path;
    trib_weights_file *file; /* NULL for a random model */
    void *storage;           /* values of a random model */
    trib_network_spec net;
    const trib_dialect *dialect; /* of its tensors */
    trib_graph *graph;
    trib_tensor *parameters;
    trib_preprocess preprocess;
    const char *guess;   /* how preprocessing was guessed; NULL: it was not */
    bool mean_known;     /* of a guess: mean and std are none */
    const char **labels; /* one block; NULL if unknown */
    trib_text note;
    const char *provenance;
};

/* Allocates the path and everything else; the graph follows when `net` is known. */
static trib_status create(const char *path, trib_model **out)
{
    trib_model *model = trib_alloc_zeroed(1, sizeof *model);
    if (model) model->path = trib_strdup(path);
    if (!model || !model->path) {
        trib_model_destroy(model);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a model");
    }
    *out = model;
    return trib_success();
}

static trib_status build_graph(trib_model *model)
{
    model->net.height = model->preprocess.crop_height;
    model->net.width = model->preprocess.crop_width;
    TRIB_TRY(trib_network_graph(&model->net, &model->graph));
    int count = trib_graph_parameter_count(model->graph);
    model->parameters = trib_alloc_zeroed((size_t)count, sizeof *model->parameters);
    if (!model->parameters) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d parameters", count);
    return trib_success();
}

/* The dialect's preprocessing, at the network's own input size. */
static trib_status guess_preprocess(trib_model *model, const char **why)
{
    model->preprocess = trib_guess_preprocess(model->dialect, model->net.classes, why);
    return trib_preprocess_set_size(&model->preprocess, model->net.height, model->net.width);
}

/* NULL is fine. */
static trib_status add_note(trib_model *model, const char *note)
{
    if (note && model->note.size) trib_text_add(&model->note, "; ");
    trib_text_add(&model->note, note ? note : "");
    return model->note.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its notes") : trib_success();
}

static trib_status read_metadata(trib_model *model)
{
    const char *variant = trib_weights_metadata(model->file, "tributary.variant");
    const char *labels = trib_weights_metadata(model->file, "tributary.labels");
    const char *preprocessing = trib_weights_metadata(model->file, "tributary.preprocessing");
    if (variant) TRIB_TRY(trib_metadata_choose_network(variant, &model->net.network));
    if (labels) TRIB_TRY(trib_metadata_read_labels(labels, model->net.classes, &model->labels));
    if (preprocessing) {
        TRIB_TRY(trib_metadata_read_preprocessing(preprocessing, &model->preprocess));
        model->guess = model->file->assumed;
        model->mean_known = !model->file->mean_assumed;
    } else {
        TRIB_TRY(guess_preprocess(model, &model->guess));
    }
    model->provenance = trib_weights_metadata(model->file, "tributary.provenance");
    TRIB_TRY(add_note(model, trib_weights_metadata(model->file, "tributary.note")));
    return trib_preprocess_set_size(&model->preprocess, model->file->height, model->file->width);
}

/* Caffe's preprocessing with the prototxt's numbers, if it has them; the size of the input. */
static trib_status use_prototxt(trib_model *model, const trib_model_options *options, const trib_caffe_net *text)
{
    trib_caffe_images says;
    int height, width;
    trib_preprocess preprocess;
    TRIB_TRY(trib_caffe_preprocess(text, &preprocess, &says));
    if (says == TRIB_CAFFE_NEEDS_MEAN_FILE && !options->mean_file)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "the mean of a file is subtracted from its images; name that file with --mean-file");
    if (says != TRIB_CAFFE_SAYS_NOTHING) model->preprocess = preprocess;
    if (says != TRIB_CAFFE_SAYS_NOTHING) model->guess = NULL;
    trib_caffe_size(text, &height, &width);
    return trib_preprocess_set_size(&model->preprocess, height, width);
}

/* A file that needs the mean says the rest itself. */
static void use_mean(trib_model *model, const float mean[3])
{
    memcpy(model->preprocess.mean, mean, sizeof model->preprocess.mean);
    if (model->guess && !model->file->mean_assumed)
        model->guess = "all but the mean, as for BVLC's own weights: squashed, BGR 0..255, not scaled";
    else
        model->guess = NULL;
    model->mean_known = true;
}

static trib_status use_mean_file(trib_model *model, const char *path)
{
    float mean[3];
    bool even;
    TRIB_TRY(trib_mean_image_read(path, mean, &even));
    if (model->guess && !model->mean_known && !(model->preprocess.bgr && model->preprocess.scale == 1)) {
        const trib_preprocess own = model->preprocess;
        model->preprocess = trib_preprocess_caffe();
        TRIB_TRY(trib_preprocess_set_size(&model->preprocess, own.crop_height, own.crop_width));
    }
    if (!model->preprocess.bgr || model->preprocess.scale != 1)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%s: is for images in BGR, 0 to 255, and the model says that its own are not",
                          trib_shorten(path).text);
    use_mean(model, mean);
    return even ? trib_success()
                : add_note(model, "the mean of each channel of the mean image is subtracted, an approximation: Caffe "
                                  "subtracts its pixels");
}

static trib_status use_caffe_files(trib_model *model, const trib_model_options *options, const trib_caffe_net *text)
{
    if (options->prototxt) TRIB_TRY(trib_with_name(use_prototxt(model, options, text), options->prototxt));
    return options->mean_file ? use_mean_file(model, options->mean_file) : trib_success();
}

/* Names and shapes suffice: another network is refused before its data is read. */
static trib_status understand(trib_model *model, const trib_model_options *options, const trib_caffe_net *text)
{
    TRIB_TRY(trib_network_detect(model->file->tensors, model->file->count, &model->net, &model->dialect));
    TRIB_TRY(read_metadata(model));
    TRIB_TRY(use_caffe_files(model, options, text));
    TRIB_TRY(trib_preprocess_set_size(&model->preprocess, options->height, options->width));
    model->net.aux = model->net.aux && options->aux;
    TRIB_TRY(build_graph(model));
    return options->prototxt ? trib_with_name(trib_caffe_check(text, model->graph), options->prototxt) : trib_success();
}

static trib_status understand_with_text(trib_model *model, const trib_model_options *options)
{
    trib_caffe_net text = { 0 };
    trib_status s = trib_success();
    if (options->prototxt) s = trib_prototxt_read(options->prototxt, &text);
    if (!trib_failed(&s)) s = understand(model, options, &text);
    trib_caffe_release(&text);
    return s;
}

static bool is_wanted(const void *model, const trib_tensor *tensor)
{
    const trib_model *m = model;
    return trib_network_uses(&m->net, m->dialect, tensor->name);
}

/* Errors of opening and loading already name the file. */
static trib_status load(trib_model *model, const trib_model_options *options)
{
    TRIB_TRY(trib_weights_open(model->path, &model->file));
    TRIB_TRY(trib_with_name(understand_with_text(model, options), model->path));
    TRIB_TRY(trib_checkpoint_load(model->file, model->path, is_wanted, model));
    return trib_with_name(trib_network_bind(&model->net, model->graph, model->dialect, model->file->tensors,
                                            model->file->count, model->parameters),
                          model->path);
}

trib_status trib_model_load(const char *path, const trib_model_options *options, trib_model **out)
{
    const trib_model_options defaults = { 0 };
    if (!path || !out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_model_load: an argument is NULL");
    trib_model *model = NULL;
    char *in_run = NULL;
    TRIB_TRY(trib_run_model_file(path, &in_run));
    trib_status s = create(in_run ? in_run : path, &model);
    trib_free(in_run);
    if (trib_failed(&s)) return s;
    s = load(model, options ? options : &defaults);
    if (trib_failed(&s))
        trib_model_destroy(model);
    else
        *out = model;
    return s;
}

trib_status trib_model_random(const trib_network_spec *net, uint64_t seed, trib_model **out)
{
    if (!net || !out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_model_random: an argument is NULL");
    char path[64];
    snprintf(path, sizeof path, "random:%s:%" PRIu64, net->network ? trib_network_name(net->network) : "none", seed);
    trib_model *model = NULL;
    trib_status s;
    TRIB_TRY(create(path, &model));
    TRIB_TRY_GOTO(s, fail, trib_network_resolve(net, &model->net));
    model->dialect = trib_network_dialect(net->network);
    TRIB_TRY_GOTO(s, fail, guess_preprocess(model, NULL));
    TRIB_TRY_GOTO(s, fail, build_graph(model));
    TRIB_TRY_GOTO(s, fail,
                  trib_parameters_random(model->graph, model->dialect, seed, model->parameters, &model->storage));
    *out = model;
    return s;
fail:
    trib_model_destroy(model);
    return trib_with_name(s, path);
}

void trib_model_destroy(trib_model *model)
{
    if (!model) return;
    trib_free(model->labels);
    trib_text_free(&model->note);
    trib_free(model->parameters);
    trib_graph_destroy(model->graph);
    if (model->storage) trib_parameters_free(model->storage);
    trib_weights_close(model->file);
    trib_free(model->path);
    trib_free(model);
}

const char *trib_model_path(const trib_model *model) { return model->path; }
const trib_network_spec *trib_model_network(const trib_model *model) { return &model->net; }
const trib_graph *trib_model_graph(const trib_model *model) { return model->graph; }
const trib_tensor *trib_model_parameters(const trib_model *model) { return model->parameters; }
const trib_dialect *trib_model_dialect(const trib_model *model) { return model->dialect; }
const trib_preprocess *trib_model_preprocess(const trib_model *model) { return &model->preprocess; }
const char *trib_model_preprocess_guess(const trib_model *model) { return model->guess; }
bool trib_model_mean_is_known(const trib_model *model) { return model->mean_known; }
const char *trib_model_note(const trib_model *model) { return model->note.size ? model->note.bytes : NULL; }
const char *trib_model_provenance(const trib_model *model) { return model->provenance; }

int trib_model_unused_tensors(const trib_model *model)
{
    return model->file ? model->file->count - trib_graph_parameter_count(model->graph) : 0;
}

const char *trib_model_label(const trib_model *model, int klass)
{
    return model->labels && klass >= 0 && klass < model->net.classes ? model->labels[klass] : NULL;
}

void trib_model_release_parameters(trib_model *model)
{
    for (int i = 0; i < trib_graph_parameter_count(model->graph); ++i) model->parameters[i].data = NULL;
    if (model->file) trib_weights_release_data(model->file);
    if (model->storage) trib_parameters_free(model->storage);
    model->storage = NULL;
}
