// SPDX-License-Identifier: Apache-2.0
// The emulation itself: kernels with one mistake each must be refused, with the place named; right ones must not.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "launch.cuh"
#include "ptx.cuh"

namespace
{

template <class... P, class... A>
std::string run(void (*kernel)(P...), int threads, A... arguments)
{
    return launch("planted", kernel, dim3 { 2, 1, 1 }, threads, 256, nullptr, arguments...).message;
}

void expect_refused(const std::string &message, const std::vector<std::string> &texts)
{
    EXPECT_NE(message, "") << "the mistake was not found";
    for (const std::string &text : texts) EXPECT_NE(message.find(text), std::string::npos) << message;
}

// ---- barriers and warps ----

__global__ void some_threads_end(int last)
{
    if (int(threadIdx.x) >= last) return;
    __syncthreads();
}

__global__ void two_barriers(int odd_warps)
{
    if (int(threadIdx.x) / 32 % 2 < odd_warps)
        __syncthreads();
    else
        __syncthreads();
}

__global__ void shuffle_in_a_branch(int lanes)
{
    if (int(threadIdx.x) < lanes) __shfl_xor_sync(0xFFFFFFFFu, 1, 1);
}

__global__ void shuffle_and_barrier(int lanes)
{
    if (int(threadIdx.x) < lanes) __shfl_xor_sync(0xFFFFFFFFu, 1, 1);
    __syncthreads();
}

__global__ void different_shuffles(int lanes)
{
    if (int(threadIdx.x) < lanes)
        __shfl_xor_sync(0xFFFFFFFFu, 1, 1);
    else
        __shfl_xor_sync(0xFFFFFFFFu, 1, 1);
}

__global__ void part_of_a_warp() { __shfl_xor_sync(0x0000FFFFu, 1, 1); }

TEST(Emulation, BarrierThatSomeNeverReach)
{
    expect_refused(run(some_threads_end, 64, 63), { "planted: block 0,0,0 thread", "__syncthreads", "has ended" });
    expect_refused(run(some_threads_end, 64, 32), { "has ended" });
    EXPECT_EQ(run(some_threads_end, 64, 64), "");
    EXPECT_EQ(run(some_threads_end, 64, 0), "");
}

TEST(Emulation, DifferentBarriers)
{
    expect_refused(run(two_barriers, 64, 1), { "__syncthreads (emulation_test.cc:", "while thread" });
    EXPECT_EQ(run(two_barriers, 64, 2), "");
}

TEST(Emulation, WarpsThatDoNotAgree)
{
    expect_refused(run(shuffle_in_a_branch, 32, 31), { "__shfl_xor_sync", "has ended" });
    expect_refused(run(shuffle_and_barrier, 32, 5), { "__shfl_xor_sync", "__syncthreads" });
    expect_refused(run(different_shuffles, 32, 5), { "__shfl_xor_sync", "while thread 5 of its warp" });
    expect_refused(run(part_of_a_warp, 32), { "part of a warp" });
    EXPECT_EQ(run(shuffle_in_a_branch, 32, 32), "");
    EXPECT_EQ(run(shuffle_and_barrier, 32, 32), "");
}

TEST(Emulation, ImpossibleLaunches)
{
    expect_refused(run(some_threads_end, 1025, 0), { "no GPU accepts" });
    expect_refused(launch("planted", part_of_a_warp, dim3 { 0, 1, 1 }, 32, 0, nullptr).message, { "no GPU accepts" });
    expect_refused(launch("planted", part_of_a_warp, dim3 { 1, 65536, 1 }, 32, 0, nullptr).message, { "no GPU" });
}

// More than 48 KB takes cudaFuncSetAttribute, which no launch of ours calls: refused before it is given to a stream.
TEST(Emulation, SharedMemoryOver48KilobytesIsRefusedAtTheLaunch)
{
    emulation::set_stream_hook([](void *, std::function<trib_status()>) { return trib_success(); });
    const auto with = [](std::size_t bytes) {
        return std::string(launch("planted", part_of_a_warp, dim3 { 1, 1, 1 }, 32, bytes, nullptr).message);
    };
    EXPECT_EQ(with(48 << 10), "");
    expect_refused(with((48 << 10) + 1), { "planted: the kernel could not be launched", "48 KB" });
    emulation::set_stream_hook(nullptr);
}

// ---- shared memory ----

__global__ void outside(int index)
{
    TRIB_SHARED(float, before, 4);
    TRIB_SHARED(float, array, 4);
    TRIB_SHARED(float, after, 4);
    before[0] = after[0] = 0;
    array[index] = 1;
}

__global__ void outside_dynamic(int index) { shared_store(dynamic_shared<float>(), index, uint4 {}); }

__global__ void too_much()
{
    TRIB_SHARED(float, array, 12 * 1024 + 1);
    array[0] = 1;
}

__global__ void misaligned(int index)
{
    TRIB_SHARED(float, array, 64);
    shared_store(array, index, uint4 {});
}

__global__ void unwritten(int *y)
{
    TRIB_SHARED(int, array, 32);
    if (threadIdx.x != 3) array[threadIdx.x] = int(threadIdx.x);
    __syncthreads();
    if (blockIdx.x == 0) store(y + threadIdx.x, int(array[threadIdx.x]));
}

__global__ void neighbours(int *y, bool barrier, bool second_barrier)
{
    TRIB_SHARED(int, array, 64);
    array[threadIdx.x] = int(threadIdx.x);
    if (barrier) __syncthreads();
    const int left = array[(threadIdx.x + 63) % 64];
    if (second_barrier) __syncthreads();
    array[threadIdx.x] = left;
    if (blockIdx.x == 0) store(y + threadIdx.x, left);
}

__global__ void same_place()
{
    TRIB_SHARED(int, array, 1);
    array[0] = int(threadIdx.x);
}

TEST(Emulation, OutsideSharedArrays)
{
    expect_refused(run(outside, 1, 4), { "planted: block 0,0,0 thread 0", "bytes 16 to 20 of an array of 16" });
    expect_refused(run(outside, 1, -1), { "bytes -4 to 0" });
    EXPECT_EQ(run(outside, 1, 3), "");
    expect_refused(run(outside_dynamic, 1, 64), { "of an array of 256" });
    EXPECT_EQ(run(outside_dynamic, 1, 60), "");
    expect_refused(run(too_much, 1), { "more than 48 KB of shared memory" });
    EXPECT_EQ(launch("planted", same_place, dim3 { 1, 1, 1 }, 1, (48 << 10) - 16, nullptr).code, TRIB_OK);
    expect_refused(launch("planted", same_place, dim3 { 1, 1, 1 }, 1, 48 << 10, nullptr).message, { "48 KB" });
}

TEST(Emulation, MisalignedSharedAccess)
{
    expect_refused(run(misaligned, 1, 5), { "misaligned access at byte 20" });
    EXPECT_EQ(run(misaligned, 1, 8), "");
}

TEST(Emulation, ReadingWhatNobodyWrote)
{
    std::vector<int> y(32);
    expect_refused(run(unwritten, 32, y.data()), { "thread 3: shared memory: reads what nobody wrote" });
}

__global__ void write_after_read()
{
    TRIB_SHARED(int, array, 1);
    if (threadIdx.x == 0) array[0] = 1;
    __syncthreads();
    if (threadIdx.x == 0 && array[0]) return;
    array[0] = 2;
}

TEST(Emulation, RacesInSharedMemory)
{
    std::vector<int> y(64, -1);
    // Threads run in order, so thread 1 would even find what thread 0 wrote.
    expect_refused(run(neighbours, 64, y.data(), false, true), { "thread 0: shared memory: reads what nobody" });
    expect_refused(run(neighbours, 64, y.data(), true, false), { "with no barrier between (thread" });
    expect_refused(run(same_place, 2), { "writes where another wrote" });
    expect_refused(run(write_after_read, 2), { "writes what another reads, with no barrier between (thread 0)" });
    EXPECT_EQ(run(same_place, 1), "");
    EXPECT_EQ(run(neighbours, 64, y.data(), true, true), "");
    for (int i = 0; i < 64; ++i) EXPECT_EQ(y[i], (i + 63) % 64);
}

// ---- cp.async ----

__global__ void copy(const float *x, float *y, int waits, bool barrier, bool commits)
{
    TRIB_SHARED(float, array, 8);
    const int thread = int(threadIdx.x);
    cp_async_16(array, 4 * thread, x + 4 * thread, true);
    if (commits) cp_async_commit();
    cp_async_commit();
    if (waits == 0) cp_async_wait<0>();
    if (waits == 1) cp_async_wait<1>();
    if (barrier) __syncthreads();
    const float other = array[4 * (1 - thread)];
    cp_async_wait<0>();
    store(y + thread, other);
}

__global__ void never_waited_for(const float *x)
{
    TRIB_SHARED(float, array, 8);
    cp_async_16(array, 4 * int(threadIdx.x), x, true);
}

__global__ void zero_filled(float *y)
{
    TRIB_SHARED(float, array, 8);
    cp_async_16(array, 4 * int(threadIdx.x), nullptr, false);
    cp_async_commit();
    cp_async_wait<0>();
    store(y + threadIdx.x, float(array[4 * int(threadIdx.x) + 3]));
}

TEST(Emulation, ReadingBeforeCpAsyncIsWaitedFor)
{
    alignas(16) float x[8] = { 1, 0, 0, 0, 2 };
    float y[2] = {};
    expect_refused(run(copy, 2, x, y, 2, true, false), { "before cp.async was waited for" });
    expect_refused(run(copy, 2, x, y, 1, true, false), { "before cp.async was waited for" });
    expect_refused(run(copy, 2, x, y, 0, false, false), { "shared memory: reads what" });
    expect_refused(run(never_waited_for, 2, x), { "never waited for" });
    EXPECT_EQ(run(copy, 2, x, y, 0, true, false), "");
    EXPECT_EQ(run(copy, 2, x, y, 1, true, true), "") << "an empty group on top";
    EXPECT_EQ(y[0], 2);
    EXPECT_EQ(y[1], 1);
    EXPECT_EQ(run(zero_filled, 2, y), "");
    EXPECT_EQ(y[0] + y[1], 0);
}

TEST(Emulation, CpAsyncFromAMisalignedAddress)
{
    alignas(16) float x[16] = {};
    float y[2] = {};
    expect_refused(run(copy, 2, x + 1, y, 0, true, false), { "misaligned" });
}

// ---- global memory ----

__global__ void touch(const float *x, float *y, int from, int to) { store(y + to, load<float>(x + from)); }
__global__ void vector_load(const float *x, float *y, int from) { store(y, float(load<uint4>(x + from).x)); }

TEST(Emulation, GlobalMemoryOutsideTheRegisteredBuffers)
{
    alignas(16) float x[8] = {};
    float y[8] = {};
    emulation::GlobalRange input(x, sizeof x / 2, false), output(y, sizeof y / 2, true);
    EXPECT_EQ(run(touch, 1, x, y, 3, 3), "");
    expect_refused(run(touch, 1, x, y, 4, 0), { "load of 4 bytes outside every buffer" });
    expect_refused(run(touch, 1, x, y, 0, 4), { "store of 4 bytes outside every buffer" });
    expect_refused(run(touch, 1, x, x, 0, 0), { "to an input" });
    expect_refused(run(vector_load, 1, x, y, 1), { "load of 16 bytes at a misaligned address" });
    EXPECT_EQ(run(vector_load, 1, x, y, 0), "");
}

// ---- instructions ----

__global__ void multiply(const unsigned short *a, const unsigned short *b, float *d)
{
    TRIB_SHARED(unsigned short, tile, 16 * 16 + 8 * 16);
    const int lane = int(threadIdx.x), g = lane / 4, t = lane % 4;
    for (int i = lane; i < 256; i += 32) tile[i] = load<unsigned short>(a + i);
    for (int i = lane; i < 128; i += 32) tile[256 + i] = load<unsigned short>(b + i);
    __syncthreads();
    unsigned fragment[4], right[4];
    float sums[4] = {};
    ldmatrix_x4(fragment, tile, lane % 16 * 16 + lane / 16 * 8);
    ldmatrix_x4(right, tile, 256 + lane % 8 * 16 + lane / 8 % 2 * 8);
    mma<__half>(sums, fragment, { right[0], right[1] });
    for (int r = 0; r < 4; ++r) store(d + (g + r / 2 * 8) * 8 + 2 * t + r % 2, sums[r]);
}

// A is 16x16 row by row, B is given column by column, as the kernels lay out weights.
TEST(Emulation, MmaIsAMatrixProduct)
{
    std::vector<unsigned short> a(256), b(128);
    std::vector<float> d(128, -1);
    for (int i = 0; i < 256; ++i) a[i] = trib_f32_to_f16(float(i % 7 - 3));
    for (int i = 0; i < 128; ++i) b[i] = trib_f32_to_f16(float(i % 5 - 2));
    ASSERT_EQ(run(multiply, 32, a.data(), b.data(), d.data()), "");
    for (int m = 0; m < 16; ++m)
        for (int n = 0; n < 8; ++n) {
            float wanted = 0;
            for (int k = 0; k < 16; ++k) wanted += float((m * 16 + k) % 7 - 3) * float((n * 16 + k) % 5 - 2);
            EXPECT_EQ(d[m * 8 + n], wanted) << m << " " << n;
        }
}

__global__ void load_rows(int pitch)
{
    TRIB_SHARED(unsigned char, tile, 32 * 80);
    for (int i = int(threadIdx.x) * 16; i < 32 * 80; i += 512) shared_store(tile, i, uint4 {});
    __syncthreads();
    unsigned d[4];
    ldmatrix_x4(d, tile, int(threadIdx.x) * pitch);
}

TEST(Emulation, BankConflictsAreCounted)
{
    emulation::take_bank_conflicts();
    ASSERT_EQ(run(load_rows, 32, 80), "");
    EXPECT_EQ(emulation::take_bank_conflicts(), 0);
    ASSERT_EQ(run(load_rows, 32, 64), "");
    EXPECT_EQ(emulation::take_bank_conflicts(), 2 * 4 * 6) << "two blocks, four matrices: eight rows in two places";
    EXPECT_EQ(emulation::take_bank_conflicts(), 0);
}

__global__ void votes(unsigned *y)
{
    const int lane = int(threadIdx.x);
    const unsigned ballot = __ballot_sync(0xFFFFFFFFu, lane % 3 == 0);
    const bool any = __any_sync(0xFFFFFFFFu, lane == 31), all = __all_sync(0xFFFFFFFFu, lane < 31);
    const int up = __shfl_up_sync(0xFFFFFFFFu, lane, 1), down = __shfl_down_sync(0xFFFFFFFFu, lane, 1);
    const int from = __shfl_sync(0xFFFFFFFFu, lane, 5), crossed = __shfl_xor_sync(0xFFFFFFFFu, lane, 3);
    const bool right = ballot == 0x49249249u && any && !all && up == (lane ? lane - 1 : 0) &&
                       down == (lane < 31 ? lane + 1 : 31) && from == 5 && crossed == (lane ^ 3);
    store(y + lane, unsigned(right));
}

TEST(Emulation, ShufflesAndVotes)
{
    std::vector<unsigned> y(32);
    ASSERT_EQ(run(votes, 32, y.data()), "");
    EXPECT_EQ(y, std::vector<unsigned>(32, 1));
}

TEST(Emulation, Tf32RoundsToTenFractionBits)
{
    EXPECT_EQ(to_tf32(0x3F800FFFu), 0x3F800000u);
    EXPECT_EQ(to_tf32(0x3F801000u), 0x3F802000u); // a tie, away from zero
    EXPECT_EQ(to_tf32(0xBF801000u), 0xBF802000u);
    EXPECT_EQ(to_tf32(0x7F800000u), 0x7F800000u);
    EXPECT_TRUE(std::isnan(__uint_as_float(to_tf32(0x7FFFFFFFu))));
}

TEST(Emulation, MaximumOfPairsKeepsNotANumber)
{
    EXPECT_EQ(max_nan_pair<__half>(0x3C00C000u, 0xC0003C00u), 0x3C003C00u);
    EXPECT_EQ(max_nan_pair<__half>(0x7E003C00u, 0x3C003C00u) >> 16 & 0x7C00u, 0x7C00u);
    EXPECT_EQ(max_nan_pair<__nv_bfloat16>(0x3F80BF80u, 0xBF803F80u), 0x3F803F80u);
    EXPECT_TRUE(std::isnan(max_nan(NAN, 1)) && std::isnan(max_nan(1, NAN)));
}

// ---- order, streams ----

__global__ void append(std::vector<unsigned> *seen)
{
    if (threadIdx.x % 32 == 0) seen->push_back(blockIdx.x * 100 + threadIdx.x / 32);
}

TEST(Emulation, OrderIsShuffledBySeed)
{
    std::vector<unsigned> natural, one, again, two;
    auto order = [](std::uint64_t seed, std::vector<unsigned> *seen) {
        emulation::set_order(seed);
        EXPECT_EQ(launch("planted", append, dim3 { 20, 1, 1 }, 128, 0, nullptr, seen).message, std::string());
        emulation::set_order(0);
    };
    order(0, &natural), order(1, &one), order(1, &again), order(2, &two);
    EXPECT_EQ(natural.size(), 80u);
    EXPECT_TRUE(std::is_sorted(natural.begin(), natural.end()));
    EXPECT_EQ(one, again);
    EXPECT_NE(one, natural);
    EXPECT_NE(one, two);
}

std::vector<std::function<trib_status()>> queued;

TEST(Emulation, LaunchesCanBeQueued)
{
    emulation::set_stream_hook([](void *, std::function<trib_status()> work) {
        queued.push_back(std::move(work));
        return trib_success();
    });
    std::vector<int> y(64, -1);
    EXPECT_EQ(run(neighbours, 64, y.data(), true, true), "");
    emulation::set_stream_hook(nullptr);
    EXPECT_EQ(y[1], -1);
    ASSERT_EQ(queued.size(), 1u);
    EXPECT_EQ(queued[0]().code, TRIB_OK);
    EXPECT_EQ(y[1], 0);
    queued.clear();
}

} // namespace
