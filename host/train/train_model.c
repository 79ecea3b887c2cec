/* SPDX-License-Identifier: Apache-2.0
 * The model that a run makes: parameters without auxiliary classifiers, labels, preprocessing, and where it is from. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "model/metadata.h"
#include "train/train_private.h"
#include "tributary/internal/alloc.h"
#include "tributary/version.h"

enum { NAME = 128 };

/* ---- weights ---- */

static trib_status main_graph(const trib_train *t, trib_graph **out)
{
    trib_network_spec net = t->net;
    net.aux = false;
    return trib_network_graph(&net, out);
}

static trib_status allocate(trib_train_weights *w, int count)
{
    w->tensors = trib_alloc_zeroed((size_t)count, sizeof *w->tensors);
    w->names = trib_alloc_zeroed((size_t)count, NAME);
    if (!w->tensors || !w->names) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d parameters", count);
    return trib_train_copies_allocate(count, &w->copies);
}

static trib_status read_all(trib_train *t, bool average, trib_train_weights *w)
{
    TRIB_TRY(main_graph(t, &w->graph));
    int count = trib_graph_parameter_count(w->graph);
    TRIB_TRY(allocate(w, count));
    for (int i = 0; i < count; ++i) {
        const trib_parameter *parameter = trib_graph_parameter(w->graph, i);
        const char *name = trib_parameter_file_name(w->graph, t->dialect, i, w->names + (size_t)i * NAME);
        const float *values = NULL;
        TRIB_TRY(trib_train_values(t, trib_train_find(t, parameter->name, average), &w->copies, &values));
        w->tensors[i] = (trib_tensor) { .name = name, .dtype = TRIB_F32, .shape = parameter->shape, .data = values };
    }
    return trib_success();
}

trib_status trib_train_weights_read(trib_train *t, bool average, trib_train_weights *out)
{
    *out = (trib_train_weights) { 0 };
    trib_status s = read_all(t, average, out);
    if (trib_failed(&s)) trib_train_weights_free(out);
    return s;
}

void trib_train_weights_free(trib_train_weights *w)
{
    trib_graph_destroy(w->graph);
    trib_free(w->tensors);
    trib_train_copies_free(&w->copies);
    trib_free(w->names);
    *w = (trib_train_weights) { 0 };
}

/* ---- metadata ---- */

static bool averages(const trib_train *t) { return t->o.average.kind != TRIB_AVERAGE_NONE; }

static void put_accuracy(const trib_train *t, trib_text *out)
{
    int64_t images = trib_train_measured(t);
    double top1 = averages(t) ? t->state.averaged_top1 : t->state.top1;
    if (isfinite(top1))
        trib_text_format(out, "; top-1 %.2f %% of %" PRId64 " validation %s%s", top1, images,
                         t->o.boxes ? "windows" : "images", averages(t) ? ", averaged weights" : "");
}

/* Where data lie on this machine tells nobody anything. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void put_inputs(const trib_train *t, trib_text *out)
{
    for (int i = 0; i < t->o.input_count; ++i) {
        trib_text_add(out, i ? ", " : "");
        trib_text_add(out, last_part(t->o.inputs[i]));
    }
}

/* As far as the bracket with the inputs. */
static void put_regions(const trib_train *t, trib_text *out)
{
    const trib_training_windows *w = t->boxes.windows;
    trib_text_format(out, "regions of %" PRId64 " images, %" PRId64 " of objects and %" PRId64 " of background, ",
                     t->boxes.trained, trib_training_windows_objects(w, TRIB_TRAINING),
                     trib_training_windows_background(w, TRIB_TRAINING));
    trib_text_format(out, "%d classes with background, %d pixels of context, %g %% objects, truth ", t->net.classes,
                     t->o.context, 100 * t->o.objects);
    trib_text_add(out, last_part(t->o.boxes));
    trib_text_add(out, ", proposals ");
    trib_text_add(out, t->o.proposals ? last_part(t->o.proposals) : trib_strategy_name(t->o.strategy));
    trib_text_add(out, " (");
}

static void put_provenance(const trib_train *t, trib_text *out)
{
    double epochs = (double)t->state.step * (double)trib_train_step_images(t) / (double)t->images;
    trib_text_format(out, "trained with Tributary %s: %s at %d x %d, ", trib_version(),
                     trib_network_name(t->net.network), t->net.height, t->net.width);
    if (t->o.init) trib_text_add(out, "from another model, ");
    if (t->o.boxes) put_regions(t, out);
    if (!t->o.boxes) trib_text_format(out, "%" PRId64 " images of %d classes (", t->images, t->net.classes);
    put_inputs(t, out);
    trib_text_format(out, "), views %s, batch ", t->o.sampling ? t->o.sampling->name : "none");
    if (t->o.accumulate > 1) trib_text_format(out, "%d x ", t->o.accumulate);
    trib_text_format(out, "%d, %" PRId64 " steps (%.4g epochs), schedule %s to %g, ", t->o.plan.batch, t->state.step,
                     epochs, trib_lr_schedule_name(t->o.lr.schedule), t->o.lr.lr);
    trib_text_format(out, "weight decay %g, seed %" PRIu64, t->o.weight_decay, t->o.seed);
    put_accuracy(t, out);
}

trib_status trib_train_make_metadata(const trib_train *t, trib_train_metadata *m)
{
    *m = (trib_train_metadata) { 0 };
    trib_metadata_write_preprocessing(&t->preprocess, &m->preprocessing);
    put_provenance(t, &m->provenance);
    m->items[m->count++] = (trib_key_value) { "tributary.variant", trib_network_name(t->net.network) };
    m->items[m->count++] = (trib_key_value) { "tributary.preprocessing", m->preprocessing.bytes };
    m->items[m->count++] = (trib_key_value) { "tributary.provenance", m->provenance.bytes };
    if (t->labels) {
        trib_metadata_write_labels(t->labels, t->net.classes, &m->labels);
        m->items[m->count++] = (trib_key_value) { "tributary.labels", m->labels.bytes };
    }
    if (m->preprocessing.failed || m->provenance.failed || m->labels.failed)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the metadata of a model");
    return trib_success();
}

void trib_train_metadata_free(trib_train_metadata *m)
{
    trib_text_free(&m->labels);
    trib_text_free(&m->preprocessing);
    trib_text_free(&m->provenance);
}

trib_status trib_train_write_model(trib_train *t)
{
    char path[TRIB_RUN_PATH];
    trib_train_weights weights = { 0 };
    trib_train_metadata metadata = { 0 };
    trib_status s = trib_train_weights_read(t, averages(t), &weights);
    if (!trib_failed(&s)) s = trib_train_make_metadata(t, &metadata);
    if (!trib_failed(&s))
        s = trib_safetensors_write(trib_run_folder_file(t->folder, TRIB_RUN_MODEL, path), weights.tensors,
                                   trib_graph_parameter_count(weights.graph), metadata.items, metadata.count);
    trib_train_metadata_free(&metadata);
    trib_train_weights_free(&weights);
    return s;
}
