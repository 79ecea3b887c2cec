// SPDX-License-Identifier: Apache-2.0
#include "conformance/op_run.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace conformance
{
namespace
{

using Bytes = std::vector<unsigned char>;

class OpRun
{
  public:
    OpRun(trib_device *device, const OpCase &op, const char *implementation, int threads)
        : device_(device), case_(op), desc_(op.desc), implementation_(implementation)
    {
        desc_.threads = threads;
        trib_stream *made = nullptr;
        EXPECT_OK(trib_stream_create(device_, nullptr, &made));
        stream_.reset(made);
    }

    std::vector<std::vector<float>> operator()()
    {
        bring_inputs();
        make_outputs();
        const trib_implementation offered = implementation();
        Memory workspace = alloc(offered.workspace_bytes), packed = alloc(offered.packed_bytes);
        trib_op_handle *handle = nullptr;
        const trib_status created = trib_op_create(device_, &desc_, implementation_, &handle);
        if (created.code == TRIB_UNSUPPORTED) return {};
        EXPECT_OK(created);
        Op op(handle);
        if (!op) return {};
        EXPECT_EQ(offered.packed_bytes > 0, !case_.weight.empty());
        if (offered.packed_bytes > 0) pack_parameters(op, offered, packed);
        EXPECT_OK(trib_op_run(op.get(), stream_.get(), inputs_, outputs_, packed.get(), workspace.get()));
        std::vector<std::vector<float>> seen = results();
        for (int i = 0; i < desc_.input_count; ++i)
            if (!is_updated(i)) expect_untouched(input_memory_[std::size_t(i)], sources_[std::size_t(i)]);
        return seen;
    }

  private:
    void bring_inputs()
    {
        for (int i = 0; i < desc_.input_count; ++i) {
            const trib_view &view = desc_.inputs[i];
            // A neighbour's NaN must not leak in either.
            sources_.push_back(stored(pack(view, case_.inputs[std::size_t(i)], NAN), view.dtype));
            input_memory_.push_back(upload(sources_.back()));
            inputs_[i] = slice(input_memory_.back(), view);
        }
    }
    // Memory of its own, or an input's.
    void make_outputs()
    {
        for (int i = 0; i < desc_.output_count; ++i) {
            const int updates = case_.updates[std::size_t(i)];
            output_memory_.push_back(updates < 0 ? upload(before(i)) : Memory());
            const Memory &memory = updates < 0 ? output_memory_.back() : input_memory_[std::size_t(updates)];
            outputs_[i] = slice(memory, desc_.outputs[i]);
        }
    }
    // What an output is added to, or NaN.
    Bytes before(int i) const
    {
        const trib_view &view = desc_.outputs[i];
        const bool added = desc_.accumulate && i == 0;
        std::vector<float> whole = pack(
            view, added ? case_.initial : Values(case_.expected[std::size_t(i)].size(), NAN), canary_of(view.dtype));
        if (!added) poison_padding(view, whole);
        return stored(whole, view.dtype);
    }
    std::vector<std::vector<float>> results()
    {
        std::vector<std::vector<float>> whole;
        for (int i = 0; i < desc_.output_count; ++i) {
            const trib_view &view = desc_.outputs[i];
            Bytes bytes(std::size_t(trib_view_bytes(&view)));
            const char *memory = static_cast<char *>(outputs_[i]) - trib_view_offset(&view);
            EXPECT_OK(trib_copy_to_host(stream_.get(), bytes.data(), memory, bytes.size()));
            EXPECT_OK(trib_stream_synchronize(stream_.get()));
            whole.push_back(loaded(bytes, view.dtype));
        }
        return whole;
    }
    bool is_updated(int input) const
    {
        return std::find(case_.updates.begin(), case_.updates.end(), input) != case_.updates.end();
    }
    // Into memory full of NaN: what is not written shows.
    void pack_parameters(const Op &op, const trib_implementation &offered, const Memory &packed)
    {
        const Bytes weight_source = stored(case_.weight, TRIB_F32);
        Memory weight = upload(weight_source), bias, workspace = alloc(offered.packing_bytes);
        if (!case_.bias.empty()) bias = upload(stored(case_.bias, TRIB_F32));
        poison(packed, offered.packed_bytes);
        if (workspace.get()) poison(workspace, offered.packing_bytes);
        trib_op_parameters parameters = { weight.floats(), bias.floats(), case_.weight_channels };
        EXPECT_OK(trib_op_pack(op.get(), stream_.get(), &parameters, packed.get(), workspace.get()));
        expect_untouched(weight, weight_source);
    }
    Memory alloc(std::int64_t bytes)
    {
        return bytes > 0 ? Memory(device_, stream_.get(), std::size_t(bytes)) : Memory();
    }
    void poison(const Memory &memory, std::int64_t bytes)
    {
        const std::vector<float> nans(std::size_t(bytes) / sizeof(float), NAN);
        EXPECT_OK(trib_copy_to_device(stream_.get(), memory.get(), nans.data(), nans.size() * sizeof(float)));
        EXPECT_OK(trib_stream_synchronize(stream_.get()));
    }
    Memory upload(const Bytes &bytes)
    {
        Memory memory(device_, stream_.get(), bytes.size());
        EXPECT_OK(trib_copy_to_device(stream_.get(), memory.get(), bytes.data(), bytes.size()));
        EXPECT_OK(trib_stream_synchronize(stream_.get()));
        return memory;
    }
    static char *slice(const Memory &memory, const trib_view &view)
    {
        return static_cast<char *>(memory.get()) + trib_view_offset(&view);
    }
    // Block padding of an output is the op's to write when its slice ends there.
    static void poison_padding(const trib_view &y, std::vector<float> &whole)
    {
        if (y.c_offset + y.c != y.c_total) return;
        for (float &value : whole)
            if (value == 0) value = NAN;
    }
    trib_implementation implementation() const
    {
        trib_implementation all[8];
        int count = 0;
        EXPECT_OK(trib_op_implementations(device_, &desc_, true, all, 8, &count, nullptr));
        for (int i = 0; i < count; ++i)
            if (!std::strcmp(implementation_, all[i].name)) return all[i];
        ADD_FAILURE() << implementation_ << " is not offered for another number of threads";
        return {};
    }
    void expect_untouched(const Memory &memory, const Bytes &source)
    {
        Bytes now(source.size());
        EXPECT_OK(trib_copy_to_host(stream_.get(), now.data(), memory.get(), now.size()));
        EXPECT_OK(trib_stream_synchronize(stream_.get()));
        EXPECT_EQ(now, source) << "an input was written to";
    }

    trib_device *device_;
    const OpCase &case_;
    trib_op_desc desc_;
    const char *implementation_;
    Stream stream_;
    std::vector<Bytes> sources_;
    std::vector<Memory> input_memory_, output_memory_;
    const void *inputs_[TRIB_MAX_INPUTS] = {};
    void *outputs_[TRIB_MAX_OUTPUTS] = {};
};

} // namespace

std::vector<std::vector<float>> run_op(trib_device *device, const OpCase &op, const char *implementation, int threads)
{
    return OpRun(device, op, implementation, threads)();
}

bool same_bits(const std::vector<float> &a, const std::vector<float> &b)
{
    return a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(float));
}

// Channels of a block behind the last of an index have no meaning.
static std::vector<float> without_padding(const trib_view &view, std::vector<float> whole, std::size_t count)
{
    const std::vector<float> inside = pack(view, Values(count, 1), 1);
    for (std::size_t i = 0; i < whole.size(); ++i)
        if (inside[i] == 0) whole[i] = 0;
    return whole;
}

void expect_output(const OpCase &op, std::size_t index, const std::vector<float> &whole)
{
    SCOPED_TRACE("output " + std::to_string(index));
    const trib_view &view = op.desc.outputs[index];
    const Values seen = unpack(view, whole);
    EXPECT_TRUE(close_to(seen, op.expected[index], tolerance_of(op.desc.precision)));
    // Neighbours keep what they were and padding is zero: compare the tensor around the slice as a whole.
    const float neighbour = op.updates[index] < 0 ? canary_of(view.dtype) : NAN;
    const bool padded = view.dtype != TRIB_U8;
    EXPECT_TRUE(same_bits(padded ? whole : without_padding(view, whole, seen.size()), pack(view, seen, neighbour)))
        << "a neighbour was written to or padding is not zero";
}

testing::AssertionResult close_to(const Values &seen, const Values &expected, double tolerance)
{
    if (seen.size() != expected.size()) return testing::AssertionFailure() << seen.size() << " values";
    for (std::size_t i = 0; i < seen.size(); ++i)
        if (!(std::fabs(double(seen[i]) - expected[i]) <= tolerance * (1 + std::fabs(expected[i]))))
            return testing::AssertionFailure() << "value " << i << " is " << seen[i] << ", not " << expected[i];
    return testing::AssertionSuccess();
}

} // namespace conformance
