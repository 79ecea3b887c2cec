/* SPDX-License-Identifier: Apache-2.0
 * Loads cuDNN and cuBLASLt. */
#include <dlfcn.h>
#include <pthread.h>

#include "cuda/libraries/cublaslt_functions.h"
#include "cuda/libraries/cudnn_functions.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

/* Our lists match the headers; otherwise wrong parameters of a call would go unnoticed. */
#define CHECK(type, name, parameters) \
    _Static_assert(_Generic(&name, type(*) parameters : 1, default : 0), "another type: " #name);
TRIB_CUDNN_FUNCTIONS(CHECK)
TRIB_CUBLASLT_FUNCTIONS(CHECK)

#define CUDNN_ROW(type, name, parameters) { #name, offsetof(trib_cudnn_functions, name) },
#define CUBLASLT_ROW(type, name, parameters) { #name, offsetof(trib_cublaslt_functions, name) },
static const trib_library_function cudnn_rows[] = { TRIB_CUDNN_FUNCTIONS(CUDNN_ROW) };
static const trib_library_function cublaslt_rows[] = { TRIB_CUBLASLT_FUNCTIONS(CUBLASLT_ROW) };

trib_cudnn_functions trib_libcudnn;
trib_cublaslt_functions trib_libcublaslt;

/* `name` as the loader searches for it; `built`, its path at build time, is tried next. */
static trib_status load(const char *name, const char *built, const trib_library_function *rows, size_t count,
                        void *functions)
{
    char why[160];
    void *library = trib_library_load(name, built, why, sizeof why);
    if (!library)
        return TRIB_ERROR(TRIB_NOT_FOUND, "%s cannot be loaded (%s); put its folder into LD_LIBRARY_PATH", name, why);
    const char *missing = trib_library_find(library, rows, count, functions);
    if (!missing) return trib_success();
    dlclose(library);
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s has no %s: is it another version?", name, missing);
}

static trib_status cudnn_outcome, cublaslt_outcome; /* each written once */

static void load_cudnn(void)
{
    cudnn_outcome = load("libcudnn.so." TEXT(CUDNN_MAJOR), TRIB_CUDNN_LIBRARY, cudnn_rows,
                         sizeof cudnn_rows / sizeof *cudnn_rows, &trib_libcudnn);
}

static void load_cublaslt(void)
{
    cublaslt_outcome = load("libcublasLt.so." TEXT(CUBLAS_VER_MAJOR), TRIB_CUBLASLT_LIBRARY, cublaslt_rows,
                            sizeof cublaslt_rows / sizeof *cublaslt_rows, &trib_libcublaslt);
}

trib_status trib_cudnn_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_cudnn);
    return cudnn_outcome;
}

trib_status trib_cublaslt_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_cublaslt);
    return cublaslt_outcome;
}
