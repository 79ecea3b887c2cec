// SPDX-License-Identifier: Apache-2.0
// Ops that a cpu computes in chunks of a batch: right, and with the same bits for any number of threads.
#include <cstring>

#include "conformance/conformance.h"
#include "conformance/op_run.h"

using namespace conformance;

namespace
{

class Chunks : public DeviceTest
{
  protected:
    void check(trib_kind kind);
};

void Chunks::check(trib_kind kind)
{
    for (unsigned seed = 0; seed < 12 && !HasFailure(); ++seed)
        for (int chunk : { 1, 2, 5 }) {
            OpCase op = Generator(100 + seed).make(kind, info().layouts[0], info().layouts[0]);
            op.desc.chunk = chunk;
            SCOPED_TRACE(describe(op.desc) + ", in chunks of " + std::to_string(chunk));
            trib_implementation all[8];
            int count = 0;
            ASSERT_OK(trib_op_implementations(device(), &op.desc, false, all, 8, &count, nullptr));
            for (int i = 0; i < count; ++i) {
                SCOPED_TRACE(all[i].name);
                const std::vector<float> one = run_op(device(), op, all[i].name, 1).at(0);
                const std::vector<float> two = run_op(device(), op, all[i].name, 2).at(0);
                EXPECT_TRUE(
                    close_to(unpack(op.desc.outputs[0], one), op.expected[0], tolerance_of(TRIB_PRECISION_FP32)));
                EXPECT_TRUE(one.size() == two.size() &&
                            !std::memcmp(one.data(), two.data(), one.size() * sizeof(float)))
                    << "1 and 2 threads give different bits";
            }
        }
}

TEST_P(Chunks, Conv2d) { check(TRIB_CONV2D); }
TEST_P(Chunks, Pools)
{
    for (trib_kind kind : { TRIB_MAX_POOL2D, TRIB_AVG_POOL2D, TRIB_ADAPTIVE_AVG_POOL2D }) check(kind);
}
TEST_P(Chunks, Others)
{
    for (trib_kind kind : { TRIB_LRN, TRIB_LINEAR, TRIB_SOFTMAX, TRIB_RELU, TRIB_CONCAT, TRIB_REORDER }) check(kind);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Chunks);
INSTANTIATE_TEST_SUITE_P(Devices, Chunks, testing::ValuesIn(host_devices()), test_name);

} // namespace
