/* SPDX-License-Identifier: Apache-2.0
 * The data of a training run, and the network with its initial values. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "data/training_set.h"
#include "formats/json.h"
#include "model/guess.h"
#include "model/preprocess_size.h"
#include "train/class_names.h"
#include "train/train_private.h"
#include "tributary/internal/alloc.h"

/* ---- data ---- */

static trib_status open_set(trib_train *t, const char *const *names, int count)
{
    trib_training_set_options options = t->o.data;
    options.class_names = names;
    options.class_count = count;
    options.unlabelled = t->o.boxes != NULL;
    trib_training_set_close(t->set);
    t->set = NULL;
    return trib_training_set_open(t->o.inputs, t->o.input_count, &options, &t->set);
}

static trib_status open_first(trib_train *t)
{
    trib_names *names = &t->class_names;
    if (t->o.class_names) TRIB_TRY(trib_train_read_class_names(t->o.class_names, names));
    return open_set(t, t->o.class_names ? (const char *const *)names->items : NULL, (int)names->count);
}

static bool init_has_label(const trib_train *t, const char *name)
{
    for (int i = 0; trib_model_label(t->init, i); ++i)
        if (strcmp(trib_model_label(t->init, i), name) == 0) return true;
    return false;
}

/* The data's classes are those of the model to begin with, so that its classifiers can be kept. Names from a file keep
 * their order: labels of IDX files count in it. */
static bool same_classes(const trib_train *t)
{
    const char *const *names = trib_training_set_class_names(t->set);
    int classes = trib_training_set_classes(t->set);
    if (t->o.class_names || classes != trib_model_network(t->init)->classes || !trib_model_label(t->init, 0))
        return false;
    for (int i = 0; names && i < classes; ++i)
        if (!init_has_label(t, names[i])) return false;
    return true;
}

/* The classes are then in the order of the model's. */
static trib_status take_labels(trib_train *t)
{
    int classes = trib_model_network(t->init)->classes;
    t->init_labels = trib_alloc_zeroed((size_t)classes, sizeof *t->init_labels);
    if (!t->init_labels) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d class names", classes);
    for (int i = 0; i < classes; ++i) t->init_labels[i] = trib_model_label(t->init, i);
    if (trib_training_set_class_names(t->set)) TRIB_TRY(open_set(t, t->init_labels, classes));
    t->labels = t->init_labels;
    return trib_success();
}

static trib_status check_labels(const trib_train *t)
{
    for (int i = 0; t->labels && i < t->classes; ++i)
        if (trib_has_control_characters(t->labels[i]))
            return TRIB_ERROR(TRIB_BAD_DATA,
                              "class %d: its name has control characters, which a model file cannot have; rename it",
                              i);
    return trib_success();
}

static trib_status load_init(trib_train *t)
{
    trib_model_options options = { .height = t->o.net.height, .width = t->o.net.width, .aux = true };
    return t->o.init ? trib_model_load(t->o.init, &options, &t->init) : trib_success();
}

trib_status trib_train_check_batch(const trib_train *t)
{
    if (t->images >= trib_train_step_images(t)) return trib_success();
    if (t->o.accumulate > 1)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%" PRId64 " images to train on are fewer than a step of %d batches of %d; use smaller ones, "
                          "or fewer of them",
                          t->images, t->o.accumulate, t->o.plan.batch);
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "%" PRId64
                      " images to train on are fewer than a batch of %d; use a batch size of at most %" PRId64,
                      t->images, t->o.plan.batch, t->images);
}

static trib_status open_labelled(trib_train *t)
{
    TRIB_TRY(open_first(t));
    t->labels = trib_training_set_class_names(t->set);
    if (t->init && same_classes(t)) TRIB_TRY(take_labels(t));
    t->classes = trib_training_set_classes(t->set);
    t->images = trib_training_set_count(t->set, TRIB_TRAINING);
    return trib_success();
}

static trib_status open_boxes(trib_train *t)
{
    if (t->o.class_names)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "with boxes, the classes are those of the truth, and cannot be named");
    TRIB_TRY(trib_train_open_truth(t));
    TRIB_TRY(trib_train_order_classes(t));
    TRIB_TRY(open_set(t, NULL, 0));
    t->labels = t->boxes.labels;
    t->classes = t->boxes.classes;
    return trib_success();
}

trib_status trib_train_open_data(trib_train *t)
{
    TRIB_TRY(load_init(t));
    TRIB_TRY(t->o.boxes ? open_boxes(t) : open_labelled(t));
    const char *note;
    for (int i = 0; (note = trib_training_set_note(t->set, i)); ++i) trib_train_say(t, "note: %s", note);
    if (!t->o.boxes) TRIB_TRY(trib_train_check_batch(t)); /* here, where a run has no folder yet */
    return check_labels(t);
}

trib_training_rows trib_train_rows(const trib_train *t, trib_training_part part)
{
    return t->o.boxes ? t->boxes.rows[part] : trib_image_rows(t->set, part);
}

int64_t trib_train_measured(const trib_train *t)
{
    return t->o.boxes ? t->boxes.rows[TRIB_VALIDATION].count : trib_training_set_count(t->set, TRIB_VALIDATION);
}

/* ---- network ---- */

const char *trib_train_head_name(const trib_train *t, int head) { return t->losses[head].output; }

static void choose_losses(trib_train *t)
{
    float aux = (float)t->o.aux_weight;
    t->losses[0] = (trib_loss) { "logits", 1 };
    t->losses[1] = (trib_loss) { "aux1", aux };
    t->losses[2] = (trib_loss) { "aux2", aux };
    t->training.losses = t->losses;
    t->training.loss_count = aux > 0 ? TRIB_TRAIN_HEADS : 1;
}

/* For a network without images of its own. Images of one size were cut to it by somebody who wanted their edges. */
static trib_status choose_preprocess(trib_train *t)
{
    t->preprocess = trib_guess_preprocess(t->dialect, t->net.classes, NULL);
    if (trib_training_set_has_one_size(t->set)) {
        t->preprocess.resize_mode = TRIB_RESIZE_SQUASH;
        t->preprocess.resize = t->preprocess.crop_height;
    }
    return trib_preprocess_set_size(&t->preprocess, t->net.height, t->net.width);
}

static trib_status describe_network(trib_train *t)
{
    trib_network_spec net = t->o.net;
    if (t->init) {
        net = *trib_model_network(t->init);
        t->preprocess = *trib_model_preprocess(t->init);
    }
    net.classes = t->classes;
    net.aux = t->training.loss_count > 1;
    TRIB_TRY(trib_network_resolve(&net, &t->net));
    t->dialect = trib_network_dialect(t->net.network);
    if (!t->init) TRIB_TRY(choose_preprocess(t));
    trib_status s = trib_network_graph(&t->net, &t->graph);
    if (trib_failed(&s) && t->net.aux)
        trib_add_context(&s, "with auxiliary classifiers, which an auxiliary weight of 0 leaves out");
    return s;
}

/* The model's tensors under the names of files, which is how they are matched. */
static trib_status bind_init(trib_train *t, bool *fresh)
{
    const trib_graph *graph = trib_model_graph(t->init);
    const trib_tensor *values = trib_model_parameters(t->init);
    enum { NAME = 128 };
    int count = trib_graph_parameter_count(graph);
    trib_tensor *tensors = trib_alloc_zeroed((size_t)count, sizeof *tensors);
    char(*names)[NAME] = trib_alloc_zeroed((size_t)count, NAME);
    trib_status s = trib_success();
    if (!tensors || !names) s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d tensors", count);
    for (int i = 0; i < count && !trib_failed(&s); ++i) {
        tensors[i] = values[i];
        tensors[i].name = trib_parameter_file_name(graph, t->dialect, i, names[i]);
    }
    if (!trib_failed(&s))
        s = trib_network_bind_pretrained(&t->net, t->graph, t->dialect, tensors, count, t->parameters, fresh);
    trib_free(tensors);
    trib_free(names);
    return trib_with_name(s, t->o.init);
}

static void say_fresh(trib_train *t, const bool *fresh)
{
    char layers[256];
    bool any = false;
    for (int i = 0; i < trib_graph_parameter_count(t->graph); ++i) any |= fresh[i];
    if (!any) return;
    trib_parameter_layers(t->graph, fresh, layers, sizeof layers);
    if (trib_model_network(t->init)->classes != t->net.classes)
        trib_train_say(t, "note: the model has %d classes, the data %d; classifiers begin anew: %s",
                       trib_model_network(t->init)->classes, t->net.classes, layers);
    else
        trib_train_say(t, "note: what the model does not have begins anew: %s", layers);
}

static trib_status fill_parameters(trib_train *t, bool *fresh)
{
    const trib_init_rule *rule = t->o.rule ? t->o.rule : trib_network_init_rule(t->net.network);
    if (t->init) {
        TRIB_TRY(bind_init(t, fresh));
        say_fresh(t, fresh);
    }
    return trib_parameters_initialise(t->graph, rule, t->o.seed, t->init ? fresh : NULL, t->parameters,
                                      &t->fresh_values);
}

static trib_status freeze(trib_train *t, bool *selected)
{
    int count = trib_graph_parameter_count(t->graph), frozen = 0;
    memset(selected, 0, (size_t)count * sizeof *selected);
    for (int i = 0; i < t->o.frozen_count; ++i)
        TRIB_TRY(trib_parameters_select(t->net.network, t->graph, t->o.frozen[i], selected));
    for (int i = 0; i < count; ++i)
        if (selected[i]) t->frozen[frozen++] = trib_graph_parameter(t->graph, i)->name;
    if (frozen == count) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "nothing is left to train: all layers are frozen");
    t->training.frozen = t->frozen;
    t->training.frozen_count = frozen;
    return trib_success();
}

trib_status trib_train_build_network(trib_train *t)
{
    choose_losses(t);
    TRIB_TRY(describe_network(t));
    size_t count = (size_t)trib_graph_parameter_count(t->graph);
    t->parameters = trib_alloc_zeroed(count, sizeof *t->parameters);
    t->frozen = trib_alloc_zeroed(count, sizeof *t->frozen);
    bool *marks = trib_alloc_zeroed(count, sizeof *marks);
    trib_status s = trib_success();
    if (!t->parameters || !t->frozen || !marks) s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for parameters");
    if (!trib_failed(&s)) s = fill_parameters(t, marks);
    if (!trib_failed(&s)) s = freeze(t, marks);
    trib_free(marks);
    return s;
}
