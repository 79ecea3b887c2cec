// SPDX-License-Identifier: Apache-2.0
// Matrix products through simulated cuBLASLt.
#include "cuda_libraries/problems.h"
#include "fakecuda/library.h"

using namespace problems;

namespace
{

enum { CAPACITY = 8 };

class Products : public testing::Test
{
  protected:
    void SetUp() override { ASSERT_OK(trib_cublaslt_open(&library)); }
    void TearDown() override
    {
        clear();
        trib_cublaslt_close(library);
        EXPECT_EQ(fakecuda::library::leaks(), "");
    }
    void clear()
    {
        while (count > 0) trib_matmul_algorithm_destroy(plans[--count]);
    }
    void find(const trib_matmul_desc &desc, std::int64_t workspace = 0)
    {
        clear();
        ASSERT_OK(trib_matmul_candidates(library, &desc, workspace, plans, CAPACITY, &count, reason));
    }

    trib_cublaslt *library = nullptr;
    trib_matmul_algorithm *plans[CAPACITY] = {};
    int count = 0;
    char reason[TRIB_MESSAGE_SIZE] = "";
};

trib_matmul_desc small_product(trib_precision precision)
{
    trib_matmul_desc d = {};
    d.precision = precision;
    d.y_dtype = trib_precision_dtype(precision);
    d.rows = 30, d.in = 24, d.out = 16;
    d.x_pitch = 24, d.y_pitch = 16;
    d.has_bias = d.relu = true;
    return d;
}

void run(const trib_matmul_algorithm *plan, const trib_matmul_desc &d, int x_offset, int y_offset)
{
    const trib_matmul_algorithm_info *info = trib_matmul_algorithm_get_info(plan);
    SCOPED_TRACE(info->name);
    std::vector<float> x = values("x", std::size_t(d.rows) * d.in), w = values("w", std::size_t(d.out) * d.in),
                       bias = values("bias", d.out), expected(std::size_t(d.rows) * d.out);
    for (auto *v : { &x, &w, &bias }) rounded(d.precision, *v);
    trib_linear_geometry g = {};
    g.n = int(d.rows), g.c = d.in, g.h = g.w = 1, g.out = d.out, g.x_pitch = d.in, g.y_pitch = d.out, g.relu = d.relu;
    trib_ref_linear(&g, x.data(), w.data(), d.has_bias ? bias.data() : nullptr, expected.data());

    const Slice xs = { x_offset, int(d.x_pitch) }, ys = { y_offset, int(d.y_pitch) };
    const std::size_t size = trib_dtype_size(trib_precision_dtype(d.precision));
    // The last row ends with its slice: nothing after it may be touched.
    Memory xm(std::size_t(d.rows) * d.x_pitch * size), wm(w.size() * size), bm(bias.size() * size),
        ym(std::size_t(d.rows) * d.y_pitch * size), workspace(std::size_t(info->workspace_bytes));
    put(x, d.in, xs, d.precision, xm.data());
    pack(d.precision, d.out, d.in, 1, w, wm.data());
    put(bias, d.out, { 0, d.out }, d.precision, bm.data());
    trib_matmul_pointers pointers = { xm.data() + x_offset * size, wm.data(), bm.data(), ym.data() + y_offset * size };
    ASSERT_OK(trib_matmul_run(plan, nullptr, &pointers, workspace.data()));
    std::vector<float> got = take(ym.data(), std::size_t(d.rows), d.out, ys, d.precision);
    EXPECT_LE(support::relative_error(got, expected), tolerance(d.precision));
    for (std::size_t i = 0; i < std::size_t(d.rows) * d.y_pitch * size; ++i) {
        int column = int(i / size % d.y_pitch);
        bool inside = column >= y_offset && column < y_offset + d.out;
        ASSERT_TRUE(inside || static_cast<unsigned char>(ym.data()[i]) == 0xff) << "byte " << i;
    }
}

TEST_F(Products, EveryCandidateIsRight)
{
    for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision)
        for (bool bias : { false, true })
            for (bool relu : { false, true })
                for (int wider : { 0, 40 }) {
                    trib_matmul_desc d = small_product(trib_precision(precision));
                    d.has_bias = bias, d.relu = relu;
                    d.x_pitch += wider, d.y_pitch += wider;
                    char key[TRIB_MATMUL_KEY];
                    SCOPED_TRACE(trib_matmul_key(&d, key));
                    find(d);
                    ASSERT_EQ(count, 2); // the third is refused
                    for (int i = 0; i < count; ++i) run(plans[i], d, wider ? 8 : 0, wider ? 16 : 0);
                }
}

TEST_F(Products, WithinTheWorkspace)
{
    trib_matmul_desc d = small_product(TRIB_PRECISION_BF16);
    find(d);
    std::int64_t largest = 0;
    for (int i = 0; i < count; ++i)
        largest = std::max(largest, trib_matmul_algorithm_get_info(plans[i])->workspace_bytes);
    EXPECT_GT(largest, 0);
    find(d, largest - 1);
    ASSERT_EQ(count, 1);
    EXPECT_EQ(trib_matmul_algorithm_get_info(plans[0])->workspace_bytes, 0);
    EXPECT_EQ(trib_matmul_algorithm_get_info(plans[0])->bias, TRIB_BF16);
}

TEST_F(Products, AWorkspaceIsAligned)
{
    trib_matmul_desc d = small_product(TRIB_PRECISION_BF16);
    find(d);
    int with = 0;
    while (with < count && !trib_matmul_algorithm_get_info(plans[with])->workspace_bytes) ++with;
    ASSERT_LT(with, count);
    Memory all(1 << 16);
    trib_matmul_pointers pointers = { all.data(), all.data() + 8192, all.data() + 16384, all.data() + 24576 };
    EXPECT_OK(trib_matmul_run(plans[with], nullptr, &pointers, all.data() + 32768));
    EXPECT_FAILS(trib_matmul_run(plans[with], nullptr, &pointers, all.data() + 32768 + 128), TRIB_DEVICE_ERROR,
                 "CUBLAS_STATUS_INVALID_VALUE");
}

TEST_F(Products, ANameMakesThePlanAgain)
{
    trib_matmul_desc d = small_product(TRIB_PRECISION_TF32);
    find(d);
    for (int i = 0; i < count; ++i) {
        trib_matmul_algorithm *plan = nullptr;
        const trib_matmul_algorithm_info *info = trib_matmul_algorithm_get_info(plans[i]);
        ASSERT_OK(trib_matmul_algorithm_by_name(library, &d, info->name, &plan));
        EXPECT_STREQ(trib_matmul_algorithm_get_info(plan)->name, info->name);
        EXPECT_EQ(trib_matmul_algorithm_get_info(plan)->workspace_bytes, info->workspace_bytes);
        run(plan, d, 0, 0);
        trib_matmul_algorithm_destroy(plan);
    }
    trib_matmul_algorithm *plan = nullptr;
    std::string name = trib_matmul_algorithm_get_info(plans[0])->name;
    for (std::string bad : { std::string(), std::string("cublaslt:"), name + "0", name.substr(0, name.size() - 1),
                             name.substr(0, name.size() - 1) + "G", "x" + name })
        EXPECT_FAILS(trib_matmul_algorithm_by_name(library, &d, bad.c_str(), &plan), TRIB_BAD_DATA, "is no name");
    name.replace(9, 4, "dead"); // an algorithm of another version
    EXPECT_FAILS(trib_matmul_algorithm_by_name(library, &d, name.c_str(), &plan), TRIB_UNSUPPORTED, "AlgoCheck");
}

TEST_F(Products, NonsenseIsRefused)
{
    const auto refused = [&](auto change) {
        trib_matmul_desc d = small_product(TRIB_PRECISION_FP32);
        change(d);
        EXPECT_FAILS(trib_matmul_candidates(library, &d, 0, plans, CAPACITY, &count, reason), TRIB_INVALID_ARGUMENT,
                     "not a matrix product");
    };
    refused([](trib_matmul_desc &d) { d.rows = 0; });
    refused([](trib_matmul_desc &d) { d.x_pitch = 23; });
    refused([](trib_matmul_desc &d) { d.y_pitch = 15; });
    refused([](trib_matmul_desc &d) { d.precision = trib_precision(4); });

    trib_matmul_desc d = small_product(TRIB_PRECISION_FP32);
    find(d);
    trib_matmul_pointers none = {};
    EXPECT_FAILS(trib_matmul_run(plans[0], nullptr, &none, nullptr), TRIB_DEVICE_ERROR,
                 "cublasLtMatmul: CUBLAS_STATUS_INVALID_VALUE");
    EXPECT_NE(std::string(trib_cublaslt_version(library)).find('.'), std::string::npos);
}

} // namespace
