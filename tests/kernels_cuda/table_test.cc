// SPDX-License-Identifier: Apache-2.0
// Every kernel of the table, in every storage type, against its reference on edge shapes and random ones: on the
// emulation, and on a GPU if there is one.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "checker.h"
#include "device.h"
#include "support/form.h"

namespace
{

struct Row {
    const trib_kernel *kernel;
    trib_dtype dtype;
};

void PrintTo(const Row &row, std::ostream *out) { *out << row.kernel->name << " " << trib_dtype_name(row.dtype); }

std::vector<Row> rows()
{
    std::vector<Row> all;
    for (int i = 0; const trib_kernel *kernel = trib_kernel_at(i); ++i)
        for (trib_dtype dtype : { TRIB_F32, TRIB_F16, TRIB_BF16 })
            if (kernel->dtypes >> dtype & 1) all.push_back({ kernel, dtype });
    return all;
}

class KernelTable : public testing::TestWithParam<Row>
{
  protected:
    void SetUp() override
    {
        if (!device::missing().empty()) GTEST_SKIP() << device::missing();
    }
    void check(const trib_kernel_problem &problem, checker::Options options)
    {
        const std::string wrong = checker::check(*GetParam().kernel, problem, GetParam().dtype, options);
        EXPECT_TRUE(wrong.empty()) << wrong;
    }
    void check_edge(int index, checker::Options options)
    {
        trib_kernel_problem problem;
        GetParam().kernel->edge(index, &problem);
        check(problem, options);
    }
};

TEST_P(KernelTable, Edges)
{
    for (int i = 0; i < GetParam().kernel->edges; ++i) check_edge(i, {});
}

const int random_shapes = support::by_form(6, 24, 24);

TEST_P(KernelTable, RandomShapesInRandomOrder)
{
    for (int i = 0; i < random_shapes; ++i) check_edge(GetParam().kernel->edges + i, { std::uint64_t(i) + 2, false });
}

TEST_P(KernelTable, NotANumberGoesWhereTheReferencePutsIt)
{
    for (int i = 0; i < random_shapes / 3; ++i)
        check_edge(GetParam().kernel->edges + i, { std::uint64_t(i) + 1, true });
}

INSTANTIATE_TEST_SUITE_P(All, KernelTable, testing::ValuesIn(rows()), [](const auto &info) {
    return std::string(info.param.kernel->name) + "_" + trib_dtype_name(info.param.dtype);
});

} // namespace
