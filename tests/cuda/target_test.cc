// SPDX-License-Identifier: Apache-2.0
// Plans for a card that is not here: what they say of memory and arithmetic, and what a description cannot do.
#include <cmath>
#include <cstdlib>
#include <memory>

#include "support/support.h"

extern "C" {
#include "plan/roofline.h"
#include "runtime/device/driver.h"
#include "tributary/network.h"
}

namespace
{

class Target : public testing::Test
{
  protected:
    void SetUp() override
    {
        trib_device_options options = {};
        options.target = "h200";
        ASSERT_OK(trib_device_open("cuda", &options, &device));
        trib_network_spec net = {};
        net.network = support::bvlc;
        ASSERT_OK(trib_network_graph(&net, &graph));
    }
    void TearDown() override
    {
        trib_graph_destroy(graph);
        trib_device_close(device);
    }
    trib_plan *plan(trib_schedule schedule, trib_precision precision, unsigned disabled = 0)
    {
        trib_plan_options o = trib_plan_default_options();
        o.batch = 256;
        o.schedule = schedule;
        o.precision = precision;
        o.disabled_passes = disabled;
        o.input_layout = TRIB_NHWC;
        trib_plan *made = nullptr;
        EXPECT_OK(trib_plan_create(graph, device, &o, &made));
        return made;
    }

    trib_device *device = nullptr;
    trib_graph *graph = nullptr;
};

// The contract has no empty slots but those marked optional, and a description answers instead of crashing.
TEST_F(Target, EverySlotOfTheDriverAnswers)
{
    const trib_driver *d = device->driver;
    ASSERT_TRUE(d->stream_destroy && d->event_destroy && d->op_destroy && d->op_detail);
    trib_stream stream { device };
    trib_event event { device };
    trib_op_handle op = {};
    op.device = device;
    std::int64_t ns = 0;
    char byte = 0;
    EXPECT_FAILS(d->stream_synchronize(&stream), TRIB_UNSUPPORTED, "is only described: there is no stream");
    EXPECT_FAILS(d->stream_wait(&stream, &event), TRIB_UNSUPPORTED, "no stream");
    EXPECT_FAILS(d->event_record(&event, &stream), TRIB_UNSUPPORTED, "no event");
    EXPECT_FAILS(d->event_synchronize(&event), TRIB_UNSUPPORTED, "no event");
    EXPECT_FAILS(d->event_elapsed(&event, &event, &ns), TRIB_UNSUPPORTED, "no event");
    EXPECT_FAILS(d->copy_to_device(&stream, &byte, &byte, 1), TRIB_UNSUPPORTED, "no memory");
    EXPECT_FAILS(d->copy_to_host(&stream, &byte, &byte, 1), TRIB_UNSUPPORTED, "no memory");
    EXPECT_FAILS(d->copy_on_device(&stream, &byte, &byte, 1), TRIB_UNSUPPORTED, "no memory");
    EXPECT_FAILS(d->fill_zero(&stream, &byte, 1), TRIB_UNSUPPORTED, "no memory");
    EXPECT_FAILS(d->op_pack(&op, &stream, nullptr, nullptr, nullptr), TRIB_UNSUPPORTED, "no op");
    EXPECT_FAILS(d->op_run(&op, &stream, nullptr, nullptr, nullptr, nullptr), TRIB_UNSUPPORTED, "no op");
    EXPECT_STREQ(d->op_detail(&op), "");
    d->stream_destroy(&stream);
    d->event_destroy(&event);
    d->op_destroy(&op);
    trib_capture capture { device };
    trib_capture *made = nullptr;
    ASSERT_TRUE(trib_device_get_info(device)->has_capture); // as the card has, so these slots exist as well
    EXPECT_FAILS(d->capture_begin(&stream), TRIB_UNSUPPORTED, "no stream to capture");
    EXPECT_FAILS(d->capture_end(&stream, &made), TRIB_UNSUPPORTED, "no capture");
    EXPECT_FAILS(d->capture_replace(&stream, &capture), TRIB_UNSUPPORTED, "no capture");
    EXPECT_FAILS(d->capture_launch(&capture, &stream), TRIB_UNSUPPORTED, "no capture");
    d->capture_destroy(&capture);
}

// MB per image that the network itself moves: what comes before the first convolution is the input's matter, and that
// reads 8 channels of which 5 are zeros.
double megabytes(const trib_plan *p)
{
    double bytes = 0;
    for (int i = 0; i < p->op_count; ++i) {
        const trib_plan_op &op = p->ops[i];
        if (op.desc.kind != TRIB_REORDER || op.layer != 0) bytes += double(op.bytes);
        if (op.desc.kind == TRIB_CONV2D && op.desc.inputs[0].c == 8)
            bytes -= 5.0 / 8 * double(trib_view_bytes(&op.desc.inputs[0]));
    }
    return bytes * 1e-6 / p->batch;
}

double seconds_of_math(const trib_plan *p)
{
    double flops = 0;
    for (int i = 0; i < p->op_count; ++i) {
        trib_kind kind = p->ops[i].desc.kind;
        if (kind == TRIB_CONV2D || kind == TRIB_LINEAR) flops += double(p->ops[i].flops);
    }
    return flops / p->math_rate;
}

// The floors that were calculated by hand for GoogLeNet (bvlc) at 224 pixels, batch 256, bf16, on an H200.
TEST_F(Target, TotalsAreWhatTheNetworkCostsByHand)
{
    const unsigned no_pairs = 1u << TRIB_PASS_FUSE_POOL_LRN, no_slices = 1u << TRIB_PASS_ELIDE_CONCAT;
    trib_plan *copies = plan(TRIB_SERIAL, TRIB_PRECISION_BF16, no_pairs | no_slices),
              *slices = plan(TRIB_SERIAL, TRIB_PRECISION_BF16, no_pairs),
              *fused = plan(TRIB_FUSED, TRIB_PRECISION_BF16);
    ASSERT_TRUE(copies && slices && fused);
    EXPECT_NEAR(megabytes(copies), 32.7, 0.05);
    EXPECT_NEAR(megabytes(slices), 27.7, 0.05);
    // By hand 16.3, with norm1 also part of the convolution behind it: 0.8 MB that are written and read again here. So
    // are the pooled inputs of the last two modules, which have too few pixels for the whole card.
    EXPECT_NEAR(megabytes(fused), 16.3 + 2 * 56 * 56 * 64 * 2e-6 + 2 * 2 * 7 * 7 * 832 * 2e-6, 0.05);
    EXPECT_NEAR(slices->batch / seconds_of_math(slices), 249578, 30);
    for (trib_plan *p : { copies, slices, fused }) trib_plan_destroy(p);
}

TEST_F(Target, ThePlanForPeopleSaysWhatBoundsEachOp)
{
    trib_plan *p = plan(TRIB_FUSED, TRIB_PRECISION_BF16);
    ASSERT_TRUE(p);
    char *text = nullptr;
    std::size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ASSERT_TRUE(out);
    EXPECT_OK(trib_plan_print(p, true, out));
    std::fclose(out);
    const std::string shown(text);
    std::free(text);
    for (const char *needed :
         { "precision bf16", "cublaslt:undecided", "tributary:max_pool2d_conv1x1", "tributary:max_pool2d_lrn",
           "tributary:lrn_max_pool2d", "workspace", " math\n", " memory\n", "images/s", "as measured",
           "merge_reductions: 27 convolutions became 9 ops", "widen_joins: 9 joined outputs",
           "fuse_pool_projection: 7 pools", "fuse_pool_lrn: 2 pairs" })
        EXPECT_NE(shown.find(needed), std::string::npos) << needed << " is missing in\n" << shown;
    trib_plan_destroy(p);
}

// ---- training ----

struct Destroy {
    void operator()(trib_plan *p) const { trib_plan_destroy(p); }
};
using Plan = std::unique_ptr<trib_plan, Destroy>;

class Step : public Target
{
  protected:
    Plan step(trib_precision precision, bool any_order = false)
    {
        static const trib_loss loss = { "logits", 1 };
        trib_training training = {};
        training.losses = &loss;
        training.loss_count = 1;
        trib_plan_options o = trib_plan_default_options();
        o.batch = 256;
        o.precision = precision;
        o.input_layout = TRIB_NHWC;
        o.training = &training;
        o.any_order = any_order;
        trib_plan *made = nullptr;
        EXPECT_OK(trib_plan_create(graph, device, &o, &made));
        return Plan(made);
    }
    static std::string text_of(const trib_plan *p, bool json)
    {
        char *text = nullptr;
        std::size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        EXPECT_OK(json ? trib_plan_print_json(p, out) : trib_plan_print(p, false, out));
        std::fclose(out);
        std::string result(text);
        std::free(text);
        return result;
    }
};

// By hand: three products of each convolution, two of the first, 9.26 GFLOP per image: 85,313 images/s at 790 TFLOP/s.
TEST_F(Step, ProductsBothWaysAreBoundByArithmetic)
{
    Plan p = step(TRIB_PRECISION_FP32);
    ASSERT_TRUE(p);
    trib_roofline works[TRIB_WORK_COUNT], all = trib_roofline_of(p.get(), works);
    std::int64_t products = 0, bytes = 0, flops = 0;
    double seconds = 0;
    for (int i = 0; i < TRIB_WORK_COUNT; ++i) {
        const bool product = i >= TRIB_WORK_FORWARD && i <= TRIB_WORK_BACKWARD_WEIGHT;
        if (product) products += works[i].flops;
        if (works[i].seconds > 0) {
            EXPECT_STREQ(trib_bound_name(&works[i].each), product ? "math" : "memory") << i;
        }
        bytes += works[i].bytes, flops += works[i].flops, seconds += works[i].seconds;
    }
    EXPECT_EQ(bytes, all.bytes);
    EXPECT_EQ(flops, all.flops);
    EXPECT_NEAR(seconds, all.seconds, 1e-9);
    EXPECT_EQ(trib_plan_seconds_at_best(p.get()), all.seconds);
    EXPECT_NEAR(256 * 790e12 / double(products), 85313, 10);
    EXPECT_EQ(works[TRIB_WORK_FORWARD].flops, works[TRIB_WORK_BACKWARD_WEIGHT].flops);
    EXPECT_LT(works[TRIB_WORK_BACKWARD_DATA].flops, works[TRIB_WORK_FORWARD].flops); // not of the image
    EXPECT_EQ(works[TRIB_WORK_BATCH_NORM].bytes, 0);                                 // bvlc has none
}

// An update reads values, gradients and momentum and writes two of them; a gradient that is added to is read, too.
TEST_F(Step, BytesAreThoseOfTheOperands)
{
    Plan p = step(TRIB_PRECISION_FP32);
    ASSERT_TRUE(p);
    trib_roofline works[TRIB_WORK_COUNT];
    trib_roofline_of(p.get(), works);
    EXPECT_NEAR(double(works[TRIB_WORK_UPDATE].bytes), 5 * 4 * 6998552.0, 1e6); // padding of the image's channels
    int adding = 0;
    for (int i = 0; i < p->op_count; ++i) {
        const trib_plan_op &op = p->ops[i];
        if (op.desc.kind != TRIB_MAX_POOL2D_BACKWARD || !op.desc.accumulate) continue;
        const std::int64_t dx = trib_view_bytes(&op.desc.outputs[0]), dy = trib_view_bytes(&op.desc.inputs[0]);
        EXPECT_EQ(op.bytes, 2 * dx + dy + dy / 4) << op.name;
        ++adding;
    }
    EXPECT_EQ(adding, 9);
}

TEST_F(Step, SaysWhereItsTimeAndMemoryGo)
{
    Plan p = step(TRIB_PRECISION_TF32);
    ASSERT_TRUE(p);
    const std::string shown = text_of(p.get(), false), json = text_of(p.get(), true);
    for (const char *needed : { "A step at best:", "  forward products ", "  backward data ", "  backward weight ",
                                "  pools ", "  update ", "Memory of a step:", "At the peak, op " })
        EXPECT_NE(shown.find(needed), std::string::npos) << needed << " is missing in\n" << shown;
    EXPECT_EQ(shown.find("batch norm"), std::string::npos);
    for (const char *needed : { "\"step\": {", "\"seconds_at_best\": ", "\"images_per_second_at_best\": ",
                                "{\"name\": \"backward data\", \"flops\": ", "\"device_memory_bytes\": 150754820096",
                                "\"fits\": true", "\"peak_op\": ", "\"largest_workspace_bytes\": " })
        EXPECT_NE(json.find(needed), std::string::npos) << needed;
}

// The simulated cuDNN has one engine that sums in any order, and only with tensor cores.
TEST_F(Step, SumsInAnyOrderOnlyIfAsked)
{
    for (trib_precision precision : { TRIB_PRECISION_FP32, TRIB_PRECISION_TF32 })
        for (bool asked : { false, true }) {
            Plan p = step(precision, asked);
            ASSERT_TRUE(p);
            int found = 0;
            for (int i = 0; i < p->op_count; ++i) {
                EXPECT_EQ(p->ops[i].desc.any_order, asked && trib_is_product(p->ops[i].desc.kind)) << p->ops[i].name;
                found += p->ops[i].implementation && std::string(p->ops[i].implementation).find("cudnn:f32:30:") == 0;
            }
            EXPECT_EQ(found > 0, asked && precision == TRIB_PRECISION_TF32);
            EXPECT_EQ(p->any_order_ops, found);
            EXPECT_EQ(text_of(p.get(), true).find("\"any_order_ops\"") != std::string::npos, found > 0);
        }
}

TEST_F(Target, EveryPrecisionHasAPlanAndNothingRuns)
{
    for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision) {
        trib_plan *p = plan(TRIB_BRANCHES, trib_precision(precision));
        ASSERT_TRUE(p);
        EXPECT_GT(p->math_rate, 0);
        trib_plan_destroy(p);
    }
    trib_plan_options o = trib_plan_default_options();
    o.reference = true;
    trib_plan *nothing = nullptr;
    EXPECT_FAILS(trib_plan_create(graph, device, &o, &nothing), TRIB_UNSUPPORTED, "on the cpu device only");
    trib_stream *stream = nullptr;
    trib_event *event = nullptr;
    EXPECT_FAILS(trib_stream_create(device, nullptr, &stream), TRIB_UNSUPPORTED, "only described");
    EXPECT_FAILS(trib_event_create(device, &event), TRIB_UNSUPPORTED, "only described");
    void *host = nullptr;
    EXPECT_FAILS(trib_host_alloc(device, 1, &host), TRIB_UNSUPPORTED, "only described");
    trib_device *none = nullptr;
    trib_device_options options = {};
    options.target = "h9000";
    EXPECT_FAILS(trib_device_open("cuda", &options, &none), TRIB_NOT_FOUND, "known are: h200");
    EXPECT_STREQ(trib_device_targets(0), "h200");
}

} // namespace
