// SPDX-License-Identifier: Apache-2.0
// Every call into the libraries, and every allocation, fails once: an error that names it, nothing lost, and the next
// attempt works.
#include "cuda_libraries/problems.h"
#include "fakecuda/library.h"

using namespace problems;

namespace
{

const Slice x_slice = { 0, 8 }, y_slice = { 16, 40 };

// Open, find, save, load, make by name, run, and close, of a convolution.
trib_status convolve(Conv &conv, Memory &workspace)
{
    trib_cudnn *library = nullptr;
    cudnnContext *handle = nullptr;
    trib_conv_list list = {};
    trib_compiled_conv *loaded = nullptr, *named = nullptr;
    char *json = nullptr;
    std::size_t bytes = 0;
    trib_conv_limits limits = {};
    trib_conv_pointers pointers = conv.pointers(TRIB_F32);
    const trib_compiled_conv_info *info = nullptr;
    trib_status status = trib_success();
    limits.workspace_bytes = 1 << 20;
    TRIB_TRY_GOTO(status, done, trib_cudnn_open(0, &library));
    TRIB_TRY_GOTO(status, done, trib_cudnn_handle_create(nullptr, &handle));
    TRIB_TRY_GOTO(status, done, trib_conv_candidates(library, &conv.desc, &limits, &list));
    info = trib_compiled_conv_get_info(list.convs[0]);
    TRIB_TRY_GOTO(status, done, trib_compiled_conv_save(list.convs[0], &json, &bytes));
    TRIB_TRY_GOTO(status, done, trib_compiled_conv_load(library, &conv.desc, info->name, json, bytes, &loaded));
    TRIB_TRY_GOTO(status, done, trib_compiled_conv_by_name(library, &conv.desc, info->name, &named));
    for (const trib_compiled_conv *plan : { list.convs[0], loaded, named })
        TRIB_TRY_GOTO(status, done, trib_conv_run(plan, handle, &pointers, workspace.data()));
done:
    trib_free(json);
    trib_compiled_conv_destroy(loaded);
    trib_compiled_conv_destroy(named);
    trib_conv_list_clear(&list);
    trib_cudnn_handle_destroy(handle);
    trib_cudnn_close(library);
    return status;
}

// Open, find, make by name, run and close, of a product: a 1x1 convolution's.
trib_status multiply(Memory &memory, Memory &workspace)
{
    trib_cublaslt *library = nullptr;
    trib_matmul_algorithm *plans[4], *named = nullptr;
    int count = 0;
    trib_matmul_desc desc = {};
    desc.precision = TRIB_PRECISION_BF16;
    desc.y_dtype = TRIB_BF16;
    desc.rows = 8, desc.in = desc.out = 8, desc.x_pitch = desc.y_pitch = 8, desc.has_bias = true;
    trib_matmul_pointers pointers = { memory.data(), memory.data() + 256, memory.data() + 512, memory.data() + 768 };
    trib_status status = trib_success();
    TRIB_TRY_GOTO(status, done, trib_cublaslt_open(&library));
    TRIB_TRY_GOTO(status, done, trib_matmul_candidates(library, &desc, 0, plans, 4, &count, nullptr));
    TRIB_TRY_GOTO(
        status, done,
        trib_matmul_algorithm_by_name(library, &desc, trib_matmul_algorithm_get_info(plans[0])->name, &named));
    TRIB_TRY_GOTO(status, done, trib_matmul_run(named, nullptr, &pointers, workspace.data()));
done:
    trib_matmul_algorithm_destroy(named);
    while (count > 0) trib_matmul_algorithm_destroy(plans[--count]);
    trib_cublaslt_close(library);
    return status;
}

// Runs `scenario` until no call of it fails any more.
template <typename Scenario>
void torture_calls(Scenario scenario, int least)
{
    using namespace fakecuda::library;
    for (bool forever : { false, true })
        for (int k = 1;; ++k) {
            fail(k, forever);
            trib_status status = scenario();
            std::int64_t seen = stop_failing();
            ASSERT_EQ(leaks(), "") << "call " << k << ", " << failed_function();
            if (seen < k) {
                EXPECT_OK(status);
                EXPECT_GE(k, least);
                break;
            }
            ASSERT_EQ(status.code, TRIB_DEVICE_ERROR) << "call " << k << ", " << failed_function();
            ASSERT_NE(std::string(status.message).find(failed_function()), std::string::npos)
                << failed_function() << " is not named: " << status.message;
            if (k % 50 == 1) EXPECT_OK(scenario());
        }
}

template <typename Scenario>
void torture_allocations(Scenario scenario, int least, const std::string &before = "")
{
    for (bool forever : { false, true })
        for (int k = 1;; ++k) {
            trib_fault_arm(k, forever);
            trib_status status = scenario();
            std::int64_t seen = trib_fault_disarm();
            ASSERT_EQ(fakecuda::library::leaks(), before) << "allocation " << k;
            if (seen < k) {
                EXPECT_OK(status);
                EXPECT_GE(k, least);
                break;
            }
            ASSERT_EQ(status.code, TRIB_OUT_OF_MEMORY) << "allocation " << k << ": " << status.message;
        }
}

TEST(Torture, Convolutions)
{
    Conv conv(small_conv(TRIB_CONV_FORWARD, TRIB_PRECISION_BF16, x_slice, y_slice), x_slice, y_slice);
    Memory workspace(1 << 20);
    torture_calls([&] { return convolve(conv, workspace); }, 500);
    torture_allocations([&] { return convolve(conv, workspace); }, 10);
}

TEST(Torture, Products)
{
    Memory memory(1024, 0), workspace(1 << 16);
    torture_calls([&] { return multiply(memory, workspace); }, 30);
    torture_allocations([&] { return multiply(memory, workspace); }, 4);
}

} // namespace
