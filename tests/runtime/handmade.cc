// SPDX-License-Identifier: Apache-2.0
#include "runtime/handmade.h"

#include <cstring>

extern "C" {
#include "lowering/fork_join.h"
#include "lowering/passes.h"
#include "tributary/internal/alloc.h"
}

namespace handmade
{

struct Builder::Inside {
    trib_lowering lowering {};
};

Builder::Builder(trib_layout layout) : inside_(new Inside), layout_(layout)
{
    trib_lowering &l = inside_->lowering;
    l.plan = static_cast<trib_plan *>(trib_alloc_zeroed(1, sizeof(trib_plan)));
    l.strings = static_cast<trib_strings *>(trib_alloc_zeroed(1, sizeof(trib_strings)));
    l.plan->storage = l.strings;
    l.plan->graph_name = "handmade";
    l.plan->device_spec = "nowhere";
    l.plan->stream_count = 1;
}

Builder::~Builder()
{
    trib_lowering_release(&inside_->lowering);
    delete inside_;
}

trib_view Builder::buffer(const std::string &name, int channels)
{
    trib_view v {};
    v.dtype = TRIB_F32;
    v.layout = layout_;
    v.n = 1;
    v.h = v.w = 3;
    v.c = v.c_total = channels;
    EXPECT_OK(trib_lowering_add_buffer(&inside_->lowering, name.c_str(), TRIB_BUFFER_ACTIVATION, trib_view_bytes(&v),
                                       &v.buffer));
    return v;
}

trib_view Builder::slice(trib_view whole, int first, int channels)
{
    whole.c_offset += first;
    whole.c = channels;
    return whole;
}

void Builder::op(const std::string &name, int stream, const std::vector<trib_view> &reads,
                 const std::vector<trib_view> &writes, trib_kind kind)
{
    trib_lowering &l = inside_->lowering;
    trib_plan_op op;
    std::memset(&op, 0, sizeof op);
    op.name = trib_strings_add(l.strings, name.c_str());
    op.implementation = "handmade";
    op.layer = op.fork = op.record = op.workspace = op.parameters = op.consumer = -1;
    op.part_count = 1;
    op.parts[0] = trib_no_parameters();
    op.stream = stream;
    op.desc.kind = kind;
    for (const trib_view &v : reads) op.desc.inputs[op.desc.input_count++] = v;
    for (const trib_view &v : writes) op.desc.outputs[op.desc.output_count++] = v;
    if (stream >= l.plan->stream_count) l.plan->stream_count = stream + 1;
    EXPECT_OK(trib_lowering_add_op(&l, &op));
}

nets::Plan Builder::finish(bool reuse_memory)
{
    trib_lowering &l = inside_->lowering;
    l.options.disabled_passes = reuse_memory ? 0 : 1u << TRIB_PASS_PLAN_MEMORY;
    const trib_lag none = { -1, nullptr };
    const trib_barriers no_barriers = { 0, nullptr };
    EXPECT_OK(trib_connect_streams(&l, &none, &no_barriers));
    EXPECT_OK(trib_pass_plan_memory(&l));
    nets::Plan plan(l.plan);
    l.plan = nullptr;
    return plan;
}

const trib_plan_op *find(const trib_plan *plan, const std::string &name)
{
    for (int i = 0; i < plan->op_count; ++i)
        if (name == plan->ops[i].name) return &plan->ops[i];
    ADD_FAILURE() << "no op " << name;
    return nullptr;
}

bool waits_for(const trib_plan *plan, const std::string &name, const std::string &earlier)
{
    const trib_plan_op *op = find(plan, name), *recorder = find(plan, earlier);
    for (int i = 0; op && recorder && i < op->wait_count; ++i)
        if (op->waits[i] == recorder->record) return true;
    return false;
}

} // namespace handmade
