/* SPDX-License-Identifier: Apache-2.0 */
/* classify_image MODEL IMAGE: prints the most likely class and its probability. */
#include <stdio.h>
#include <stdlib.h>
#include <tributary.h>

static void check(trib_status s)
{
    if (trib_failed(&s)) exit((fprintf(stderr, "%s\n", s.message), 1));
}

int main(int argc, char **argv)
{
    if (argc != 3) return fprintf(stderr, "usage: classify_image MODEL IMAGE\n"), 2;
    trib_model *model;
    check(trib_model_load(argv[1], NULL, &model));
    const char *guess = trib_model_preprocess_guess(model); /* NULL: the file says how to preprocess */
    if (guess) fprintf(stderr, "preprocessing is guessed: %s\n", guess);
    trib_device *device;
    check(trib_device_open("auto", NULL, &device));
    trib_session_options options = trib_session_default_options();
    options.plan.outputs = (const char *[]) { "probabilities" };
    options.plan.output_count = 1;
    trib_session *session;
    check(trib_session_create(device, trib_model_graph(model), trib_model_parameters(model), &options, &session));

    trib_source *source; /* image files, folders, lists, tar shards, IDX files */
    check(trib_source_open((const char *const *)argv + 2, 1, NULL, &source));
    trib_loader *loader; /* threads that decode, resize and normalise as the model file says */
    check(
        trib_loader_create(source, trib_model_preprocess(model), &(trib_loader_options) { .batch_size = 1 }, &loader));
    const trib_batch *batch;
    check(trib_loader_next(loader, &batch));
    check(batch->items[0].status); /* each image has its own: a damaged one need not stop the others */

    int best, classes = (int)trib_session_plan(session)->outputs[0].shape.dim[1];
    float *p = calloc((size_t)classes, sizeof *p);
    check(p ? trib_session_run(session, batch->pixels, 1, (void *[]) { p })
            : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory"));
    trib_top_k(p, classes, 1, &best);
    const char *label = trib_model_label(model, best); /* NULL when the file has no labels */
    printf("%d %s %.3f\n", best, label ? label : "", p[best]);

    free(p);
    trib_loader_destroy(loader);
    trib_source_close(source);
    trib_session_destroy(session);
    trib_device_close(device);
    trib_model_destroy(model);
    return 0;
}
