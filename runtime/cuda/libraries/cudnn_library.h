/* SPDX-License-Identifier: Apache-2.0
 * cuDNN's backend descriptors for the convolution files: checked calls, and descriptors that are destroyed together.
 * Only cudnn_*.c include this. */
#ifndef TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUDNN_LIBRARY_H
#define TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUDNN_LIBRARY_H

#include "cuda/libraries/cudnn_conv.h"
#include "cuda/libraries/cudnn_functions.h"

struct trib_cudnn {
    cudnnBackendDescriptor_t card; /* the card for plans: a device property descriptor */
    char version[32];
};

/* A failure with cuDNN's last error text. Unsupported requests become TRIB_UNSUPPORTED. */
trib_status trib_cudnn_failure(cudnnStatus_t status, const char *call, const char *file, int line);

/* Calls a function of cuDNN by its own name, and returns the failure: TRIB_CUDNN_TRY(cudnnBackendFinalize(d)). */
#define TRIB_CUDNN_TRY(call)                                                                                      \
    do {                                                                                                          \
        cudnnStatus_t cudnn_try_ = trib_libcudnn.call;                                                            \
        if (cudnn_try_ != CUDNN_STATUS_SUCCESS) return trib_cudnn_failure(cudnn_try_, #call, __FILE__, __LINE__); \
    } while (0)

/* Descriptors for one purpose. cuDNN keeps everything that a finalized descriptor refers to, so a bag may be emptied as
 * soon as the wanted descriptor has been taken out. */
enum { TRIB_CUDNN_BAG_SIZE = 80 };
typedef struct trib_cudnn_bag {
    int count;
    cudnnBackendDescriptor_t list[TRIB_CUDNN_BAG_SIZE];
} trib_cudnn_bag;

trib_status trib_cudnn_make(trib_cudnn_bag *bag, cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *out);
/* Takes the latest one out of the bag: the caller destroys it. */
cudnnBackendDescriptor_t trib_cudnn_bag_take(trib_cudnn_bag *bag);
void trib_cudnn_bag_empty(trib_cudnn_bag *bag);

trib_status trib_cudnn_set(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                           cudnnBackendAttributeType_t type, int64_t count, const void *values);
trib_status trib_cudnn_set_descriptor(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                      cudnnBackendDescriptor_t value);
trib_status trib_cudnn_finalize(cudnnBackendDescriptor_t d);
/* *got: the number of elements, which may be less than `count`. */
trib_status trib_cudnn_get(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                           cudnnBackendAttributeType_t type, int64_t count, int64_t *got, void *values);

/* The tensors of a convolution, by the names the variant pack uses. */
enum { TRIB_CUDNN_X = 1, TRIB_CUDNN_W, TRIB_CUDNN_Y, TRIB_CUDNN_BIAS, TRIB_CUDNN_INNER };

/* The operation graph of `desc`, into `bag`. The bias is float32 or of the data's type (cudnn_graph.c). */
trib_status trib_cudnn_conv_graph(trib_cudnn_bag *bag, const trib_conv_desc *desc, trib_dtype bias,
                                  cudnnBackendDescriptor_t *graph);

/* An engine and its settings, as text and back (cudnn_engine.c). */
enum { TRIB_CUDNN_KNOBS = CUDNN_KNOB_TYPE_COUNTS };
typedef struct trib_cudnn_config {
    int64_t engine;
    int knob_count;
    cudnnBackendKnobType_t knobs[TRIB_CUDNN_KNOBS];
    int64_t values[TRIB_CUDNN_KNOBS];
    bool notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    bool behaviours[CUDNN_BEHAVIOR_NOTE_TYPE_COUNT];
} trib_cudnn_config;

/* A heuristic mode's list for a graph, best first, into `bag`. */
enum { TRIB_CUDNN_MOST_CONFIGS = 64 };
trib_status trib_cudnn_heuristics(const trib_cudnn *library, trib_cudnn_bag *bag, cudnnBackendDescriptor_t graph,
                                  cudnnBackendHeurMode_t mode,
                                  cudnnBackendDescriptor_t configs[TRIB_CUDNN_MOST_CONFIGS], int *count);
trib_status trib_cudnn_read_config(cudnnBackendDescriptor_t descriptor, trib_cudnn_config *out);
trib_status trib_cudnn_write_config(const trib_cudnn *library, trib_cudnn_bag *bag, cudnnBackendDescriptor_t graph,
                                    const trib_cudnn_config *config, cudnnBackendDescriptor_t *out);
/* "41:2=0,14=3". */
void trib_cudnn_config_name(const trib_cudnn_config *config, char *text, size_t size);
bool trib_cudnn_config_parse(const char *text, trib_cudnn_config *out);

#endif
