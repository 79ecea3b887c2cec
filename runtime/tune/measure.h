/* SPDX-License-Identifier: Apache-2.0
 * A trib_tune_measurer that runs sessions or trainers on a device. */
#ifndef TRIBUTARY_RUNTIME_TUNE_MEASURE_H
#define TRIBUTARY_RUNTIME_TUNE_MEASURE_H

#include "device/observation.h"
#include "tune/search.h"

/* What is run again and again. */
typedef struct trib_tune_subject {
    trib_device *device;
    const trib_graph *graph;
    const trib_tensor *parameters;
    const trib_session_options *session; /* one of the two; the other is NULL */
    const trib_trainer_options *trainer;
    const trib_tune_window *windows;
    int window_count;
    void *pixels, **outputs; /* for any run of it */
    int32_t *labels;
    int output_count;
    uint64_t step;
    trib_observation *watching; /* of a GPU, as long as one timed runner follows another */
} trib_tune_subject;

/* Memory for inputs and outputs, as `plan` needs them for `images`. Release also after a failure. */
trib_status trib_tune_subject_open(trib_tune_subject *subject, const trib_plan *plan, int images);
void trib_tune_subject_release(trib_tune_subject *subject);

/* Refers to `subject`. */
trib_tune_measurer trib_tune_device_measurer(trib_tune_subject *subject);

#endif
