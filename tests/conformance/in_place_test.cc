// SPDX-License-Identifier: Apache-2.0
// A ReLU or a batch norm whose output is its input: the same bits as in separate memory, and nothing else
// changes.
#include <cmath>
#include <cstring>

#include "conformance/conformance.h"
#include "conformance/op_case.h"

using namespace conformance;

namespace
{

constexpr float canary = -12345.5f;

class InPlaceOps : public DeviceTest
{
  protected:
    // The whole tensor afterwards; empty where it cannot be run.
    std::vector<float> run(const OpCase &op, const trib_implementation &offered, bool in_place)
    {
        const trib_view &view = op.desc.inputs[0];
        std::vector<float> whole = pack(view, op.inputs[0], canary), result = whole;
        const std::size_t bytes = whole.size() * sizeof(float), offset = std::size_t(trib_view_offset(&view));
        Stream s = stream();
        Memory input = alloc(s, bytes), apart = alloc(s, bytes);
        Memory &output = in_place ? input : apart;
        trib_op_handle *made = nullptr;
        EXPECT_OK(trib_op_create(device(), &op.desc, offered.name, &made));
        Op handle(made);
        if (!handle) return {};
        Memory packed;
        if (offered.packed_bytes) packed = pack_parameters(op, handle, s, offered);
        const void *inputs[] = { static_cast<char *>(input.get()) + offset };
        void *outputs[] = { static_cast<char *>(output.get()) + offset };
        EXPECT_OK(trib_copy_to_device(s.get(), apart.get(), whole.data(), bytes));
        EXPECT_OK(trib_copy_to_device(s.get(), input.get(), whole.data(), bytes));
        EXPECT_OK(trib_op_run(handle.get(), s.get(), inputs, outputs, packed.get(), nullptr));
        EXPECT_OK(trib_copy_to_host(s.get(), result.data(), output.get(), bytes));
        EXPECT_OK(trib_stream_synchronize(s.get()));
        return result;
    }

    Memory pack_parameters(const OpCase &op, const Op &handle, const Stream &s, const trib_implementation &offered)
    {
        Memory packed = alloc(s, std::size_t(offered.packed_bytes)), weight = upload(s, op.weight),
               bias = upload(s, op.bias), scratch = alloc(s, std::size_t(offered.packing_bytes));
        const trib_op_parameters parameters = { weight.floats(), bias.floats(), 0 };
        EXPECT_OK(trib_op_pack(handle.get(), s.get(), &parameters, packed.get(), scratch.get()));
        return packed;
    }

    Memory upload(const Stream &s, const Values &values)
    {
        Memory memory = alloc(s, values.size() * sizeof(float));
        EXPECT_OK(trib_copy_to_device(s.get(), memory.get(), values.data(), values.size() * sizeof(float)));
        return memory;
    }

    void check(trib_kind kind, trib_layout layout, unsigned seed)
    {
        OpCase op = Generator(seed).make(kind, layout, layout);
        op.desc.outputs[0] = op.desc.inputs[0];
        op.desc.threads = 1;
        SCOPED_TRACE("seed " + std::to_string(seed) + ": " + describe(op.desc));
        trib_implementation all[8];
        int count = 0;
        ASSERT_OK(trib_op_implementations(device(), &op.desc, true, all, 8, &count, nullptr));
        for (int i = 0; i < count; ++i) {
            SCOPED_TRACE(all[i].name);
            ASSERT_EQ(all[i].workspace_bytes, 0);
            const std::vector<float> wanted = run(op, all[i], false), seen = run(op, all[i], true);
            ASSERT_FALSE(wanted.empty() || seen.empty());
            const Values values = unpack(op.desc.outputs[0], seen);
            for (std::size_t k = 0; k < values.size(); ++k)
                ASSERT_LE(std::fabs(double(values[k]) - op.expected[0][k]), 2e-5 * (1 + std::fabs(op.expected[0][k])));
            ASSERT_EQ(std::memcmp(seen.data(), wanted.data(), seen.size() * sizeof(float)), 0);
            ++runs_;
        }
    }

    int runs_ = 0;
};

TEST_P(InPlaceOps, GiveTheSameBits)
{
    for (trib_kind kind : { TRIB_RELU, TRIB_BATCH_NORM })
        for (int i = 0; i < info().layout_count; ++i)
            for (unsigned seed = 1; seed <= 20 && !HasFatalFailure(); ++seed) check(kind, info().layouts[i], seed);
    EXPECT_GT(runs_, 0);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(InPlaceOps); // when no device here has operators
INSTANTIATE_TEST_SUITE_P(Devices, InPlaceOps, testing::ValuesIn(computing_devices()));

} // namespace
