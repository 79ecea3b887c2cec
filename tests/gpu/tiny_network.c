/* SPDX-License-Identifier: Apache-2.0
 * tiny_network ARCH PRECISION SCHEDULE: a narrow network on small images, computed on the GPU op by op and as a CUDA
 * graph, for compute-sanitizer, under which everything takes many times as long. */
#include <cuda_runtime_api.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tributary.h"

enum { RUNS = 2, BATCH = 2, SIZE = 64, CLASSES = 10, PIXELS = 3 * SIZE * SIZE };

static int find_precision(const char *wanted)
{
    for (int i = 0; i < TRIB_PRECISION_COUNT; ++i)
        if (!strcmp(trib_precision_name((trib_precision)i), wanted)) return i;
    return -1;
}

static int find_schedule(const char *wanted)
{
    for (int i = TRIB_SERIAL; i <= TRIB_FUSED; ++i)
        if (!strcmp(trib_schedule_name((trib_schedule)i), wanted)) return i;
    return -1;
}

/* More than one run, so that a graph is recorded and replayed. */
static trib_status run_batches(trib_session *session)
{
    static float images[BATCH * PIXELS], logits[BATCH * CLASSES];
    for (int i = 0; i < BATCH * PIXELS; ++i) images[i] = (float)trib_uniform("images", 1, (uint64_t)i);
    for (int run = 0; run < RUNS; ++run) {
        TRIB_TRY(trib_session_run(session, images, BATCH, (void *const[]) { logits }));
        for (int i = 0; i < BATCH * CLASSES; ++i)
            if (!isfinite(logits[i])) return TRIB_ERROR(TRIB_DEVICE_ERROR, "logit %d is not finite", i);
    }
    return trib_success();
}

static trib_status compute(trib_device *device, const trib_model *model, int precision, int schedule,
                           trib_launch launch)
{
    trib_session_options options = trib_session_default_options();
    trib_session *session = NULL;
    options.plan.precision = (trib_precision)precision;
    options.plan.schedule = (trib_schedule)schedule;
    options.launch = launch;
    options.max_batch = BATCH;
    TRIB_TRY(trib_session_create(device, trib_model_graph(model), trib_model_parameters(model), &options, &session));
    trib_status status = run_batches(session);
    trib_session_destroy(session);
    return status;
}

static trib_status compute_all(const char *arch, int precision, int schedule)
{
    const trib_network_spec network = {
        .network = trib_network_find(arch), .classes = CLASSES, .height = SIZE, .width = SIZE, .width_multiplier = 0.125
    };
    const trib_device_options options = { .choices_path = getenv("TRIB_TEST_CHOICE_CACHE") };
    trib_model *model = NULL;
    trib_device *device = NULL;
    TRIB_TRY(trib_model_random(&network, 1, &model));
    trib_status status = trib_device_open("cuda", &options, &device);
    if (!trib_failed(&status)) status = compute(device, model, precision, schedule, TRIB_EAGER);
    if (!trib_failed(&status)) status = compute(device, model, precision, schedule, TRIB_GRAPH);
    trib_device_close(device);
    trib_model_destroy(model);
    return status;
}

int main(int argc, char **argv)
{
    const int precision = argc == 4 ? find_precision(argv[2]) : -1, schedule = argc == 4 ? find_schedule(argv[3]) : -1;
    if (precision < 0 || schedule < 0 || !trib_network_find(argv[1])) {
        fprintf(stderr, "usage: tiny_network bvlc|torchvision fp32|tf32|fp16|bf16 serial|branches|fused\n");
        return 2;
    }
    trib_status status = compute_all(argv[1], precision, schedule);
    if (trib_failed(&status)) return fprintf(stderr, "tiny_network: %s\n", status.message), 1;
    /* All was given back; what is left is looked for when the device is reset, and only then. */
    cudaError_t error = cudaDeviceReset();
    if (error != cudaSuccess) return fprintf(stderr, "cudaDeviceReset: %s\n", cudaGetErrorString(error)), 1;
    printf("%s %s %s: eager and graph, %d batches of %d\n", argv[1], argv[2], argv[3], RUNS, BATCH);
    return 0;
}
