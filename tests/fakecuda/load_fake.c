/* SPDX-License-Identifier: Apache-2.0
 * The simulated libraries' functions, in place of those that runtime/cuda/libraries/load.c loads. */
#include "cuda/libraries/cublaslt_functions.h"
#include "cuda/libraries/cudnn_functions.h"

#define FUNCTION(type, name, parameters) .name = name,
trib_cudnn_functions trib_libcudnn = { TRIB_CUDNN_FUNCTIONS(FUNCTION) };
trib_cublaslt_functions trib_libcublaslt = { TRIB_CUBLASLT_FUNCTIONS(FUNCTION) };

trib_status trib_cudnn_load(void) { return trib_success(); }
trib_status trib_cublaslt_load(void) { return trib_success(); }
