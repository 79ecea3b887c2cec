/* SPDX-License-Identifier: Apache-2.0
 * Engine configurations: gets them from cuDNN's heuristics, reads them, writes them as text, and makes them from text.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/libraries/cudnn_library.h"

trib_status trib_cudnn_heuristics(const trib_cudnn *library, trib_cudnn_bag *bag, cudnnBackendDescriptor_t graph,
                                  cudnnBackendHeurMode_t mode,
                                  cudnnBackendDescriptor_t configs[TRIB_CUDNN_MOST_CONFIGS], int *count)
{
    cudnnBackendDescriptor_t d;
    int64_t offered = 0, got;
    TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &d));
    TRIB_TRY(trib_cudnn_set_descriptor(d, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph));
    TRIB_TRY(trib_cudnn_set_descriptor(d, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, library->card));
    TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
    TRIB_TRY(trib_cudnn_finalize(d));
    TRIB_CUDNN_TRY(
        cudnnBackendGetAttribute(d, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &offered, NULL));
    if (offered > TRIB_CUDNN_MOST_CONFIGS) offered = TRIB_CUDNN_MOST_CONFIGS;
    for (int64_t i = 0; i < offered; ++i)
        TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &configs[i]));
    TRIB_TRY(trib_cudnn_get(d, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, offered, &got, configs));
    *count = (int)got;
    return trib_success();
}

/* ---- reading ---- */

static trib_status read_notes(cudnnBackendDescriptor_t engine, trib_cudnn_config *out)
{
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    cudnnBackendBehaviorNote_t behaviours[CUDNN_BEHAVIOR_NOTE_TYPE_COUNT];
    int64_t got;
    TRIB_TRY(trib_cudnn_get(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                            CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &got, notes));
    for (int64_t i = 0; i < got; ++i)
        if (notes[i] < CUDNN_NUMERICAL_NOTE_TYPE_COUNT) out->notes[notes[i]] = true;
    TRIB_TRY(trib_cudnn_get(engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE,
                            CUDNN_BEHAVIOR_NOTE_TYPE_COUNT, &got, behaviours));
    for (int64_t i = 0; i < got; ++i)
        if (behaviours[i] < CUDNN_BEHAVIOR_NOTE_TYPE_COUNT) out->behaviours[behaviours[i]] = true;
    return trib_success();
}

static trib_status read_knobs(trib_cudnn_bag *bag, cudnnBackendDescriptor_t config, trib_cudnn_config *out)
{
    cudnnBackendDescriptor_t choices[TRIB_CUDNN_KNOBS];
    int64_t got, one;
    for (int i = 0; i < TRIB_CUDNN_KNOBS; ++i)
        TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, &choices[i]));
    TRIB_TRY(trib_cudnn_get(config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, TRIB_CUDNN_KNOBS,
                            &got, choices));
    out->knob_count = (int)got;
    for (int64_t i = 0; i < got; ++i) {
        TRIB_TRY(trib_cudnn_get(choices[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &one,
                                &out->knobs[i]));
        TRIB_TRY(
            trib_cudnn_get(choices[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, &one, &out->values[i]));
    }
    return trib_success();
}

trib_status trib_cudnn_read_config(cudnnBackendDescriptor_t descriptor, trib_cudnn_config *out)
{
    trib_cudnn_bag bag = { 0 };
    trib_status status;
    cudnnBackendDescriptor_t engine;
    int64_t one;
    memset(out, 0, sizeof *out);
    TRIB_TRY_GOTO(status, done, trib_cudnn_make(&bag, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine));
    TRIB_TRY_GOTO(
        status, done,
        trib_cudnn_get(descriptor, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &one, &engine));
    TRIB_TRY_GOTO(status, done,
                  trib_cudnn_get(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &one, &out->engine));
    TRIB_TRY_GOTO(status, done, read_notes(engine, out));
    TRIB_TRY_GOTO(status, done, read_knobs(&bag, descriptor, out));
done:
    trib_cudnn_bag_empty(&bag);
    return status;
}

/* ---- writing ---- */

trib_status trib_cudnn_write_config(const trib_cudnn *library, trib_cudnn_bag *bag, cudnnBackendDescriptor_t graph,
                                    const trib_cudnn_config *config, cudnnBackendDescriptor_t *out)
{
    cudnnBackendDescriptor_t engine, d, choices[TRIB_CUDNN_KNOBS];
    TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine));
    TRIB_TRY(trib_cudnn_set_descriptor(engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph));
    TRIB_TRY(trib_cudnn_set_descriptor(engine, CUDNN_ATTR_ENGINE_DEVICEPROP, library->card));
    TRIB_TRY(trib_cudnn_set(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &config->engine));
    TRIB_TRY(trib_cudnn_finalize(engine));
    for (int i = 0; i < config->knob_count; ++i) {
        TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, &choices[i]));
        TRIB_TRY(
            trib_cudnn_set(choices[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &config->knobs[i]));
        TRIB_TRY(
            trib_cudnn_set(choices[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, &config->values[i]));
        TRIB_TRY(trib_cudnn_finalize(choices[i]));
    }
    TRIB_TRY(trib_cudnn_make(bag, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &d));
    TRIB_TRY(trib_cudnn_set_descriptor(d, CUDNN_ATTR_ENGINECFG_ENGINE, engine));
    if (config->knob_count)
        TRIB_TRY(trib_cudnn_set(d, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, config->knob_count,
                                choices));
    TRIB_TRY(trib_cudnn_finalize(d));
    *out = d;
    return trib_success();
}

/* ---- names ---- */

void trib_cudnn_config_name(const trib_cudnn_config *config, char *text, size_t size)
{
    int used = snprintf(text, size, "%" PRId64 ":", config->engine);
    for (int i = 0; i < config->knob_count && used > 0 && (size_t)used < size; ++i)
        used += snprintf(text + used, size - (size_t)used, "%s%d=%" PRId64, i ? "," : "", (int)config->knobs[i],
                         config->values[i]);
}

/* A number without sign, space or overflow. */
static bool number(const char **text, int64_t most, int64_t *out)
{
    const char *c = *text;
    int64_t value = 0;
    for (; *c >= '0' && *c <= '9'; ++c) {
        value = value * 10 + (*c - '0');
        if (value > most) return false;
    }
    if (c == *text) return false;
    *text = c;
    *out = value;
    return true;
}

bool trib_cudnn_config_parse(const char *text, trib_cudnn_config *out)
{
    enum { MOST = 1000000000 };
    memset(out, 0, sizeof *out);
    if (!number(&text, MOST, &out->engine) || *text++ != ':') return false;
    while (*text) {
        int64_t type;
        if (out->knob_count == TRIB_CUDNN_KNOBS || (out->knob_count && *text++ != ',')) return false;
        if (!number(&text, TRIB_CUDNN_KNOBS - 1, &type) || *text++ != '=') return false;
        bool negative = *text == '-';
        text += negative;
        if (!number(&text, MOST, &out->values[out->knob_count])) return false;
        if (negative) out->values[out->knob_count] *= -1;
        out->knobs[out->knob_count++] = (cudnnBackendKnobType_t)type;
    }
    return true;
}
