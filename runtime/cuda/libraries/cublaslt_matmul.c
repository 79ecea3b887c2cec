/* SPDX-License-Identifier: Apache-2.0
 * cuBLASLt is column-major: it computes y transposed, y'[out, rows] = w'^T x', where w' and x' are w and x as they are
 * in memory. Its descriptors are made in place, so that nothing needs to be destroyed. */
#include "cuda/libraries/cublaslt_matmul.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cuda/libraries/cublaslt_functions.h"
#include "tributary/internal/alloc.h"

enum { ALIGNMENT = 16, DEFAULT_WORKSPACE = 32 << 20, MOST_ALGORITHMS = 16, WORDS = 8 };

struct trib_cublaslt {
    cublasLtHandle_t handle;
    char version[32];
};

/* A product as cuBLASLt sees it. */
typedef struct product {
    cublasLtMatmulDescOpaque_t operation;
    cublasLtMatrixLayoutOpaque_t w, x, y;
} product;

struct trib_matmul_algorithm {
    cublasLtHandle_t handle;
    trib_matmul_desc desc;
    trib_matmul_algorithm_info info;
    cublasLtMatmulAlgo_t algorithm;
};

static trib_status failure(cublasStatus_t status, const char *call, const char *file, int line)
{
    trib_code code = TRIB_DEVICE_ERROR;
    if (status == CUBLAS_STATUS_ALLOC_FAILED) code = TRIB_OUT_OF_MEMORY;
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_ARCH_MISMATCH) code = TRIB_UNSUPPORTED;
    return trib_make_error(code, (int)status, file, line, call, "%.*s: %s (%s)", (int)strcspn(call, "("), call,
                           trib_libcublaslt.cublasLtGetStatusName(status),
                           trib_libcublaslt.cublasLtGetStatusString(status));
}

#define TRY(call)                                                                           \
    do {                                                                                    \
        cublasStatus_t try_ = trib_libcublaslt.call;                                        \
        if (try_ != CUBLAS_STATUS_SUCCESS) return failure(try_, #call, __FILE__, __LINE__); \
    } while (0)

/* ---- the library ---- */

trib_status trib_cublaslt_open(trib_cublaslt **out)
{
    TRIB_TRY(trib_cublaslt_load());
    trib_cublaslt *library = trib_alloc_zeroed(1, sizeof *library);
    if (!library) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "cuBLASLt: out of host memory");
    cublasStatus_t failed = trib_libcublaslt.cublasLtCreate(&library->handle);
    if (failed) {
        trib_free(library);
        return failure(failed, "cublasLtCreate", __FILE__, __LINE__);
    }
    size_t version = trib_libcublaslt.cublasLtGetVersion();
    snprintf(library->version, sizeof library->version, "%zu.%zu.%zu", version / 10000, version / 100 % 100,
             version % 100);
    *out = library;
    return trib_success();
}

void trib_cublaslt_close(trib_cublaslt *library)
{
    if (!library) return;
    trib_libcublaslt.cublasLtDestroy(library->handle);
    trib_free(library);
}

const char *trib_cublaslt_version(const trib_cublaslt *library) { return library->version; }

/* ---- describing ---- */

const char *trib_matmul_key(const trib_matmul_desc *d, char *text)
{
    snprintf(text, TRIB_MATMUL_KEY, "matmul %s to %s r%" PRId64 " i%d o%d x%" PRId64 " y%" PRId64 "%s%s",
             trib_precision_name(d->precision), trib_dtype_name(d->y_dtype), d->rows, d->in, d->out, d->x_pitch,
             d->y_pitch, d->has_bias ? " bias" : "", d->relu ? " relu" : "");
    return text;
}

static trib_status check(const trib_matmul_desc *d)
{
    char key[TRIB_MATMUL_KEY];
    bool types = (unsigned)d->precision < TRIB_PRECISION_COUNT &&
                 (d->y_dtype == TRIB_F32 || d->y_dtype == trib_precision_dtype(d->precision));
    if (types && d->rows > 0 && d->in > 0 && d->out > 0 && d->x_pitch >= d->in && d->y_pitch >= d->out)
        return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "not a matrix product: %s", trib_matmul_key(d, key));
}

static cudaDataType_t data_type(trib_dtype dtype)
{
    switch (dtype) {
    case TRIB_F16: return CUDA_R_16F;
    case TRIB_BF16: return CUDA_R_16BF;
    default: return CUDA_R_32F;
    }
}

static cublasLtEpilogue_t epilogue(const trib_matmul_desc *d)
{
    if (d->has_bias) return d->relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
    return d->relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
}

/* While only asking for algorithms, cuBLASLt needs to know that there is a bias, and its alignment. */
#define SOME_BIAS ((const void *)(uintptr_t)256)

static trib_status describe(const trib_matmul_desc *d, const void *bias, product *p)
{
    const cudaDataType_t type = data_type(trib_precision_dtype(d->precision));
    const cublasComputeType_t compute =
        d->precision == TRIB_PRECISION_TF32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    const cublasOperation_t transposed = CUBLAS_OP_T;
    const cublasLtEpilogue_t after = epilogue(d);
    cublasLtMatmulDesc_t o = &p->operation;
    const uint64_t rows = (uint64_t)d->rows, in = (uint64_t)d->in, out = (uint64_t)d->out;
    TRY(cublasLtMatmulDescInit_internal(o, sizeof *o, compute, CUDA_R_32F));
    TRY(cublasLtMatmulDescSetAttribute(o, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed));
    TRY(cublasLtMatmulDescSetAttribute(o, CUBLASLT_MATMUL_DESC_EPILOGUE, &after, sizeof after));
    if (d->has_bias) TRY(cublasLtMatmulDescSetAttribute(o, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias));
    TRY(cublasLtMatrixLayoutInit_internal(&p->w, sizeof p->w, type, in, out, (int64_t)in));
    TRY(cublasLtMatrixLayoutInit_internal(&p->x, sizeof p->x, type, in, rows, d->x_pitch));
    TRY(cublasLtMatrixLayoutInit_internal(&p->y, sizeof p->y, data_type(d->y_dtype), out, rows, d->y_pitch));
    return trib_success();
}

/* Partial sums stay float32 until they are added; in place they would be rounded to y's type. */
static trib_status prefer(int64_t workspace_bytes, cublasLtMatmulPreferenceOpaque_t *preference)
{
    static const cublasLtMatmulPreferenceAttributes_t alignments[] = { CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                                                                       CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                                                                       CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
                                                                       CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES };
    const uint64_t most = workspace_bytes ? (uint64_t)workspace_bytes : DEFAULT_WORKSPACE;
    const uint32_t alignment = ALIGNMENT, reduction = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    TRY(cublasLtMatmulPreferenceInit_internal(preference, sizeof *preference));
    TRY(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most));
    TRY(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reduction,
                                             sizeof reduction));
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; ++i)
        TRY(cublasLtMatmulPreferenceSetAttribute(preference, alignments[i], &alignment, sizeof alignment));
    return trib_success();
}

/* ---- algorithms ---- */

static trib_status make_algorithm(const trib_cublaslt *library, const trib_matmul_desc *desc,
                                  const cublasLtMatmulAlgo_t *algorithm, size_t workspace_bytes,
                                  trib_matmul_algorithm **out)
{
    trib_matmul_algorithm *chosen = trib_alloc_zeroed(1, sizeof *chosen);
    if (!chosen) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "a cuBLASLt plan: out of host memory");
    chosen->handle = library->handle;
    chosen->desc = *desc;
    chosen->algorithm = *algorithm;
    chosen->info.bias = desc->y_dtype;
    chosen->info.workspace_bytes = (int64_t)workspace_bytes;
    int used = snprintf(chosen->info.name, sizeof chosen->info.name, "cublaslt:");
    for (int i = 0; i < WORDS; ++i)
        used += snprintf(chosen->info.name + used, sizeof chosen->info.name - (size_t)used, "%016" PRIx64,
                         algorithm->data[i]);
    *out = chosen;
    return trib_success();
}

static trib_status heuristics(const trib_cublaslt *library, const trib_matmul_desc *desc, int64_t workspace_bytes,
                              cublasLtMatmulHeuristicResult_t *results, int wanted, int *count)
{
    product p;
    cublasLtMatmulPreferenceOpaque_t preference;
    TRIB_TRY(describe(desc, SOME_BIAS, &p));
    TRIB_TRY(prefer(workspace_bytes, &preference));
    TRY(cublasLtMatmulAlgoGetHeuristic(library->handle, &p.operation, &p.w, &p.x, &p.y, &p.y, &preference, wanted,
                                       results, count));
    return trib_success();
}

trib_status trib_matmul_candidates(const trib_cublaslt *library, const trib_matmul_desc *desc, int64_t workspace_bytes,
                                   trib_matmul_algorithm **list, int capacity, int *count, char *reason)
{
    cublasLtMatmulHeuristicResult_t results[MOST_ALGORITHMS];
    char key[TRIB_MATMUL_KEY];
    int offered = 0, made = 0;
    TRIB_TRY(check(desc));
    trib_status status = heuristics(library, desc, workspace_bytes, results,
                                    capacity < MOST_ALGORITHMS ? capacity : MOST_ALGORITHMS, &offered);
    if (status.code == TRIB_UNSUPPORTED) {
        if (reason) snprintf(reason, TRIB_MESSAGE_SIZE, "%s", status.message);
        *count = 0;
        return trib_success();
    }
    for (int i = 0; i < offered && !trib_failed(&status); ++i) {
        if (results[i].state != CUBLAS_STATUS_SUCCESS) continue;
        status = make_algorithm(library, desc, &results[i].algo, results[i].workspaceSize, &list[made]);
        made += !trib_failed(&status);
    }
    if (trib_failed(&status)) {
        while (made > 0) trib_matmul_algorithm_destroy(list[--made]);
        trib_add_context(&status, "%s", trib_matmul_key(desc, key));
        return status;
    }
    if (!made && reason) snprintf(reason, TRIB_MESSAGE_SIZE, "cuBLASLt has no algorithm within the workspace");
    *count = made;
    return status;
}

static bool parse_name(const char *name, cublasLtMatmulAlgo_t *out)
{
    static const char prefix[] = "cublaslt:", digits[] = "0123456789abcdef";
    if (strncmp(name, prefix, sizeof prefix - 1)) return false;
    name += sizeof prefix - 1;
    if (strlen(name) != WORDS * 16) return false;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < WORDS * 16; ++i) {
        const char *digit = strchr(digits, name[i]);
        if (!digit) return false;
        out->data[i / 16] = out->data[i / 16] << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

trib_status trib_matmul_algorithm_by_name(const trib_cublaslt *library, const trib_matmul_desc *desc, const char *name,
                                          trib_matmul_algorithm **out)
{
    cublasLtMatmulAlgo_t algorithm;
    cublasLtMatmulHeuristicResult_t result;
    product p;
    TRIB_TRY(check(desc));
    if (!parse_name(name, &algorithm))
        return TRIB_ERROR(TRIB_BAD_DATA, "\"%.80s\" is no name of a matrix product's plan", name);
    TRIB_TRY(describe(desc, SOME_BIAS, &p));
    cublasStatus_t failed = trib_libcublaslt.cublasLtMatmulAlgoCheck(library->handle, &p.operation, &p.w, &p.x, &p.y,
                                                                     &p.y, &algorithm, &result);
    if (failed == CUBLAS_STATUS_INVALID_VALUE) failed = CUBLAS_STATUS_NOT_SUPPORTED; /* of another version */
    if (failed) return failure(failed, "cublasLtMatmulAlgoCheck", __FILE__, __LINE__);
    return make_algorithm(library, desc, &algorithm, result.workspaceSize, out);
}

const trib_matmul_algorithm_info *trib_matmul_algorithm_get_info(const trib_matmul_algorithm *chosen)
{
    return &chosen->info;
}

void trib_matmul_algorithm_destroy(trib_matmul_algorithm *chosen) { trib_free(chosen); }

trib_status trib_matmul_run(const trib_matmul_algorithm *chosen, struct CUstream_st *stream,
                            const trib_matmul_pointers *pointers, void *workspace)
{
    const float one = 1, zero = 0;
    product p; /* made per run, at no cost: it contains the bias, and plans are shared */
    TRIB_TRY(describe(&chosen->desc, pointers->bias, &p));
    TRY(cublasLtMatmul(chosen->handle, &p.operation, &one, pointers->w, &p.w, pointers->x, &p.x, &zero, pointers->y,
                       &p.y, pointers->y, &p.y, &chosen->algorithm, workspace, (size_t)chosen->info.workspace_bytes,
                       stream));
    return trib_success();
}
