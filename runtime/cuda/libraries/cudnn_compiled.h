/* SPDX-License-Identifier: Apache-2.0
 * The internals of a compiled convolution: cudnn_compiled.c makes them, cudnn_candidates.c collects them. */
#ifndef TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUDNN_COMPILED_H
#define TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUDNN_COMPILED_H

#include "cuda/libraries/cudnn_library.h"

struct trib_compiled_conv {
    trib_conv_desc desc;
    trib_compiled_conv_info info;
    cudnnBackendDescriptor_t descriptor;
};

/* That it makes sense, as far as cuDNN need not be asked. */
trib_status trib_conv_check(const trib_conv_desc *desc);
/* Named and described, but without a descriptor yet. */
trib_status trib_compiled_conv_create(const trib_conv_desc *desc, const trib_cudnn_config *config, trib_dtype bias,
                                      trib_compiled_conv **out);
/* Never with a descriptor: fills in the workspace, compiles nothing. */
trib_status trib_compiled_conv_describe(trib_compiled_conv *compiled, cudnnBackendDescriptor_t config);
trib_status trib_compiled_conv_finalize(const trib_cudnn *library, trib_compiled_conv *compiled,
                                        cudnnBackendDescriptor_t config);

#endif
