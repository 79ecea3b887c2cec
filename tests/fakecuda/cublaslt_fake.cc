// SPDX-License-Identifier: Apache-2.0
// A simulated cuBLASLt: the entry points that runtime/cuda calls, on the CPU. Descriptors live in the caller's memory,
// as the real ones do. Its heuristics offer a plain algorithm, one that needs a workspace, and one that is not
// supported after all.
#include "fakecuda/library.h"
#include "fakecuda/number.h"

#include <cublasLt.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <set>

using namespace fakecuda;

namespace
{

// ---- descriptors, in place ----

constexpr std::uint64_t operation_mark = 0x6f70657261746f6e, layout_mark = 0x6c61796f75742020,
                        preference_mark = 0x7072656665720000, algorithm_mark = 0x616c676f72697468;

struct Operation {
    std::uint64_t mark;
    cublasComputeType_t compute;
    cudaDataType_t scale;
    cublasOperation_t transposed_a, transposed_b;
    cublasLtEpilogue_t epilogue;
    const void *bias;
};
struct Layout {
    std::uint64_t mark;
    std::uint64_t rows, columns;
    std::int64_t leading;
    cudaDataType_t type;
};
struct Preference {
    std::uint64_t mark, workspace;
    std::uint32_t reduction, alignment[4];
};
// data[0] the mark, [1] which, [2] the library's version
enum Algorithm : std::uint64_t { plain, split, refused, algorithm_count };

static_assert(sizeof(Operation) <= sizeof(cublasLtMatmulDescOpaque_t));
static_assert(sizeof(Layout) <= sizeof(cublasLtMatrixLayoutOpaque_t));
static_assert(sizeof(Preference) <= sizeof(cublasLtMatmulPreferenceOpaque_t));

struct Refusal {
    cublasStatus_t status;
};

void expect(bool condition, cublasStatus_t status = CUBLAS_STATUS_INVALID_VALUE)
{
    if (!condition) throw Refusal { status };
}

template <typename T, typename Opaque>
T &as(Opaque *opaque, std::uint64_t mark)
{
    expect(opaque != nullptr);
    T &t = *reinterpret_cast<T *>(opaque);
    expect(t.mark == mark);
    return t;
}
const Operation &operation_of(cublasLtMatmulDesc_t d) { return as<Operation>(d, operation_mark); }
const Layout &layout_of(cublasLtMatrixLayout_t d) { return as<Layout>(d, layout_mark); }

template <typename T>
void set(T &target, const void *value, std::size_t bytes)
{
    expect(value && bytes == sizeof target);
    std::memcpy(&target, value, bytes);
}

std::mutex lock;
std::set<void *> handles;

void check_handle(cublasLtHandle_t handle)
{
    std::lock_guard<std::mutex> guard(lock);
    expect(handles.count(handle) != 0, CUBLAS_STATUS_NOT_INITIALIZED);
}

template <typename Function>
cublasStatus_t entry(const char *function, Function body)
{
    if (library::fails(function)) return CUBLAS_STATUS_INTERNAL_ERROR;
    try {
        body();
        return CUBLAS_STATUS_SUCCESS;
    } catch (const Refusal &refusal) {
        return refusal.status;
    }
}

// ---- products ----

bool has_bias(const Operation &o) { return o.epilogue & CUBLASLT_EPILOGUE_BIAS; }
bool has_relu(const Operation &o) { return o.epilogue & CUBLASLT_EPILOGUE_RELU; }

Stored stored(cudaDataType_t type)
{
    return type == CUDA_R_16F ? Stored::f16 : type == CUDA_R_16BF ? Stored::bf16 : Stored::f32;
}

// d[m, n] = a^T b, all column-major: a is [k, m], b is [k, n].
struct Product {
    const Operation &operation;
    const Layout &a, &b, &d;
};

Product product_of(cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                   cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d)
{
    Product p = { operation_of(operation), layout_of(a), layout_of(b), layout_of(d) };
    const Layout &with = layout_of(c);
    expect(p.operation.transposed_a == CUBLAS_OP_T && p.operation.transposed_b == CUBLAS_OP_N,
           CUBLAS_STATUS_NOT_SUPPORTED);
    expect(p.a.rows == p.b.rows && p.d.rows == p.a.columns && p.d.columns == p.b.columns);
    expect(with.rows == p.d.rows && with.columns == p.d.columns && with.leading == p.d.leading);
    for (const Layout *l : { &p.a, &p.b, &p.d }) expect(l->leading >= std::int64_t(l->rows) && l->rows && l->columns);
    expect(p.a.type == p.b.type && p.operation.scale == CUDA_R_32F, CUBLAS_STATUS_NOT_SUPPORTED);
    expect(p.d.type == p.a.type || p.d.type == CUDA_R_32F, CUBLAS_STATUS_NOT_SUPPORTED);
    expect(with.type == p.d.type, CUBLAS_STATUS_NOT_SUPPORTED);
    const bool single = p.a.type == CUDA_R_32F;
    expect(p.operation.compute == CUBLAS_COMPUTE_32F || (single && p.operation.compute == CUBLAS_COMPUTE_32F_FAST_TF32),
           CUBLAS_STATUS_NOT_SUPPORTED);
    const unsigned known = CUBLASLT_EPILOGUE_DEFAULT | CUBLASLT_EPILOGUE_RELU_BIAS;
    expect((p.operation.epilogue & ~known) == 0, CUBLAS_STATUS_NOT_SUPPORTED);
    expect(!has_bias(p.operation) || p.operation.bias != nullptr);
    return p;
}

std::size_t workspace_of(const Product &p, std::uint64_t algorithm)
{
    return algorithm == split ? 2 * sizeof(float) * p.d.rows * p.d.columns : 0;
}

std::size_t span_bytes(const Layout &l)
{
    return (std::size_t(l.leading) * (l.columns - 1) + l.rows) * bytes_of(stored(l.type));
}

// The bias was checked when the work was given: it is kept with it, not in the caller's descriptor.
void compute(const Operation &o, const Layout &la, const Layout &lb, const Layout &ld, const void *a, const void *b,
             void *d)
{
    const bool tf32 = o.compute == CUBLAS_COMPUTE_32F_FAST_TF32, rounds = library::rounds_tf32();
    const std::int64_t m = std::int64_t(ld.rows), n = std::int64_t(ld.columns), k = std::int64_t(la.rows);
    const Stored type = stored(la.type), type_of_d = stored(ld.type);
    const auto factor = [&](const void *memory, std::int64_t i) {
        float value = load(memory, i, type);
        return tf32 ? to_tf32(value, rounds) : value;
    };
    std::vector<float> turned(std::size_t(k * m)), sum(std::size_t(m), 0.0f); // a as [k][m]
    for (std::int64_t j = 0; j < m; ++j)
        for (std::int64_t i = 0; i < k; ++i) turned[std::size_t(i * m + j)] = factor(a, j * la.leading + i);
    for (std::int64_t column = 0; column < n; ++column) {
        std::fill(sum.begin(), sum.end(), 0.0f);
        for (std::int64_t i = 0; i < k; ++i) {
            const float x = factor(b, column * lb.leading + i), *row = &turned[std::size_t(i * m)];
            for (std::int64_t j = 0; j < m; ++j) sum[std::size_t(j)] += x * row[j];
        }
        for (std::int64_t j = 0; j < m; ++j) {
            float y = sum[std::size_t(j)];
            if (has_bias(o)) y += load(o.bias, j, type_of_d);
            if (has_relu(o) && (y < 0 || y != y)) y = 0; // what becomes of NaN is not documented
            store(d, column * ld.leading + j, type_of_d, y);
        }
    }
}

cublasLtMatmulAlgo_t algorithm_of(std::uint64_t which)
{
    cublasLtMatmulAlgo_t algorithm = {};
    algorithm.data[0] = algorithm_mark;
    algorithm.data[1] = which;
    algorithm.data[2] = CUBLAS_VERSION;
    return algorithm;
}

std::uint64_t check_algorithm(const cublasLtMatmulAlgo_t *algorithm)
{
    expect(algorithm && algorithm->data[0] == algorithm_mark && algorithm->data[1] < algorithm_count &&
           algorithm->data[2] == CUBLAS_VERSION);
    expect(algorithm->data[1] != refused, CUBLAS_STATUS_NOT_SUPPORTED);
    return algorithm->data[1];
}

} // namespace

extern "C" {

const char *cublasLtGetStatusName(cublasStatus_t status)
{
    switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    default: return "CUBLAS_STATUS_INTERNAL_ERROR";
    }
}
const char *cublasLtGetStatusString(cublasStatus_t) { return "simulated"; }
size_t cublasLtGetVersion(void) { return CUBLAS_VERSION; }

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
    return entry("cublasLtCreate", [&] {
        expect(handle != nullptr);
        *handle = reinterpret_cast<cublasLtHandle_t>(new char);
        std::lock_guard<std::mutex> guard(lock);
        handles.insert(*handle);
        library::made("cublasLt handle");
    });
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
    std::lock_guard<std::mutex> guard(lock);
    if (!handles.erase(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
    library::given_back("cublasLt handle");
    delete reinterpret_cast<char *>(handle);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescInit_internal(cublasLtMatmulDesc_t d, size_t size, cublasComputeType_t compute_type,
                                               cudaDataType_t scale)
{
    return entry("cublasLtMatmulDescInit", [&] {
        expect(d && size >= sizeof(Operation));
        *reinterpret_cast<Operation *>(
            d) = { operation_mark, compute_type, scale, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, nullptr };
    });
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t name,
                                              const void *value, size_t bytes)
{
    return entry("cublasLtMatmulDescSetAttribute", [&] {
        Operation &o = as<Operation>(d, operation_mark);
        switch (name) {
        case CUBLASLT_MATMUL_DESC_TRANSA: return set(o.transposed_a, value, bytes);
        case CUBLASLT_MATMUL_DESC_TRANSB: return set(o.transposed_b, value, bytes);
        case CUBLASLT_MATMUL_DESC_EPILOGUE: return set(o.epilogue, value, bytes);
        case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return set(o.bias, value, bytes);
        default: throw Refusal { CUBLAS_STATUS_INVALID_VALUE };
        }
    });
}

cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t d, size_t size, cudaDataType type,
                                                 uint64_t rows, uint64_t columns, int64_t leading)
{
    return entry("cublasLtMatrixLayoutInit", [&] {
        expect(d && size >= sizeof(Layout));
        *reinterpret_cast<Layout *>(d) = { layout_mark, rows, columns, leading, type };
    });
}

cublasStatus_t cublasLtMatmulPreferenceInit_internal(cublasLtMatmulPreference_t d, size_t size)
{
    return entry("cublasLtMatmulPreferenceInit", [&] {
        expect(d && size >= sizeof(Preference));
        *reinterpret_cast<Preference *>(
            d) = { preference_mark, 0, CUBLASLT_REDUCTION_SCHEME_MASK, { 256, 256, 256, 256 } };
    });
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t d,
                                                    cublasLtMatmulPreferenceAttributes_t name, const void *value,
                                                    size_t bytes)
{
    return entry("cublasLtMatmulPreferenceSetAttribute", [&] {
        Preference &p = as<Preference>(d, preference_mark);
        switch (name) {
        case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES: return set(p.workspace, value, bytes);
        case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK: return set(p.reduction, value, bytes);
        case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES: return set(p.alignment[0], value, bytes);
        case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES: return set(p.alignment[1], value, bytes);
        case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES: return set(p.alignment[2], value, bytes);
        case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES: return set(p.alignment[3], value, bytes);
        default: throw Refusal { CUBLAS_STATUS_INVALID_VALUE };
        }
    });
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t results[], int *count)
{
    return entry("cublasLtMatmulAlgoGetHeuristic", [&] {
        check_handle(handle);
        const Product p = product_of(operation, a, b, c, d);
        const Preference &prefer = as<Preference>(preference, preference_mark);
        expect(wanted > 0 && results && count);
        *count = 0;
        for (std::uint64_t which : { refused, split, plain }) {
            const std::size_t bytes = workspace_of(p, which);
            if (bytes > prefer.workspace || *count == wanted) continue;
            cublasLtMatmulHeuristicResult_t &result = results[(*count)++];
            result = {};
            result.algo = algorithm_of(which);
            result.workspaceSize = bytes;
            result.state = which == refused ? CUBLAS_STATUS_NOT_SUPPORTED : CUBLAS_STATUS_SUCCESS;
            result.wavesCount = 1;
        }
        expect(*count > 0, CUBLAS_STATUS_NOT_SUPPORTED);
    });
}

cublasStatus_t cublasLtMatmulAlgoCheck(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                       cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                       cublasLtMatrixLayout_t d, const cublasLtMatmulAlgo_t *algorithm,
                                       cublasLtMatmulHeuristicResult_t *result)
{
    return entry("cublasLtMatmulAlgoCheck", [&] {
        check_handle(handle);
        const Product p = product_of(operation, a, b, c, d);
        const std::uint64_t which = check_algorithm(algorithm);
        *result = {};
        result->algo = *algorithm;
        result->workspaceSize = workspace_of(p, which);
    });
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void *alpha, const void *a,
                              cublasLtMatrixLayout_t a_layout, const void *b, cublasLtMatrixLayout_t b_layout,
                              const void *beta, const void *c, cublasLtMatrixLayout_t c_layout, void *d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algorithm, void *workspace,
                              size_t workspace_bytes, cudaStream_t stream)
{
    return entry("cublasLtMatmul", [&] {
        check_handle(handle);
        const Product p = product_of(operation, a_layout, b_layout, c_layout, d_layout);
        const std::size_t needed = workspace_of(p, check_algorithm(algorithm));
        expect(a && b && c && d && alpha && beta);
        expect(*static_cast<const float *>(alpha) == 1 && *static_cast<const float *>(beta) == 0,
               CUBLAS_STATUS_NOT_SUPPORTED);
        expect(workspace_bytes >= needed && (!needed || workspace));
        expect(reinterpret_cast<std::uintptr_t>(workspace) % 256 == 0);
        for (const void *pointer : { a, b, static_cast<const void *>(d), p.operation.bias })
            expect(reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0);
        std::vector<library::Touched> touched = { { a, span_bytes(p.a) },
                                                  { b, span_bytes(p.b) },
                                                  { d, span_bytes(p.d) } };
        if (has_bias(p.operation)) touched.push_back({ p.operation.bias, p.d.rows * bytes_of(stored(p.d.type)) });
        if (needed) touched.push_back({ workspace, needed });
        const Operation o = p.operation;
        const Layout la = p.a, lb = p.b, ld = p.d;
        cudaError_t failed = library::enqueue(
            stream, "cublasLt",
            [=] {
                if (needed) std::memset(workspace, 0xa5, needed); // who shares it with another op will see
                compute(o, la, lb, ld, a, b, d);
            },
            touched);
        expect(failed == cudaSuccess, CUBLAS_STATUS_EXECUTION_FAILED);
    });
}
}
