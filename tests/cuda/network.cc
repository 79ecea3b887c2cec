// SPDX-License-Identifier: Apache-2.0
#include "cuda/network.h"

#include <cstring>

namespace network
{

namespace
{

std::size_t row_bytes(const trib_plan_output &output)
{
    std::size_t bytes = trib_dtype_size(output.dtype);
    for (int i = 1; i < output.shape.rank; ++i) bytes *= static_cast<std::size_t>(output.shape.dim[i]);
    return bytes;
}

} // namespace

std::string name_of(const Way &way)
{
    std::string name = trib_schedule_name(way.schedule);
    return name + (way.launch == TRIB_GRAPH ? "_graph" : "_eager") + (way.pixels ? "_pixels" : "_floats");
}

std::vector<Way> parallel_ways()
{
    std::vector<Way> ways;
    for (trib_schedule schedule : { TRIB_BRANCHES, TRIB_FUSED })
        for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH })
            for (bool pixels : { false, true }) {
                Way way;
                way.schedule = schedule;
                way.launch = launch;
                way.pixels = pixels;
                ways.push_back(way);
            }
    return ways;
}

Way serial(Way way)
{
    way.schedule = TRIB_SERIAL;
    way.forks.clear();
    way.launch = TRIB_EAGER;
    way.measure = false;
    way.lanes = way.in_flight = 1;
    return way;
}

Outputs::Outputs(const trib_plan *plan, int n)
{
    std::vector<std::size_t> ends(1, 0);
    for (int i = 0; i < plan->output_count; ++i)
        ends.push_back(ends.back() + row_bytes(plan->outputs[i]) * static_cast<std::size_t>(n));
    bytes.assign(ends.back(), 0xff);
    for (int i = 0; i < plan->output_count; ++i) rows.push_back(bytes.data() + ends[std::size_t(i)]);
}

Net::Net(int modules)
    : graph_(nets::little_googlenet(modules)), parameters_(graph_.get()), floats_(nets::input_for(graph_.get(), images))
{
    for (std::size_t i = 0; i < floats_.size(); ++i)
        pixels_.push_back(static_cast<std::uint8_t>(256 * trib_uniform("pixels", 3, i)));
    for (int c = 0; c < 3; ++c) {
        normalise_.scale[c] = 1.0f / 64;
        normalise_.shift[c] = -1.5f - 0.25f * static_cast<float>(c);
    }
}

const void *Net::image(int index, bool pixels) const
{
    const std::size_t at = floats_.size() / images * static_cast<std::size_t>(index);
    return pixels ? static_cast<const void *>(&pixels_[at]) : &floats_[at];
}

trib_session_options Net::options(const Way &way) const
{
    static const char *const rows[] = { "logits", "probabilities" };
    trib_session_options o = trib_session_default_options();
    o.plan.forced_passes = 1u << TRIB_PASS_FUSE_POOL_PROJECTION; // these networks are too small for it
    o.max_batch = way.max_batch;
    o.launch = way.launch;
    o.lanes = way.lanes;
    o.in_flight = way.in_flight;
    o.plan.batch = way.chunk;
    o.plan.measure = way.measure;
    o.plan.schedule = way.schedule;
    o.plan.fork_schedules = way.forks.data();
    o.plan.fork_schedule_count = int(way.forks.size());
    o.plan.precision = way.precision;
    if (way.pixels) {
        o.plan.normalise = &normalise_;
        o.plan.input_layout = TRIB_NHWC;
        o.plan.top_k = 3;
    } else {
        o.plan.outputs = rows;
        o.plan.output_count = 2;
    }
    return o;
}

trib_status Net::create(trib_device *device, const Way &way, trib_session **out) const
{
    trib_session_options o = options(way);
    return trib_session_create(device, graph(), parameters(), &o, out);
}

trib_status Net::run(trib_session *session, int first, int n, Bytes *outputs) const
{
    const trib_plan *plan = trib_session_plan(session);
    Outputs made(plan, n);
    trib_status status = trib_session_run(session, image(first, plan->inputs[0].dtype == TRIB_U8), n, made.rows.data());
    *outputs = made.bytes;
    return status;
}

nets::Device open(const trib_device_options *options)
{
    trib_device *device = nullptr;
    EXPECT_OK(trib_device_open("cuda", options, &device));
    return nets::Device(device);
}

Bytes Net::result(const Way &way, int index) const
{
    nets::Device device = open();
    trib_session *made = nullptr;
    Bytes bytes;
    trib_status status = create(device.get(), serial(way), &made);
    nets::Session session(made);
    if (!trib_failed(&status)) status = run(made, index, 1, &bytes);
    EXPECT_OK(status);
    return bytes;
}

HostMemory::HostMemory(trib_device *device, std::size_t bytes) : device_(device)
{
    EXPECT_OK(trib_host_alloc(device, bytes, &data_));
}

namespace
{

std::size_t input_bytes(const trib_plan *plan)
{
    std::size_t bytes = trib_dtype_size(plan->inputs[0].dtype);
    for (int i = 1; i < plan->inputs[0].shape.rank; ++i) bytes *= std::size_t(plan->inputs[0].shape.dim[i]);
    return bytes;
}

std::size_t output_bytes(const trib_plan *plan)
{
    std::size_t bytes = 0;
    for (int i = 0; i < plan->output_count; ++i) bytes += row_bytes(plan->outputs[i]);
    return bytes;
}

} // namespace

Batch::Batch(trib_device *device, const trib_plan *plan, int images)
    : images_(images), pixels_(plan->inputs[0].dtype == TRIB_U8), input_bytes_(input_bytes(plan) * std::size_t(images)),
      output_bytes_(output_bytes(plan) * std::size_t(images)), input_(device, input_bytes_),
      outputs_(device, output_bytes_)
{
    unsigned char *at = outputs_.data();
    for (int i = 0; i < plan->output_count; at += row_bytes(plan->outputs[i++]) * std::size_t(images))
        rows_.push_back(at);
}

void Batch::load(const Net &net, int first)
{
    std::memcpy(input_.data(), net.image(first, pixels_), input_bytes_);
    std::memset(outputs_.data(), 0xff, output_bytes_);
}

} // namespace network
