/* SPDX-License-Identifier: Apache-2.0
 * Gradients, all together, made at most clip_norm long:
 *
 *     squares    a block sums the squares of a piece of one gradient, in double    -> workspace[piece]
 *     factor     one block adds up the pieces                                      -> the number behind them
 *     scale      g = g * factor; nothing is read or written where that is 1
 *
 * Pieces follow from the sizes of the gradients, and every sum has a fixed order, so that the bits are the same on
 * every card. Squares of float32 values are exact in double, contracted to a multiply-add or not. Bound by memory. */
#include "dispatch.cuh"
#include "reduce.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int width = 4, rounds = 8; /* elements of an access; accesses of a thread */
static constexpr int64_t piece_size = int64_t(threads) * width * rounds;

struct Gradients {
    int count;
    struct {
        float *g;
        int64_t count, first_piece;
        bool aligned;
    } all[TRIB_CUDA_CLIP_MOST];
};

/* What piece blockIdx.x has of which gradient. */
struct Piece {
    float *g;
    int64_t begin, end;
    bool aligned;
};

__device__ __forceinline__ Piece own_piece(const Gradients &gradients)
{
    const int64_t piece = int64_t(blockIdx.x);
    auto own = gradients.all[0];
    /* Unrolled, so that no index is a variable: the parameters would move to local memory. */
#pragma unroll
    for (int k = 1; k < TRIB_CUDA_CLIP_MOST; ++k)
        if (k < gradients.count && piece >= gradients.all[k].first_piece) own = gradients.all[k];
    const int64_t begin = (piece - own.first_piece) * piece_size;
    return { own.g, begin, min(own.count, begin + piece_size), own.aligned };
}

/* four(at) and one(at) cover this thread's elements: those that are not four, or not aligned, one by one. */
template <class Four, class One>
__device__ __forceinline__ void own_elements(const Piece &piece, Four four, One one)
{
    for (int64_t at = piece.begin + int64_t(threadIdx.x) * width; at < piece.end; at += threads * width)
        if (piece.aligned && at + width <= piece.end)
            four(at);
        else
            for (int64_t i = at; i < min(piece.end, at + width); ++i) one(i);
}

__device__ __forceinline__ bool clips(const trib_step_controls *controls)
{
    return load<uint32_t>(&controls->no_update) == 0 && load<float>(&controls->clip_norm) > 0;
}

template <int WIDTH>
__device__ __forceinline__ double squares_of(const float *g)
{
    const auto values = load_chunk<float, WIDTH>(g);
    double sum = 0;
#pragma unroll
    for (int j = 0; j < WIDTH; ++j) sum += double(values.v[j]) * double(values.v[j]);
    return sum;
}

template <class T>
__global__ void __launch_bounds__(threads) squares(Gradients gradients, const trib_step_controls *controls, T *partial)
{
    TRIB_SHARED(double, parts, warps);
    if (!clips(controls)) return;
    const Piece piece = own_piece(gradients);
    double sum = 0;
    own_elements(
        piece, [&](int64_t at) { sum += squares_of<width>(piece.g + at); },
        [&](int64_t at) { sum += squares_of<1>(piece.g + at); });
    sum = reduce(sum, parts, Sum());
    if (threadIdx.x == 0) store(partial + blockIdx.x, sum);
}

template <class T>
__global__ void __launch_bounds__(threads) factor(int64_t pieces, const trib_step_controls *controls, T *partial)
{
    TRIB_SHARED(double, parts, warps);
    double sum = 0, result = 1;
    if (clips(controls)) {
        for (int64_t i = threadIdx.x; i < pieces; i += threads) sum += load_own<double>(partial + i);
        const double length = sqrt(reduce(sum, parts, Sum())) / double(load<float>(&controls->loss_scale));
        const double most = double(load<float>(&controls->clip_norm));
        if (length > most) result = most / length;
    }
    if (threadIdx.x == 0) store(partial + pieces, result);
}

template <int WIDTH>
__device__ __forceinline__ void scale_chunk(float by, float *g)
{
    auto values = load_own_chunk<float, WIDTH>(g);
#pragma unroll
    for (int j = 0; j < WIDTH; ++j) values.v[j] = float_multiply(values.v[j], by);
    store_chunk(g, values);
}

template <class T>
__global__ void __launch_bounds__(threads) scale(Gradients gradients, const T *factor)
{
    const float by = float(load<double>(factor));
    if (by == 1) return;
    const Piece piece = own_piece(gradients);
    own_elements(
        piece, [&](int64_t at) { scale_chunk<width>(by, piece.g + at); },
        [&](int64_t at) { scale_chunk<1>(by, piece.g + at); });
}

static int64_t pieces_of(int gradients, const int64_t *counts)
{
    int64_t pieces = 0;
    for (int i = 0; i < gradients; ++i) pieces += ceil_div(counts[i], piece_size);
    return pieces;
}

int64_t trib_cuda_clip_gradients_workspace(int gradients, const int64_t *counts)
{
    return (pieces_of(gradients, counts) + 1) * int64_t(sizeof(double));
}

trib_status trib_cuda_clip_gradients(int gradients, const int64_t *counts, float *const *g,
                                     const trib_step_controls *controls, void *workspace, void *stream)
{
    const char *name = "clip_gradients";
    Gradients all = {};
    if (gradients < 1 || gradients > TRIB_CUDA_CLIP_MOST)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no CUDA kernel for %d gradients", name, gradients);
    for (; all.count < gradients; ++all.count) {
        const bool aligned = reinterpret_cast<uintptr_t>(g[all.count]) % (width * sizeof(float)) == 0;
        all.all[all.count] = { g[all.count], counts[all.count], pieces_of(all.count, counts), aligned };
    }
    const int64_t pieces = pieces_of(gradients, counts);
    const dim3 grid = { unsigned(pieces), 1, 1 };
    auto *partial = static_cast<double *>(workspace);
    TRIB_TRY(launch(name, squares<double>, grid, threads, 0, stream, all, controls, partial));
    TRIB_TRY(launch(name, factor<double>, dim3 { 1, 1, 1 }, threads, 0, stream, pieces, controls, partial));
    return launch(name, scale<double>, grid, threads, 0, stream, all, static_cast<const double *>(partial + pieces));
}
